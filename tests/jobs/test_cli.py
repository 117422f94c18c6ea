"""Every command on a small home: what people read, what programs read, how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.home import Home
from tests.jobs import seeded
from tests.jobs.seeded import append, batch, proposal
from transforms import contracts as c
from transforms.identity import make_id

FREE, BEHIND = make_id("batch", 1), make_id("batch", 2)
LISTS = ("status", "history", "levers", "failures", "clusters", "proposals", "batches")
ANSI = re.compile(r"\x1b\[")


@pytest.fixture
def shop(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    seeded.shop(home)
    return home


def call(home: Home | Path, *words: str):
    root = home.root if isinstance(home, Home) else home
    return CliRunner().invoke(app, ["--home", str(root), *words])


def shown(home: Home | Path, *words: str) -> str:
    done = call(home, *words)
    assert done.exit_code == 0, done.output
    return done.stdout


def listed(home: Home | Path, *words: str) -> list[dict]:
    done = call(home, *words, "--json")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert not ANSI.search(done.stdout)
    rows = json.loads(done.stdout)
    assert isinstance(rows, list)
    assert all(isinstance(row, dict) for row in rows)
    return rows


@pytest.mark.parametrize("name", LISTS)
def test_a_list_fits_into_100_columns_and_is_plain_text_where_it_is_piped(shop, name):
    text = shown(shop, name)
    # A path is printed whole, however deep the home lies.
    lines = [line for line in text.splitlines() if not line.startswith("Home ")]
    assert max(map(len, lines)) <= 100
    assert not ANSI.search(text)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_rows_says_what_to_do_next(tmp_path, name):
    text = shown(tmp_path / "none", name)
    assert "genie-loop " in text
    assert listed(tmp_path / "none", name) == []
    assert not (tmp_path / "none").exists(), "looking made a home"


@pytest.mark.parametrize("name", LISTS)
def test_a_home_whose_tables_are_empty_is_as_good_as_none(tmp_path, name):
    home = Home(tmp_path)
    seeded.create(home)
    assert "genie-loop " in shown(home, name)
    assert listed(home, name) == []


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (
            "history",
            {"space_id", "evaluation_id", "train_count", "held_out_correct", "sealed_count"},
        ),
        ("levers", {"space_id", "cycle", "lever", "is_attempted", "skip_reason", "is_final"}),
        ("failures", {*c.FAILURES.columns}),
        ("clusters", {*c.CLUSTERS.columns, "state"}),
        ("proposals", {*c.PROPOSALS.columns, "state", "state_reason", "batch_id"}),
        ("batches", {*c.BATCHES.columns, "state", "waits_for", "decided_by"}),
        ("tables list", {"table", "row_count", "version", "path", "comment"}),
    ],
)
def test_json_holds_whole_rows(shop, name, keys):
    rows = listed(shop, *name.split())
    assert rows
    assert all(keys <= row.keys() for row in rows)


def test_status_shows_spaces_due_jobs_and_batches_with_the_command_to_approve(shop):
    text = shown(shop, "status")
    assert re.search(r"shop +1/2  50% 9-91 +0/1   0% 0-79 +0/1   0% 0-79 +1 +improving", text)
    assert "evaluate: evaluation_requests updated" in text
    assert f"genie-loop approve {FREE[6:14]}" in text
    assert f"genie-loop approve {BEHIND[6:14]}" in text
    about = {row["about"] for row in listed(shop, "status")}
    assert about == {"space", "job", "batch"}


def test_status_tells_a_job_that_failed(shop):
    state = {
        "positions": {},
        "started_with": {"batches": 1},
        "triggered_at": "2026-03-01T12:00:00+00:00",
        "failure": "the warehouse is down",
    }
    shop.runner_file.write_text(json.dumps({"format": 1, "jobs": {"approve": state}}))
    text = shown(shop, "status")
    assert "approve: its last run did not finish; it failed: the warehouse is down" in text
    (job,) = [r for r in listed(shop, "status") if r.get("job") == "approve"]
    assert job["last_failure"] == "the warehouse is down"


def test_status_tells_who_owns_the_home_and_what_is_running(shop):
    state = {
        "positions": {},
        "started_with": {"batches": 1},
        "triggered_at": "2026-03-01T12:00:00+00:00",
        "failure": None,
    }
    shop.runner_file.write_text(json.dumps({"format": 1, "jobs": {"approve": state}}))
    with shop.own("genie-loop run", seeded.NOON):
        text = shown(shop, "status")
        assert "`genie-loop run`" in text
        assert "Running now: approve\n" in text
    assert "approve: its last run did not finish" in shown(shop, "status")


def test_a_long_id_is_never_cut(shop):
    long = "a_space_with_a_name_that_is_far_longer_than_anybody_would_give_it_in_their_right_mind"
    append(shop, c.SPACES, [seeded.space(long)])
    append(shop, c.LEVER_AUDIT, [seeded.lever_audit(1, space_id=long)])
    for name in ("status", "levers"):
        assert long in shown(shop, name)


def test_history_shows_counts_and_percentages_of_the_splits_side_by_side(shop):
    text = shown(shop, "history")
    assert re.search(r"train +held_out +sealed", text)
    assert "0 baseline" in text
    assert "1/2  50%" in text


@pytest.mark.parametrize("name", ["status", "history"])
def test_questions_on_which_the_platform_failed_are_told(shop, name):
    assert "the platform failed" not in shown(shop, name)
    counts = {"correct": 1, "incorrect": 1, "infrastructure": 2}
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=1, outcome_counts=counts)])
    assert "the platform failed on 2 questions of evaluation" in shown(shop, name)


def test_levers_show_all_six_and_why_not(shop):
    text = shown(shop, "levers")
    assert all(name in text for name in ("1 tables and columns", "5 ML tables", "6 space"))
    assert "no failure blames an object" in text
    assert [row["lever"] for row in listed(shop, "levers")] == [1, 2, 3, 4, 5, 6]


def test_failures_show_train_and_only_count_the_other_splits(shop):
    text = shown(shop, "failures")
    assert "q2  Which customers have no order?\n" in text
    assert re.search(r"blamed +column:shop.orders.status *\n", text)
    assert re.search(r"expected +shop.orders.status = 'paid' *\n +found +nothing", text)
    assert not re.search(r"^q[34] ", text, re.MULTILINE)
    assert "held-out" not in text
    assert "held_out: 1 failure in 1 question; sealed: 1 failure in 1 question" in text
    assert {row["split"] for row in listed(shop, "failures")} == {"train"}


def test_failures_of_another_split_are_shown_when_they_are_asked_for(shop):
    assert "q4  What is the sealed total?\n" in shown(shop, "failures", "--split", "sealed")
    assert [r["question_id"] for r in listed(shop, "failures", "--split", "held_out")] == ["q3"]


@pytest.mark.parametrize(
    ("options", "questions"),
    [
        (["--question", "q2"], ["q2"]),
        (["--question", "q1"], []),
        (["--judge", "logical_accuracy"], ["q2"]),
        (["--judge", "arbiter"], []),
        (["--space", "shop"], ["q2"]),
        (["--evaluation", seeded.evaluation_id()[11:17]], ["q2"]),
        (["--limit", "1"], ["q2"]),
    ],
)
def test_failures_can_be_narrowed_down(shop, options, questions):
    assert [row["question_id"] for row in listed(shop, "failures", *options)] == questions


def test_failures_are_those_of_the_last_evaluation_unless_one_is_named(shop):
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=1)])
    append(shop, c.FAILURES, [seeded.failure("q1", iteration=1)])
    assert [row["question_id"] for row in listed(shop, "failures")] == ["q1"]
    first = seeded.evaluation_id()
    rows = listed(shop, "failures", "--evaluation", first)
    assert [row["question_id"] for row in rows] == ["q2"]


def test_a_limit_says_that_there_is_more(shop):
    append(shop, c.FAILURES, [seeded.failure("q1")])
    assert "1 more of train; --limit 0 shows all" in shown(shop, "failures", "--limit", "1")
    assert len(listed(shop, "failures", "--limit", "1")) == 1
    assert len(listed(shop, "failures", "--limit", "0")) == 2


def test_a_long_list_is_cut_on_a_screen_and_whole_as_json(shop):
    append(shop, c.EVALUATIONS, [seeded.evaluation(iteration=n) for n in range(1, 31)])
    text = shown(shop, "history")
    assert "11 more; --limit 0 shows all." in text
    assert "30 baseline" in text, "the newest are shown"
    assert "10 baseline" not in text
    assert len(listed(shop, "history")) == 31
    assert "more;" not in shown(shop, "history", "--limit", "0")


def test_clusters_and_proposals_never_show_a_question_that_is_not_train(shop):
    """Even if a row named one: what is shown of questions is looked up in train alone."""
    leaking = ["q2", "q3", "q4"]
    append(shop, c.PROPOSALS, [proposal(3, question_ids=leaking)])
    append(shop, c.CLUSTERS, [seeded.cluster(cluster_id="cluster-leaky", question_ids=leaking)])
    append(shop, c.BATCHES, [batch(3, [3], question_ids=leaking)])
    for words in (
        ["clusters"],
        ["clusters", "show", "cluster-leaky"],
        ["proposals"],
        ["proposals", "show", make_id("proposal", 3)],
        ["batches", "show", make_id("batch", 3)],
    ):
        for text in (shown(shop, *words), shown(shop, *words, "--json")):
            assert seeded.TEXT_OF["q3"] not in text
            assert seeded.TEXT_OF["q4"] not in text


@pytest.mark.parametrize("split", ["train", "held_out", "sealed"])
def test_a_correction_shows_its_benchmark_only_if_that_is_train_or_it_is_asked_to(shop, split):
    (question,) = [q for q, of in seeded.SPLIT_OF.items() if of == split][-1:]
    text = {"summary": "BENCHMARK", "evidence": "BENCHMARK", "before": "BENCHMARK"}
    correction = proposal(
        5,
        lever=0,
        cluster_id=None,
        patch_type="correct_benchmark",
        patch="BENCHMARK",
        after="BENCHMARK",
        question_ids=[question],
        **text,
    )
    append(shop, c.PROPOSALS, [correction])
    append(shop, c.BATCHES, [batch(5, [5], kind="correction", lever=0, question_ids=[question])])
    one, of = make_id("proposal", 5), make_id("batch", 5)
    for words in (["proposals"], ["proposals", "show", one], ["batches", "show", of]):
        for form in ([], ["--json"]):
            assert ("BENCHMARK" in shown(shop, *words, *form)) is (split == "train")
    for words in (["proposals", "show", one], ["batches", "show", of]):
        assert "BENCHMARK" in shown(shop, *words, "--reveal")
        assert "BENCHMARK" in shown(shop, *words, "--reveal", "--json")


def test_a_batch_is_shown_with_before_after_evidence_questions_and_how_to_decide(shop):
    text = shown(shop, "batches", "show", FREE[6:14])
    for part in (
        FREE,
        "(nothing)",
        "paid, open or cancelled",
        "nothing says how they are marked",
        "Which customers have no order?",
        f"genie-loop approve {FREE[6:14]}",
        f"genie-loop reject {FREE[6:14]}",
    ):
        assert part in text
    (row,) = listed(shop, "batches", "show", FREE)
    assert [p["proposal_id"] for p in row["proposals"]] == [make_id("proposal", 1)]
    assert [q["question_id"] for q in row["questions"]] == ["q2"]


def test_a_batch_that_waits_names_the_one_it_waits_for_and_may_be_approved(shop):
    append(shop, c.APPROVALS, [seeded.approval(1)])
    text = shown(shop, "batches", "show", BEHIND)
    assert f"waits for  {FREE}" in text
    assert f"genie-loop approve {BEHIND[6:14]}" in text
    approved = shown(shop, "approve", BEHIND, "--by", "ann")
    assert f"approved: {BEHIND} (shop); applied once {FREE[6:14]} is settled\n" in approved


def test_status_leaves_to_the_policy_what_it_decides(shop):
    append(shop, c.SPACES, [seeded.space(policy="auto_low_risk", registration_id="r2", ordinal=2)])
    append(shop, c.BATCHES, [seeded.batch(3, [2], risk="high", recorded_at=seeded.NOON)])
    assert [row["batch_id"] for row in listed(shop, "status") if row["about"] == "batch"] == [
        make_id("batch", 3)
    ]


def test_a_proposal_is_shown_with_its_reasons(shop):
    append(
        shop,
        c.LEAK_REFUSALS,
        [
            {
                "space_id": "shop",
                "proposal_id": make_id("proposal", 1),
                "fingerprint": "f",
                "split": "sealed",
                "overlap_kind": "sql_tree",
                "overlap": 0.95,
            }
        ],
    )
    text = shown(shop, "proposals", "show", make_id("proposal", 1))
    assert "reproduces the sql tree of a sealed benchmark (overlap 0.95)" in text
    assert "puts at risk  0 train questions" in text


def test_a_cluster_is_shown_with_its_evidence_and_its_proposals(shop):
    text = shown(shop, "clusters", "show", make_id("cluster", "shop", "filter_missing")[8:16])
    assert "shop.orders.status = 'paid'  instead of  nothing  (1 group)" in text
    assert "paid (1)" in text
    assert "Say which values column_1 of orders has" in " ".join(text.split())


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_decisions_are_said_and_said_to_be_old_the_second_time(shop, command):
    decision = {"approve": "approved", "reject": "declined"}[command]
    first = shown(shop, command, FREE[6:14], "--by", "ann", "--reason", "because")
    assert f"{decision}: {FREE} (shop)" in first
    again = shown(shop, command, FREE)
    assert f"{FREE} was {decision} before by ann; nothing written" in again
    (row,) = [r for r in listed(shop, "batches") if r["batch_id"] == FREE]
    assert (row["state"], row["decided_by"]) == (decision, "ann")
    assert row["decision_reason"] == "because"


def test_an_approval_is_taken_back_as_long_as_nothing_was_begun(shop):
    shown(shop, "approve", FREE, "--by", "ann")
    assert f"Take it back: genie-loop reject {FREE[6:14]}" in shown(shop, "batches", "show", FREE)
    said = shown(shop, "reject", FREE, "--by", "bob", "--reason", "it drifted")
    assert f"declined: {FREE} (shop); the approval by ann is taken back" in said
    assert "Next: genie-loop run" in said
    text = shown(shop, "batches", "show", FREE)
    assert "declined by bob" in text
    assert "it drifted" in text
    assert "Take it back" not in text


def test_the_user_decides_unless_another_name_is_given(shop, monkeypatch):
    monkeypatch.setenv("LOGNAME", "")
    monkeypatch.setenv("USER", "carol")
    shown(shop, "approve", FREE)
    assert "carol" in shown(shop, "batches")


@pytest.mark.parametrize("name", ["policy:auto_low_risk", " "])
def test_nobody_decides_in_the_name_of_a_policy_or_of_nobody(shop, name):
    done = call(shop, "approve", FREE, "--by", name)
    assert done.exit_code == 2
    assert "is not the name of a person" in done.stderr


def test_tables_are_listed_with_rows_and_versions(shop):
    rows = {row["table"]: row for row in listed(shop, "tables", "list")}
    assert set(rows) == set(c.BY_NAME)
    assert rows["benchmarks"]["row_count"] == 4
    assert "One row per version of a question" not in shown(shop, "tables", "list")


def test_tables_docs_prints_the_document_of_the_tables(shop):
    assert (
        shown(shop, "tables", "docs")
        == (Path(__file__).parents[2] / "docs" / "tables.md").read_text()
    )


def test_run_with_nothing_pending_starts_nothing(tmp_path):
    assert shown(tmp_path, "run") == "Nothing is pending.\n"


def test_the_version_is_that_of_the_distribution():
    done = CliRunner().invoke(app, ["--version"])
    assert re.fullmatch(r"genie-loop \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["approve", "nothing"], 7, "there is no such batch"),
        (["batches", "show", "nothing"], 7, "there is no such batch"),
        (["proposals", "show", "nothing"], 7, "there is no such proposal"),
        (["clusters", "show", "nothing"], 7, "there is no such cluster"),
        (["failures", "--evaluation", "nothing"], 7, "there is no such evaluation"),
        (["failures", "--judge", "nobody"], 2, "'nobody' is none of"),
        (["failures", "--split", "all"], 2, "'all' is none of"),
        (["history", "--space", "nowhere"], 2, "there is no such space"),
        (["failures", "--space", "nowhere"], 2, "known are shop"),
        (["failures", "--limit", "-1"], 2, "greater than or equal to 0"),
        (["evaluate", "nowhere"], 2, "there is no such space"),
        (["evaluate", "--answers", "a.jsonl"], 2, "which space"),
        (["load", "nowhere"], 2, "there is no such folder"),
        (["load", ".", "--policy", "always"], 2, "'always' is none of"),
        (["approve"], 2, "BATCH"),
        (["no-such-command"], 2, "No such command"),
        (["status", "--no-such-option"], 2, "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_goes_wrong_ends_in_a_message_and_an_exit_code(shop, words, exit_code, message):
    done = call(shop, *words)
    assert done.exit_code == exit_code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_table_that_is_missing_is_named_with_the_command_that_creates_it(tmp_path):
    home = Home(tmp_path)
    home.create()
    append(home, c.SPACES, [seeded.space()])
    done = call(home, "batches")
    assert done.exit_code == 3
    assert "genie-loop tables create" in done.stderr


def test_a_damaged_runner_file_is_told_with_its_remedy(shop):
    shop.runner_file.write_text("{")
    done = call(shop, "status")
    assert done.exit_code == 4
    assert "delete the file" in done.stderr


@pytest.mark.parametrize("is_verbose", [False, True])
def test_an_unexpected_error_is_one_line_and_a_log(shop, monkeypatch, is_verbose):
    def broken(*_, **__):
        raise ZeroDivisionError("a fault of the program\nsecond line")

    monkeypatch.setattr("jobs.cli_status.pending_jobs", broken)
    done = call(shop, *(["-v"] if is_verbose else []), "status")
    assert done.exit_code == 70
    log = shop.logs / "genie-loop.log"
    assert f"Error: ZeroDivisionError: a fault of the program (see {log})" in done.stderr
    assert ("Traceback" in done.stderr) is is_verbose
    assert "Traceback" in log.read_text()


def test_verbose_shows_where_an_error_comes_from(shop):
    assert "Traceback" in call(shop, "-v", "approve", "nothing").stderr


def test_ctrl_c_ends_with_130(shop, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("jobs.cli_status.pending_jobs", interrupted)
    done = call(shop, "status")
    assert (done.exit_code, done.stderr) == (130, "Interrupted.\n")
