"""What a model replied, if it can be shown: every quote is looked up before the reply counts.

A reply counts only when it has the form that was asked for and quotes what it judges: each quote
has to stand in the field it is said to be from, and the fields that a verdict needs have to be
quoted. Comments and values of the data are never evidence: anybody can write there. Whatever does
not count gives a ``Silence`` with the reason, and never a verdict.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transforms.contracts import FAILURE_TYPES
from transforms.opinion_prompts import CANNOT_TELL, CLAUSES, SEVERITIES, OpinionRequest
from transforms.question_words import words

MAX_CONFIDENCE = 0.6
"""A model is never surer than the least certain rule of the arbiter."""
MIN_CONFIDENCE = 0.5
"""What a model is less sure of does not count."""

_MAX_REPLY = 20_000
_MAX_TEXT = 1_000
_MAX_QUOTE = 200
_MAX_PLACE = 100
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_SQL_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | \w+ | [^\w\s]""",
    re.VERBOSE | re.DOTALL,
)
_QUESTION_TOKEN = re.compile(r"\w+")
_SAYS_NOTHING = frozenset(
    "a an and are as at be by do does for from has have how in is it of on or the their there this "
    "to was were what which who with".split()
)
_NEEDED: dict[tuple[str, str], frozenset[str]] = {
    ("semantic_equivalence", "yes"): frozenset({"expected_sql", "produced_sql"}),
    ("semantic_equivalence", "no"): frozenset({"expected_sql", "produced_sql"}),
    ("completeness", "yes"): frozenset({"question", "produced_sql"}),
    ("completeness", "no"): frozenset({"question"}),
}
_NEEDED_OF_ARBITER = frozenset({"question", "expected_sql", "produced_sql"})


