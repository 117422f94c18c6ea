"""Which columns of one table of values are which of another: rows compared as bags or in order.

Values are small integers here: equal values have equal numbers (``intern``). Trying every order of
columns would take n! comparisons. Columns are told apart by what does not depend on their order
instead: by the values in them and by the rows those stand in, refined until nothing more is told
apart. What is left is searched, one column at a time, dropping every start that no longer fits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

# Rows looked at in one search, about ten seconds. Only tables of many columns that hold the same
# values in other places come near it.
MAX_ROWS_VISITED = 20_000_000
MAX_REFINEMENTS = 10

Row = tuple[int, ...]
Arrangement = tuple[int, ...]  # for each expected column, the position of the produced one


class SearchExhaustedError(Exception):
    """Columns are so alike that finding out how they correspond took too long."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of a result as numbers, row by row, and the columns' names in lower case."""

    rows: tuple[Row, ...]
    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def column(self, position: int) -> Row:
        """The values of one column, in the order of the rows."""
        return tuple(row[position] for row in self.rows)

    def arranged(self, arrangement: Arrangement) -> list[Row]:
        """The rows with the columns at these positions, in this order."""
        return [tuple(row[position] for position in arrangement) for row in self.rows]

    def distinct(self) -> Grid:
        """Each row once."""
        return Grid(tuple(dict.fromkeys(self.rows)), self.names)


