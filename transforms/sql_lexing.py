"""SQL text cut into tokens by the rules of Spark's own lexer.

What is executed is the text as it came, while the tree that is checked comes from another parser.
The two must not be made to read one text differently. So the text is cut here as Spark cuts it,
whatever lexers disagree on is refused, and the other parser gets a copy in which nothing is left
to interpretation: comments are blank, doubled quotes are escaped, and there is no character that
is not SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from transforms.errors import GenieLoopError

MAX_SQL_LENGTH = 100_000  # characters; far beyond what answers a question
MAX_NESTING = 32  # brackets in brackets; deeper ones could exhaust the parser's stack
# The parser reads what stands in brackets after a type's name twice: each level doubles the work.
MAX_TYPE_NESTING = 8


class SqlParseError(GenieLoopError):
    """The text is not SQL that Spark would parse. Nothing is known of what it would do."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not valid SQL: {reason}", remedy="correct the query")
        self.reason = reason


class QueryRefusedError(GenieLoopError):
    """The text is SQL, but not one read-only query, so it is never executed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"refused: {reason}", remedy="answer with one SELECT over the tables of the space"
        )
        self.reason = reason


TokenKind = Literal["word", "name", "string", "hint", "symbol"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token: a bare word, a name in backticks (unquoted here), a string, a hint or a symbol."""

    kind: TokenKind
    text: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the bare words, given in lower case."""
        return self.kind == "word" and self.text.lower() in words


@dataclass(frozen=True, slots=True)
class LexedSql:
    """``tokens`` as Spark reads them; ``text`` the same query in a form that cannot be misread."""

    text: str
    tokens: tuple[Token, ...]


# White space of Spark's lexer. Python's own notion (``\s``) has more, which Spark does not accept.
_SPACE = " \t\n\f\r\v\u00a0\u1680\u2000-\u200a\u2028\u202f\u205f\u3000"
_LEXEMES = re.compile(
    rf"""
      (?P<line_comment> -- (?: \\\n | [^\r\n] )* )
    | (?P<hint> /\*\+ )
    | (?P<comment> /\* )
    | (?P<raw> [rR]'[^']*' | [rR]"[^"]*" )
    | (?P<string> '(?: [^'\\] | \\. | '' )*' | "(?: [^"\\] | \\. | "" )*" )
    | (?P<name> `(?: [^`] | `` )*` )
    | (?P<word> [A-Za-z0-9_]+ )
    | (?P<space> [{_SPACE}]+ )
    | (?P<symbol> \|> | :: | -> | => | [()\[\],.;:+\-*/%<>=!&|^~?] )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_HINT = re.compile(r"[A-Za-z0-9_\s,.()]*")


def lex(sql: str) -> LexedSql:
    """Cut a query into tokens.

    Raises ``SqlParseError`` for what Spark's lexer would not take, ``QueryRefusedError`` for what
    it would take but replaces before reading, or other SQL tools read differently.
    """
    if len(sql) > MAX_SQL_LENGTH:
        raise QueryRefusedError(f"longer than {MAX_SQL_LENGTH} characters")
    if "${" in sql:
        # Replaced before parsing, even inside strings, by settings and environment variables.
        raise QueryRefusedError("it contains a substitution, ${...}")
    tokens: list[Token] = []
    pieces: list[str] = []
    position = 0
    while position < len(sql):
        match = _LEXEMES.match(sql, position)
        if match is None:
            raise SqlParseError(_unexpected(sql, position))
        kind, text = str(match.lastgroup), match.group()
        if kind in ("comment", "hint"):
            text = _bracketed(sql, position, is_hint=kind == "hint")
        position += len(text)
        if kind in ("line_comment", "comment"):
            _check_comment(text)
            pieces.append(_blank(text))
        elif kind == "space":
            pieces.append(_blank(text))
        else:
            pieces.append(_unambiguous(kind, text))
            tokens.append(_token(kind, text))
    return LexedSql("".join(pieces), tuple(tokens))


def check_nesting(tokens: tuple[Token, ...], type_words: frozenset[str]) -> None:
    """Raise ``SqlParseError`` for brackets so deep that parsing them could exhaust stack or time.

    ``type_words`` are the lower-case names after which a bracket counts as a type's.
    """
    levels: list[bool] = []
    previous: Token | None = None
    for token in tokens:
        if token.kind == "symbol" and token.text in ("(", "["):
            is_costly = token.text == "[" or (
                previous is not None and previous.is_word(*type_words)
            )
            levels.append(is_costly)
            if len(levels) > MAX_NESTING or sum(levels) > MAX_TYPE_NESTING:
                raise SqlParseError("nested too deeply")
        elif token.kind == "symbol" and token.text in (")", "]") and levels:
            levels.pop()
        previous = token


def _unexpected(sql: str, position: int) -> str:
    character = sql[position]
    if character in "'\"`":
        return f"the quote at position {position} is not closed"
    if character.isalnum():
        return f"{character!r} at position {position}: such names must stand in backticks"
    return f"{character!r} at position {position} is not part of SQL"


def _bracketed(sql: str, start: int, *, is_hint: bool) -> str:
    end = sql.find("*/", start + 2)
    if end < 0:
        raise SqlParseError(f"the comment at position {start} is not closed")
    text = sql[start : end + 2]
    if is_hint and not _PLAIN_HINT.fullmatch(text[3:-2]):
        raise QueryRefusedError("a hint may hold names and numbers only")
    return text


def _check_comment(text: str) -> None:
    if text.startswith("/*") and "/*" in text[2:]:
        raise QueryRefusedError("it contains a comment inside a comment")
    if text.startswith("--") and (text.endswith("\\") or "\\\n" in text):
        raise QueryRefusedError("it contains a line comment that ends with a backslash")


def _blank(text: str) -> str:
    return "".join("\n" if character == "\n" else " " for character in text)


def _unambiguous(kind: str, text: str) -> str:
    """The same token; a quote that is doubled in a string is written with a backslash.

    Spark takes both, the other parser would read two strings with nothing between them.
    """
    if kind != "string":
        return text
    quote = text[0]
    body = re.sub(
        rf"\\.|{quote}{quote}",
        lambda m: m.group() if m.group()[0] == "\\" else f"\\{quote}",
        text[1:-1],
        flags=re.DOTALL,
    )
    return f"{quote}{body}{quote}"


def _token(kind: str, text: str) -> Token:
    if kind == "name":
        return Token("name", text[1:-1].replace("``", "`"))
    if kind == "raw":
        return Token("string", text)
    if kind == "word":
        return Token("word", text)
    if kind == "hint":
        return Token("hint", text)
    return Token("string" if kind == "string" else "symbol", text)
