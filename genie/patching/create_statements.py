"""CREATE VIEW and CREATE FUNCTION as text: where names, comments, defaults and bodies stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

_TOKEN = re.compile(
    r"(?P<skip>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<body>\$\$.*?\$\$)"
    r"|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<name>`(?:[^`]|``)*`)"
    r"|(?P<word>\w+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)|''|\"\"", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_ESCAPES |= {"%": "\\%", "_": "\\_"}
_ESCAPED_AS = {
    "\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\000",
    "${": "\\u0024{",
}  # fmt: skip
_NEEDS_ESCAPE = re.compile("|".join(re.escape(found) for found in _ESCAPED_AS))
_OPENING, _CLOSING = "([<", ")]>"


def quoted_name(*parts: str) -> str:
    """A qualified name in SQL, every part in backticks."""
    return ".".join(
        exp.to_identifier(part, quoted=True).sql(dialect="databricks") for part in parts
    )


def quoted_text(text: str) -> str:
    """A string literal in SQL that says exactly this, whatever it holds.

    ``${`` is written so that nothing is substituted for it.
    """
    return "'" + _NEEDS_ESCAPE.sub(lambda found: _ESCAPED_AS[found[0]], text) + "'"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, name, literal, body or mark of SQL, and where it stands."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in any case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str:
        """What it names, without backticks."""
        return self.text[1:-1].replace("``", "`") if self.kind == "name" else self.text

    @property
    def value(self) -> str:
        """What a literal says."""
        return literal_value(self.text)


def literal_value(literal: str) -> str:
    """What a string literal of SQL says, in quotes of either kind. Undoes ``quoted_text``."""
    quote = literal[0]

    def said(found: re.Match[str]) -> str:
        is_doubled = found[1] is None
        if is_doubled:
            return quote if found[0][0] == quote else found[0]
        return _unescaped(found[1])

    return _ESCAPED.sub(said, literal[1:-1])


def _unescaped(escaped: str) -> str:
    if len(escaped) == 5:
        return chr(int(escaped[1:], 16))
    if len(escaped) == 3:
        return chr(int(escaped, 8))
    return _ESCAPES.get(escaped, escaped)


def tokens(sql: str) -> list[Token]:
    """Everything but blanks and comments."""
    return [
        Token(str(found.lastgroup), found[0], found.start(), found.end())
        for found in _TOKEN.finditer(sql)
        if found.lastgroup != "skip"
    ]


@dataclass(frozen=True, slots=True)
class Entry:
    """A column of a view, or a parameter of a function.

    ``comment`` is its literal; ``default`` is where the default stands; ``head_end`` is where name
    and type end; ``end`` is where it ends.
    """

    name: str
    start: int
    head_end: int
    end: int
    comment: Token | None
    default: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class CreateStatement:
    """A statement that creates a view or a function.

    ``kind`` is view or function; ``name_end`` is where its name ends; ``entries`` are the columns
    or parameters, ``close`` the bracket behind them (None: there is no list); ``body`` is what
    stands between dollars; ``definition`` is where AS or RETURN stands; ``end`` is where the
    statement ends.
    """

    kind: str
    name: tuple[str, ...]
    start: int
    name_end: int
    entries: tuple[Entry, ...]
    close: int | None
    comment: Token | None
    body: Token | None
    definition: int
    end: int

    def entry(self, name: str) -> Entry | None:
        """The column or parameter of that name, in any case, or None."""
        return next((one for one in self.entries if one.name.lower() == name.lower()), None)

    def is_called(self, name: str) -> bool:
        """Whether this is its name, with or without the catalog, in any case."""
        mine, wanted = [part.lower() for part in self.name], name.lower().split(".")
        shared = min(len(mine), len(wanted))
        return shared > 1 and mine[-shared:] == wanted[-shared:]


def statements(sql: str) -> Iterator[CreateStatement]:
    """The CREATE VIEW and CREATE FUNCTION statements of a text; all else is passed over."""
    statement: list[Token] = []
    for token in [*tokens(sql), Token("mark", ";", len(sql), len(sql))]:
        if token.text == ";" and token.kind == "mark":
            found = _read(statement)
            if found is not None:
                yield found
            statement = []
        else:
            statement.append(token)


def _read(found: list[Token]) -> CreateStatement | None:
    position = next((i for i, token in enumerate(found) if token.is_word("VIEW", "FUNCTION")), None)
    if position is None or not found[0].is_word("CREATE"):
        return None
    kind = found[position].text.lower()
    position += 1
    if len(found) > position + 3 and found[position].is_word("IF"):
        position += 3
    name: list[str] = []
    while position < len(found) and found[position].kind in ("word", "name"):
        name.append(found[position].name)
        position += 1
        if position >= len(found) or found[position].text != ".":
            break
        position += 1
    if not name or position >= len(found):
        return None
    name_end = found[position - 1].end
    entries, close = [], None
    if found[position].text == "(":
        last = _matching(found, position)
        entries = [_entry(part) for part in _parts(found[position + 1 : last]) if part]
        close, position = found[last].start, last + 1
    comment = body = None
    definition = found[-1].end
    depth = 0
    for before, token in zip(found[position - 1 :], found[position:], strict=False):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth == 0 and token.is_word("AS" if kind == "view" else "RETURN"):
            definition = token.start
            break
        if depth == 0 and token.kind == "text" and before.is_word("COMMENT"):
            comment = token
    body = next((token for token in found if token.kind == "body"), None)
    return CreateStatement(
        kind, tuple(name), found[0].start, name_end, tuple(entries), close, comment, body,
        definition, found[-1].end,
    )  # fmt: skip


def _matching(found: list[Token], opening: int) -> int:
    depth = 0
    for position in range(opening, len(found)):
        depth += (found[position].text == "(") - (found[position].text == ")")
        if depth == 0:
            return position
    return len(found) - 1


def _parts(found: list[Token]) -> list[list[Token]]:
    """The tokens between the commas that are in no brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _entry(part: list[Token]) -> Entry:
    comment_at = len(part)
    for position in range(1, len(part) - 1):
        if part[position].is_word("COMMENT") and part[position + 1].kind == "text":
            comment_at = position
            break
    default_at = next((i for i in range(1, comment_at) if part[i].is_word("DEFAULT")), comment_at)
    has_default = default_at + 1 < comment_at
    return Entry(
        name=part[0].name,
        start=part[0].start,
        head_end=part[default_at - 1].end,
        end=part[-1].end,
        comment=part[comment_at + 1] if comment_at < len(part) else None,
        default=(part[default_at + 1].start, part[comment_at - 1].end) if has_default else None,
    )


def with_entry_comment(sql: str, entry: Entry, comment: str) -> str:
    """The text with that comment of a column or parameter."""
    if entry.comment is not None:
        return sql[: entry.comment.start] + quoted_text(comment) + sql[entry.comment.end :]
    return f"{sql[: entry.end]} COMMENT {quoted_text(comment)}{sql[entry.end :]}"


def with_object_comment(sql: str, statement: CreateStatement, comment: str) -> str:
    """The text with that comment of the view or function itself."""
    found = statement.comment
    if found is not None:
        return sql[: found.start] + quoted_text(comment) + sql[found.end :]
    at = statement.definition
    return f"{sql[:at]}COMMENT {quoted_text(comment)}\n{sql[at:]}"
