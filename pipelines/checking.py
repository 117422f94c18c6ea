"""Looking at the right answers of an evaluation for those that are right by luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark.sql import SparkSession

from pipelines.coincidence import CheckedSpace, CoincidenceCheck, CoincidencePolicy
from transforms.evaluation_rows import with_coincidence
from transforms.judgement import Coincidence, Question

Row = dict[str, Any]


def check_answers(
    spark: SparkSession,
    answers: Sequence[Mapping[str, Any]],
    space: CheckedSpace,
    policy: CoincidencePolicy,
    *,
    workers: int,
    on_checked: Callable[[int], None] = lambda done: None,
) -> list[Row]:
    """The answers, rows of ``eval_results``, with what the check says of each.

    ``on_checked`` is told how many are done. Raises nothing of the check's own.
    """
    check = CoincidenceCheck(spark, space, policy, workers=workers)
    checked: list[Row] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="coincidence") as pool:
        futures = [pool.submit(_found, answer, check) for answer in answers]
        try:
            for answer, future in zip(answers, futures, strict=True):
                checked.append(with_coincidence(answer, future.result()))
                on_checked(len(checked))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return checked


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
