"""What a query's result depends on: the data of tables, and the definitions it is read through.

A result may be kept and given again while none of that changes. What is not understood, and what
gives another result every time, depends on more than can be named: there is no key for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.identity import content_hash
from transforms.read_only import parse_query
from transforms.sql_lexing import Token, lex

SPARK_CATALOG = "spark_catalog"
# Words with which a query says something else the next time, or names a table in a way of its own.
_UNREPEATABLE = frozenset(
    "curdate current_catalog current_database current_date current_schema current_time "
    "current_timestamp current_timezone current_user getdate localtimestamp "
    "monotonically_increasing_id now rand randn random randstr session_user shuffle "
    "spark_partition_id sysdate table tablesample uniform user uuid version".split()
)
# Words before a bracket that are syntax; Spark lists some of them as functions, too.
_SYNTAX = frozenset(
    "all and any as between both by case cross cube distinct else end except exists filter from "
    "full group having in inner intersect interval is join lateral leading left like limit minus "
    "not offset on or order outer over partition pivot right rollup select semi sets some then "
    "trailing union unpivot using values when where with within".split()
)
_SYNTAX_IN_YAML = ("source", "expr", "filter", "on")


@dataclass(frozen=True, slots=True)
class Readable:
    """What queries may read; all names in lower case.

    ``schema`` is what names without one are looked up in; None where nobody knows. ``data_ids`` go
    by ``schema.table``: another id means other rows or columns. ``metric_views`` and ``functions``
    have their whole definitions by ``schema.name``, those of functions ``with_signature``.
    ``builtins`` are the names of the functions that Spark itself has.
    """

    schema: str | None
    data_ids: Mapping[str, str]
    metric_views: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    builtins: frozenset[str] = frozenset()
    catalog: str = SPARK_CATALOG


def with_signature(definition: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A function's definition with the names and types of its parameters, for ``Readable``.

    The same body over other parameters gives other rows.
    """
    return json.dumps({**json.loads(definition), "parameters": [list(one) for one in parameters]})


class _UnknownSourceError(Exception):
    """The query depends on something that cannot be named."""


def result_key(sql: str, readable: Readable) -> str | None:
    """A hash of the text and of all that its result depends on; None where that is not known.

    Equal keys give equal rows and columns. A comment on a column or a table is no part of it.
    """
    found: dict[str, str] = {}
    try:
        _add_query(sql, readable, readable.schema, found)
    except (_UnknownSourceError, GenieLoopError, RecursionError):
        return None
    return content_hash(sql, sorted(found.items()))


def _add_query(sql: str, readable: Readable, schema: str | None, found: dict[str, str]) -> None:
    """Add what a query depends on; ``schema`` is what names without one are looked up in."""
    tree = parse_query(sql)
    tokens = lex(sql).tokens
    if any(token.is_word(*_UNREPEATABLE) or token.kind == "hint" for token in tokens):
        raise _UnknownSourceError
    if tree.find(exp.CurrentTimestamp):  # unix_timestamp() without a time
        raise _UnknownSourceError
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func):  # a table function, looked up as any other
            continue
        parts = [part.name.lower() for part in table.parts]
        name = _full_name(parts, readable, schema)
        if name in readable.data_ids:
            found[name] = readable.data_ids[name]
        elif name in readable.metric_views:
            definition = readable.metric_views[name]
            queries = _in_metric_view(definition)
            _add_definition(f"metric view {name}", definition, queries, readable, found)
        elif len(parts) > 1 or parts[0] not in own:
            raise _UnknownSourceError
    for called in _calls(tokens):
        name = _full_name(called, readable, schema)
        if name in readable.functions:
            definition = readable.functions[name]
            queries = _in_function(definition)
            _add_definition(f"function {name}", definition, queries, readable, found)
        elif len(called) > 1 or called[0] not in readable.builtins | _SYNTAX | own:
            raise _UnknownSourceError


def _full_name(parts: list[str], readable: Readable, schema: str | None) -> str:
    """``schema.name``; what is in another catalog has three parts and is not known by it."""
    if len(parts) == 1 and schema is not None:
        parts = [schema, *parts]
    if len(parts) == 3 and parts[0] == readable.catalog:
        parts = parts[1:]
    return ".".join(parts)


def _calls(tokens: tuple[Token, ...]) -> Iterator[list[str]]:
    """What stands before a bracket, with its qualifiers, in lower case."""
    for position, token in enumerate(tokens):
        if token != Token("symbol", "(") or not position:
            continue
        parts: list[str] = []
        at = position - 1
        while at >= 0 and tokens[at].kind in ("word", "name"):
            parts.insert(0, tokens[at].text.lower())
            if at < 2 or tokens[at - 1] != Token("symbol", "."):
                break
            at -= 2
        if parts:
            yield parts


def _add_definition(
    key: str,
    definition: str,
    queries: Iterable[str],
    readable: Readable,
    found: dict[str, str],
) -> None:
    if key in found:
        return
    found[key] = content_hash(definition)
    for query in queries:
        # Names without a schema were looked up in the one that was current at its creation.
        _add_query(query, readable, None, found)


def _in_function(definition: str) -> Iterator[str]:
    """The queries of a function's definition, as ``FunctionState`` has it."""
    content = json.loads(definition)
    body = str(content["body"])
    yield body if body.lstrip().lower().startswith(("select", "with", "(")) else f"SELECT {body}"
    for default in content["defaults"].values():
        yield f"SELECT {default}"


def _in_metric_view(definition: str) -> Iterator[str]:
    """The sources and expressions of a metric view's YAML, each as a query."""
    try:
        content = yaml.safe_load(definition)
    except yaml.YAMLError as error:
        raise _UnknownSourceError from error
    for key, text in _leaves(content):
        if key == "source":
            is_query = text.lstrip().lower().startswith(("select", "with", "("))
            yield text if is_query else f"SELECT * FROM {text}"
        elif key in _SYNTAX_IN_YAML:
            yield f"SELECT {text}"


def _leaves(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a YAML document with the key it stands under; ``on`` is read as a boolean."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _leaves(value, "on" if name is True else str(name))
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(value, key)
    elif content is not None:
        yield key, str(content)
