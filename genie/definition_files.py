"""Reads the statement that defines a metric view or a table function, as a repository keeps it.

What is read has the types of what ``genie.catalog`` reads live, so that the two can be compared;
the statement itself is run as it stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from genie.catalog import Member, Relation, Routine
from genie.patching.create_statements import literal_value
from transforms.errors import InvalidInputError

_LEXEMES = re.compile(
    r"""
      (?P<skip> \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<dollar> \$\$.*?\$\$ )
    | (?P<string> '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" )
    | (?P<name> `(?:[^`]|``)*` )
    | (?P<word> \w+ )
    | (?P<symbol> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SAME_TYPES = {
    "INTEGER": "INT", "LONG": "BIGINT", "SHORT": "SMALLINT", "BYTE": "TINYINT", "REAL": "FLOAT",
    "DEC": "DECIMAL", "NUMERIC": "DECIMAL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """``statement`` creates or replaces ``wanted``; it has no semicolon at its end."""

    statement: str
    wanted: Relation | Routine


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def read_definition(text: str, where: str) -> Definition:
    """The one statement of a file: ``CREATE OR REPLACE`` a metric view or a table function.

    Raises InvalidInputError, with the line, for anything else.
    """
    return _Reader(text, where).definition()


def plain_type(data_type: str) -> str:
    """One spelling of a type: upper case, without spaces, by its shorter name."""
    words = re.split(r"(\w+)", re.sub(r"\s+", "", data_type).upper())
    return "".join(_SAME_TYPES.get(word, word) for word in words)


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where
        self._tokens = [
            _Token(str(found.lastgroup), found.group(), found.start(), found.end())
            for found in _LEXEMES.finditer(text)
            if found.lastgroup != "skip"
        ]
        if self._tokens and self._tokens[-1].text == ";":
            del self._tokens[-1]
        self._at = 0

    def definition(self) -> Definition:
        for word in ("CREATE", "OR", "REPLACE"):
            self._expect(word)
        if self._took("VIEW"):
            wanted: Relation | Routine = self._metric_view()
        else:
            self._expect("FUNCTION")
            wanted = self._function()
        return Definition(self._text[self._tokens[0].start : self._tokens[-1].end], wanted)

    def _metric_view(self) -> Relation:
        name = self._identifier()
        columns = self._listed(self._view_column) if self._sees("(") else ()
        comment, is_metric_view = None, False
        while not self._took("AS"):
            if self._took("WITH"):
                self._expect("METRICS")
                is_metric_view = True
            elif self._took("LANGUAGE"):
                self._expect("YAML")
            else:
                self._expect("COMMENT")
                comment = self._string()
        if not is_metric_view:
            raise self._wrong(
                "a view that is deployed is a metric view: WITH METRICS LANGUAGE YAML"
            )
        body = self._next("the definition between two $$", "dollar")
        if self._at < len(self._tokens):
            raise self._wrong("nothing may follow the definition")
        return Relation(name, "metric_view", columns, comment, body.text[2:-2])

    def _function(self) -> Routine:
        name = self._identifier()
        parameters = self._listed(self._member)
        self._expect("RETURNS")
        self._expect("TABLE")
        returns = self._listed(self._member)
        comment = None
        while not self._took("RETURN"):
            if self._took("COMMENT"):
                comment = self._string()
            else:
                self._next("RETURN and a query", "word")
        if self._at == len(self._tokens):
            raise self._wrong("a query is expected behind RETURN")
        body = self._text[self._tokens[self._at].start : self._tokens[-1].end]
        return Routine(name, parameters, returns, comment, body)

    def _listed(self, read: Callable[[], Member]) -> tuple[Member, ...]:
        self._expect("(")
        members: list[Member] = []
        while not self._took(")"):
            if members:
                self._expect(",")
            members.append(read())
        return tuple(members)

    def _view_column(self) -> Member:
        name = self._name()
        return Member(name, "", self._string() if self._took("COMMENT") else None)

    def _member(self) -> Member:
        name = self._name()
        data_type = self._raw_until("DEFAULT", "COMMENT")
        default = self._raw_until("COMMENT") if self._took("DEFAULT") else None
        comment = self._string() if self._took("COMMENT") else None
        return Member(name, data_type, comment, default)

    def _raw_until(self, *words: str) -> str:
        """The text up to one of the words, or to the end of this member of a list."""
        start, depth = self._at, 0
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            is_outside = depth == 0
            if is_outside and (token.text in (",", ")") or token.text.upper() in words):
                break
            depth += (token.text in ("(", "<")) - (token.text in (")", ">"))
            self._at += 1
        if start == self._at:
            raise self._wrong("a type or a value is expected")
        return self._text[self._tokens[start].start : self._tokens[self._at - 1].end]

    def _identifier(self) -> str:
        parts = [self._name()]
        while self._took("."):
            parts.append(self._name())
        return ".".join(f"`{part}`" if set(part) & set(".`") else part for part in parts)

    def _name(self) -> str:
        token = self._next("a name", "word", "name")
        return token.text[1:-1].replace("``", "`") if token.kind == "name" else token.text

    def _string(self) -> str:
        return literal_value(self._next("a text in quotes", "string").text)

    def _sees(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text.upper() == text

    def _took(self, text: str) -> bool:
        is_there = self._sees(text)
        self._at += is_there
        return is_there

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise self._wrong(f"{text} is expected")

    def _next(self, meant: str, *kinds: str) -> _Token:
        if self._at == len(self._tokens) or self._tokens[self._at].kind not in kinds:
            raise self._wrong(f"{meant} is expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self, what: str) -> InvalidInputError:
        is_end = self._at >= len(self._tokens)
        position = len(self._text) if is_end else self._tokens[self._at].start
        found = "the end" if is_end else repr(self._tokens[self._at].text[:40])
        return InvalidInputError(
            f"{what}, and {found} is there",
            where=f"{self._where}:{self._text.count(chr(10), 0, position) + 1}",
            remedy="write one CREATE OR REPLACE VIEW … WITH METRICS LANGUAGE YAML … AS $$…$$, or "
            "one CREATE OR REPLACE FUNCTION … RETURNS TABLE (…) … RETURN …",
        )
