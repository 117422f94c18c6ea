"""``clusters``: what goes wrong in a space for one cause, over all evaluations."""

from __future__ import annotations

import typer

from jobs import screens
from jobs.benchmark_texts import print_questions, train_questions
from jobs.cli_shared import Id, Json, Limit, Space, command_of, rows_of, show_list
from jobs.ids import select_one
from jobs.reading import Row
from jobs.screens import Column
from transforms.rules import RULES

_CLUSTERS = """
SELECT * FROM cluster_states
WHERE (:space IS NULL OR space_id = :space) AND (:id IS NULL OR starts_with(cluster_id, :id))
ORDER BY space_id, CASE WHEN state IN ('open', 'regressed', 'addressed') THEN 0 ELSE 1 END,
  impact DESC, cluster_id
"""
_CLUSTER_PROPOSALS = """
SELECT proposal_id, state, lever, summary FROM proposal_states
WHERE cluster_id = :cluster
ORDER BY recorded_at, proposal_id
"""

clusters_app = typer.Typer(help="What goes wrong in a space for one cause, over all evaluations.")


@clusters_app.callback(invoke_without_command=True)
def clusters(
    context: typer.Context, space: Space = None, limit: Limit = None, as_json: Json = False
) -> None:
    """List what goes wrong in each space, by cause and blamed objects, the largest first."""
    if context.invoked_subcommand is not None:
        return
    show_list(
        rows_of(command_of(context).history, _CLUSTERS, space, id=None),
        _CLUSTER_COLUMNS,
        as_json=as_json,
        if_none="There is no cluster yet: optimize makes them from the failures of an evaluation. "
        "genie-loop run",
        limit=limit,
    )


@clusters_app.command("show")
def show_cluster(context: typer.Context, cluster: Id, as_json: Json = False) -> None:
    """Show one cluster: its questions, what was expected and produced, and what is proposed."""
    history = command_of(context).history
    row = select_one(history, _CLUSTERS, "cluster", cluster, space=None)
    questions = train_questions(history, row["space_id"], row["question_ids"])
    proposals = history.select(_CLUSTER_PROPOSALS, cluster=row["cluster_id"])
    if as_json:
        screens.print_json([{**row, "questions": questions, "proposals": proposals}])
        return
    _print_cluster(row)
    screens.print_lines("")
    print_questions("Questions", row["question_ids"], questions)
    screens.print_lines("")
    if proposals:
        screens.print_heading("Proposals (all of one: genie-loop proposals show ID)")
        screens.print_table(proposals, _PROPOSAL_COLUMNS)
    else:
        screens.print_lines("Nothing is proposed for it.")


def _print_cluster(row: Row) -> None:
    evidence = row["evidence"]
    fragments = "\n".join(
        f"{f['expected'] or 'nothing'}  instead of  {f['actual'] or 'nothing'}  "
        f"({screens.count(f['group_count'], 'group')})"
        for f in evidence["fragments"]
    )
    terms = ", ".join(f"{t['term']} ({t['group_count']})" for t in evidence["terms"])
    screens.print_fields(
        [
            ("cluster", row["cluster_id"]),
            ("space", row["space_id"]),
            ("state", row["state"]),
            ("failure type", f"{row['failure_type']} (rule {row['cause']})"),
            ("blamed", "\n".join(row["blame_set"])),
            ("lever", screens.lever(row["lever"])),
            ("seen", _seen(row)),
            ("expected", fragments),
            ("unexplained words", terms),
            ("fixes", "\n".join(evidence["fixes"])),
        ]
    )


def _seen(row: Row) -> str:
    failures = screens.count(row["failure_count"], "failure")
    evaluations = screens.count(row["evaluation_count"], "evaluation")
    first, last = screens.when(row["first_seen_at"]), screens.when(row["last_seen_at"])
    return f"{failures} in {evaluations}, first {first}, last {last}"


def _what(row: Row) -> str:
    """The cause in words; a cause that a later version has dropped keeps its name."""
    rule = RULES.get(row["cause"])
    cause = rule.description if rule else row["cause"]
    return "\n".join([cause, *(f"  {blamed}" for blamed in row["blame_set"])])


_CLUSTER_COLUMNS = (
    Column("cluster", lambda row: screens.short(row["cluster_id"])),
    Column("state", lambda row: row["state"]),
    Column("what goes wrong", _what, wraps=True),
    Column("lever", lambda row: str(row["lever"]), align="right"),
    Column("questions", lambda row: str(row["question_count"]), align="right"),
    Column("impact", lambda row: f"{row['impact']:.1f}", align="right"),
)
_PROPOSAL_COLUMNS = (
    Column("proposal", lambda row: screens.short(row["proposal_id"])),
    Column("state", lambda row: row["state"]),
    Column("change", lambda row: row["summary"], wraps=True),
)
