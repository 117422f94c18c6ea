"""What a question asks for in so many words, and whether a query's shape keeps to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from transforms.findings import folded, unquoted
from transforms.question_words import name_words, quoted_strings, stem, stems, words
from transforms.shape_model import Predicate, QueryShape, Term

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
_N = r"(\d[\d,]*(?:\.\d+)?|" + "|".join(_NUMBER_WORDS) + r")"
_BOUNDS: tuple[tuple[str, str], ...] = (
    (rf"\b(?:at least|no (?:less|fewer) than|minimum of) {_N}\b", ">="),
    (rf"\b{_N} or (?:more|above|over)\b", ">="),
    (rf"\b(?:at most|no more than|up to|maximum of) {_N}\b", "<="),
    (rf"\b{_N} or (?:less|fewer|below)\b", "<="),
    (rf"\b(?:more|greater|higher|larger|bigger|longer|older|taller|heavier) than {_N}\b", ">"),
    (rf"\b(?:over|above|exceeding|after) {_N}\b", ">"),
    (rf"\b(?:less|fewer|lower|smaller|shorter|younger|lighter) than {_N}\b", "<"),
    (rf"\b(?:under|below|before) {_N}\b", "<"),
)
_TOP = re.compile(rf"\b(?:top|first|best|bottom|last) {_N}\b|\b{_N} (?:most|least|[a-z]+est)\b")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_COUNT_WORDS = re.compile(r"\b(how many|number of|count)\b")
_PER_WORDS = re.compile(r"\b(each|every|per|respective|respectively|for all)\b")
_GROUPED = re.compile(
    r"\b(?:per|each|every|grouped by|broken down by|split by) ((?:[a-z]+ ?){1,3})"
)
_EXTREME = re.compile(r"\b(?!least\b)(most|[a-z]{3,}est)\b")
_NOT_EXTREME = {
    "interest", "forest", "request", "guest", "harvest", "honest", "protest", "invest", "latest",
    "suggest", "arrest", "contest", "northwest", "southwest", "midwest", "quest", "modest",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Demand:
    """Words of a question and whether each query keeps to them; None: cannot tell."""

    phrase: str
    kind: str
    expected_fits: bool | None
    produced_fits: bool | None

    @property
    def contradicts_expected(self) -> bool:
        """Whether only the expected query goes against the words."""
        return self.expected_fits is False and self.produced_fits is not False

    @property
    def contradicts_produced(self) -> bool:
        """Whether only the produced query goes against the words."""
        return self.produced_fits is False and self.expected_fits is not False


def number_of(text: str) -> Decimal | None:
    """The number that a word or digits stand for."""
    if text in _NUMBER_WORDS:
        return Decimal(_NUMBER_WORDS[text])
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def demands(
    question: str, expected: QueryShape, produced: QueryShape, rows: tuple[int | None, int | None]
) -> tuple[Demand, ...]:
    """Every explicit demand of a question that tells the two queries apart.

    ``rows`` are the row counts of the expected and the produced result.
    """
    found = [
        *_bounds(question, expected, produced),
        *_top(question, expected, produced),
        *_quoted(question, expected, produced),
        *_numbers(question, expected, produced),
        *_one_number(question, expected, produced, rows),
        *_grouped(question, expected, produced),
        *_extreme(question, expected, produced),
        *_averages(question, expected, produced),
        *_alternatives(question, expected, produced),
        *_distinct(question, expected, produced),
    ]
    return tuple(d for d in found if d.expected_fits is not d.produced_fits)


def _all_predicates(shape: QueryShape) -> Iterator[Predicate]:
    def parts(predicate: Predicate) -> Iterator[Predicate]:
        yield predicate
        for part in predicate.parts:
            yield from parts(part)

    for predicate in shape.predicates:
        yield from parts(predicate)
    for ranking in shape.superlatives:
        for predicate in ranking.population or ():
            yield from parts(predicate)


def _bounds(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    text = question.lower()
    for pattern, operator in _BOUNDS:
        for match in re.finditer(pattern, text):
            number = number_of(match.group(1))
            if number is None:
                continue
            fits = [_keeps_bound(shape, operator, number) for shape in (expected, produced)]
            yield Demand(match.group(0), "bound", *fits)


def _keeps_bound(shape: QueryShape, operator: str, number: Decimal) -> bool | None:
    """Whether a comparison keeps the bound; None when the number is compared in no way."""
    verdicts = []
    for predicate in _all_predicates(shape):
        value = _number(predicate)
        if value is None or predicate.operator not in {">", ">=", "<", "<="}:
            continue
        direction, wanted = predicate.operator[0], operator[0]
        # Whole numbers: > 2 is kept as >= 3, and <= 2 as < 3.
        is_whole = predicate.written is not None
        if direction != wanted or abs(value - number) > 1:
            continue
        if is_whole or predicate.operator in {">=", "<"}:
            least = number + 1 if operator in {">", "<="} else number
            shown = Decimal(value)
            verdicts.append(
                shown == least if is_whole or shown != number else operator in {">=", "<"}
            )
        else:
            verdicts.append(value == number and predicate.operator == operator)
    return None if not verdicts else any(verdicts)


def _number(predicate: Predicate) -> Decimal | None:
    if len(predicate.values) != 1:
        return None
    try:
        return Decimal(unquoted(predicate.values[0]))
    except InvalidOperation:
        return None


def _top(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    for match in _TOP.finditer(question.lower()):
        number = number_of(next(group for group in match.groups() if group))
        if number is None:
            continue
        fits = []
        for shape in (expected, produced):
            counts = [ranking.count for ranking in shape.superlatives if ranking.count]
            counts += [shape.limit] if shape.limit is not None else []
            fits.append(any(Decimal(c) == number for c in counts))
        yield Demand(match.group(0), "top", *fits)


def _quoted(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    for text in quoted_strings(question):
        fits = [holds_text(_literals(shape), text) for shape in (expected, produced)]
        yield Demand(f"'{text}'", "quoted", *fits)


def _literals(shape: QueryShape) -> tuple[str, ...]:
    """The literals of conditions and outputs, and the numbers that rows are cut at."""
    found = [literal for p in _all_predicates(shape) for literal in p.literals]
    found += [literal for term in shape.outputs for literal in term.literals]
    found += [literal for ranking in shape.superlatives for literal in ranking.term.literals]
    found += [str(ranking.count) for ranking in shape.superlatives]
    found += [str(shape.limit)] if shape.limit is not None else []
    found += [value for call in shape.functions for _, value in call.arguments]
    return tuple(found)


def holds_text(literals: tuple[str, ...], text: str) -> bool:
    """Whether one of the literals holds a text, whatever its case and what stands around it."""
    return any(folded(text) in folded(unquoted(literal)) for literal in literals)


def holds_number(literals: tuple[str, ...], number: Decimal) -> bool:
    """Whether one of the literals is a number, or a text (a date, a pattern) with that number.

    The one after it counts too: ``> 2`` on whole numbers is ``>= 3``, a year ends before the next.
    """
    found = {Decimal(digits) for literal in literals for digits in _DIGITS.findall(literal)}
    return number in found or number + 1 in found


def _numbers(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """Digits of the question (a year, an amount) that one of the queries uses nowhere."""
    for text in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])", question):
        number = number_of(text)
        if number is None or number < 2:
            continue
        fits = [holds_number(_literals(shape), number) for shape in (expected, produced)]
        yield Demand(text, "number", *fits)


def _one_number(
    question: str, expected: QueryShape, produced: QueryShape, rows: tuple[int | None, int | None]
) -> Iterator[Demand]:
    """'How many' and 'number of' at the start ask for one number, unless per something."""
    text = question.lower()
    match = _COUNT_WORDS.search(text)
    if match is None or match.start() > 25 or _PER_WORDS.search(text):
        return
    fits: list[bool | None] = []
    for shape, count in zip((expected, produced), rows, strict=True):
        is_one = count is None or count <= 1
        fits.append(is_one and (len(shape.outputs) == 1 or " and " in text))
    yield Demand(match.group(0), "one number", *fits)


def _grouped(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'per region', 'for each region' ask for groups of what a key or its table is called."""
    for match in _GROUPED.finditer(question.lower()):
        named = stems(match.group(1))
        fits = [_groups_by(shape, named) for shape in (expected, produced)]
        if True in fits:
            yield Demand(match.group(0).strip(), "group", *fits)


