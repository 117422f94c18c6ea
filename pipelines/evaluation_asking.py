"""Asks the space of one evaluation all its questions, and records the answers in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame

from genie.answerers import Answerer, ResumableAnswerer
from genie.ask_journal import AskJournal
from genie.live_space import live_space_id
from genie.model_versions import find_model_version
from pipelines.answer_rows import answer_rows
from pipelines.asked_space import check_can_answer, check_is_still
from pipelines.asking import Asked, ToAsk, ask_all
from pipelines.evaluation_under_way import UnderWay
from pipelines.execution import Executor
from pipelines.questions import active_benchmarks_frame
from pipelines.repeating import ask_again
from pipelines.snapshot import Snapshot
from transforms.contracts import EVAL_RESULTS
from transforms.errors import InvalidInputError, SpaceChangedError, UnconfiguredSpaceError
from transforms.evaluation_rows import FIRST_ASKING


class AskedSpace:
    """The space of an evaluation as it is asked, in the state of ``snapshot``.

    Raises UnconfiguredSpaceError when there is nothing to answer from or nobody who answers, and
    InvalidInputError when recorded answers have changed since they were registered.
    """

    def __init__(self, evaluation: UnderWay, snapshot: Snapshot) -> None:
        self._evaluation = evaluation
        self._space = evaluation.space
        self._snapshot = snapshot
        self._is_live = live_space_id(evaluation.space.answerer) is not None
        self._answerer = self._opened()

    @cached_property
    def _journal(self) -> AskJournal:
        return self._evaluation.services.open_journal()

    def _opened(self) -> Answerer:
        space = self._space
        check_can_answer(space, self._snapshot.state)
        assert space.answerer is not None
        answerer = self._evaluation.services.open_answerer(space.answerer)
        if answerer.source_hash != space.answerer_hash:
            raise InvalidInputError(
                "the recorded answers have changed since they were registered",
                where=space.answerer,
                remedy="load the folder again, or give the file with --answers",
            )
        return answerer

    def forget_other_states(self) -> None:
        """An earlier try that was cut off may have asked what the space was then."""
        if not self._is_live:
            return
        evaluation = self._evaluation
        begun = find_model_version(
            evaluation.services.store, self._space.domain, evaluation.evaluation_id
        )
        if begun is not None and begun.state.state_hash != self._snapshot.state.state_hash:
            self._journal.forget(evaluation.evaluation_id)

    def record_answers(self, executor: Executor) -> None:
        """Ask every active benchmark of the request, and commit the answers to ``eval_results``.

        ``executor`` tells by their results whether two answers to a question are one. Raises
        UnconfiguredSpaceError when there is no benchmark, SpaceChangedError when a live space is
        another one afterwards; nothing is recorded then.
        """
        evaluation = self._evaluation
        splits = evaluation.request.splits
        benchmarks = active_benchmarks_frame(evaluation.tables, self._space.space_id, splits)
        few = evaluation.few(benchmarks)
        if few is None:
            self._record_many(benchmarks)
            return
        if not few:
            raise UnconfiguredSpaceError(
                f"there is no active benchmark in the splits {', '.join(splits)}",
                where=self._space.space_id,
                remedy="load a folder with questions: genie-loop load FOLDER",
            )
        few.sort(key=lambda row: row["question_id"])
        asked = self._asked(len(few), few)
        policy = evaluation.policy
        if self._answerer.source_hash is None and policy.asks > 1:
            asked += ask_again(
                self._in_attempt,
                [_to_ask(row) for row in few],
                [one for _, one in asked],
                evaluation.earlier(self._snapshot.state, self._snapshot),
                policy.asks,
                policy.asking,
                executor.execute,
                lambda done, total: evaluation.progress("ask again", done, total),
            )
        self._check_is_still()
        evaluation.append(EVAL_RESULTS, self._rows(few, asked))

    def _record_many(self, benchmarks: DataFrame) -> None:
        count = benchmarks.count()

        def ask(portion: Sequence[Mapping[str, Any]], done_before: int) -> list[dict[str, Any]]:
            return self._rows(portion, self._asked(count, portion, done_before))

        evaluation = self._evaluation
        evaluation.wrote += evaluation.many.ask(benchmarks, ask, self._check_is_still)

    def _asked(
        self, count: int, benchmarks: Sequence[Mapping[str, Any]], done_before: int = 0
    ) -> list[tuple[int, Asked]]:
        """What came of asking some of ``count`` benchmarks for the first time."""
        evaluation = self._evaluation
        asked = ask_all(
            self._in_attempt(FIRST_ASKING),
            [_to_ask(row) for row in benchmarks],
            evaluation.policy.asking,
            on_answer=lambda done: evaluation.progress("ask", done_before + done, count),
        )
        return [(FIRST_ASKING, one) for one in asked]

    def _in_attempt(self, attempt: int) -> Answerer:
        answerer = self._answerer
        if isinstance(answerer, ResumableAnswerer):
            return answerer.of_evaluation(self._evaluation.evaluation_id, attempt, self._journal)
        return answerer

    def _rows(
        self, benchmarks: Sequence[Mapping[str, Any]], asked: Sequence[tuple[int, Asked]]
    ) -> list[dict[str, Any]]:
        return answer_rows(self._space.space_id, self._evaluation.evaluation_id, benchmarks, asked)

    def _check_is_still(self) -> None:
        if not self._is_live:  # a recording answers the same, whatever is changed meanwhile
            return
        evaluation = self._evaluation
        read_config = evaluation.services.read_config
        try:
            check_is_still(evaluation.tables, self._space, self._snapshot.state, read_config)
        except SpaceChangedError:
            self._journal.forget(evaluation.evaluation_id)
            raise


def _to_ask(benchmark: Mapping[str, Any]) -> ToAsk:
    return ToAsk(benchmark["question_id"], benchmark["question"])
