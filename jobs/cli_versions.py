"""``promote`` and ``rollback``: which version of a space is to be used, and going back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobs import screens
from jobs.cli_decide import By, Reason, decider
from jobs.cli_runs import Shown
from jobs.cli_session import opened
from jobs.cli_shared import Command, Json, check_space, command_of
from jobs.cli_work import start_job
from jobs.ids import prefix_of, the_only
from jobs.reading import History, Row
from transforms.errors import StateConflictError

if TYPE_CHECKING:
    from jobs.context import JobContext
    from pipelines.rolling_back import Rollback

_LAST_ACCEPTED = """
SELECT e.space_id, e.evaluation_id, e.model_id, e.iteration, s.domain
FROM latest_evaluations e
JOIN latest_spaces s ON s.space_id = e.space_id
WHERE e.space_id = :space
"""
_VERSIONS = """
SELECT evaluation_id, model_id FROM evaluations
WHERE model_id = :text OR starts_with(evaluation_id, :id)
"""
_STATE_AFTER = """
SELECT state_hash FROM applications
WHERE space_id = :space
ORDER BY recorded_at DESC, application_id
LIMIT 1
"""


def promote(
    context: typer.Context,
    space: Annotated[str, typer.Argument(metavar="SPACE", help="The space (its id).")],
    as_json: Json = False,
) -> None:
    """Make the version of the last accepted evaluation the champion of its space in MLflow.

    The last accepted is not always the one with the highest accuracy. Again, it changes nothing.
    """
    command = command_of(context)
    row = _last_accepted(command.history, space)
    from genie.champion import promote_best_model
    from genie.mlflow_store import open_store

    promoted = promote_best_model(
        space,
        row["domain"],
        row["model_id"],
        store=open_store(command.home.tracking_uri, command.home.artifacts),
    )
    if as_json:
        screens.print_json(
            [{**row, "former_model_id": promoted.former_model_id, "is_new": promoted.is_new}]
        )
        return
    version = f"{promoted.model_id} (evaluation {screens.short(row['evaluation_id'])})"
    if not promoted.is_new:
        screens.print_lines(f"{space}: {version} was the champion before; nothing written")
        return
    former = f"; before it was {promoted.former_model_id}" if promoted.former_model_id else ""
    screens.print_lines(f"{space}: {version} is the champion{former}")


def rollback(
    context: typer.Context,
    version: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_EVALUATION",
            help="Id of an accepted version, or of its evaluation (a beginning will do).",
        ),
    ],
    reason: Reason = None,
    by: By = None,
) -> None:
    """Bring a space back to an accepted version: undo what was applied since, the last first.

    The decision is recorded with your name, then the apply job undoes each batch in the repository
    and live, and reads it back. Where somebody changed what would be undone, nothing is done.
    """
    command = command_of(context)
    person = decider(by)
    model_id = _model_of(command.history, version)
    shown = Shown(command)
    with shown.interruptible(), opened(command, name="rollback") as job_context:
        decided = _decide(job_context, model_id, person, reason)
        if not decided.batch_ids:
            screens.print_lines(f"Nothing was applied since {model_id}; nothing is undone.")
            return
        count = screens.count(len(decided.batch_ids), "batch", "batches")
        screens.print_lines(f"{decided.space_id}: {count} to undo, decided by {person}")
        start_job(command, "apply", job_context, shown)
    _check_state(command, decided)
    screens.print_lines(
        f"{decided.space_id} is what {model_id} was, read back. Next: genie-loop run"
    )


def _last_accepted(history: History, space: str) -> Row:
    rows = history.select(_LAST_ACCEPTED, space=space) if history.is_there else []
    if rows:
        return rows[0]
    if history.is_there:
        check_space(history, space)
    raise StateConflictError(
        "no evaluation of this space is accepted",
        where=space,
        remedy="evaluate it first: genie-loop run",
    )


def _model_of(history: History, text: str) -> str:
    found = (
        history.select(_VERSIONS, text=text, id=prefix_of("evaluation", text))
        if history.is_there
        else []
    )
    models = [row for row in found if row["model_id"] == text]
    row = models[0] if models else the_only(found, "evaluation", text)
    return str(row["model_id"])


def _decide(context: JobContext, model_id: str, person: str, reason: str | None) -> Rollback:
    from pipelines.homes import open_homes
    from pipelines.rolling_back import rollback_to_model
    from pipelines.spaces import registered_spaces

    spaces = registered_spaces(context.tables)
    return rollback_to_model(
        context.tables,
        model_id,
        decided_by=person,
        reason=reason,
        homes=lambda space_id: open_homes(context.tables, spaces[space_id].space),
    )


def _check_state(command: Command, decided: Rollback) -> None:
    """What was undone last was read back as this state. Raises StateConflictError for another."""
    (last,) = command.history.select(_STATE_AFTER, space=decided.space_id)
    if last["state_hash"] != decided.state_hash:
        raise StateConflictError(
            f"all batches since {decided.model_id} are undone, and yet the state is another one",
            where=decided.space_id,
            remedy="something else was changed since, by a person or for another space: compare "
            "the space with the version's state.json in MLflow",
        )