def _groups_by(shape: QueryShape, named: frozenset[str]) -> bool | None:
    """Whether a query groups by something of that name; False: it aggregates everything at once."""
    keys = [*shape.group_by, *(key for r in shape.superlatives for key in r.partition)]
    for key in keys:
        for column in key.columns:
            _, table, name = [*("", "", *column.split("."))][-3:]
            if named & (stems(table) | stems(name)):
                return True
    return False if not keys and shape.aggregates and not shape.set_operations else None


def _extreme(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'largest', 'most', 'fastest' ask for the extreme rows or value, unless per something."""
    text = question.lower()
    found = [m.group(1) for m in _EXTREME.finditer(text) if m.group(1) not in _NOT_EXTREME]
    if not found or _PER_WORDS.search(text) or " any " in text:
        return
    fits = [_seeks_extreme(shape) for shape in (expected, produced)]
    yield Demand(found[0], "extreme", *fits)


def _seeks_extreme(shape: QueryShape) -> bool:
    compared = [p.right for p in shape.predicates if p.right is not None]
    has_value = not shape.group_by and any(_is_extreme(term) for term in shape.outputs)
    return bool(shape.superlatives) or has_value or any(map(_is_extreme, compared))


def _is_extreme(term: Term) -> bool:
    return any(a.function in {"MAX", "MIN", "MAX_BY", "MIN_BY"} for a in term.aggregates)


def _averages(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    match = re.search(r"\b(average|mean)\b", question.lower())
    if match is None:
        return
    fits = [_averages_something(shape) for shape in (expected, produced)]
    yield Demand(match.group(0), "average", *fits)


def _averages_something(shape: QueryShape) -> bool:
    terms = [*shape.outputs, *(p.left for p in shape.predicates)]
    terms += [p.right for p in shape.predicates if p.right is not None]
    terms += [ranking.term for ranking in shape.superlatives]
    is_average = [any(a.function == "AVG" for a in term.aggregates) for term in terms]
    return any(is_average) or any(term.has_division or term.measures for term in terms)


def _alternatives(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'both A and B' and 'either A or B' over values of one column."""
    text = question.lower()
    is_both, is_either = bool(re.search(r"\bboth\b", text)), bool(re.search(r"\beither\b", text))
    if is_both == is_either:
        return
    fits: list[bool | None] = []
    for shape in (expected, produced):
        listed = any(p.operator == "IN" for p in _all_predicates(shape))
        equal = [p for p in _all_predicates(shape) if p.operator == "=" and p.values]
        repeated = any(p.left.same(q.left) and p.values != q.values for p in equal for q in equal)
        if not listed and not repeated:
            fits.append(None)
        else:
            fits.append(repeated if is_both else listed)
    yield Demand("both" if is_both else "either", "alternatives", *fits)


def _distinct(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    match = re.search(r"\b(distinct|different|unique)\b", question.lower())
    if match is None:
        return
    fits = [
        shape.is_distinct
        or bool(shape.group_by)
        or any(a.is_distinct for a in shape.aggregates)
        or any(a.is_distinct for p in shape.predicates for a in p.left.aggregates)
        for shape in (expected, produced)
    ]
    yield Demand(match.group(0), "distinct", *fits)


def names_column(question: str, column: str) -> bool:
    """Whether a question names a column word by word: 'full names' names ``full_name``."""
    wanted = [stem(part) for part in name_words(column.rpartition(".")[2])]
    asked = [stem(word) for word in words(question)]
    size = len(wanted)
    return size >= 2 and any(asked[i : i + size] == wanted for i in range(len(asked) - size + 1))


def shown_part(question: str) -> str:
    """The part of a question that says what to show: up to the first condition, each sentence."""
    parts = re.split(r"(?<=[.?!])\s+", question)
    cut = re.compile(
        r"\b(?:where|whose|who|that|with|which ha(?:s|ve)|(?:for|in) which|ha(?:s|ve) the)\b"
    )
    return " ".join(cut.split(part.lower(), maxsplit=1)[0] or part.lower() for part in parts)
