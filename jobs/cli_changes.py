"""``proposals`` and ``batches``: what would be changed, why, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs import screens
from jobs.benchmark_texts import hidden, print_questions, train_questions
from jobs.cli_shared import Id, Json, Limit, Space, command_of, rows_of, show_list
from jobs.ids import select_one
from jobs.reading import History, Row
from jobs.screens import Column

# With the split of the benchmark that a correction is about.
_BENCHMARK = """
LEFT JOIN current_benchmarks b ON p.patch_type IN ('correct_benchmark', 'quarantine_benchmark')
  AND b.space_id = p.space_id
  AND array_contains(p.question_ids, b.question_id)
"""
PROPOSALS = f"""
SELECT p.*, b.split AS benchmark_split
FROM proposal_states p {_BENCHMARK}
WHERE (:space IS NULL OR p.space_id = :space) AND (:id IS NULL OR starts_with(p.proposal_id, :id))
ORDER BY p.space_id, p.lever, p.impact DESC, p.proposal_id
"""
REFUSALS = """
SELECT split, overlap_kind, overlap FROM leak_refusals
WHERE proposal_id = :proposal
ORDER BY split, overlap_kind, fingerprint
"""
_BATCHES = """
SELECT * FROM batch_states
WHERE (:space IS NULL OR space_id = :space) AND (:id IS NULL OR starts_with(batch_id, :id))
ORDER BY space_id, cycle, lever, recorded_at, batch_id
"""
_IN_BATCH = f"""
SELECT p.*, b.split AS benchmark_split
FROM proposals p {_BENCHMARK}
WHERE p.space_id = :space AND p.proposal_id IN :proposals
"""

Reveal = Annotated[
    bool,
    typer.Option("--reveal", help="Show texts of held_out and sealed benchmarks in corrections."),
]

proposals_app = typer.Typer(help="Changes to metadata that the failures ask for.")
batches_app = typer.Typer(help="Proposals that are approved, applied and gated together.")


@proposals_app.callback(invoke_without_command=True)
def proposals(
    context: typer.Context, space: Space = None, limit: Limit = None, as_json: Json = False
) -> None:
    """List the proposed changes, their state and what they would fix."""
    if context.invoked_subcommand is not None:
        return
    show_list(
        [hidden(row) for row in rows_of(command_of(context).history, PROPOSALS, space, id=None)],
        _PROPOSAL_COLUMNS,
        as_json=as_json,
        if_none="There is no proposal yet: optimize makes them from clusters of failures. "
        "genie-loop run",
        limit=limit,
    )


@proposals_app.command("show")
def show_proposal(
    context: typer.Context, proposal: Id, reveal: Reveal = False, as_json: Json = False
) -> None:
    """Show one proposal: before and after, the evidence, and the questions it is to fix."""
    history = command_of(context).history
    row = select_one(history, PROPOSALS, "proposal", proposal, space=None)
    row = row if reveal else hidden(row)
    questions = train_questions(history, row["space_id"], row["question_ids"])
    refusals = history.select(REFUSALS, proposal=row["proposal_id"])
    if as_json:
        screens.print_json([{**row, "questions": questions, "leak_refusals": refusals}])
        return
    screens.print_fields(
        [
            ("proposal", row["proposal_id"]),
            ("space", row["space_id"]),
            ("state", state_with_reason(row)),
            ("batch", row["batch_id"]),
            ("cluster", row["cluster_id"]),
            ("lever", screens.lever(row["lever"])),
            *change_fields(row),
            ("refused", "\n".join(refusal_line(r) for r in refusals)),
        ]
    )
    screens.print_lines("")
    print_questions("Questions it is to fix", row["question_ids"], questions)


@batches_app.callback(invoke_without_command=True)
def batches(
    context: typer.Context, space: Space = None, limit: Limit = None, as_json: Json = False
) -> None:
    """List the batches with their state, who decided, and what they wait for."""
    if context.invoked_subcommand is not None:
        return
    print_batches(command_of(context).history, space, limit=limit, as_json=as_json)


def print_batches(
    history: History, space: str | None, *, limit: int | None = None, as_json: bool = False
) -> None:
    """What ``batches`` shows."""
    rows = rows_of(history, _BATCHES, space, id=None)
    show_list(
        rows,
        _BATCH_COLUMNS,
        as_json=as_json,
        if_none="There is no batch yet: optimize makes them from proposals. genie-loop run",
        limit=limit,
        keeps_last=True,
    )
    undecided = [row for row in rows if is_undecided(row)]
    if undecided and not as_json:
        first = screens.short(undecided[0]["batch_id"])
        screens.print_lines(
            "",
            f"{screens.count(len(undecided), 'batch', 'batches')} to decide on.",
            f"Look: genie-loop batches show {first}",
            f"Then: genie-loop approve {first}, or reject",
        )


@batches_app.command("show")
def show_batch(
    context: typer.Context, batch: Id, reveal: Reveal = False, as_json: Json = False
) -> None:
    """Show one batch: every change with before, after and evidence, and how to decide."""
    history = command_of(context).history
    row = select_one(history, _BATCHES, "batch", batch, space=None)
    changes = [change if reveal else hidden(change) for change in _changes(history, row)]
    questions = train_questions(history, row["space_id"], row["question_ids"])
    if as_json:
        screens.print_json([{**row, "proposals": changes, "questions": questions}])
        return
    screens.print_fields(
        [
            ("batch", row["batch_id"]),
            ("space", row["space_id"]),
            ("state", row["state"]),
            ("lever", f"{screens.lever(row['lever'])}, cycle {row['cycle']}"),
            ("risk", row["risk"]),
            ("waits for", _waits(row)),
            ("decided", decision_line(row)),
            ("applied", screens.when(row["applied_at"])),
            ("gate", _gate(row)),
            ("rolled back", rollback_line(row)),
        ]
    )
    for number, change in enumerate(changes, start=1):
        screens.print_lines("")
        screens.print_heading(f"Change {number} of {len(changes)}")
        screens.print_fields([("proposal", change["proposal_id"]), *change_fields(change)])
    screens.print_lines("")
    print_questions("Questions it is to fix", row["question_ids"], questions)
    if is_undecided(row):
        short = screens.short(row["batch_id"])
        screens.print_lines(
            "",
            f"Approve it: genie-loop approve {short}",
            f"Reject it:  genie-loop reject {short} --reason WHY",
        )
    elif row["state"] == "approved" and row["begun_at"] is None:
        short = screens.short(row["batch_id"])
        screens.print_lines("", f"Take it back: genie-loop reject {short} --reason WHY")


def is_undecided(row: Row) -> bool:
    """Whether people may decide on a row of ``batch_states``, also on one that has to wait."""
    return bool(row["state"] == "proposed")


def _changes(history: History, batch: Row) -> list[Row]:
    """The proposals of a batch, in the order in which they are applied."""
    found = history.select(_IN_BATCH, space=batch["space_id"], proposals=batch["proposal_ids"])
    by_id = {row["proposal_id"]: row for row in found}
    return [by_id[proposal] for proposal in batch["proposal_ids"] if proposal in by_id]


def change_fields(row: Row) -> list[tuple[str, str | None]]:
    """The change itself, why it is proposed, and what it may do."""
    return [
        ("change", row["summary"]),
        ("target", f"{row['target']} ({row['target_field']})"),
        ("before", row["before"] or "(nothing)"),
        ("after", row["after"]),
        ("why", row["evidence"]),
        ("risk", row["risk"]),
        ("confidence", f"{row['confidence']:.2f}"),
        ("is to fix", screens.count(len(row["question_ids"]), "question")),
        ("puts at risk", screens.count(row["questions_at_risk"], "train question")),
        ("repo file", row["repo_path"]),
    ]


def state_with_reason(row: Row) -> str:
    """The state of a proposal, and why."""
    return f"{row['state']}: {row['state_reason']}" if row["state_reason"] else str(row["state"])


def refusal_line(row: Row) -> str:
    """How it reproduces a benchmark; the benchmark's text is never shown."""
    kind = row["overlap_kind"].replace("_", " ")
    return f"reproduces the {kind} of a {row['split']} benchmark (overlap {row['overlap']:g})"


