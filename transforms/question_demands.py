"""What a question asks for in so many words, and whether a query's shape keeps to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from transforms.demand_model import NUMBER, Demand, all_predicates, number_in, number_of
from transforms.findings import Differ
from transforms.question_words import name_words, stem, stems, words
from transforms.shape_model import Predicate, QueryShape, Term
from transforms.value_demands import number_demands, quoted_demands
from transforms.year_demands import year_demands

_BOUNDS: tuple[tuple[str, str], ...] = (
    (rf"\b(?:at least|no (?:less|fewer) than|minimum of) {NUMBER}\b", ">="),
    (rf"\b{NUMBER} or (?:more|above|over)\b", ">="),
    (rf"\b(?:at most|no more than|up to|maximum of) {NUMBER}\b", "<="),
    (rf"\b{NUMBER} or (?:less|fewer|below)\b", "<="),
    (rf"\b(?:more|greater|higher|larger|bigger|longer|older|taller|heavier) than {NUMBER}\b", ">"),
    (rf"\b(?:over|above|exceeding|after) {NUMBER}\b", ">"),
    (rf"\b(?:less|fewer|lower|smaller|shorter|younger|lighter) than {NUMBER}\b", "<"),
    (rf"\b(?:under|below|before) {NUMBER}\b", "<"),
)
_TOP = re.compile(
    rf"\b(?:top|first|best|bottom|last) {NUMBER}\b|\b{NUMBER} (?:most|least|[a-z]+est)\b"
)
_COUNT_WORDS = re.compile(r"\b(how many|number of|count)\b")
_PER_WORDS = re.compile(
    r"\b(each|every|per|respective|respectively|for all|group(?:ed|ing)? by|"
    r"(?:broken|split|divided) (?:down )?(?:by|into)|-?wise|across|among)\b"
)
_BY = re.compile(r"\bby (?!(?:the )?(?:most|[a-z]+est)\b)((?:(?!of\b|in\b|for\b)[a-z_]+,? ?){1,5})")
# What a top or a bound counts where it does not count rows: parts of time, shares, dozens.
_NO_ROWS = re.compile(
    r"\s*(?:%|percent|per cent|dozen|hundred|thousand|million|billion|"
    r"(?:second|minute|hour|day|week|month|quarter|year|decade)s?\b)"
)
_ORDERED = re.compile(
    r"\b(?:first|order|ordered|sort|sorted|ranked|ranking|to (?:the )?[a-z]+est)\b"
)
_AVERAGES = re.compile(r"\b(average|avg|mean)\b")
_GROUPED = re.compile(
    r"\b(?:per|each|every|grouped by|broken down by|split by) ((?:[a-z]+ ?){1,3})"
)
_EXTREME = re.compile(r"\b(?!least\b)(most|[a-z]{3,}est)\b")
_NOT_EXTREME = {
    "interest", "forest", "request", "guest", "harvest", "honest", "protest", "invest", "latest",
    "suggest", "arrest", "contest", "northwest", "southwest", "midwest", "quest", "modest",
}  # fmt: skip


def demands(differ: Differ) -> tuple[Demand, ...]:
    """Every explicit demand of a question that tells the two queries apart."""
    question, expected, produced = differ.question, differ.expected, differ.produced
    rows = differ.evidence.expected_rows, differ.evidence.produced_rows
    found = [
        *_bounds(question, expected, produced),
        *_top(question, expected, produced),
        *quoted_demands(differ),
        *year_demands(differ),
        *number_demands(differ),
        *_one_number(question, expected, produced, rows),
        *_grouped(question, expected, produced),
        *_extreme(question, expected, produced),
        *_averages(question, expected, produced),
        *_alternatives(question, expected, produced),
        *_distinct(question, expected, produced),
    ]
    return tuple(d for d in found if d.expected_fits is not d.produced_fits)


def _bounds(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    text = question.lower()
    for pattern, operator in _BOUNDS:
        for match in re.finditer(pattern, text):
            number = number_of(match.group(1))
            if number is None:
                continue
            mine, theirs = (_kept(shape, operator, number) for shape in (expected, produced))
            fits = _keeps_bound(mine, theirs), _keeps_bound(theirs, mine)
            yield Demand(match.group(0), "bound", *fits, number=number)


def _keeps_bound(
    mine: list[tuple[Predicate, bool]], theirs: list[tuple[Predicate, bool]]
) -> bool | None:
    """Whether a query keeps the bound; False only where the other one does for the same thing."""
    if any(is_kept for _, is_kept in mine):
        return True
    kept = [predicate.left for predicate, is_kept in theirs if is_kept]
    return False if any(p.left.same(left) for p, _ in mine for left in kept) else None


def _kept(shape: QueryShape, operator: str, number: Decimal) -> list[tuple[Predicate, bool]]:
    """The comparisons in a bound's direction with its number or the next one, and whether each
    keeps it. Any other number may be about another thing, or in another unit."""
    found = []
    for predicate in all_predicates(shape):
        value = number_in(predicate)
        if value is None or predicate.operator not in {">", ">=", "<", "<="}:
            continue
        if predicate.operator[0] != operator[0] or abs(value - number) not in {0, 1}:
            continue
        # Whole numbers: > 2 is kept as >= 3, and <= 2 as < 3.
        is_whole = predicate.written is not None
        if is_whole or predicate.operator in {">=", "<"}:
            least = number + 1 if operator in {">", "<="} else number
            is_kept = value == least if is_whole or value != number else operator in {">=", "<"}
        else:
            is_kept = value == number and predicate.operator == operator
        found.append((predicate, is_kept))
    return found


def _top(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    text = question.lower()
    for match in _TOP.finditer(text):
        if _NO_ROWS.match(text, match.end()):
            continue
        number = number_of(next(group for group in match.groups() if group))
        if number is None:
            continue
        fits = [_takes(shape, number) for shape in (expected, produced)]
        yield Demand(match.group(0), "top", *fits)


def _takes(shape: QueryShape, number: Decimal) -> bool | None:
    """Whether a query takes so many rows; None: it compares with the number, maybe a rank."""
    counts = [ranking.count for ranking in shape.superlatives if ranking.count]
    counts += [shape.limit] if shape.limit is not None else []
    if any(Decimal(count) == number for count in counts):
        return True
    return None if any(number_in(p) == number for p in all_predicates(shape)) else False


def _one_number(
    question: str, expected: QueryShape, produced: QueryShape, rows: tuple[int | None, int | None]
) -> Iterator[Demand]:
    """'How many' and 'number of' at the start ask for one number, unless per something."""
    text = question.lower()
    match = _COUNT_WORDS.search(text)
    if match is None or match.start() > 25 or _asks_for_groups(text, expected, produced):
        return
    is_no_count = match.group(1) != "how many" and not expected.aggregates  # of an account
    if is_no_count or _shows_group(expected, text):
        return
    is_several = " and " in text
    may_be_several = re.search(r"\b(?:with|plus|along)\b|,", text) is not None
    fits: list[bool | None] = []
    for shape, count in zip((expected, produced), rows, strict=True):
        is_one = count is None or count <= 1
        fits.append(is_one and (len(shape.outputs) == 1 or is_several))
    if may_be_several and rows[0] in {None, 1}:
        fits[0] = fits[0] or None
    yield Demand(match.group(0), "one number", *fits)


def _asks_for_groups(text: str, expected: QueryShape, produced: QueryShape) -> bool:
    """Whether a question asks for something per something.

    'By' alone does not tell: 'by month' asks for groups, 'by customer 3' does not.
    """
    if _PER_WORDS.search(text):
        return True
    spoken = frozenset(stem(w) for match in _BY.finditer(text) for w in words(match.group(1)))
    return any(_groups_by(shape, spoken) for shape in (expected, produced))


def _shows_group(shape: QueryShape, text: str) -> bool:
    """Whether a query shows a key that it groups by, and the question names that."""
    named = frozenset(stem(w) for w in words(text))
    shown = [key for key in shape.group_by if any(key.same(output) for output in shape.outputs)]
    columns = {column for key in shown for column in key.columns}
    return any(
        named & ({stem(w) for w in name_words(column.rpartition(".")[2])} - {"id", "nam"})
        for column in columns
    )


def _grouped(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'per region', 'for each region' ask for groups of what a key or its table is called."""
    for match in _GROUPED.finditer(question.lower()):
        named = stems(match.group(1))
        fits = [_groups_by(shape, named) for shape in (expected, produced)]
        for i, shape in enumerate((expected, produced)):
            if fits[i] is False and _is_per_thing(shape, match.group(1)):
                fits[i] = None
        if True in fits:
            yield Demand(match.group(0).strip(), "group", *fits)


