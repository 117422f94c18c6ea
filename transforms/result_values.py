"""When two values of two results are the same: the decisions that result comparison rests on.

Every value becomes a key; two values are the same exactly when their keys are equal.

- NULL is itself only: not ``''``, not 0, not NaN. NaN equals NaN, -0.0 equals 0.0.
- Text is text: ``'00123'`` is not 123, ``'2024-01-31'`` is not a date. Case and spaces count,
  whatever the collation.
- BOOLEAN is not a number. Binary is not text. A VARIANT is its JSON text.
- INT, BIGINT, DECIMAL, FLOAT and DOUBLE are numbers. Widths and scales never count; whether a
  number is an integer, a decimal or a float counts at the level ``exact`` only. A float stands for
  the shortest decimal that reads back as it, so 0.1 is 0.1 in all three, FLOAT or DOUBLE. (A FLOAT
  that a query turns into a DOUBLE has the DOUBLE's digits, 0.10000000149, and is another number.)
- At the level ``rounded`` numbers meet that differ by noise or rounding, see ``NumberMatcher``.
- A date is not a timestamp, not even one at midnight. A timestamp with a zone is an instant: the
  same instant in two zones is one value. A timestamp without a zone is not an instant. An interval
  is not a number: 12 months are one year, and neither is 365 days.
- Arrays count in order. Structs count by position: names of fields are names, like aliases. Maps
  count without order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any, Literal

from transforms.judgement import SparkValue

Level = Literal["exact", "numeric", "rounded"]
LEVELS: tuple[Level, ...] = ("exact", "numeric", "rounded")
Number = int | float | Decimal
Written = tuple[Number, bool]
"""A number of a result, and whether it is a FLOAT's."""

# Adding up in another order changes a DOUBLE in its last digits.
FLOAT_NOISE_SHARE = Decimal("1e-11")
FLOAT_NOISE = Decimal("1e-12")
# One unit in the last place of a FLOAT: it cannot tell numbers apart that are closer.
SINGLE_NOISE_SHARE = Decimal("1.2e-7")
# A number with this many decimals or more may be another one rounded to them, if that changed it by
# no more than this share. Fewer decimals are a choice of the answer, and 33.3 is not 33.33.
ROUNDED_DECIMALS = 5
ROUNDED_SHARE = Decimal("1e-4")
OFFICIAL_DECIMALS = 5
_HASHED_DIGITS = 12
_EXACT = Context(prec=100)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def key_of(value: Any, number_key: Callable[[Number], Hashable]) -> Hashable:
    """The key of a value as Spark collects it; ``number_key`` gives the keys of numbers in it."""
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float | Decimal):
        return number_key(value)
    if isinstance(value, tuple):
        return ("struct", tuple(key_of(item, number_key) for item in value))
    if isinstance(value, list):
        return ("array", tuple(key_of(item, number_key) for item in value))
    if isinstance(value, dict):
        entries = ((key_of(k, number_key), key_of(v, number_key)) for k, v in value.items())
        return ("map", frozenset(entries))
    return _plain_key(value)


def _plain_key(value: Any) -> Hashable:
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return ("timestamp_ntz", value)
        return ("timestamp", value - _EPOCH)
    if isinstance(value, date):
        return ("date", value)
    if isinstance(value, time):
        return ("time", value)
    if isinstance(value, timedelta):
        return ("interval", value)
    if isinstance(value, bytes | bytearray):
        return ("binary", bytes(value))
    if isinstance(value, SparkValue):
        return (value.kind, value.value)
    # VARIANT, GEOMETRY and the like: their text is their JSON.
    return (type(value).__name__, str(value))


def kind_of(value: Any) -> str:
    """What kind of value it is, in one word; ``number`` for all numbers."""
    key = key_of(value, lambda _: ("number",))
    return str(key[0]) if isinstance(key, tuple) else "other"


def exact_number_key(number: Number) -> Hashable:
    """Integers, decimals and floats apart."""
    return (number_type(number), decimal_of(number))


def numeric_number_key(number: Number) -> Hashable:
    """Equal for equal numbers, whatever their type."""
    return ("number", decimal_of(number))


def number_type(number: Number) -> str:
    """What kind of number it is, in one word."""
    if isinstance(number, int):
        return "integer"
    return "float" if isinstance(number, float) else "decimal"


