"""Asking an answerer many questions: bounded concurrency, time-outs, retries with backoff."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from genie.answerers import Answer, Answerer
from transforms.errors import AnswererError, GenieLoopError


@dataclass(frozen=True, slots=True)
class AskPolicy:
    """How an answerer is asked.

    ``max_in_flight`` calls at once; an attempt that has not come back after ``timeout_s`` is given
    up; a transient failure is tried again up to ``max_attempts`` in all, after ``backoff_s``
    doubled each time, at most ``max_backoff_s``.
    """

    max_in_flight: int = 4
    timeout_s: float = 120.0
    max_attempts: int = 3
    backoff_s: float = 1.0
    max_backoff_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ToAsk:
    """A question as the answerer gets it."""

    question_id: str
    question: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The final answer to a question, and how often it was sent."""

    question_id: str
    answer: Answer
    ask_count: int


class _GivenUpError(Exception):
    """The call did not come back in time."""


def ask_all(
    answerer: Answerer,
    questions: Sequence[ToAsk],
    policy: AskPolicy,
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_answer: Callable[[int], None] = lambda done: None,
) -> tuple[Asked, ...]:
    """One ``Asked`` for every question, in the order of the questions, whatever happens to each.

    A call that does not return keeps its place among ``max_in_flight`` until it does: never are
    more calls under way. ``on_answer`` is told how many are done. Raises what an answerer raises
    to say that nothing can be answered at all (a ``GenieLoopError`` that is not transient).
    """
    places = threading.BoundedSemaphore(policy.max_in_flight)
    done = 0
    counting = threading.Lock()

    def ask(question: ToAsk) -> Asked:
        nonlocal done
        asked = _ask_with_retries(answerer, question, policy, places, sleep)
        with counting:
            done += 1
            on_answer(done)
        return asked

    with ThreadPoolExecutor(policy.max_in_flight, thread_name_prefix="ask") as pool:
        futures = [pool.submit(ask, question) for question in questions]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ask_with_retries(
    answerer: Answerer,
    question: ToAsk,
    policy: AskPolicy,
    places: threading.BoundedSemaphore,
    sleep: Callable[[float], None],
) -> Asked:
    attempt = 1
    while True:
        try:
            answer = _ask_once(answerer, question, policy.timeout_s, places)
        except _GivenUpError as error:
            # Not sent again: the first call may still be under way at the answerer.
            answer = Answer("timed_out", error=str(error))
        except AnswererError as error:
            if attempt < policy.max_attempts:
                sleep(min(policy.max_backoff_s, policy.backoff_s * 2 ** (attempt - 1)))
                attempt += 1
                continue
            answer = Answer("failed", error=f"after {attempt} attempts: {error}")
        return Asked(question.question_id, answer, attempt)


def _ask_once(
    answerer: Answerer, question: ToAsk, timeout_s: float, places: threading.BoundedSemaphore
) -> Answer:
    """One call in a thread of its own, because Python cannot end a call that hangs."""
    if not places.acquire(timeout=timeout_s):
        raise _GivenUpError(f"no answerer was free within {timeout_s:g} s: earlier calls hang")
    results: list[Answer | BaseException] = []
    is_back = threading.Event()

    def call() -> None:
        try:
            results.append(answerer.ask(question.question_id, question.question,
                                        timeout_s=timeout_s))  # fmt: skip
        except BaseException as error:  # handed to the thread that waits
            results.append(error)
        finally:
            places.release()
            is_back.set()

    threading.Thread(target=call, daemon=True, name=f"ask {question.question_id}").start()
    if not is_back.wait(timeout_s):
        raise _GivenUpError(f"no answer within {timeout_s:g} s")
    result = results[0]
    if isinstance(result, GenieLoopError):
        raise result
    if isinstance(result, Exception):
        # A fault in the answerer's code costs one question, not the evaluation.
        return Answer("failed", error=f"{type(result).__name__}: {result}")
    if isinstance(result, BaseException):
        raise result
    return result