def _is_per_thing(shape: QueryShape, spoken: str) -> bool:
    """Whether one number of a query may be so much per thing: a ratio of aggregates, or the mean
    of the rows of that thing's table."""
    if any(_is_ratio(term) for term in shape.outputs) or shape.aggregates_groups:
        return True
    thing = stems(re.split(r"\b(?:of|in|for|with|who|that|on|from)\b", spoken)[0])
    own = {found for table in shape.tables_set() for found in stems(table.rpartition(".")[2])}
    return bool(thing & own) and any(a.function == "AVG" for a in shape.aggregates)


def _is_ratio(term: Term) -> bool:
    """Whether a term divides aggregates."""
    return term.has_division and bool(term.aggregates)


def _groups_by(shape: QueryShape, named: frozenset[str]) -> bool | None:
    """Whether a query groups by something of that name; False: it aggregates everything at once."""
    keys = [*shape.group_by, *(key for r in shape.superlatives for key in r.partition)]
    for key in keys:
        spoken = stems(key.pieces[0]) | ({stem(key.period)} if key.period else set())
        for column in key.columns:
            _, table, name = [*("", "", *column.split("."))][-3:]
            if named & (stems(table) | stems(name) | spoken):
                return True
    return False if not keys and shape.aggregates and not shape.set_operations else None


