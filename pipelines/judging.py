"""Executing both queries of every answer and judging what came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from pipelines.second_opinions import ModelJudge
from transforms.evaluation_rows import HashOf, JudgedRows, judged_rows, unjudged
from transforms.judgement import Engine, Execution, Question, ValueLookup
from transforms.judges import judge
from transforms.read_queries import ReadQueries
from transforms.results import result_hash
from transforms.space_state import SpaceState

_NOTHING_TO_RUN = Execution("sql_error", error="there is no SQL")
UNANSWERED = ("timed_out", "failed")  # outcomes of asking after which nothing is executed


class EngineNeededError(Exception):
    """An answer cannot be judged without the engine; ``sql`` is what it would have to execute.

    Raised by what stands in for the engine where there is none. None: it is something else.
    """

    def __init__(self, sql: str | None = None) -> None:
        super().__init__(sql)
        self.sql = sql


@dataclass(frozen=True, slots=True)
class Judging:
    """Everything that judging an answer needs beside the answer.

    ``executor`` executes queries, or knows their results. ``queries`` and ``hash_of`` keep from one
    answer to the next what follows from queries and results; for one thread only. ``model_judge``
    is asked where the rules are silent (``pipelines/second_opinions.py``).
    """

    executor: Engine
    state: SpaceState
    values: ValueLookup
    comparison_policy: str
    workers: int
    queries: ReadQueries | None = None
    hash_of: HashOf = result_hash
    model_judge: ModelJudge | None = None


def judge_answers(
    answers: Sequence[Mapping[str, Any]],
    judging: Judging,
    on_judged: Callable[[int], None] = lambda done: None,
) -> JudgedRows:
    """The rows that follow from the answers, which are rows of ``eval_results``.

    ``on_judged`` is told how many are done. Raises only when Spark is gone.
    """
    judged = JudgedRows()
    with ThreadPoolExecutor(judging.workers, thread_name_prefix="judge") as pool:
        futures = [pool.submit(judge_one, answer, judging) for answer in answers]
        try:
            for done, future in enumerate(futures, start=1):
                judged.extend(future.result())
                on_judged(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return judged


def judge_one(answer: Mapping[str, Any], judging: Judging) -> JudgedRows:
    """The rows of one answer. Raises only what the executor raises."""
    expected = produced = _NOTHING_TO_RUN
    if answer["answer_outcome"] not in UNANSWERED:
        expected = judging.executor.execute(answer["expected_sql"])
        if answer["genie_sql"] is not None:
            produced = judging.executor.execute(answer["genie_sql"])
    question = Question(
        question_id=answer["question_id"],
        question=answer["question"],
        expected_sql=answer["expected_sql"],
        produced_sql=answer["genie_sql"],
        answer_outcome=answer["answer_outcome"],
        answer_error=answer["answer_error"],
        expected_asset=answer["expected_asset"],
    )
    try:
        judgement = judge(
            question,
            expected,
            produced,
            state=judging.state,
            values=judging.values,
            policy=judging.comparison_policy,
            engine=judging.executor,
            queries=judging.queries,
        )
        return judged_rows(answer, expected, produced, judgement, judging.hash_of)
    except (PySparkException, Py4JJavaError, EngineNeededError):
        raise  # the executor raises none unless Spark is gone
    except Exception as error:
        # A fault of the judges costs this question its verdicts, not the others theirs.
        reason = f"the judges failed: {type(error).__name__}: {error}"
        return judged_rows(answer, expected, produced, unjudged(reason))
