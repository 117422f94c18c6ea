"""Fingerprints of texts and queries, for the firewall that keeps benchmarks out of proposals.

A fingerprint says whether a text or a query reproduces another one, and shows nothing of it: hashes
of runs of tokens for text, hashes of masked parts of the tree for SQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

from sqlglot import exp

from transforms.errors import GenieLoopError
from transforms.identity import content_hash
from transforms.sql_text import parse_query

SHINGLE_TOKENS = 8
# Where a query cannot be parsed both are compared by shorter runs of tokens: queries are short.
_TEXT_SHINGLE_TOKENS = 3
_HASH_DIGITS = 32
_TOKEN = re.compile(r"\w+")

# Nodes that say how something is written or called, not what is done.
_TRANSPARENT = (
    exp.Alias, exp.Cast, exp.From, exp.Having, exp.Paren, exp.Qualify, exp.Subquery, exp.Where,
)  # fmt: skip
_IGNORED_ARGS = frozenset({"alias", "catalog", "db", "hint", "nulls_first", "quoted", "safe"})
_ASSOCIATIVE = (exp.And, exp.Or, exp.Add, exp.Mul)
_SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ)
_MIRRORED = {"gt": "lt", "gte": "lte"}
# Collections rather than wholes: every member counts as a part of its own, so that one more column,
# condition or LIMIT does not make another query of it.
_COLLECTIONS = (exp.Select, exp.And, exp.Or)
_CONDITIONS = frozenset({"where", "having", "on", "qualify"})
# Lists whose order does not change what is computed, or only how the result is laid out.
_UNORDERED = frozenset({("select", "expressions"), ("select", "joins"), ("group", "expressions")})


def tokens(text: str) -> tuple[str, ...]:
    """The words and numbers of a text or of SQL, in order: case, width and punctuation left out."""
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()))


def shingle_hashes(text: str, n: int = SHINGLE_TOKENS) -> frozenset[str]:
    """Hashes of every run of ``n`` tokens; two texts that share a run share a hash.

    A text of fewer tokens gives one hash, of all of them: it is found again only in a text that is
    hashed with that ``n``. Empty for a text without tokens. Raises ValueError for ``n`` below 1.
    """
    if n < 1:
        raise ValueError("a run has at least one token")
    words = tokens(text)
    if not words:
        return frozenset()
    size = min(n, len(words))
    return frozenset(
        _hash("tokens", words[start : start + size]) for start in range(len(words) - size + 1)
    )


def masked_subtree_hashes(sql: str) -> Counter[str]:
    """How often each masked part of a query, or of a fragment of one, occurs: hash to count.

    Literals and names are masked; aliases, casts and brackets are left out; what may be reordered
    without a change of meaning has no order: conjuncts, operands of commutative operators, sides of
    a comparison, joins, selected columns. A part is anything but a lone name or literal; of a
    SELECT and of conditions joined by AND or OR every member is a part, and the whole is none.
    Empty for text that is neither a query nor an expression, and for a lone name or literal.
    """
    counts: Counter[str] = Counter()
    tree = _parse(sql)
    try:
        if tree is not None:
            _collect(tree, counts)
    except RecursionError:
        # Thousands of operators in a row: the text still tells such queries apart.
        counts.clear()
    return counts


def similarity(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Dice's coefficient of two counted sets: 0 nothing in common, or both empty; 1 the same."""
    common = sum((Counter(one) & Counter(other)).values())
    total = sum(one.values()) + sum(other.values())
    return 2 * common / total if total else 0.0


def tree_similarity(sql_a: str, sql_b: str) -> float:
    """How alike two queries or fragments are, 0 to 1, whatever their names, literals and layout.

    Where one of them has no parts to compare, both are compared as text.
    """
    one, other = masked_subtree_hashes(sql_a), masked_subtree_hashes(sql_b)
    if not one or not other:
        one, other = (Counter(shingle_hashes(sql, _TEXT_SHINGLE_TOKENS)) for sql in (sql_a, sql_b))
    return similarity(one, other)


def _hash(*parts: object) -> str:
    return content_hash(*parts)[:_HASH_DIGITS]