def decimal_of(number: Number) -> Decimal | str:
    """The number as an exact decimal; ``NaN``, ``Infinity`` and ``-Infinity`` as text."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    return exact if exact.is_finite() else str(exact).removeprefix("s").replace("-NaN", "NaN")


def numbers_in(value: Any) -> Iterable[Number]:
    """Every number in a value, however deep."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float | Decimal):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from numbers_in(name)
            yield from numbers_in(item)


def is_single_precision(data_type: str) -> bool:
    """Whether a column of that Spark type (a simple string) holds a FLOAT, however deep."""
    return "float" in data_type


class NumberMatcher:
    """Keys of numbers at the level ``rounded``, for the numbers of two results.

    A number of one result meets a number of the other when they differ by no more than the larger
    of their tolerances (``tolerance_of``). Two whole numbers meet only when they are equal.

    See ``meeting``.
    """

    def __init__(self, expected: Iterable[Written], produced: Iterable[Written]) -> None:
        self._keys: dict[Decimal, Decimal] = {}
        for group in meeting(_tolerances(expected), _tolerances(produced)):
            self._keys.update((number, min(group)) for number in group)

    def __call__(self, number: Number) -> Hashable:
        exact = decimal_of(number)
        return ("number", self._keys.get(exact, exact) if isinstance(exact, Decimal) else exact)


def _tolerances(numbers: Iterable[Written]) -> dict[Decimal, Decimal]:
    tolerances: dict[Decimal, Decimal] = {}
    for number, is_single in numbers:
        exact = decimal_of(number)
        if isinstance(exact, Decimal):
            tolerance = tolerance_of(number, is_single=is_single)
            tolerances[exact] = max(tolerance, tolerances.get(exact, tolerance))
    return tolerances


def tolerance_of(number: Number, *, is_single: bool) -> Decimal:
    """How far another number may be from a finite one that meets it.

    For a DOUBLE 1e-11 of it, and at least 1e-12; for a FLOAT 1.2e-7 of it. For any number with five
    decimals or more half a unit of its last one, if that is no more than 1e-4 of it: then one of
    the two may be the other, rounded. Else nothing.
    """
    exact = decimal_of(number)
    if not isinstance(exact, Decimal):
        return Decimal()
    size = abs(exact)
    tolerance = Decimal()
    if isinstance(number, float):
        share = SINGLE_NOISE_SHARE if is_single else FLOAT_NOISE_SHARE
        tolerance = max(size * share, FLOAT_NOISE)
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent >= ROUNDED_DECIMALS:
        half_a_unit = Decimal((0, (5,), exponent - 1))
        if half_a_unit <= size * ROUNDED_SHARE:
            tolerance = max(tolerance, half_a_unit)
    return tolerance


def meeting(
    ours: Mapping[Decimal, Decimal], theirs: Mapping[Decimal, Decimal]
) -> Iterable[set[Decimal]]:
    """Numbers of two results that meet, by way of others too; each is in one set at most.

    The mappings hold each number's tolerance. What only noise tells apart is one number, in either
    result and however often: adding up in another order makes any of them. Of the others one that
    both results have meets only itself, and those that one alone has meet as far as their
    tolerances say. Meeting is called off where numbers that met differ by more than twice the
    largest tolerance among them, or where two of them are whole.
    """
    tolerances = {**ours, **theirs}
    noise = {number: noise_within(number, tolerance) for number, tolerance in tolerances.items()}
    alike = {_leader(group): group for group in _joined(pairwise(sorted(tolerances)), noise)}
    leaders = {number: leader for leader, group in alike.items() for number in group}
    reach: dict[Decimal, Decimal] = {}
    for number, tolerance in tolerances.items():
        leader = leaders.get(number, number)
        reach[leader] = max(tolerance, reach.get(leader, tolerance))
    in_ours, in_theirs = (
        {leaders.get(number, number) for number in side} for side in (ours, theirs)
    )
    for group in _joined(_neighbours(in_ours - in_theirs, in_theirs - in_ours), reach):
        yield {number for leader in group for number in alike.pop(leader, (leader,))}
    yield from alike.values()


def noise_within(number: Decimal, tolerance: Decimal) -> Decimal:
    """The part of a number's tolerance that is noise of DOUBLE."""
    return min(tolerance, max(abs(number) * FLOAT_NOISE_SHARE, FLOAT_NOISE))


def _leader(group: set[Decimal]) -> Decimal:
    """The number that stands for those that only noise tells apart: the whole one, if any is."""
    return min(group, key=lambda number: (not _is_whole(number), number))


