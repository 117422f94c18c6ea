"""What judging found, as rows of the history: one answer in, its rows in four tables out.

Rows leave out ``recorded_at``, which the commit adds. Everything follows from the answer as it was
recorded and from the judgement, so that a second run gives the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from transforms.contracts import ARBITER_VERDICTS, JUDGES, SPLITS
from transforms.identity import make_id
from transforms.judgement import Coincidence, Execution, Judgement, Verdict
from transforms.luck import luck_counts
from transforms.results import result_hash
from transforms.statistics import wilson

Row = dict[str, Any]

ACTION_OF_VERDICT = {
    "genie_correct": "correct",
    "ground_truth_correct": "cluster",
    "neither_correct": "review",
    "both_correct": "none",
    "skipped": "none",
}
ARBITER = "arbiter"
REPEATABILITY = "repeatability"
FIRST_ASKING = 1  # the attempt that accuracy counts
_SCOPES = ("all", *SPLITS)
COMPLETION_COLUMNS = (
    "outcome",
    "match_step",
    "is_correct",
    "expected_row_count",
    "genie_row_count",
    "expected_result_hash",
    "genie_result_hash",
    "execution_error",
)


COINCIDENCE_COLUMNS = ("is_coincidental", "coincidence_detail")


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The rows that one or more judged answers give, by table."""

    completions: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)
    rulings: list[Row] = field(default_factory=list)

    def extend(self, other: JudgedRows) -> None:
        """Take over the rows of another."""
        self.completions.extend(other.completions)
        self.verdicts.extend(other.verdicts)
        self.failures.extend(other.failures)
        self.rulings.extend(other.rulings)


def unjudged(reason: str) -> Judgement:
    """The judgement of an answer that the judges could not cope with: all skipped, none passed."""
    verdicts = tuple(Verdict(judge, "skipped", reason) for judge in JUDGES)
    return Judgement("not_comparable", None, verdicts, (), None, None)


HashOf = Callable[[Execution], str | None]


def judged_rows(
    answer: Mapping[str, Any],
    expected: Execution,
    produced: Execution,
    judgement: Judgement,
    hash_of: HashOf = result_hash,
) -> JudgedRows:
    """The rows of one answer; ``answer`` is its row of ``eval_results`` as it was recorded.

    ``hash_of`` is ``result_hash``, or gives what that gave before.
    """
    key = {column: answer[column] for column in ("space_id", *_ANSWER_KEY)}
    asked = {column: answer[column] for column in ("question", "expected_sql", "genie_sql")}
    split = {"split": answer["split"]}
    verdict_ids = {
        verdict.judge: make_id("verdict", *(answer[c] for c in _ANSWER_KEY), verdict.judge)
        for verdict in judgement.verdicts
    }
    verdicts = [
        {
            **key,
            **split,
            "verdict_id": verdict_ids[verdict.judge],
            "judge": verdict.judge,
            "value": verdict.value,
            "confidence": verdict.confidence,
            "rationale": verdict.rationale,
        }
        for verdict in judgement.verdicts
    ]
    ordinals: Counter[str] = Counter()
    failures = []
    for failure in judgement.failures:
        verdict_id = verdict_ids[failure.judge]
        ordinals[verdict_id] += 1
        ordinal = ordinals[verdict_id]
        failures.append(
            {
                **key,
                **split,
                **asked,
                "failure_id": make_id("failure", verdict_id, ordinal),
                "verdict_id": verdict_id,
                "ordinal": ordinal,
                "group_id": answer["group_id"],
                "judge": failure.judge,
                "rule": failure.rule,
                "asi": {**asdict(failure.asi), "blame_set": list(failure.asi.blame_set)},
                "expected_fragment": failure.expected_fragment,
                "actual_fragment": failure.actual_fragment,
                "unexplained_terms": list(failure.unexplained_terms),
                "confirmation": judgement.confirmation or "unarbitrated",
            }
        )
    rulings = []
    if judgement.ruling is not None and answer["genie_sql"] is not None:
        ruling = judgement.ruling
        rulings.append(
            {
                **key,
                **split,
                **asked,
                "verdict": ruling.verdict,
                "confidence": ruling.confidence,
                "rule": ruling.rule,
                "evidence": ruling.evidence,
                "action": ACTION_OF_VERDICT[ruling.verdict],
            }
        )
    completion = {**answer, **_completion(expected, produced, judgement, hash_of)}
    return JudgedRows([completion], verdicts, failures, rulings)


_ANSWER_KEY = ("evaluation_id", "question_id", "attempt")


def with_coincidence(answer: Mapping[str, Any], found: Coincidence) -> Row:
    """The row of a right answer with what the check for luck says of it."""
    values = (found.is_coincidental, found.detail)
    return {**answer, **dict(zip(COINCIDENCE_COLUMNS, values, strict=True))}


