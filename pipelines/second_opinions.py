"""Asks a model where no rule decides, and puts what it says into the rows.

Whatever keeps the model from judging (no endpoint, a fault, a reply that shows nothing, a budget
that is used up) leaves the verdict ``skipped`` with that as the reason. Nothing is raised for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from genie.chat_endpoint import ChatEndpoint
from pipelines.kept_texts import KeptTexts
from pipelines.opinion_budget import OpinionBudget, OpinionPolicy
from transforms.errors import NoReplyError
from transforms.evaluation_rows import JudgedRows, Row
from transforms.identity import content_hash
from transforms.judgement import Execution
from transforms.judges import JUDGE_VERSION
from transforms.opinion_prompts import (
    MAX_DATA_CHARACTERS,
    PROMPT_VERSION,
    OpinionRequest,
    Sides,
    arbiter_requests,
    completeness_request,
    data_text,
    described_objects,
    meaning_request,
    plain_sql,
    response_format,
    shown_rows,
)
from transforms.opinion_replies import Opinion, Silence, read_reply, settled
from transforms.opinion_rows import AnswerKey, Gap, gaps, key_of, left_open, with_opinions
from transforms.space_state import SpaceState

NOT_CONFIGURED = Silence("No model was asked: none is configured.")
NOT_OF_SO_MANY = Silence("No model was asked: this evaluation has too many answers for that.")

Execute = Callable[[str], Execution]
OnAsked = Callable[[int, int], None]


class ModelJudge:
    """A model, what it may be asked in one evaluation, and what it replied before.

    Replies are kept by a hash of the model, the version of the prompts and all that it was sent,
    so that the same is asked once. Only replies that have the form that was asked for are kept.
    """

    def __init__(
        self, endpoint: ChatEndpoint, kept: KeptTexts, policy: OpinionPolicy | None = None
    ) -> None:
        self._endpoint = endpoint
        self._kept = kept
        self._policy = policy or OpinionPolicy()
        self._budget = OpinionBudget(self._policy)
        self._lock = threading.Lock()
        self._replies: dict[str, Future[Opinion | Silence]] = {}

    @property
    def name(self) -> str:
        """The model and the version of what it is asked, ``<model>/<version>``."""
        return f"{self._endpoint.model.name}/{PROMPT_VERSION}"

    def for_one_evaluation(self) -> ModelJudge:
        """The same with its budget unspent."""
        return ModelJudge(self._endpoint, self._kept, self._policy)

    def fill(
        self,
        judged: JudgedRows,
        state: SpaceState,
        execute: Execute,
        on_asked: OnAsked = lambda done, total: None,
    ) -> JudgedRows:
        """The rows with the model's verdicts in the gaps that rules left.

        ``execute`` gives the results that the arbiter is shown; ``on_asked`` is told how many of
        how many gaps are done.
        """
        wanted = gaps(judged)
        answers = {key_of(row): row for row in judged.completions}
        ask = partial(self._opinion_or_fault, answers, state, execute)
        said: dict[Gap, Opinion | Silence] = {}
        with ThreadPoolExecutor(self._policy.workers, thread_name_prefix="opinion") as pool:
            try:
                for gap, opinion in zip(wanted, pool.map(ask, wanted), strict=True):
                    said[gap] = opinion
                    on_asked(len(said), len(wanted))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return with_opinions(judged, said, self.name)

    def _opinion_or_fault(
        self, answers: dict[AnswerKey, Row], state: SpaceState, execute: Execute, gap: Gap
    ) -> Opinion | Silence:
        try:
            return self._opinion(answers, state, execute, gap)
        except (PySparkException, Py4JJavaError):
            raise  # the executor raises none unless Spark is gone
        except Exception as error:
            # A fault in asking costs this answer its verdict, not the others theirs.
            return Silence(f"Asking the model failed: {type(error).__name__}: {error}.")

    def _opinion(
        self, answers: dict[AnswerKey, Row], state: SpaceState, execute: Execute, gap: Gap
    ) -> Opinion | Silence:
        answer = answers[gap.answer]
        expected, produced = plain_sql(answer["expected_sql"]), plain_sql(answer["genie_sql"])
        if expected is None or produced is None:
            return Silence("No model was asked: one of the queries cannot be read.")
        sides = Sides(
            answer["question"],
            expected,
            produced,
            described_objects(state, expected, produced),
            self._results(answer, execute) if gap.judge == "arbiter" else None,
        )
        if gap.judge == "arbiter":
            once, swapped = arbiter_requests(sides)
            first = self._asked(once)
            return first if isinstance(first, Silence) else settled(first, self._asked(swapped))
        is_meaning = gap.judge == "semantic_equivalence"
        return self._asked(meaning_request(sides) if is_meaning else completeness_request(sides))

    def _results(self, answer: Row, execute: Execute) -> tuple[Row, Row] | None:
        if self._policy.max_rows <= 0:
            return None
        queries = (answer["expected_sql"], answer["genie_sql"])
        expected, produced = (execute(sql) for sql in queries)
        return shown_rows(expected, produced, self._policy.max_rows)

    def _asked(self, request: OpinionRequest) -> Opinion | Silence:
        """What the model says; of several that ask the same at once, one asks the model."""
        model = self._endpoint.model.name
        key = content_hash(PROMPT_VERSION, model, request.messages, response_format(request.judge))
        with self._lock:
            known = self._replies.get(key)
            if known is None:
                mine: Future[Opinion | Silence] = Future()
                self._replies[key] = mine
        if known is not None:
            return known.result()
        try:
            mine.set_result(self._read_or_ask(key, request))
        except BaseException as error:
            mine.set_exception(error)
            raise
        return mine.result()

    def _read_or_ask(self, key: str, request: OpinionRequest) -> Opinion | Silence:
        kept = self._kept.find(key)
        if kept is not None:
            return read_reply(kept, request)
        if len(data_text(request.data)) > MAX_DATA_CHARACTERS:
            return Silence("No model was asked: what it would have to be sent is too long.")
        try:
            reply = self._endpoint.reply(
                request.messages, response_format(request.judge), self._budget.take
            )
        except NoReplyError as error:
            self._budget.failed(error)
            return Silence(f"The model {self.name} did not judge: {error.what}.")
        self._budget.replied(reply.tokens)
        opinion = read_reply(reply.text, request)
        if isinstance(opinion, Opinion) or opinion.is_reply:
            self._kept.keep(key, reply.text)
        return opinion


def fill_gaps(
    judged: JudgedRows,
    judge: ModelJudge | None,
    state: SpaceState,
    execute: Execute,
    on_asked: OnAsked = lambda done, total: None,
) -> JudgedRows:
    """See ``ModelJudge.fill``; without a model, every gap says that there is none."""
    if judge is None:
        return left_open(judged, NOT_CONFIGURED)
    return judge.fill(judged, state, execute, on_asked)


def judge_version(judge: ModelJudge | None) -> str:
    """What judges: the version of the rules, and the model that is asked where they are silent."""
    return JUDGE_VERSION if judge is None else f"{JUDGE_VERSION}+{judge.name}"
