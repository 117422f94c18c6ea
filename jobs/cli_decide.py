"""``approve`` and ``reject``: people decide on batches, whether or not jobs are running."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from jobs import screens
from jobs.cli_shared import command_of, utc_now
from jobs.decisions import Decision, decide
from transforms.errors import InvalidInputError

Batches = Annotated[
    list[str], typer.Argument(metavar="BATCH...", help="Ids, or beginnings that are unique.")
]
Reason = Annotated[str | None, typer.Option(help="Why; kept with the decision.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; by default $USER.")]


def approve(context: typer.Context, batches: Batches, reason: Reason = None, by: By = None) -> None:
    """Approve batches, all or none of those named; `genie-loop run` goes on with them."""
    _decide(context, batches, "approved", reason, by)


def reject(context: typer.Context, batches: Batches, reason: Reason = None, by: By = None) -> None:
    """Decline batches, all or none of those named; their proposals stay declined.

    An approved batch can be declined as long as applying it was not begun.
    """
    _decide(context, batches, "declined", reason, by)


def _decide(
    context: typer.Context,
    batches: list[str],
    decision: Decision,
    reason: str | None,
    by: str | None,
) -> None:
    decided = decide(
        command_of(context).history,
        batches,
        decision=decision,
        decided_by=decider(by),
        reason=reason,
        clock=utc_now,
    )
    for one in decided:
        if one.is_new:
            more = f"; the approval by {one.takes_back} is taken back" if one.takes_back else ""
            if one.waits_for:
                more = f"; applied once {screens.short(one.waits_for)} is settled"
            screens.print_lines(f"{one.decision}: {one.batch_id} ({one.space_id}){more}")
        else:
            screens.print_lines(
                f"{one.batch_id} was {one.decision} before by {one.decided_by}; nothing written"
            )
    if any(one.is_new for one in decided):
        screens.print_lines("Next: genie-loop run")


def decider(by: str | None) -> str:
    """The person who decides: the name given, or the user's.

    Raises InvalidInputError for what is not the name of a person.
    """
    if by is None:
        try:
            by = getpass.getuser()  # $LOGNAME, $USER, or the name of the process's user
        except (OSError, KeyError) as error:
            raise InvalidInputError(
                "nothing says who decides", where="--by", remedy="give a name: --by NAME"
            ) from error
    if not by.strip() or by.startswith("policy:"):
        raise InvalidInputError(
            f"{by!r} is not the name of a person", where="--by", remedy="give another name"
        )
    return by.strip()
