"""How long the metadata engine takes to answer in a space of full size: 30 tables of 40 columns.

Run it with ``python -m perf.metadata_engine``. Prints the first answer, the median of the next, and
the machine.
"""

from __future__ import annotations

import statistics

from genie.local.engine.engine import MetadataEngine
from genie.local.engine.visible import VisibleColumn, VisibleSpace, VisibleTable
from perf.machine import describe_machine, seconds

RUNS = 9
LONG_QUESTION = (
    "What are the five largest average alpha levels per beta and gamma of the delta rows with "
    "epsilon zeta above 17 in 2024 that are not 'kappa 5', sorted by theta descending?"
)


def full_size_space() -> VisibleSpace:
    """A space as large as one may be, every column with a comment and a synonym."""
    stems = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()
    tables = tuple(
        VisibleTable(
            f"c.s.{stems[t % 12]}_{t}",
            tuple(
                VisibleColumn(
                    f"{stems[c % 12]}_{stems[(c + t) % 12]}_{c}" if c else f"key_{t}_id",
                    "string" if c % 3 else "double",
                    f"The {stems[c % 12]} of the {stems[t % 12]} in the {stems[(c * 5) % 12]}",
                    synonyms=(f"{stems[(c * 7) % 12]} level",),
                    values=tuple(f"{stems[v % 12]} {v}" for v in range(200)) if c == 1 else None,
                    references=(f"c.s.{stems[(t + 1) % 12]}_{(t + 1) % 30}",
                                f"key_{(t + 1) % 30}_id") if c == 2 else None,
                )
                for c in range(40)
            ),
            f"Rows about {stems[t % 12]}",
        )
        for t in range(30)
    )  # fmt: skip
    return VisibleSpace(tables=tables)


def main() -> None:
    """Answer one long question again and again."""
    print(describe_machine())
    engine, space = MetadataEngine(), full_size_space()
    took = [seconds(lambda: engine.answer(space, LONG_QUESTION)) for _ in range(RUNS)]
    print(f"first {took[0]:.2f} s, then median {statistics.median(took[1:]):.2f} s")


if __name__ == "__main__":
    main()