class Interning:
    """Numbers for values: equal values, equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def __call__(self, value: Hashable) -> int:
        return self._numbers.setdefault(value, len(self._numbers))


def in_order(expected: Grid, produced: Grid) -> Arrangement | None:
    """An arrangement under which the rows are equal in their order, or None.

    Produced columns may be left over. Columns that are equal throughout go by name where they can.
    """
    if len(expected.rows) != len(produced.rows):
        return None
    contents = ([grid.column(at) for at in range(grid.width)] for grid in (expected, produced))
    ours, theirs = contents
    return by_content(ours, theirs, expected.names, produced.names)


def by_content(
    ours: Sequence[Hashable],
    theirs: Sequence[Hashable],
    our_names: Sequence[str],
    their_names: Sequence[str],
) -> Arrangement | None:
    """An arrangement in which each expected column has a produced one of equal content, or None."""
    positions: dict[Hashable, list[int]] = defaultdict(list)
    for position, content in enumerate(theirs):
        positions[content].append(position)
    arrangement: dict[int, int] = {}
    for is_by_name in (True, False):
        for index, content in enumerate(ours):
            free = positions.get(content, [])
            named = [p for p in free if their_names[p] == our_names[index]]
            if index not in arrangement and (named if is_by_name else free):
                arrangement[index] = (named if is_by_name else free)[0]
                free.remove(arrangement[index])
    if len(arrangement) < len(ours):
        return None
    return tuple(arrangement[index] for index in range(len(ours)))


def as_bags(expected: Grid, produced: Grid) -> Arrangement | None:
    """An arrangement under which the rows are equal in any order, duplicates counted, or None.

    Produced columns may be left over. Raises ``SearchExhaustedError``.
    """
    if len(expected.rows) != len(produced.rows) or expected.width > produced.width:
        return None
    candidates = _candidates(expected, produced)
    if candidates is None:
        return None
    return _Search(expected, produced, candidates).run()


def _candidates(expected: Grid, produced: Grid) -> list[list[int]] | None:
    """For each expected column the produced ones it may be, those of its name first."""
    if expected.width == produced.width:
        colours = _refined(expected, produced)
    else:
        # Rows of different width cannot tell columns apart; what stands in a column still does.
        colour = Interning()
        ours, theirs = (
            _column_colours(grid, [0] * grid.width, [0] * len(grid.rows), colour)
            for grid in (expected, produced)
        )
        colours = (ours, theirs)
    if colours is None:
        return None
    return alike(*colours, expected.names, produced.names)


def alike(
    ours: Sequence[Hashable],
    theirs: Sequence[Hashable],
    our_names: Sequence[str],
    their_names: Sequence[str],
) -> list[list[int]] | None:
    """For each expected column the produced ones of its colour, those of its name first, or None
    where an expected column has none."""
    candidates = [
        sorted(
            (position for position, colour in enumerate(theirs) if colour == ours[index]),
            key=lambda position, index=index: (  # type: ignore[misc]
                their_names[position] != our_names[index],
                position != index,
                position,
            ),
        )
        for index in range(len(ours))
    ]
    return candidates if all(candidates) else None


def first_fitting(
    candidates: Sequence[Sequence[int]],
    fits: Callable[[Sequence[int], Sequence[int]], bool],
    *,
    max_checks: int,
) -> Arrangement | None:
    """The first choice of one candidate per expected column that fits, or None.

    ``fits`` says of some expected columns and as many produced ones whether their rows are equal as
    bags; what does not fit is not continued. Raises ``SearchExhaustedError`` beyond ``max_checks``
    calls.
    """
    width, checks = len(candidates), 0
    order = sorted(range(width), key=lambda index: len(candidates[index]))
    paths: list[tuple[int, ...]] = [()]
    while paths:
        path = paths.pop()
        if len(path) > 1:  # one column alone is what made it a candidate
            checks += 1
            if checks > max_checks:
                raise SearchExhaustedError
            if not fits(order[: len(path)], path):
                continue
        if len(path) == width:
            chosen = dict(zip(order, path, strict=True))
            return tuple(chosen[index] for index in range(width))
        free = [p for p in candidates[order[len(path)]] if p not in path]
        paths += [(*path, position) for position in reversed(free)]
    return None


def _refined(expected: Grid, produced: Grid) -> tuple[list[int], list[int]] | None:
    """Colours of the columns of both, equal where they may correspond; None where they cannot.

    A column's colour is what it holds in rows of which colour, a row's is what it holds in columns
    of which colour, and so on while that tells more of them apart.
    """
    grids = (expected, produced)
    columns = [[0] * grid.width for grid in grids]
    rows = [[0] * len(grid.rows) for grid in grids]
    told_apart = 0
    for _ in range(MAX_REFINEMENTS):
        colour = Interning()
        columns = [
            _column_colours(grid, old, of_rows, colour)
            for grid, old, of_rows in zip(grids, columns, rows, strict=True)
        ]
        rows = [
            [
                colour(frozenset(Counter(zip(row, of_columns, strict=True)).items()))
                for row in grid.rows
            ]
            for grid, of_columns in zip(grids, columns, strict=True)
        ]
        if any(Counter(ours) != Counter(theirs) for ours, theirs in (columns, rows)):
            return None
        before, told_apart = told_apart, len(set(columns[0])) + len(set(rows[0]))
        if told_apart == before:
            break
    return columns[0], columns[1]


def _column_colours(
    grid: Grid, old: Sequence[int], of_rows: Sequence[int], colour: Interning
) -> list[int]:
    contents = (zip(grid.column(position), of_rows, strict=True) for position in range(grid.width))
    return [
        colour((before, frozenset(Counter(content).items())))
        for before, content in zip(old, contents, strict=True)
    ]


class _Search:
    """Depth first over the columns; rows are kept as groups that are equal so far."""

    def __init__(self, expected: Grid, produced: Grid, candidates: list[list[int]]) -> None:
        self._contents = [expected.column(position) for position in range(expected.width)]
        self._produced = [produced.column(position) for position in range(produced.width)]
        self._candidates = candidates
        self._order = sorted(range(expected.width), key=lambda index: len(candidates[index]))
        self._row_count = len(expected.rows)
        self._rows_left = MAX_ROWS_VISITED

    def run(self) -> Arrangement | None:
        """The first arrangement that fits."""
        start = [0] * self._row_count
        path: list[int] = []
        # What is still to be tried at each depth, and the groups of rows to try it on.
        open_ends = [self._extensions(path, start, start)]
        while open_ends:
            if len(path) == len(self._order):
                return self._arrangement(path)
            step = next(open_ends[-1], None)
            if step is None:
                open_ends.pop()
                if path:
                    path.pop()
                continue
            position, ours, theirs = step
            path.append(position)
            open_ends.append(self._extensions(list(path), ours, theirs))
        return None

    def _arrangement(self, path: Sequence[int]) -> Arrangement:
        chosen = dict(zip(self._order, path, strict=True))
        return tuple(chosen[index] for index in range(len(path)))

    def _extensions(
        self, path: Sequence[int], ours: list[int], theirs: list[int]
    ) -> Iterator[tuple[int, list[int], list[int]]]:
        """The columns that fit next, each with the groups that it leaves."""
        if len(path) == len(self._order):
            return
        index = self._order[len(path)]
        tried: set[Row] = set()
        for position in self._candidates[index]:
            content = self._produced[position]
            if position in path or content in tried:
                continue
            tried.add(content)
            self._spend()
            group = Interning()
            left = [group(pair) for pair in zip(ours, self._contents[index], strict=True)]
            right = [group(pair) for pair in zip(theirs, content, strict=True)]
            if Counter(left) == Counter(right):
                yield position, left, right

    def _spend(self) -> None:
        self._rows_left -= max(self._row_count, 1)
        if self._rows_left < 0:
            raise SearchExhaustedError
