"""A metric view or function as the statement that creates it: one text for equal objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genie.catalog import Member, Relation, Routine
from genie.patching.create_statements import quoted_name, quoted_text


def metric_view_sql(name: Sequence[str], view: Relation) -> str:
    """The statement that creates a metric view. Raises ValueError for what is none."""
    if view.kind != "metric_view" or view.definition is None or "$$" in view.definition:
        raise ValueError(f"it is not a metric view but a {view.kind}")
    columns = _listed(f"{quoted_name(one.name)}{_comment(one)}" for one in view.columns)
    comment = f"COMMENT {quoted_text(view.comment)}\n" if view.comment else ""
    return (
        f"CREATE OR REPLACE VIEW {quoted_name(*name)} {columns}\n"
        f"WITH METRICS\nLANGUAGE YAML\n{comment}AS $${view.definition}$$"
    )


def function_sql(name: Sequence[str], routine: Routine) -> str:
    """The statement that creates a SQL table function.

    Raises ValueError for any other function, and for one whose body is not shown.
    """
    if not routine.returns:
        raise ValueError("it is not a SQL table function")
    if not routine.body:
        raise ValueError("its body is not shown; it takes being the owner")
    parameters = _listed(_member(one) for one in routine.parameters)
    returns = _listed(_member(one) for one in routine.returns)
    comment = f"COMMENT {quoted_text(routine.comment)}\n" if routine.comment else ""
    return (
        f"CREATE OR REPLACE FUNCTION {quoted_name(*name)} {parameters}\n"
        f"RETURNS TABLE {returns}\n{comment}RETURN\n{routine.body}"
    )


def _listed(entries: Iterable[str]) -> str:
    """A list in brackets, an entry a line."""
    lines = ",\n".join(f"  {entry}" for entry in entries)
    return f"(\n{lines}\n)" if lines else "()"


def _member(member: Member) -> str:
    default = f" DEFAULT {member.default}" if member.default is not None else ""
    return f"{quoted_name(member.name)} {member.data_type}{default}{_comment(member)}"


def _comment(member: Member) -> str:
    return f" COMMENT {quoted_text(member.comment)}" if member.comment is not None else ""