def _extreme(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'largest', 'most', 'fastest' ask for the extreme rows or value, unless per something."""
    text = question.lower()
    found = [m.group(1) for m in _EXTREME.finditer(text) if m.group(1) not in _NOT_EXTREME]
    if not found or " any " in text or _asks_for_groups(text, expected, produced):
        return
    if _ORDERED.search(text) and expected.order_by and not expected.superlatives:
        return  # 'from the largest to the smallest' asks for an order
    fits = [_seeks_extreme(shape) for shape in (expected, produced)]
    yield Demand(found[0], "extreme", *fits)


def _seeks_extreme(shape: QueryShape) -> bool:
    compared = [p.right for p in shape.predicates if p.right is not None]
    has_value = not shape.group_by and any(_is_extreme(term) for term in shape.outputs)
    return bool(shape.superlatives) or has_value or any(map(_is_extreme, compared))


def _is_extreme(term: Term) -> bool:
    return any(a.function in {"MAX", "MIN", "MAX_BY", "MIN_BY"} for a in term.aggregates)


def _averages(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    match = _AVERAGES.search(question.lower())
    if match is None:
        return
    fits = [_averages_something(shape) for shape in (expected, produced)]
    yield Demand(match.group(0), "average", *fits)


def _averages_something(shape: QueryShape) -> bool | None:
    """Whether a query takes a mean, or divides; None: it shows what may be one already."""
    terms = [*shape.outputs, *(p.left for p in shape.predicates)]
    terms += [p.right for p in shape.predicates if p.right is not None]
    terms += [ranking.term for ranking in shape.superlatives]
    is_average = any("AVG(" in term.text or term.has_division or term.measures for term in terms)
    is_median = any("PERCENTILE" in term.text or "MEDIAN" in term.text for term in terms)
    names = {word for t in terms for c in t.columns for word in name_words(c.rpartition(".")[2])}
    is_stored = bool(names & {"average", "avg", "mean"})
    return True if is_average else None if is_median or is_stored else False


def _alternatives(question: str, expected: QueryShape, produced: QueryShape) -> Iterator[Demand]:
    """'both A and B' and 'either A or B' over values of one column."""
    text = question.lower()
    is_both, is_either = bool(re.search(r"\bboth\b", text)), bool(re.search(r"\beither\b", text))
    if is_both == is_either:
        return
    fits: list[bool | None] = []
    for shape in (expected, produced):
        listed = any(p.operator == "IN" for p in all_predicates(shape))
        equal = [p for p in all_predicates(shape) if p.operator == "=" and p.values]
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
