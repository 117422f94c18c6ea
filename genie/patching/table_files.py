"""Files that describe a table: YAML with ``table``, ``comment`` and ``columns``."""

from __future__ import annotations

import copy

import yaml

from genie.patching.refusals import impossible
from genie.patching.yaml_text import compose, first_of, scalars, value_of, with_scalar
from transforms.patches import Patch


def defined_table(text: str) -> str | None:
    """The table that a file describes; None for a file that describes none."""
    try:
        found = value_of(compose(text), "table")
    except ValueError:
        return None
    return found.value if isinstance(found, yaml.ScalarNode) else None


def comment_in(text: str, column: str | None, patch: Patch) -> str:
    """The comment of the table, or of a column; empty where there is none.

    Raises ImpossiblePatchError as ``with_comment`` does.
    """
    found = value_of(_place(text, column, patch), "comment")
    if not isinstance(found, yaml.ScalarNode) or found.tag == "tag:yaml.org,2002:null":
        return ""
    return str(found.value)


def with_comment(text: str, column: str | None, comment: str, patch: Patch) -> str:
    """The file with another comment of the table, or of a column; the rest keeps its bytes.

    Raises ImpossiblePatchError where the file is not one of a table, or has not that column.
    """
    place = _place(text, column, patch)
    expected = copy.deepcopy(yaml.safe_load(text))
    entry = expected if column is None else expected["columns"][_position(text, column)]
    entry["comment"] = comment
    behind = "type" if column is not None else "kind"
    made = first_of(
        (with_scalar(text, place, "comment", scalar, behind=behind) for scalar in scalars(comment)),
        expected,
    )
    if made is None:
        raise impossible(
            "the comment cannot be written into this file", patch, "write it by hand, then apply"
        )
    return made


def _place(text: str, column: str | None, patch: Patch) -> yaml.MappingNode:
    try:
        root = compose(text)
    except ValueError as error:
        raise impossible(str(error), patch, "repair the file that describes the table") from error
    if column is None:
        return root
    position = _position(text, column)
    columns = value_of(root, "columns")
    if position is None or not isinstance(columns, yaml.SequenceNode):
        raise impossible(
            f"the file has no column {column}", patch, "describe the column in the file first"
        )
    place: yaml.MappingNode = columns.value[position]
    return place


def _position(text: str, column: str) -> int | None:
    columns = yaml.safe_load(text).get("columns") or []
    for position, entry in enumerate(columns):
        if isinstance(entry, dict) and str(entry.get("name", "")).lower() == column.lower():
            return position
    return None
