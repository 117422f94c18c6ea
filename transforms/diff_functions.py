"""Differences between the table functions that two queries call."""

from __future__ import annotations

from transforms.findings import Differ, Finding
from transforms.shape_model import FunctionCall


def diff_functions(differ: Differ) -> bool:
    """Adds findings for functions that are not called, or called with other arguments.

    True when a function is called on one side only: that explains everything else.
    """
    given = {call.function.lower(): call for call in differ.produced.functions}
    for call in differ.expected.functions:
        other = given.pop(call.function.lower(), None)
        if other is None:
            differ.add(
                Finding(
                    rule="function_not_called",
                    blame=(f"function:{call.function}",),
                    fix=f"Call {_text(call)}.",
                    expected_fragment=_text(call),
                    actual_fragment=", ".join(differ.produced.tables) or None,
                    covers=differ.expected.tables_set(),
                )
            )
        else:
            _arguments(differ, call, other)
    if not differ.expected.functions:
        for call in given.values():
            differ.add(
                Finding(
                    rule="function_not_asked",
                    blame=(f"function:{call.function}",),
                    fix=f"Read the tables instead of calling {call.function}.",
                    expected_fragment=", ".join(differ.expected.tables) or None,
                    actual_fragment=_text(call),
                    covers=differ.expected.tables_set(),
                )
            )
    return any(finding.rule != "function_argument_wrong" for finding in differ.findings)


def _arguments(differ: Differ, call: FunctionCall, other: FunctionCall) -> None:
    wanted, given = dict(call.arguments), dict(other.arguments)
    for parameter in sorted(wanted.keys() | given.keys()):
        mine, theirs = wanted.get(parameter), given.get(parameter)
        if mine == theirs:
            continue
        fix = (
            f"Pass {parameter} => {mine} to {call.function}."
            if mine is not None
            else f"Leave {parameter} of {call.function} at its default."
        )
        differ.add(
            Finding(
                rule="function_argument_wrong",
                blame=(f"function:{call.function}.{parameter}",),
                fix=fix,
                expected_fragment=mine,
                actual_fragment=theirs,
                expected_value=mine,
                actual_value=theirs,
            )
        )


def _text(call: FunctionCall) -> str:
    arguments = ", ".join(
        value if name.isdigit() else f"{name} => {value}" for name, value in call.arguments
    )
    return f"{call.function}({arguments})"
