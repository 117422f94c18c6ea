"""The comparison of results that are too large to be at hand: they stay in Spark.

The ladder is the one of ``transforms.result_ladder`` and decides the same. What it asks is answered
from sums of hashes, one row per question: equal rows in any order have equal sums, and rows in one
order equal sums of hashes of position and row. Two hashes of 64 bits stand for a row, over digests
of 128 bits for each value; the digests are made by the code that compares results at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.utils import is_remote

from pipelines.result_rows import plain_rows
from pipelines.rounded_values import rounded
from pipelines.value_digests import digested
from transforms.column_matching import Arrangement, alike, by_content, first_fitting
from transforms.judgement import Comparison
from transforms.result_ladder import OFFICIAL_POLICIES, Columns, Pair, Reading, check_policy, climb

MAX_CHECKS = 100  # arrangements of columns that are tried, each for the price of two aggregations
_SEEDS = ("", "again")  # two hashes: equal sums of one may be chance
_IN_PARTITION = (1 << 33) - 1  # the bits of monotonically_increasing_id that count within one

Sums = tuple[int, ...]


def compare_in_spark(
    expected: DataFrame, produced: DataFrame, *, policy: str, is_ordered: bool
) -> Comparison:
    """What ``transforms.results.compare`` gives for the same rows, without having them at hand.

    Rows stand in the order in which collecting gives them. Raises ValueError for an unknown policy,
    and whatever executing the queries raises.
    """
    check_policy(policy)
    with pair_in_spark(expected, produced, is_official=policy in OFFICIAL_POLICIES) as pair:
        return climb(pair, policy=policy, is_ordered=is_ordered)


@contextmanager
def pair_in_spark(expected: DataFrame, produced: DataFrame, *, is_official: bool) -> Iterator[Pair]:
    """Both results as the ladder asks for them; ``is_official``: by an official policy, too.

    What was computed is kept until the block ends, where the engine can keep it.
    """
    frames = expected, produced
    ours, theirs = (
        _kept(digested(plain_rows(frame), frame.schema, is_official=is_official))
        for frame in frames
    )
    names = tuple(tuple(name.lower() for name in frame.columns) for frame in frames)
    pair = _Pair((names[0], names[1]), (ours, theirs))
    try:
        yield pair
    finally:
        pair.release()
        for frame in (ours, theirs):
            _released(frame)


def _kept(frame: DataFrame) -> DataFrame:
    return frame if is_remote() else frame.persist(StorageLevel.MEMORY_AND_DISK)


def _released(frame: DataFrame) -> None:
    if not is_remote():
        frame.unpersist()


class _Pair:
    """Two results in Spark; see ``result_ladder.Pair``. The frames are those of ``digested``."""

    def __init__(
        self,
        names: tuple[tuple[str, ...], tuple[str, ...]],
        digests: tuple[DataFrame, DataFrame],
    ) -> None:
        self._names = names
        self._digests = digests
        self._sides: dict[Reading, _Sides] = {}
        self._held: list[DataFrame] = []
        self._kinds: tuple[list[set[str]], list[set[str]]] | None = None

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._names

    def at(self, reading: Reading) -> _Sides:
        if reading not in self._sides:
            self._sides[reading] = self._at(reading)
        return self._sides[reading]

    def _at(self, reading: Reading) -> _Sides:
        ours, theirs = self._digests
        if reading != "rounded":
            named = F.col(reading).alias("keys")
            return _Sides(self._names, (ours.select("at", named), theirs.select("at", named)))
        changed = rounded(ours, theirs, self._keep)
        return self.at("numeric") if changed is None else _Sides(self._names, changed)

    def _keep(self, frame: DataFrame) -> DataFrame:
        self._held.append(_kept(frame))
        return self._held[-1]

    def kinds(self, position: int) -> tuple[set[str], set[str]]:
        if self._kinds is None:
            width = len(self._names[0])
            ours, theirs = (_kinds(frame, width) for frame in self._digests)
            self._kinds = ours, theirs
        return self._kinds[0][position], self._kinds[1][position]

    def release(self) -> None:
        """Let go of what was computed on the way."""
        for frame in self._held:
            _released(frame)


def _kinds(digests: DataFrame, width: int) -> list[set[str]]:
    found = digests.agg(
        *(F.collect_set(F.col("kinds")[at]).alias(f"k{at}") for at in range(width))
    ).collect()[0]
    return [set(kinds) - {"null"} for kinds in found]


class _Sides:
    """See ``result_ladder.Sides``. A frame has ``at``, where a row stands, and ``keys`` of its
    values: equal where values are the same. What was found out is not asked for again."""

    def __init__(
        self,
        names: tuple[tuple[str, ...], tuple[str, ...]],
        frames: tuple[DataFrame, DataFrame],
    ) -> None:
        self._names = names
        self._sides = tuple(
            _Side(frame, len(own)) for frame, own in zip(frames, names, strict=True)
        )
        self._distinct: _Sides | None = None
        self._arrangements: dict[tuple[Columns, bool], Arrangement | None] = {}

    @property
    def row_counts(self) -> tuple[int, int]:
        ours, theirs = self._sides
        return ours.row_count, theirs.row_count

    def distinct(self) -> _Sides:
        if self._distinct is None:
            ours, theirs = (side.frame.select("keys").distinct() for side in self._sides)
            self._distinct = _Sides(self._names, (ours, theirs))
        return self._distinct

    def arrangement(self, columns: Columns, *, is_ordered: bool) -> Arrangement | None:
        asked = columns, is_ordered
        if asked not in self._arrangements:
            match = self._straight if columns == "same" else self._arranged
            self._arrangements[asked] = match(is_ordered=is_ordered)
        return self._arrangements[asked]

    def _straight(self, *, is_ordered: bool) -> Arrangement | None:
        ours, theirs = self._sides
        straight = tuple(range(ours.width))
        if ours.row_count == theirs.row_count == 0:
            return straight
        if ours.width != theirs.width or ours.row_count != theirs.row_count:
            return None
        is_equal = ours.all_sums == theirs.all_sums
        if is_equal and is_ordered:
            in_order = [side.sums([straight], is_ordered=True) for side in self._sides]
            is_equal = in_order[0] == in_order[1]
        return straight if is_equal else None

    def _arranged(self, *, is_ordered: bool) -> Arrangement | None:
        ours, theirs = self._sides
        if ours.row_count != theirs.row_count:
            return None
        candidates = alike(ours.column_sums, theirs.column_sums, *self._names)
        if candidates is None:
            return None
        if is_ordered:
            contents = [side.sums(side.single, is_ordered=True) for side in self._sides]
            return by_content(contents[0], contents[1], *self._names)
        return first_fitting(candidates, self._does_fit, max_checks=MAX_CHECKS)

    def _does_fit(self, of_ours: Sequence[int], of_theirs: Sequence[int]) -> bool:
        ours, theirs = self._sides
        return ours.sums([of_ours]) == theirs.sums([of_theirs])

    def unmatched(self) -> tuple[int, int]:
        frames = [
            side.frame.select("keys", F.lit(sign).alias("sign"))
            for side, sign in zip(self._sides, (1, -1), strict=True)
        ]
        left = reduce(DataFrame.unionAll, frames).groupBy("keys").agg(F.sum("sign").alias("left"))
        missing = F.sum(F.greatest("left", F.lit(0)))
        surplus = F.sum(F.greatest(-F.col("left"), F.lit(0)))
        found = left.agg(
            F.coalesce(missing, F.lit(0)).alias("missing"),
            F.coalesce(surplus, F.lit(0)).alias("surplus"),
        ).collect()[0]
        return int(found["missing"]), int(found["surplus"])


class _Side:
    """One result at one level, and the sums of hashes that were asked for."""

    def __init__(self, frame: DataFrame, width: int) -> None:
        self.frame = frame
        self.width = width
        self.single = [(at,) for at in range(width)]
        self._known: tuple[int, list[Sums]] | None = None
        self._placed: DataFrame | None = None

    @property
    def row_count(self) -> int:
        return self._first_pass[0]

    @property
    def column_sums(self) -> list[Sums]:
        """Of each column alone."""
        return self._first_pass[1][:-1]

    @property
    def all_sums(self) -> Sums:
        """Of the whole rows."""
        return self._first_pass[1][-1]

    @property
    def _first_pass(self) -> tuple[int, list[Sums]]:
        if self._known is None:
            self._known = self._summed(self.frame, [*self.single, tuple(range(self.width))], [])
        return self._known

    def sums(self, choices: Sequence[Sequence[int]], *, is_ordered: bool = False) -> list[Sums]:
        """For each choice of columns the sums of its values' hashes; with their places in order."""
        if not is_ordered:
            return self._summed(self.frame, choices, [])[1]
        if self._placed is None:
            self._placed = _placed(self.frame)
        return self._summed(self._placed, choices, [F.col("place")])[1]

    @staticmethod
    def _summed(
        frame: DataFrame, choices: Sequence[Sequence[int]], places: list[Column]
    ) -> tuple[int, list[Sums]]:
        sums = [
            _sum_of_hashes([F.lit(seed), *places, *(F.col("keys")[at] for at in choice)])
            for choice in choices
            for seed in _SEEDS
        ]
        named = [column.alias(f"s{number}") for number, column in enumerate(sums)]
        found = frame.agg(F.count(F.lit(1)).alias("row_count"), *named).collect()[0]
        values = [int(value) for value in found[1:]]
        size = len(_SEEDS)
        return int(found[0]), [
            tuple(values[start : start + size]) for start in range(0, len(values), size)
        ]


def _sum_of_hashes(columns: Sequence[Column]) -> Column:
    return F.coalesce(F.sum(F.xxhash64(*columns).cast("decimal(20, 0)")), F.lit(0))


def _placed(frame: DataFrame) -> DataFrame:
    """The rows with their ``place``, counted without gaps; only sizes of partitions are at hand."""
    partition = F.shiftrightunsigned("at", 33)
    sizes = {
        row["partition"]: row["count"]
        for row in frame.groupBy(partition.alias("partition")).count().collect()
    }
    start, starts = 0, F.lit(None).cast("bigint")
    for number in sorted(sizes):
        starts = F.when(partition == number, F.lit(start)).otherwise(starts)
        start += sizes[number]
    within = F.col("at").bitwiseAND(F.lit(_IN_PARTITION))
    return frame.select("keys", (starts + within).alias("place"))
