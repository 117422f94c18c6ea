"""Commands that start jobs: with the jobs played, so that what is tested is the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from jobs import cli_load, cli_runs, cli_versions, cli_work
from jobs.cli import app
from jobs.context import JobContext, JobReport
from jobs.home import Home
from jobs.positions import read_progress
from pipelines.load import LoadedSpace, LoadedTable, LoadReport
from pipelines.rolling_back import Rollback
from tests.jobs import seeded
from tests.jobs.seeded import append, batch
from transforms import contracts as c
from transforms.errors import AnswererError, HomeBusyError
from transforms.identity import make_id

Job = Callable[[], JobReport]


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path)
    seeded.create(home)
    append(home, c.SPACES, [seeded.space(), seeded.space("silent", answerer=None)])
    return home


@pytest.fixture
def jobs(monkeypatch, home) -> dict[str, Job]:
    """The jobs by name, to be replaced; no session is opened."""
    names = ("approve", "apply", "evaluate", "optimize")
    played: dict[str, Job] = {name: reports(name) for name in names}

    @contextlib.contextmanager
    def opened(command, *, name):
        with command.home.own(f"genie-loop {name}", seeded.NOON):
            tables = SimpleNamespace(create=lambda: created.append(name))
            yield JobContext(tables, Path("checkpoints"), "sqlite://", lambda: seeded.NOON)

    created: list[str] = []

    for module in (cli_work, cli_load, cli_versions):
        monkeypatch.setattr(module, "opened", opened)
    monkeypatch.setattr(cli_work, "run_job", lambda name, context: played[name]())
    return played


def reports(name: str, *lines: str) -> Job:
    return lambda: JobReport(name, lines, wrote=len(lines))


def raises(error: BaseException) -> Job:
    def job() -> JobReport:
        raise error

    return job


def call(home: Home, *words: str):
    return CliRunner().invoke(app, ["--home", str(home.root), *words])


def test_run_starts_what_is_due_and_says_what_it_did(home, jobs):
    append(home, c.BATCHES, [batch(1)])
    jobs["approve"] = reports("approve", "1 batch approved", "by policy")
    done = call(home, "run", "--no-wait", "--max-runs", "1")
    assert done.exit_code == 0
    assert done.stdout == "approve: 1 batch approved\n  by policy\n1 run; nothing is due\n"
    assert done.stderr == "approve starts: batches updated\n"
    assert call(home, "run").stdout == "Nothing is pending.\n"


def test_run_says_what_is_still_due_when_it_may_not_go_on(home, jobs):
    append(home, c.BATCHES, [batch(1)])
    append(home, c.EVALUATIONS, [seeded.evaluation()])
    done = call(home, "run", "--no-wait", "--max-runs", "1")
    assert done.stdout.endswith("1 run; still due: optimize\n")
    assert "approve: nothing was pending" in done.stdout


def test_a_failing_job_is_told_and_ends_in_its_exit_code(home, jobs):
    append(home, c.BATCHES, [batch(1)])
    jobs["approve"] = raises(HomeBusyError("the warehouse is taken", remedy="wait"))
    done = call(home, "run", "--no-wait")
    assert done.exit_code == 75
    assert "Error: the warehouse is taken\n  What to do: wait" in done.stderr
    assert "approve failed; it has not moved on" in done.stderr
    assert done.stdout.endswith("still due: approve\n")
    assert read_progress(home.runner_file)["approve"].positions == {}


def test_an_unexpected_error_of_a_job_is_one_line_and_a_log(home, jobs):
    append(home, c.BATCHES, [batch(1)])
    jobs["approve"] = raises(ValueError("no such thing"))
    done = call(home, "run", "--no-wait")
    assert done.exit_code == 70
    log = home.logs / "genie-loop.log"
    assert f"Error: ValueError: no such thing (see {log})" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in log.read_text()


def test_ctrl_c_during_a_job_says_what_goes_on_and_the_job_is_started_again(home, jobs):
    append(home, c.BATCHES, [batch(1)])
    jobs["approve"] = raises(KeyboardInterrupt())
    done = call(home, "run", "--no-wait")
    assert done.exit_code == 130
    assert "Interrupted while approve ran. Nothing is half-done" in done.stderr
    assert done.stdout == ""
    jobs["approve"] = reports("approve", "done")
    again = call(home, "run")
    assert "approve starts: its last run did not finish" in again.stderr
    assert again.stdout == "approve: done\n1 run; nothing is due\n"


def test_waiting_is_shown_once_where_nobody_watches_it_count_down(home, jobs, monkeypatch):
    append(home, c.BATCHES, [batch(1)])
    call(home, "run", "--no-wait")
    append(home, c.EVALUATIONS, [seeded.evaluation()])
    call(home, "run", "--no-wait")
    append(home, c.EVALUATIONS, [seeded.evaluation(iteration=1)])

    def interrupted(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    naps: list[float] = []
    monkeypatch.setattr(cli_runs.time, "sleep", interrupted)
    done = call(home, "run")
    assert done.exit_code == 130
    assert done.stderr.count("after its last start (evaluations updated); --no-wait starts") == 1
    assert "Interrupted while no job ran" in done.stderr


@pytest.mark.parametrize("name", ["evaluate", "optimize", "apply"])
def test_a_job_started_by_hand_counts_as_a_run_of_it(home, jobs, name):
    append(home, c.EVALUATION_REQUESTS, [])
    append(home, c.EVALUATIONS, [seeded.evaluation()])
    jobs[name] = reports(name, "done")
    done = call(home, name)
    assert (done.exit_code, done.stdout) == (0, f"{name}: done\n")
    progress = read_progress(home.runner_file)[name]
    assert progress.started_with is None
    assert progress.positions


def test_a_job_started_by_hand_that_fails_ends_in_its_exit_code(home, jobs):
    jobs["optimize"] = raises(AnswererError("the warehouse is down"))
    done = call(home, "optimize")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: the warehouse is down\n"
    assert read_progress(home.runner_file)["optimize"].failure == "the warehouse is down"


def test_ctrl_c_during_a_job_started_by_hand_says_how_it_goes_on(home, jobs):
    jobs["optimize"] = raises(KeyboardInterrupt())
    done = call(home, "optimize")
    assert done.exit_code == 130
    assert "Interrupted while optimize ran" in done.stderr


@pytest.fixture
def decided(home, monkeypatch) -> list[tuple[str, str, str | None]]:
    """What a rollback is called with; it finds that batch 1 is to be undone."""
    append(home, c.EVALUATIONS, [seeded.evaluation(model_id="m-1", state_hash="as it was")])
    calls: list[tuple[str, str, str | None]] = []

    def decide(context, model_id, person, reason):
        calls.append((model_id, person, reason))
        batches = () if reason == "nothing" else (make_id("batch", 1),)
        return Rollback("shop", seeded.evaluation_id(), model_id, "as it was", batches)

    monkeypatch.setattr(cli_versions, "_decide", decide)
    return calls


def undoes(home: Home, state_hash: str) -> Job:
    def job() -> JobReport:
        append(home, c.APPLICATIONS, [seeded.application(1, "undo", state_hash=state_hash)])
        return JobReport("apply", ("batch-1 undone: 1 patches",), wrote=1)

    return job


def test_a_rollback_decides_undoes_and_looks_whether_the_state_is_as_it_was(home, jobs, decided):
    jobs["apply"] = undoes(home, "as it was")
    done = call(home, "rollback", seeded.evaluation_id()[11:19], "--by", "ann", "--reason", "bad")
    assert (done.exit_code, decided) == (0, [("m-1", "ann", "bad")])
    assert done.stdout == (
        "shop: 1 batch to undo, decided by ann\napply: batch-1 undone: 1 patches\n"
        "shop is what m-1 was, read back. Next: genie-loop run\n"
    )
    assert read_progress(home.runner_file)["apply"].started_with is None


def test_a_rollback_after_which_the_state_is_another_one_says_so(home, jobs, decided):
    jobs["apply"] = undoes(home, "changed by a person")
    done = call(home, "rollback", "m-1", "--by", "ann")
    assert done.exit_code == 7
    assert "the state is another one" in done.stderr


def test_a_rollback_that_has_nothing_to_undo_starts_no_job(home, jobs, decided):
    jobs["apply"] = raises(AssertionError())
    done = call(home, "rollback", "m-1", "--by", "ann", "--reason", "nothing")
    assert done.stdout == "Nothing was applied since m-1; nothing is undone.\n"


@pytest.mark.parametrize(
    ("words", "asked", "again"),
    [
        ([], [], False),
        (["shop"], ["shop"], False),
        (["shop", "--again"], ["shop"], True),
        (["--again"], ["shop"], True),
    ],
    ids=["what is pending", "one space", "one space again", "all that are answered, again"],
)
def test_evaluate_asks_for_what_it_was_told_to(home, jobs, monkeypatch, words, asked, again):
    calls = []

    def request(tables, spaces, *, requested_by, again):
        calls.append((list(spaces), again))
        return ("request",)

    monkeypatch.setattr("pipelines.spaces.request_evaluations", request)
    assert call(home, "evaluate", *words).exit_code == 0
    assert calls == ([(asked, again)] if asked else [])


def test_evaluate_says_when_a_space_was_asked_for_before(home, jobs, monkeypatch):
    monkeypatch.setattr("pipelines.spaces.request_evaluations", lambda *_, **__: ())
    assert "--again asks for one more" in call(home, "evaluate", "shop").stdout


def test_evaluate_refuses_a_space_that_nothing_answers_for(home, jobs):
    done = call(home, "evaluate", "silent")
    assert done.exit_code == 2
    assert "genie-loop evaluate SPACE --answers FILE" in done.stderr


@pytest.mark.parametrize(("is_new", "again"), [(True, True), (False, False)])
def test_new_answers_ask_for_a_new_evaluation_and_old_ones_do_not(
    home, jobs, monkeypatch, is_new, again
):
    calls = []

    def request(tables, spaces, *, requested_by, again):
        calls.append((list(spaces), again))
        return ("request",)

    monkeypatch.setattr("pipelines.spaces.request_evaluations", request)
    monkeypatch.setattr("pipelines.answering.answer_from", lambda *_: is_new)
    assert call(home, "evaluate", "silent", "--answers", "new.jsonl").exit_code == 0
    assert calls == [(["silent"], again)]


@pytest.mark.parametrize(
    "words", [["run"], ["evaluate"], ["optimize"], ["apply"], ["tables", "create"]]
)
def test_a_home_that_another_process_owns_is_left_alone(home, words):
    append(home, c.BATCHES, [batch(1)])
    with home.own("genie-loop run", seeded.NOON):
        done = call(home, *words)
    assert done.exit_code == 75
    assert "owns this home since" in done.stderr
    assert done.stdout == ""
    assert read_progress(home.runner_file) == {}


def test_people_decide_while_another_process_owns_the_home(home):
    append(home, c.PROPOSALS, [seeded.proposal(1)])
    append(home, c.BATCHES, [batch(1)])
    with home.own("genie-loop run", seeded.NOON):
        assert call(home, "approve", batch(1)["batch_id"], "--by", "ann").exit_code == 0
        assert call(home, "batches").exit_code == 0


LOADED = LoadReport(
    data_schema="shop",
    tables=(LoadedTable("shop.orders", 60, 2, True), LoadedTable("shop.buyers", 7, 0, False)),
    spaces=(
        LoadedSpace("shop-assistant", "recorded:a.jsonl", 15),
        LoadedSpace("shop-silent", None, None),
    ),
    question_count=16,
    quarantined_question_count=1,
    group_count=1,
    split_counts={"train": 8, "held_out": 4, "sealed": 4},
    request_ids=("request-1",),
    wrote=6,
)


def test_load_says_what_became_of_the_folder(home, jobs, monkeypatch, tmp_path):
    calls = []

    def load(tables, path, *, name, policy, target_accuracy, requested_by, progress):
        calls.append((path, name, policy, target_accuracy))
        progress("load tables", 1, 2)
        return LOADED

    monkeypatch.setattr("pipelines.load.load", load)
    options = ("--name", "shop", "--policy", "auto_low_risk", "--target", "0.7")
    done = call(home, "load", str(tmp_path), *options)
    assert (done.exit_code, done.stderr) == (0, "")
    assert calls == [(tmp_path, "shop", "auto_low_risk", 0.7)]
    text = " ".join(done.stdout.split())
    for part in (
        "shop.orders 60 2 written",
        "shop.buyers 7 0 as before",
        "16 questions in 1 group: train 8, held_out 4, sealed 4",
        "3 rows set aside with the reason, in the table quarantine",
        "shop-assistant: 15 recorded answers",
        "shop-silent: nothing answers for it yet",
        "1 evaluation asked for. Next: genie-loop run",
    ):
        assert part in text


def test_loading_again_says_that_nothing_was_written(home, jobs, monkeypatch, tmp_path):
    again = replace(LOADED, request_ids=(), wrote=0)
    monkeypatch.setattr("pipelines.load.load", lambda *_, **__: again)
    assert "Nothing was new; nothing was written." in call(home, "load", str(tmp_path)).stdout


def test_ctrl_c_while_loading_says_that_the_same_command_goes_on(home, jobs, monkeypatch, tmp_path):
    def load(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.load.load", load)
    done = call(home, "load", str(tmp_path))
    assert done.exit_code == 130
    assert "The same command again loads what is missing" in done.stderr


def test_a_job_is_started_by_its_name_and_may_show_how_far_it_is(monkeypatch):
    seen = []

    def job(context):
        context.progress("ask", 1, 2)
        context.progress("ask", 2, 2)
        seen.append(context)
        return JobReport("approve")

    monkeypatch.setattr("jobs.approve.run", job)
    given = JobContext(None, Path("checkpoints"), "sqlite://", lambda: seeded.NOON)
    assert cli_runs.run_job("approve", given) == JobReport("approve")
    assert seen[0].checkpoints == given.checkpoints
    with pytest.raises(KeyError):
        cli_runs.run_job("no such job", given)
