"""Table functions: comments of the function and its parameters, defaults of parameters."""

from __future__ import annotations

from genie.patching.create_statements import (
    CreateStatement,
    Entry,
    statements,
    with_entry_comment,
    with_object_comment,
)
from genie.patching.refusals import impossible
from transforms.patches import Patch, SetFunctionComment, SetFunctionDefault


def function_comment_in(sql: str, patch: SetFunctionComment) -> str:
    """The comment that the patch would replace; empty where there is none."""
    statement = _function(sql, patch.function, patch)
    if patch.parameter is None:
        found = statement.comment
    else:
        found = _parameter(statement, patch.parameter, patch).comment
    return found.value if found else ""


def with_function_comment(sql: str, patch: SetFunctionComment) -> str:
    """The text with that comment. Raises ImpossiblePatchError for an unknown function or name."""
    statement = _function(sql, patch.function, patch)
    if patch.parameter is None:
        return with_object_comment(sql, statement, patch.comment)
    return with_entry_comment(sql, _parameter(statement, patch.parameter, patch), patch.comment)


def with_function_default(sql: str, patch: SetFunctionDefault) -> str:
    """The text with that default. Raises ImpossiblePatchError as ``with_function_comment`` does.

    Parameters behind one with a default need one as well: without them it is impossible.
    """
    statement = _function(sql, patch.function, patch)
    parameter = _parameter(statement, patch.parameter, patch)
    later = [entry.name for entry in statement.entries if entry.start > parameter.start]
    without = [entry for entry in statement.entries if entry.name in later and not entry.default]
    if without:
        raise impossible(
            f"{without[0].name} comes after it and has no default",
            patch,
            "give the parameters behind it a default first",
        )
    if parameter.default is not None:
        start, end = parameter.default
        return sql[:start] + patch.default + sql[end:]
    at = parameter.head_end
    return f"{sql[:at]} DEFAULT {patch.default}{sql[at:]}"


def _function(sql: str, name: str, patch: Patch) -> CreateStatement:
    for statement in statements(sql):
        if statement.kind == "function" and statement.is_called(name):
            return statement
    raise impossible(f"nothing here creates the function {name}", patch, "define it first")


def _parameter(statement: CreateStatement, name: str, patch: Patch) -> Entry:
    found = statement.entry(name)
    if found is None:
        known = ", ".join(entry.name for entry in statement.entries) or "none"
        raise impossible(f"it has no parameter {name}; it has {known}", patch, "name one of these")
    return found