@dataclass(frozen=True, slots=True)
class Silence:
    """A model has not judged; ``reason`` is a sentence.

    ``is_reply``: it replied in the form that was asked for, so that asking again is no use.
    """

    reason: str
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of the question or of a query; ``source`` is its column in ``eval_results``."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class OpinionFailure:
    """What is wrong with an answer, as a model sees it; every blamed object is one it was given."""

    failure_type: str
    severity: Literal["critical", "major", "minor"]
    wrong_clause: str | None
    blame: tuple[str, ...]
    missing_metadata: str | None
    is_ambiguous: bool
    fix: str | None


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict of a model, with quotes that were found where it says they are."""

    verdict: str
    rationale: str
    confidence: float
    evidence: tuple[Quote, ...]
    failure: OpinionFailure | None = None

    @property
    def told(self) -> str:
        """The rationale with its evidence, for people."""
        quoted = "; ".join(f"{quote.source}: {quote.text}" for quote in self.evidence)
        return f"{self.rationale} Quoted: {quoted}"

    def quoted(self, source: str) -> str | None:
        """The first quote from a source."""
        return next((quote.text for quote in self.evidence if quote.source == source), None)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Quote(_Strict):
    source: str
    quote: str


class _Failure(_Strict):
    failure_type: str
    severity: str
    wrong_clause: str
    blame: list[str]
    missing_metadata: str
    is_ambiguous: bool
    fix: str


class _Ruling(_Strict):
    value: str
    rationale: str = Field(min_length=1)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    evidence: list[_Quote] = Field(max_length=20)


class _Finding(_Ruling):
    failure: _Failure


def read_reply(text: str, request: OpinionRequest) -> Opinion | Silence:
    """The opinion that a reply holds, or why it holds none. Never raises."""
    if len(text) > _MAX_REPLY:
        return Silence(f"The model's reply is longer than {_MAX_REPLY} characters.")
    fenced = _FENCED.fullmatch(text)
    form = _Finding if request.has_failure else _Ruling
    try:
        reply = form.model_validate(json.loads(fenced.group(1) if fenced else text))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        # The model chose the names in the place, and so it did the words of some messages.
        place = _clean(".".join(map(str, fault["loc"])), _MAX_PLACE) or "the reply"
        told = _clean(fault["msg"], _MAX_QUOTE)
        return Silence(f"The model's reply has another form: {place}: {told}.")
    except (ValueError, RecursionError):  # no JSON, or a number of more digits than Python reads
        return Silence("The model's reply is not JSON.")
    if reply.value not in (*request.verdicts, CANNOT_TELL):
        return Silence("The model's reply has a value that was not offered.")
    if isinstance(reply, _Finding) and reply.failure.failure_type not in ("", *FAILURE_TYPES):
        return Silence("The model's reply names a type of failure that was not offered.")
    return _opinion(reply, request)


def _opinion(reply: _Ruling, request: OpinionRequest) -> Opinion | Silence:
    """What a reply of the right form comes to."""
    if reply.value == CANNOT_TELL:
        return Silence("The model cannot tell.", is_reply=True)
    if reply.confidence < MIN_CONFIDENCE:
        told = f"The model is not sure enough: {reply.confidence:.2f}."
        return Silence(told, is_reply=True)
    verdict = request.verdicts[reply.value]
    evidence = tuple(Quote(quote.source, quote.quote) for quote in reply.evidence)
    unshown = _unshown(request, verdict, evidence)
    if unshown is not None:
        told = f"The model's reply is not shown by what it quotes: {unshown}."
        return Silence(told, is_reply=True)
    failure = reply.failure if isinstance(reply, _Finding) and verdict == "no" else None
    return Opinion(
        verdict,
        _clean(reply.rationale, _MAX_TEXT),
        min(reply.confidence, MAX_CONFIDENCE),
        tuple(
            Quote(request.sources[quote.source], _clean(quote.text, _MAX_QUOTE))
            for quote in evidence
        ),
        None if failure is None else _failure(failure, request),
    )


def settled(first: Opinion | Silence, second: Opinion | Silence) -> Opinion | Silence:
    """What an arbiter says that was asked twice: the same both times, or nothing."""
    if isinstance(first, Silence):
        return first
    if isinstance(second, Silence):
        return second
    if first.verdict != second.verdict:
        return Silence("The model contradicts itself when the two queries change places.")
    return first if first.confidence <= second.confidence else second


def _unshown(request: OpinionRequest, verdict: str, evidence: tuple[Quote, ...]) -> str | None:
    """What is wrong with the evidence, None when it shows what it has to."""
    for quote in evidence:
        if quote.source not in request.sources:
            return "a quote from something that cannot be quoted"
        if not _stands_in(quote.text, request.data[quote.source], quote.source):
            return f"a quote does not stand in {quote.source}"
    quoted = {
        request.sources[quote.source] for quote in evidence if _says_something(quote, request)
    }
    needed = _NEEDED.get((request.judge, verdict), _NEEDED_OF_ARBITER)
    if not needed <= quoted:
        return f"nothing is quoted from {', '.join(sorted(needed - quoted))}"
    if {"expected_sql", "produced_sql"} <= needed and not any(
        _tells_apart(quote, request) for quote in evidence
    ):
        return "everything that is quoted stands in both queries"
    return None


def _stands_in(quote: str, text: str, source: str) -> bool:
    tokens = _question_tokens if source == "question" else _sql_tokens
    return _is_part(tokens(quote), tokens(text))


def _is_part(part: list[str], whole: list[str]) -> bool:
    size = len(part)
    return size > 0 and any(
        whole[start : start + size] == part for start in range(len(whole) - size + 1)
    )


def _question_tokens(text: str) -> list[str]:
    return _QUESTION_TOKEN.findall(text.casefold())


def _sql_tokens(text: str) -> list[str]:
    """Tokens of SQL, or of a piece of it: a text in quotes is one, and counts letter by letter."""
    return [token if token[0] in "'\"`" else token.casefold() for token in _SQL_TOKEN.findall(text)]


def _says_something(quote: Quote, request: OpinionRequest) -> bool:
    """Whether a quote is more than small words, and more than a value that happens to be there."""
    if request.sources[quote.source] == "question":
        return any(word not in _SAYS_NOTHING for word in words(quote.text))
    return any(token[0].isalpha() or token[0] in "_`" for token in _sql_tokens(quote.text))


def _tells_apart(quote: Quote, request: OpinionRequest) -> bool:
    """Whether a quote from one query does not stand in the other one."""
    queries = {s for s, name in request.sources.items() if name != "question"}
    if quote.source not in queries:
        return False
    (other,) = queries - {quote.source}
    return not _stands_in(quote.text, request.data[other], other)


def _failure(said: _Failure, request: OpinionRequest) -> OpinionFailure:
    severity = said.severity if said.severity in SEVERITIES else "major"
    return OpinionFailure(
        failure_type=said.failure_type or "other",
        severity=severity,  # type: ignore[arg-type]
        wrong_clause=said.wrong_clause if said.wrong_clause in CLAUSES else None,
        blame=tuple(sorted(request.objects.intersection(said.blame))),
        missing_metadata=_clean(said.missing_metadata, _MAX_TEXT) or None,
        is_ambiguous=said.is_ambiguous,
        fix=_clean(said.fix, _MAX_TEXT) or None,
    )


def _clean(text: str, limit: int) -> str:
    """A model's text on one line, without what would move a terminal's cursor."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:limit]
