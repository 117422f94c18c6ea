"""Metric views: measures and dimensions, in the YAML between the dollars and the column list.

In version 0.1 the comments of measures and dimensions are in the view's column list, and there are
no synonyms: they become part of the comment. From version 1 on both are in the YAML.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import yaml

from genie.patching.create_statements import (
    CreateStatement,
    quoted_name,
    quoted_text,
    statements,
    with_entry_comment,
)
from genie.patching.refusals import impossible
from genie.patching.yaml_text import (
    compose,
    end_of,
    first_of,
    scalars,
    value_of,
    with_line,
    with_scalar,
)
from transforms.patches import Patch, SetMetricViewDimension, SetMetricViewMeasure

MemberPatch = SetMetricViewMeasure | SetMetricViewDimension
_LISTS = ("dimensions", "measures")


def with_member(sql: str, patch: MemberPatch) -> str:
    """The text with that measure or dimension, new or in place of the one of its name.

    Raises ImpossiblePatchError where the text does not create the view, or not from YAML.
    """
    statement = _metric_view(sql, patch)
    assert statement.body is not None
    start, end = statement.body.start + 2, statement.body.end - 2
    body = sql[start:end]
    document = _document(body, patch)
    member = _Member(patch, is_old=str(document.get("version", "")).startswith("0"))
    if member.is_old:
        # From back to front, so that places that are still to be used stay right.
        changed = sql[:start] + _with_member(body, document, member) + sql[end:]
        return _with_column(changed, statement, document, member)
    return sql[:start] + _with_member(body, document, member) + sql[end:]


def member_in(sql: str, patch: MemberPatch) -> tuple[str, str] | None:
    """Expression and comment of the member that the patch would replace; None where it is new.

    The comment is empty where there is none. Raises ImpossiblePatchError as ``with_member``.
    """
    statement = _metric_view(sql, patch)
    assert statement.body is not None
    document = _document(sql[statement.body.start + 2 : statement.body.end - 2], patch)
    list_name = "measures" if isinstance(patch, SetMetricViewMeasure) else "dimensions"
    position = _position(document, list_name, patch.name)
    if position is None:
        return None
    item = document[list_name][position]
    entry = statement.entry(patch.name)
    listed = entry.comment.value if entry is not None and entry.comment is not None else ""
    return str(item.get("expr", "")), str(item.get("comment") or listed)


class _Member:
    """What the patch says, as the version of the view can hold it."""

    def __init__(self, patch: MemberPatch, *, is_old: bool) -> None:
        self.patch = patch
        self.is_old = is_old
        self.list_name = "measures" if isinstance(patch, SetMetricViewMeasure) else "dimensions"

    @property
    def fields(self) -> dict[str, Any]:
        """What stands in the YAML besides the name."""
        found: dict[str, Any] = {"expr": self.patch.expr}
        if not self.is_old and self.patch.comment:
            found["comment"] = self.patch.comment
        if not self.is_old and self.patch.synonyms:
            found["synonyms"] = list(self.patch.synonyms)
        return found

    @property
    def column_comment(self) -> str | None:
        """What stands in the column list; None where that is not changed."""
        words = [self.patch.comment] if self.patch.comment else []
        if self.patch.synonyms:
            words.append(f"Also called: {', '.join(self.patch.synonyms)}.")
        return " ".join(words) or None


def _metric_view(sql: str, patch: MemberPatch) -> CreateStatement:
    for statement in statements(sql):
        if statement.kind == "view" and statement.is_called(patch.metric_view):
            if statement.body is not None:
                return statement
            raise impossible("the view is not made of YAML", patch, "name a metric view")
    raise impossible(
        f"nothing here creates the metric view {patch.metric_view}", patch, "define it first"
    )


def _document(body: str, patch: Patch) -> dict[str, Any]:
    try:
        compose(body)
    except ValueError as error:
        raise impossible(str(error), patch, "repair the metric view's YAML") from error
    document: dict[str, Any] = yaml.safe_load(body)
    return document


def _position(document: dict[str, Any], list_name: str, name: str) -> int | None:
    for position, item in enumerate(document.get(list_name) or []):
        if isinstance(item, dict) and str(item.get("name", "")).lower() == name.lower():
            return position
    return None


def _with_member(body: str, document: dict[str, Any], member: _Member) -> str:
    patch = member.patch
    other = _LISTS[1 - _LISTS.index(member.list_name)]
    if _position(document, other, patch.name) is not None:
        raise impossible(
            f"{patch.name} is one of the {other} of this view", patch, "choose another name"
        )
    expected = copy.deepcopy(document)
    items = expected.get(member.list_name) or []
    position = _position(document, member.list_name, patch.name)
    if position is None:
        expected[member.list_name] = [*items, {"name": patch.name, **member.fields}]
        made = first_of(_with_item(body, member), expected)
    else:
        items[position].update(member.fields)
        made = first_of(_with_fields(body, member, position), expected)
    if made is None:
        raise impossible("the YAML of this view cannot be edited safely", patch, "edit it by hand")
    return made


def _with_fields(body: str, member: _Member, position: int) -> Iterator[str]:
    """The YAML with other fields of a member that is there, in several ways of writing."""
    for style in range(2):
        with suppress(ValueError):  # written so, one value is no YAML
            yield _with_fields_in(style, body, member, position)


def _with_fields_in(style: int, body: str, member: _Member, position: int) -> str:
    for key, value in member.fields.items():
        sequence = value_of(compose(body), member.list_name)
        assert sequence is not None
        item: yaml.MappingNode = sequence.value[position]
        body = with_scalar(body, item, key, _written(value, style), behind="expr")
    return body


def _with_item(body: str, member: _Member) -> Iterator[str]:
    """The YAML with a member more, in several ways of writing."""
    sequence = value_of(compose(body), member.list_name)
    for style in range(2):
        pairs = [f"name: {_written(member.patch.name, style)}"]
        pairs += [f"{key}: {_written(value, style)}" for key, value in member.fields.items()]
        flow = "{" + ", ".join(pairs) + "}"
        if not isinstance(sequence, yaml.SequenceNode) or not sequence.value:
            if sequence is not None:  # there, and empty
                start, end = sequence.start_mark.index, end_of(body, sequence)
                yield f"{body[:start]}{' ' * (start == end)}[{flow}]{body[end:]}"
            else:
                kept = body.rstrip()
                yield f"{kept}\n{member.list_name}:\n- {flow}\n"
            continue
        last: yaml.MappingNode = sequence.value[-1]
        at = end_of(body, last)
        if sequence.flow_style:
            yield f"{body[:at]}, {flow}{body[at:]}"
            continue
        line_start = body.rfind("\n", 0, last.start_mark.index) + 1
        lead = body[line_start : last.start_mark.index]
        item = flow if last.flow_style else ("\n" + " " * len(lead)).join(pairs)
        yield with_line(body, at, lead + item)


def _written(value: object, style: int) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(list(scalars(str(word)))[-1] for word in value) + "]"
    ways = list(scalars(str(value)))
    return ways[min(style, len(ways) - 1)]


def _with_column(
    sql: str, statement: CreateStatement, document: dict[str, Any], member: _Member
) -> str:
    """The text with the member in the view's column list, which stands before the YAML."""
    name, comment = member.patch.name, member.column_comment
    entry = statement.entry(name)
    if entry is not None:
        return sql if comment is None else with_entry_comment(sql, entry, comment)
    names = _names(document)
    if statement.close is None:
        return sql if comment is None else _with_list(sql, statement, names, member)
    if len(statement.entries) != len(names):
        raise impossible(
            "the columns of this view are not named as its measures and dimensions are",
            member.patch,
            "name them alike",
        )
    if _position(document, member.list_name, name) is not None:
        if comment is None:  # a column by another name, in its place
            return sql
        at = [known.lower() for known in names].index(name.lower())
        return with_entry_comment(sql, statement.entries[at], comment)
    dimensions = len(document.get("dimensions") or [])
    before = len(names) if member.list_name == "measures" else dimensions
    written = _column(name, comment)
    if before == 0:
        first = statement.entries[0]
        return f"{sql[: first.start]}{written}, {sql[first.start :]}"
    neighbour = statement.entries[before - 1]
    lead = sql[sql.rfind("\n", 0, neighbour.start) + 1 : neighbour.start]
    gap = ", " if lead.strip() else f",\n{lead}"
    return sql[: neighbour.end] + gap + written + sql[neighbour.end :]


def _names(document: dict[str, Any]) -> list[str]:
    return [str(item["name"]) for key in _LISTS for item in document.get(key) or []]


def _with_list(sql: str, statement: CreateStatement, names: Sequence[str], member: _Member) -> str:
    """The text with a column list, which is the only place for a comment."""
    patch = member.patch
    every = list(names)
    if patch.name.lower() not in [name.lower() for name in names]:
        dimensions = len(names) if member.list_name == "measures" else _dimension_count(sql)
        every.insert(dimensions, patch.name)
    columns = ",\n".join(
        "  " + _column(name, member.column_comment if name.lower() == patch.name.lower() else None)
        for name in every
    )
    return f"{sql[: statement.name_end]} (\n{columns}\n){sql[statement.name_end :]}"


def _dimension_count(sql: str) -> int:
    """Dimensions of the YAML that has the new one already, without that."""
    body = next(statement.body for statement in statements(sql) if statement.body)
    return len(yaml.safe_load(body.text[2:-2]).get("dimensions") or []) - 1


def _column(name: str, comment: str | None) -> str:
    return quoted_name(name) + (f" COMMENT {quoted_text(comment)}" if comment else "")
