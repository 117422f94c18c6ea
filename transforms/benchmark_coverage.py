"""What the benchmarks of a space cover: assets, categories, and how the splits share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.contracts import SPLITS
from transforms.space_state import SpaceState
from transforms.statistics import wilson

SHARES = {"train": 0.5, "held_out": 0.25, "sealed": 0.25}  # of the groups, on average
NO_CATEGORY = "(none)"


@dataclass(frozen=True, slots=True)
class SplitShare:
    """A split: its questions and groups, and whether so many groups are likely for its share."""

    split: str
    question_count: int
    group_count: int
    wanted_share: float
    is_likely: bool


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """An asset or a category with its questions in each split."""

    name: str
    kind: str
    counts: Mapping[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        """The splits in which it does not occur: nothing is learnt there, or nothing is tested."""
        return tuple(split for split in SPLITS if not self.counts[split])


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the benchmarks cover; assets that no question reads have no count."""

    splits: tuple[SplitShare, ...]
    assets: tuple[CoverageRow, ...]
    categories: tuple[CoverageRow, ...]


def coverage(
    benchmarks: Sequence[Mapping[str, Any]],
    assets_of: Mapping[str, frozenset[str]],
    state: SpaceState,
) -> Coverage:
    """Count rows of ``benchmarks``; ``assets_of`` says by id which assets a question reads."""
    kinds = {
        **{table.name: table.kind for table in state.tables},
        **{function.name: "function" for function in state.functions},
    }
    read = [(name, row["split"]) for row in benchmarks for name in assets_of[row["question_id"]]]
    labelled = [(row["category"] or NO_CATEGORY, row["split"]) for row in benchmarks]
    return Coverage(
        splits=_splits(benchmarks),
        assets=tuple(_row(name, kinds[name], read) for name in sorted(kinds)),
        categories=tuple(
            _row(name, "category", labelled) for name in sorted({name for name, _ in labelled})
        ),
    )


def _row(name: str, kind: str, seen: Sequence[tuple[str, str]]) -> CoverageRow:
    counts = Counter(split for one, split in seen if one == name)
    return CoverageRow(name, kind, {split: counts[split] for split in SPLITS})


def _splits(benchmarks: Sequence[Mapping[str, Any]]) -> tuple[SplitShare, ...]:
    """Groups hash to splits: how many fall into each is chance, within its interval."""
    questions = Counter(row["split"] for row in benchmarks)
    groups = Counter(split for _, split in {(row["group_id"], row["split"]) for row in benchmarks})
    shares = []
    for split in SPLITS:
        interval = wilson(groups[split], groups.total())
        is_likely = interval is None or interval.low <= SHARES[split] <= interval.high
        shares.append(SplitShare(split, questions[split], groups[split], SHARES[split], is_likely))
    return tuple(shares)
