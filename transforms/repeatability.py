"""Whether a question that is asked several times gets one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.judgement import Verdict

ASKED_ONCE = Verdict(
    "repeatability", "skipped", "Asked once: only several askings tell whether answers repeat."
)


@dataclass(frozen=True, slots=True)
class Asking:
    """One answer to a question: the hash of its result, its canonical SQL; None: there is none."""

    result_hash: str | None
    canonical_sql: str | None


def dominant_share(askings: Sequence[Asking]) -> float | None:
    """The share (0-1) of the answer that is given most often; None where fewer than two are.

    Answers are one by their result; without results, by their canonical SQL; two without SQL are.
    """
    if len(askings) < 2:
        return None
    counts = Counter((one.result_hash or one.canonical_sql) for one in askings)
    return max(counts.values()) / len(askings)


def repeatability(askings: Sequence[Asking]) -> Verdict:
    """The verdict over the askings of one question that the platform answered."""
    share = dominant_share(askings)
    if share is None:
        return ASKED_ONCE
    written = len({one.canonical_sql for one in askings})
    told = (
        f"{round(share * len(askings))} of {len(askings)} askings give one result, "
        f"written in {written} way(s)."
    )
    return Verdict("repeatability", "yes" if share == 1 else "no", told, 1.0)