def _waits(row: Row) -> str | None:
    if row["waits_for"] is None:
        return None
    reason = row["waiting_reason"] if row["waits_for"] == row["waiting_for"] else None
    return f"{row['waits_for']}: {reason}" if reason else str(row["waits_for"])


def decision_line(row: Row) -> str | None:
    """Who decided on a batch, when and why; None where nobody did."""
    if row["decided_by"] is None:
        return None
    reason = f": {row['decision_reason']}" if row["decision_reason"] else ""
    return f"{row['decision']} by {row['decided_by']}, {screens.when(row['decided_at'])}{reason}"


def rollback_line(row: Row) -> str | None:
    """Who decided to have a batch undone, when and why; None where nobody did."""
    if row["rolled_back_by"] is None:
        return None
    reason = f": {row['rollback_reason']}" if row["rollback_reason"] else ""
    return f"by {row['rolled_back_by']}, {screens.when(row['rolled_back_at'])}{reason}"


def _gate(row: Row) -> str | None:
    if row["gate_rationale"] is None:
        return None
    return (
        f"{row['gate_rationale']} (train {row['train_net']:+d}, held_out {row['held_out_net']:+d})"
    )


def _next(row: Row) -> str:
    """What a batch waits for, or who decided."""
    if row["decided_by"] is not None:
        return f"{row['decided_by']}, {screens.when(row['decided_at'])}"
    if row["waits_for"] is not None:
        return f"waits for {screens.short(row['waits_for'])}"
    return "a decision" if row["state"] == "proposed" else ""


_PROPOSAL_COLUMNS = (
    Column("proposal", lambda row: screens.short(row["proposal_id"])),
    Column("state", lambda row: row["state"]),
    Column("lever", lambda row: str(row["lever"]), align="right"),
    Column("change", lambda row: row["summary"], wraps=True),
    Column("fixes", lambda row: str(len(row["question_ids"])), align="right"),
    Column("at risk", lambda row: str(row["questions_at_risk"]), align="right"),
    Column("risk", lambda row: row["risk"]),
    Column("batch", lambda row: screens.short(row["batch_id"])),
)
_BATCH_COLUMNS = (
    Column("batch", lambda row: screens.short(row["batch_id"])),
    Column("state", lambda row: row["state"]),
    Column("lever", lambda row: screens.lever(row["lever"])),
    Column("proposals", lambda row: str(len(row["proposal_ids"])), align="right"),
    Column("questions", lambda row: str(len(row["question_ids"])), align="right"),
    Column("risk", lambda row: row["risk"]),
    Column("waits for / decided by", _next, wraps=True),
)