def _parse(sql: str) -> exp.Expr | None:
    """The tree of a query, or of what is one behind SELECT; None for anything else."""
    try:
        return parse_query(sql)
    except GenieLoopError:
        pass
    try:
        select = parse_query(f"SELECT {sql}")
    except GenieLoopError:
        return None
    parts = dict(_parts(select))
    selected = parts.pop("expressions", [])
    return selected[0] if len(selected) == 1 and not parts else select


def _collect(node: exp.Expr, counts: Counter[str]) -> str:
    """Count the hashes of a part and of all parts in it; what stands for the part."""
    node = _unwrapped(node)
    leaf = _leaf(node)
    if leaf is not None:
        return leaf
    kind = _MIRRORED.get(node.key, node.key)
    parts = [
        (arg, _arranged(node, arg, [_collect(child, counts) for child in children]))
        for arg, children in _arguments(node)
    ]
    digest = _hash(kind, _settings(node), parts)
    if isinstance(node, _COLLECTIONS):
        counts.update(_hash(kind, arg, member) for arg, members in parts for member in members)
    else:
        counts[digest] += 1
    return digest


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, _TRANSPARENT) and {arg for arg, _ in _parts(node)} <= {"this", "to"}:
        node = node.this
    return node


def _leaf(node: exp.Expr) -> str | None:
    """What stands for a lone name or value; None for any other part."""
    if isinstance(node, exp.Column):
        return "star" if isinstance(node.this, exp.Star) else "column"
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        return "table" if len(_parts(node)) == 1 else None
    is_negative = isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal)
    if is_negative or isinstance(node, exp.Literal | exp.RawString | exp.HexString):
        return "literal"
    if isinstance(node, exp.Identifier | exp.Star | exp.Null | exp.Boolean):
        return node.key
    return f"{node.key} {node.name.lower()}" if isinstance(node, exp.Var) else None


def _parts(node: exp.Expr) -> list[tuple[str, list[exp.Expr]]]:
    """The nodes below a node, by argument."""
    return [
        (arg, children)
        for arg, value in sorted(node.args.items())
        if arg not in _IGNORED_ARGS
        and (
            children := [
                child
                for child in (value if isinstance(value, list) else [value])
                if isinstance(child, exp.Expr)
            ]
        )
    ]


def _arguments(node: exp.Expr) -> list[tuple[str, list[exp.Expr]]]:
    """The nodes below a node, where it matters in which argument they are."""
    if isinstance(node, _ASSOCIATIVE):
        return [("operands", list(_operands(node, type(node))))]
    if isinstance(node, _SYMMETRIC):
        return [("operands", [node.this, node.expression])]
    if node.key in _MIRRORED:
        return [("expression", [node.this]), ("this", [node.expression])]
    return [
        (arg, list(_operands(children[0], exp.And)) if arg in _CONDITIONS else children)
        for arg, children in _parts(node)
    ]


def _operands(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    """The operands of a chain of one operator, brackets and casts between them left out."""
    pending = [node]
    while pending:
        operand = _unwrapped(pending.pop())
        if type(operand) is kind:
            pending += [operand.expression, operand.this]
        else:
            yield operand


def _arranged(node: exp.Expr, arg: str, hashes: list[str]) -> list[str]:
    if isinstance(node, exp.In) and arg == "expressions":
        # How many values a list has says no more than the values do, and those are masked.
        return sorted(set(hashes))
    if arg == "operands" or arg in _CONDITIONS or (node.key, arg) in _UNORDERED:
        return sorted(hashes)
    return hashes


def _settings(node: exp.Expr) -> list[tuple[str, str]]:
    """What a node says besides the nodes below it: DESC, LEFT, the name of a function."""
    settings = [
        (arg, str(value).lower())
        for arg, value in sorted(node.args.items())
        if arg not in _IGNORED_ARGS and isinstance(value, str | bool | int) and value
    ]
    if isinstance(node, exp.Join):
        # INNER is the default, OUTER follows from LEFT, RIGHT and FULL.
        return [setting for setting in settings if setting[1] not in ("inner", "outer")]
    return settings