def _completion(
    expected: Execution, produced: Execution, judgement: Judgement, hash_of: HashOf
) -> Row:
    comparison = judgement.comparison
    is_correct = comparison is not None and comparison.is_correct
    values = (
        judgement.outcome,
        comparison.step if comparison else None,
        is_correct,
        expected.row_count,
        produced.row_count,
        hash_of(expected),
        hash_of(produced),
        _execution_error(expected, produced),
    )
    return dict(zip(COMPLETION_COLUMNS, values, strict=True))


def _execution_error(expected: Execution, produced: Execution) -> str | None:
    """Why a query has no result, each side named."""
    errors = [
        f"{side}: {execution.status}: {execution.error}"
        for side, execution in (("produced", produced), ("expected", expected))
        if execution.error
    ]
    return "\n".join(errors) or None


def first_askings(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows about the first asking of each question: those that accuracy counts.

    What is asked again is asked to see whether the answer repeats, and counts nowhere else.
    """
    return [row for row in rows if row["attempt"] == FIRST_ASKING]


def evaluation_counts(
    results: Sequence[Mapping[str, Any]],
    rulings: Iterable[Mapping[str, Any]],
    failure_count: int,
) -> Row:
    """The counts of a row of ``evaluations``; every question is in the denominator, once."""
    results = first_askings(results)
    correct_count = sum(bool(result["is_correct"]) for result in results)
    return {
        "question_count": len(results),
        "correct_count": correct_count,
        "accuracy": _share(correct_count, len(results)),
        "outcome_counts": dict(sorted(Counter(r["outcome"] for r in results).items())),
        "arbiter_counts": dict(sorted(Counter(r["verdict"] for r in rulings).items())),
        "failure_count": failure_count,
        "splits": [_split_counts(split, results) for split in SPLITS],
    }


def _split_counts(split: str, results: Sequence[Mapping[str, Any]]) -> Row:
    of_split = [bool(result["is_correct"]) for result in results if result["split"] == split]
    return {
        "split": split,
        "question_count": len(of_split),
        "correct_count": sum(of_split),
        "accuracy": _share(sum(of_split), len(of_split)),
    }


def metrics_of(
    results: Sequence[Mapping[str, Any]], verdicts: Iterable[Mapping[str, Any]]
) -> dict[str, float]:
    """Metrics by name, each for the splits that were asked and for ``all``.

    ``accuracy/<split>`` is the share (0-1) of answers that are right, ``accuracy_low/<split>`` and
    ``accuracy_high/<split>`` its 95 % interval; ``<judge>/<split>`` the share
    that the judge passed, in which a skipped verdict is not a pass (but ``repeatability``, which is
    the share of those that were asked more than once; none for a judge that skipped everything);
    ``questions/<split>`` and
    ``infrastructure/<split>`` are counts. The arbiter is asked only where results differ, so that
    what it says is counted: ``arbiter/<verdict>/<split>``. ``coincidental/<split>`` counts what is
    right by luck, where that was checked.
    """
    metrics: dict[str, float] = {}
    results = first_askings(results)
    for scope in _SCOPES:
        of_scope = [result for result in results if scope in ("all", result["split"])]
        if of_scope:
            metrics[f"questions/{scope}"] = float(len(of_scope))
            correct_count = sum(bool(result["is_correct"]) for result in of_scope)
            metrics[f"accuracy/{scope}"] = correct_count / len(of_scope)
            if (interval := wilson(correct_count, len(of_scope))) is not None:
                metrics[f"accuracy_low/{scope}"] = interval.low
                metrics[f"accuracy_high/{scope}"] = interval.high
            faults = [r for r in of_scope if r["outcome"] == "infrastructure"]
            metrics[f"infrastructure/{scope}"] = float(len(faults))
            if (luck := luck_counts(of_scope)).checked_count:
                metrics[f"coincidental/{scope}"] = float(luck.coincidental_count)
    said = Counter(
        (verdict["judge"], verdict["value"], scope)
        for verdict in verdicts
        for scope in ("all", verdict["split"])
    )
    for judge, scope in product(JUDGES, _SCOPES):
        # A judge that skipped everything has judged nothing: no share, rather than none right.
        judged_count = said[judge, "yes", scope] + said[judge, "no", scope]
        if judge != ARBITER and judged_count:
            size = judged_count if judge == REPEATABILITY else metrics[f"questions/{scope}"]
            metrics[f"{judge}/{scope}"] = said[judge, "yes", scope] / size
    for verdict, scope in product(ARBITER_VERDICTS, _SCOPES):
        if count := said[ARBITER, verdict, scope]:
            metrics[f"{ARBITER}/{verdict}/{scope}"] = float(count)
    return metrics


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
