"""From evaluations to batches: exactly once, from rows only, levers in order, no leak batched.

Each test is a story over real Delta tables; proposers are made up, so that a story says what is
proposed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipelines.optimize import optimize
from pipelines.states import States
from pipelines.tables import Tables
from tests.conftest import NOW, empty
from tests.pipelines.crashes import CrashError, CrashingTables
from tests.pipelines.histories import rows, versions
from tests.pipelines.loop_rows import (
    Evaluation,
    Q,
    add_benchmarks,
    add_evaluation,
    add_evidence,
    add_space,
    apply,
    decide,
)
from transforms.change_views import BATCH_STATES, PROPOSAL_STATES
from transforms.contracts import (
    BATCHES,
    BENCHMARK_CORRECTIONS,
    CLUSTERS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    GATE_DECISIONS,
    LEAK_REFUSALS,
    LEVER_AUDIT,
    PROPOSALS,
    TABLES,
)
from transforms.errors import MissingEvidenceError
from transforms.evaluation_views import BENCHMARK_STATES
from transforms.patches import AddInstruction, SetColumnComment
from transforms.proposal_values import DraftProposal, Proposer

AMOUNT = "column:shop.orders.amount"


def comment(column: str, text: str) -> DraftProposal:
    return _draft(SetColumnComment(table="shop.orders", column=column, comment=text))


def instruction(space_id: str, text: str) -> DraftProposal:
    return _draft(AddInstruction(space_id=space_id, topic=text[:20], text=text))


def _draft(patch):
    return DraftProposal(
        rule="by_test",
        patch=patch,
        before=None,
        summary=patch.after,
        evidence="so",
        confidence=0.5,
        risk="low",
    )


def describe_and_instruct() -> Proposer:
    """A comment on each blamed column, and an instruction: levers 1 and 6."""

    def propose(cluster, facts):
        comments = [
            comment(blame.rpartition(".")[2], f"About {blame.rpartition('.')[2]}.")
            for blame in cluster.blame_set
        ]
        return [*comments, instruction(cluster.space_id, f"Mind {cluster.rule}.")]

    return propose


class Loop:
    """A history on which optimize runs, with one checkpoint and a clock that can be moved."""

    def __init__(self, tables: Tables, folder) -> None:
        self.tables = tables
        self.folder = folder
        self.checkpoint = str(folder / "checkpoint")

    def run(self, propose: Proposer | None = None) -> dict[str, int]:
        done = optimize(
            self.tables, checkpoint=self.checkpoint, proposer=propose or describe_and_instruct()
        )
        return dict(done.commits)

    def rows(self, table):
        return rows(self.tables, table)

    def states(self, view, key):
        return {row[key]: row["state"] for row in States(self.tables).of(view).collect()}

    def batches(self):
        return {row["batch_id"]: row for row in self.rows(BATCHES)}

    def audit(self, space_id="shop-a", cycle=1):
        return {
            row["lever"]: row
            for row in self.rows(LEVER_AUDIT)
            if (row["space_id"], row["cycle"]) == (space_id, cycle)
        }


@pytest.fixture
def loop(tables, tmp_path) -> Loop:
    return Loop(tables, tmp_path)


@pytest.fixture
def later(tables) -> Callable[[int], None]:
    """Moves the clock of the tables to so many hours after their first rows."""
    before = tables.clock

    def move(hours: int) -> None:
        tables.clock = lambda: NOW + timedelta(hours=hours)

    yield move
    tables.clock = before


BASELINE = [
    Q("q1"),
    Q("q2"),
    Q("q3", is_correct=True),
    Q("q4", blame=[AMOUNT], rule="missing_filter", failure_type="missing_filter"),
    Q("h1", split="held_out"),
    Q("s1", split="sealed"),
    Q("n1", confirmation="suspect", verdict="neither_correct"),
]


def start(loop: Loop, questions=BASELINE, **changed) -> None:
    add_space(loop.tables)
    add_benchmarks(loop.tables, questions)
    add_evaluation(loop.tables, Evaluation(questions, **changed))


def test_an_evaluation_becomes_clusters_proposals_one_batch_and_six_audit_rows_once(loop):
    start(loop)
    loop.run()
    clusters = {row["cause"]: row for row in loop.rows(CLUSTERS)}
    assert clusters.keys() == {"wrong_column", "missing_filter"}
    assert clusters["wrong_column"]["question_ids"] == ["q1", "q2"], "confirmed train failures only"
    proposed = {row["after"]: row for row in loop.rows(PROPOSALS)}
    assert proposed.keys() == {
        "About status.", "About amount.", "Mind wrong_column.", "Mind missing_filter.",
    }  # fmt: skip
    [batch] = loop.rows(BATCHES)
    assert batch["lever"] == 1, "lever 6 waits its turn"
    assert batch["proposal_ids"] == [
        proposed["About status."]["proposal_id"],
        proposed["About amount."]["proposal_id"],
    ]
    audit = loop.audit()
    assert sorted(audit) == [1, 2, 3, 4, 5, 6]
    assert audit[1]["skip_reason"] == f"batch {batch['batch_id']} waits for approval"
    assert audit[6]["proposals_generated"] == 2
    assert not any(row["is_final"] for row in audit.values())

    before = versions(loop.tables)
    assert loop.run() == {}, "run again on the same state"
    loop.checkpoint = str(loop.folder / "made anew")
    assert loop.run() == {}, "the checkpoint was lost: all is streamed again, and known already"
    assert versions(loop.tables) == before


@pytest.mark.slow
def test_an_evaluation_without_per_row_data_stops_everything_until_the_rows_are_there(loop):
    start(loop)
    loop.run()
    before = versions(loop.tables)
    only_a_mean = Evaluation([Q("q1"), Q("q9")], number=2)
    loop.tables.append_rows(EVALUATIONS, [only_a_mean.row], transaction=only_a_mean.id)
    for _ in range(2):  # the next run does not pass it over in silence
        with pytest.raises(MissingEvidenceError, match=f"{only_a_mean.id}.*no rows"):
            loop.run()
    assert versions(loop.tables) == {**before, "evaluations": before["evaluations"] + 1}
    add_evidence(loop.tables, only_a_mean)
    assert "clusters" in loop.run()
    [cluster] = [row for row in loop.rows(CLUSTERS) if row["cause"] == "wrong_column"]
    assert cluster["question_ids"] == ["q1", "q2", "q9"]
    assert cluster["evaluation_count"] == 2


@pytest.mark.slow
def test_what_was_declined_stays_so_until_its_evidence_changes(loop, later):
    questions = [Q("q1"), Q("q2")]
    start(loop, questions)
    loop.run()
    [batch] = loop.rows(BATCHES)
    later(1)
    decide(loop.tables, batch, "declined")
    loop.run()  # only a decision is new: planning runs all the same
    audit = loop.audit()
    assert audit[1]["is_final"]
    assert audit[1]["is_attempted"]
    assert audit[2]["is_final"]
    assert audit[2]["skip_reason"]
    [second] = [row for row in loop.rows(BATCHES) if row["batch_id"] != batch["batch_id"]]
    assert second["lever"] == 6, "levers 2 to 5 have nothing to do"
    later(2)
    decide(loop.tables, second, "declined")
    later(3)
    add_evaluation(loop.tables, Evaluation(questions, number=2))
    commits = loop.run()
    assert "proposals" not in commits, "the same evidence once more"
    assert "batches" not in commits
    assert all(row["is_final"] for row in loop.audit().values())
    assert loop.audit(cycle=2) == {}, "nothing was accepted: a plateau, not another cycle"
    later(4)
    add_evaluation(loop.tables, Evaluation([*questions, Q("q5")], number=3))
    assert loop.run()["proposals"] == 1, "another group shows it"
    proposed = [row for row in loop.rows(PROPOSALS) if row["after"] == "About status."]
    assert len({row["evidence_hash"] for row in proposed}) == len(proposed) == 2
    states = loop.states(PROPOSAL_STATES, "proposal_id")
    assert sorted(states[row["proposal_id"]] for row in proposed) == ["declined", "open"]


@pytest.mark.slow
def test_the_gate_decides_and_only_what_stands_is_ground_for_proposals(loop, later):
    """A batch is accepted, the next one rejected and undone: then comes the next lever."""
    wrong = [Q("q1"), Q("q2", blame=[AMOUNT])]
    start(loop, [*wrong, Q("h1", split="held_out", is_correct=True)])
    loop.run()
    [first] = loop.rows(BATCHES)
    later(1)
    decide(loop.tables, first)
    later(2)
    application = apply(loop.tables, first)
    later(3)
    after = [Q("q1", is_correct=True), wrong[1], Q("h1", split="held_out", is_correct=True)]
    measured = {"application_id": application, "batch_id": first["batch_id"]}
    add_evaluation(loop.tables, Evaluation(after, number=3, **measured))
    loop.run()
    [decision] = loop.rows(GATE_DECISIONS)
    assert (decision["decision"], decision["train_net"]) == ("accepted", 1)
    assert loop.audit()[1]["is_final"]
    assert loop.audit()[1]["proposals_applied"] == 2
    [second] = [row for row in loop.rows(BATCHES) if row["batch_id"] != first["batch_id"]]
    assert second["lever"] == 6

    later(4)
    decide(loop.tables, second)
    later(5)
    application = apply(loop.tables, second)
    later(6)
    worse = [Q("q1", rule="new_trouble"), wrong[1], Q("h1", split="held_out")]
    measured = {"application_id": application, "batch_id": second["batch_id"]}
    add_evaluation(loop.tables, Evaluation(worse, number=6, **measured))
    commits = loop.run()
    rejected = next(r for r in loop.rows(GATE_DECISIONS) if r["batch_id"] == second["batch_id"])
    assert (rejected["decision"], rejected["held_out_net"]) == ("rejected", -1)
    assert rejected["baseline_evaluation_id"] == Evaluation(after, number=3).id
    assert "clusters" in commits, "every evaluation is clustered"
    assert "proposals" not in commits, "a state that does not stand is no ground for a change"
    assert loop.audit()[6]["skip_reason"] == f"batch {second['batch_id']} waits to be undone"
    assert not loop.audit()[6]["is_final"]
    later(7)
    apply(loop.tables, second, "undo")
    loop.run()
    assert loop.states(BATCH_STATES, "batch_id") == {
        first["batch_id"]: "accepted",
        second["batch_id"]: "undone",
    }
    assert loop.audit()[6]["is_final"]
    loop.run()
    assert len(loop.audit(cycle=2)) == 6, "a batch of cycle 1 was accepted"


@pytest.mark.slow
def test_when_the_platform_fails_where_it_could_decide_the_batch_is_asked_again(loop, later):
    start(loop, [Q("q1"), Q("q2", is_correct=True)])
    loop.run()
    [batch] = loop.rows(BATCHES)
    later(1)
    decide(loop.tables, batch)
    application = apply(loop.tables, batch)
    later(2)
    after = [Q("q1", is_correct=True), Q("q2", outcome="infrastructure", verdict=None)]
    measured = {"application_id": application, "batch_id": batch["batch_id"]}
    add_evaluation(loop.tables, Evaluation(after, number=3, **measured))
    loop.run()
    [decision] = loop.rows(GATE_DECISIONS)
    assert decision["decision"] == "undecided"
    [request] = loop.rows(EVALUATION_REQUESTS)
    assert (request["kind"], request["application_id"]) == ("repeat", application)
    assert loop.states(BATCH_STATES, "batch_id") == {batch["batch_id"]: "applied"}


def waits_of(loop):
    """What the batches of lever 1 wait for."""
    return {
        row["batch_id"]: row["waits_for"]
        for row in States(loop.tables).of(BATCH_STATES).collect()
        if row["lever"] == 1
    }


@pytest.mark.slow
def test_spaces_that_share_a_table_change_it_one_after_the_other(loop, later):
    for space_id in ("shop-a", "shop-b", "shop-c"):
        add_space(loop.tables, space_id)
        add_evaluation(loop.tables, Evaluation([Q("q1"), Q("q2")], space_id=space_id))
    loop.run()
    batches = sorted(loop.rows(BATCHES), key=lambda row: row["batch_id"])
    assert len(batches) == 3, "one batch of each space, however often it is planned"
    assert {row["waiting_for"] for row in batches} == {None}, "nothing is in flight"
    later(1)
    for batch in batches:
        decide(loop.tables, batch, "approved")
    loop.run()
    first, second, third = (row["batch_id"] for row in batches)
    assert waits_of(loop) == {first: None, second: first, third: first}
    assert loop.audit(batches[1]["space_id"])[1]["skip_reason"] == (
        f"batch {second} waits for batch {first}"
    )
    later(1)
    decide(loop.tables, batches[0], "declined")
    loop.run()
    waits = waits_of(loop)
    assert (waits[second], waits[third]) == (None, second), "its turn has come"


@pytest.mark.slow
def test_three_corrections_make_a_batch_that_is_approved_like_any_other(loop, later):
    wrong_benchmarks = [Q(f"c{n}", verdict="genie_correct", split="held_out") for n in range(2)]
    start(loop, [Q("q1"), *wrong_benchmarks])
    loop.run()
    assert {row["question_id"] for row in loop.rows(BENCHMARK_CORRECTIONS)} == {"c0", "c1"}
    assert {row["lever"] for row in loop.rows(BATCHES)} == {1}, "two are not enough"
    later(1)
    again = [Q("q1"), *wrong_benchmarks, Q("c2", verdict="genie_correct")]
    add_evaluation(loop.tables, Evaluation(again, number=2))
    loop.run()
    seen = {row["question_id"]: row["times_seen"] for row in loop.rows(BENCHMARK_CORRECTIONS)}
    assert seen == {"c0": 2, "c1": 2, "c2": 1}
    [correction] = [row for row in loop.rows(BATCHES) if row["kind"] == "correction"]
    assert (correction["lever"], len(correction["proposal_ids"])) == (0, 3)
    assert correction["waiting_for"] is None, "nobody decided on the batch of lever 1 yet"


@pytest.mark.slow
def test_three_suspect_benchmarks_make_a_batch_of_high_risk_of_their_own(loop, later):
    failing = {"outcome": "expected_sql_error", "verdict": "skipped", "confirmation": "suspect"}
    suspects = [Q(f"f{n}", **failing) for n in range(2)]
    wrong = {"confirmation": "suspect", "verdict": "neither_correct"}
    others = [Q("n1", **wrong), Q("c0", verdict="genie_correct")]
    start(loop, [Q("q1"), *suspects, *others])
    loop.run()
    states = loop.states(BENCHMARK_STATES, "question_id")
    assert states == {
        "q1": "active", "f0": "suspect", "f1": "suspect", "n1": "active", "c0": "active",
    }  # fmt: skip
    assert {row["lever"] for row in loop.rows(BATCHES)} == {1}, "two, and a correction"
    later(1)
    add_evaluation(loop.tables, Evaluation([Q("q1"), *suspects, *others], number=2))
    loop.run()
    assert loop.states(BENCHMARK_STATES, "question_id")["n1"] == "suspect", "neither right, twice"
    [batch] = [row for row in loop.rows(BATCHES) if row["kind"] == "correction"]
    assert (batch["question_ids"], batch["risk"]) == (["f0", "f1", "n1"], "high")


QUESTION = "How much did customers in the north spend on shipped orders last year?"


def test_a_proposal_that_reproduces_a_benchmark_is_refused_and_never_batched(loop):
    sealed = Q("s1", split="sealed", question=QUESTION, is_correct=True)

    def quote(cluster, facts):
        return [comment("status", f"People ask: {QUESTION}"), comment("amount", "In euros.")]

    start(loop, [Q("q1"), sealed])
    loop.run(quote)
    [refusal] = loop.rows(LEAK_REFUSALS)
    assert (refusal["split"], refusal["overlap_kind"]) == ("sealed", "question_text")
    [batch] = loop.rows(BATCHES)
    assert refusal["proposal_id"] not in batch["proposal_ids"]
    assert loop.states(PROPOSAL_STATES, "proposal_id")[refusal["proposal_id"]] == "refused"


class Crashing(CrashingTables):
    """Crashes after appends of frames too."""

    def append(self, *args, **kwargs) -> bool:
        return self._counted(super().append, *args, **kwargs)


def lasting(tables):
    """All rows, without what names the checkpoint that they came through."""
    return {
        table.name: sorted(
            repr(sorted((name, value) for name, value in row.items() if name != "updated_by"))
            for row in rows(tables, table)
        )
        for table in TABLES
    }


WRITTEN = (
    "benchmark_corrections", "clusters", "cluster_members", "proposals", "leak_refusals", "batches",
    "lever_audit",
)  # fmt: skip


@pytest.mark.slow
def test_a_run_that_was_cut_off_after_any_commit_ends_in_the_same_tables(
    loop, tables, home, tmp_path
):
    corrections = [Q(f"c{n}", verdict="genie_correct") for n in range(3)]
    sealed = Q("s2", split="sealed", question=QUESTION, is_correct=True)

    def quote(cluster, facts):
        return [comment("status", f"People ask: {QUESTION}"), comment("amount", "In euros.")]

    def begin(name: str) -> None:
        empty(tables, home)
        start(loop, [*BASELINE, *corrections, sealed])
        loop.checkpoint = str(tmp_path / name)

    begin("whole")
    assert sorted(loop.run(quote)) == sorted(WRITTEN)
    whole = lasting(tables)
    begin("in pieces")
    for table in WRITTEN:
        mortal = Crashing(tables.spark, schema=tables.schema, clock=tables.clock).arm(1)
        with pytest.raises(CrashError):
            optimize(mortal, checkpoint=loop.checkpoint, proposer=quote)
        assert table == mortal.committed[-1], "each run goes on where the one before was cut off"
    assert loop.run(quote) == {}, "after the last commit nothing is left to do"
    assert lasting(tables) == whole
