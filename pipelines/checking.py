"""Looking at the right answers of an evaluation for those that are right by luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipelines.coincidence import CheckedSpace, CoincidenceCheck, CoincidencePolicy
from pipelines.judging import Judging
from pipelines.tables import Tables
from transforms.contracts import EVAL_RESULTS
from transforms.evaluation_rows import COINCIDENCE_COLUMNS, with_coincidence
from transforms.judgement import Coincidence, Question


def check_for_luck(
    tables: Tables,
    results: Sequence[Mapping[str, Any]],
    judging: Judging,
    policy: CoincidencePolicy,
    progress: Callable[[int, int], None],
) -> bool:
    """Look at the right answers among rows of ``eval_results``, and record what was found.

    Those that were looked at before are not again. ``progress`` is told how many are done, and of
    how many. Whether anything was recorded.
    """
    due = [row for row in results if row["is_correct"] and row["coincidence_detail"] is None]
    if not due:
        return False
    space = CheckedSpace(
        judging.state,
        judging.values,
        judging.comparison_policy,
        tables.catalog,
        hidden_schemas=(tables.schema,),
    )
    check = CoincidenceCheck(tables.spark, space, policy, workers=judging.workers)
    checked = []
    with ThreadPoolExecutor(judging.workers, thread_name_prefix="coincidence") as pool:
        futures = [pool.submit(_found, answer, check) for answer in due]
        try:
            for answer, future in zip(due, futures, strict=True):
                checked.append(with_coincidence(answer, future.result()))
                progress(len(checked), len(due))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tables.merge(
        EVAL_RESULTS,
        tables.frame(EVAL_RESULTS, checked),
        update=COINCIDENCE_COLUMNS,
        matched_when="t.coincidence_detail IS NULL",
    )


def _found(answer: Mapping[str, Any], check: CoincidenceCheck) -> Coincidence:
    question = Question(
        question_id=answer["question_id"],
        question=answer["question"],
        expected_sql=answer["expected_sql"],
        produced_sql=answer["genie_sql"],
    )
    try:
        return check.check(question)
    except Exception as error:
        # A fault of the check costs this answer its finding, not the evaluation its verdicts. Where
        # Spark is gone, what was found cannot be recorded either, and that is raised.
        return Coincidence(None, f"not checked: {type(error).__name__}: {error}")