def _neighbours(ours: set[Decimal], theirs: set[Decimal]) -> Iterable[tuple[Decimal, Decimal]]:
    """Each number with the nearest ones of the other side, below and above."""
    ascending = sorted(ours | theirs)
    for direction in (ascending, ascending[::-1]):
        last: dict[bool, Decimal] = {}
        for number in direction:
            is_ours = number in ours
            other = last.get(not is_ours)
            if other is not None:
                yield number, other
            last[is_ours] = number


def _joined(
    pairs: Iterable[tuple[Decimal, Decimal]], tolerances: Mapping[Decimal, Decimal]
) -> Iterable[set[Decimal]]:
    """Sets of two numbers or more that meet by way of the pairs, but for those called off."""
    groups: dict[Decimal, set[Decimal]] = {}
    for one, other in pairs:
        if _meet(one, other, tolerances):
            _join(groups, one, other)
    for group in {id(group): group for group in groups.values()}.values():
        if _is_tight(group, tolerances):
            yield group


def _meet(one: Decimal, other: Decimal, tolerances: Mapping[Decimal, Decimal]) -> bool:
    if _is_whole(one) and _is_whole(other):
        return False
    return abs(one - other) <= max(tolerances[one], tolerances[other])


def _join(groups: dict[Decimal, set[Decimal]], one: Decimal, other: Decimal) -> None:
    mine, others = groups.setdefault(one, {one}), groups.setdefault(other, {other})
    if mine is not others:
        mine |= others
        groups.update(dict.fromkeys(others, mine))


def _is_tight(group: set[Decimal], tolerances: Mapping[Decimal, Decimal]) -> bool:
    is_narrow = max(group) - min(group) <= 2 * max(tolerances[number] for number in group)
    return is_narrow and sum(_is_whole(number) for number in group) <= 1


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def official_key(value: Any) -> Hashable:
    """A value under the benchmarks' own rule.

    Numbers are floats rounded to five decimals, dates and timestamps are their ISO text, everything
    else but NULL is its text.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        number = decimal_of(value)
        # Adding zero: -0.0 equals 0.0, and should look like it, too.
        return (
            round(float(number), OFFICIAL_DECIMALS) + 0.0 if isinstance(number, Decimal) else number
        )
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return tuple(official_key(item) for item in value)
    if isinstance(value, dict):
        return frozenset((official_key(k), official_key(v)) for k, v in value.items())
    if isinstance(value, SparkValue):
        return f"{value.kind} {value.value}"
    return str(bytes(value)) if isinstance(value, bytearray) else str(value)


def hash_text(value: Any) -> str:
    """A text that is equal for values that are the same; fractions of floats count to 12 digits."""
    return key_text(key_of(value, _hashed_number))


def key_text(key: Hashable) -> str:
    """A key as text: equal for equal keys whose numbers are texts, in every process."""
    return repr(_sorted_key(key))


def _hashed_number(number: Number) -> Hashable:
    exact = decimal_of(number)
    if isinstance(exact, Decimal) and isinstance(number, float) and not _is_whole(exact):
        exact = Context(prec=_HASHED_DIGITS).plus(exact)
    return ("number", decimal_text(exact))


def decimal_text(number: Decimal | str) -> str:
    """What ``decimal_of`` gives, as text: equal for equal numbers."""
    if isinstance(number, str):
        return number
    return str(int(number)) if _is_whole(number) else format(_EXACT.normalize(number), "f")


def taken_apart(value: Any) -> tuple[Hashable, list[Number]]:
    """A value as its shape and the numbers in it: equal in both, two values are the same.

    Entries of a map stand in the order of their keys' text.
    """
    numbers: list[Number] = []

    def taken(number: Number) -> Hashable:
        numbers.append(number)
        return ("number",)

    def shape(part: Any) -> Hashable:
        if isinstance(part, dict):
            entries = sorted(part.items(), key=lambda entry: hash_text(entry[0]))
            return ("map", tuple((shape(name), shape(item)) for name, item in entries))
        if isinstance(part, list | tuple):
            is_array = isinstance(part, list)
            return ("array" if is_array else "struct", tuple(shape(item) for item in part))
        return key_of(part, taken)

    return shape(value), numbers


def _sorted_key(key: Hashable) -> Hashable:
    """The same key without anything whose order varies from run to run."""
    if isinstance(key, frozenset):
        return tuple(sorted((_sorted_key(item) for item in key), key=repr))
    if isinstance(key, tuple):
        return tuple(_sorted_key(item) for item in key)
    return key
