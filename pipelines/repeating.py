"""Asks questions of a live space again, and says which of them get one answer.

What counts are all askings of one state, those of earlier evaluations too: a question is asked only
as often as is missing, and only while that can change which answer is the dominant one or whether
the question is unstable (``transforms/repeatability.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from pyspark.sql import functions as F

from genie.answerers import Answerer
from pipelines.asking import Asked, AskPolicy, ToAsk, ask_all
from pipelines.spaces import Space
from pipelines.tables import Tables
from transforms.contracts import EVAL_RESULTS, EVALUATIONS
from transforms.evaluation_rows import FIRST_ASKING, REPEATABILITY, JudgedRows, judged_rows
from transforms.identity import content_hash
from transforms.judgement import Execution, Judgement
from transforms.repeatability import (
    Asking,
    Repeated,
    failure_of,
    is_decided,
    needs_results,
    repeatability,
    repeated,
)
from transforms.results import result_hash
from transforms.sql_text import canonical_sql

Row = Mapping[str, Any]
_ANSWERS = ("answered", "no_sql")  # anything else is a fault of the platform


@dataclass(frozen=True, slots=True)
class Earlier:
    """The answers that one state of a space gave in earlier evaluations, and the data as it is now.

    ``askings`` go by question id and question.
    """

    askings: Mapping[tuple[str, str], Sequence[Asking]]
    data: str

    def of(self, question_id: str, question: str) -> list[Asking]:
        """The earlier askings of a question, the oldest first."""
        return list(self.askings.get((question_id, question), ()))


def earlier_askings(
    tables: Tables,
    space: Space,
    evaluation_id: str,
    state_hash: str,
    data_versions: Mapping[str, int],
) -> Earlier:
    """What is known before ``evaluation_id``; nothing for a recording, which cannot vary."""
    data = _mark(data_versions)
    if space.answerer_hash is not None:
        return Earlier({}, data)
    same_state = (
        tables.read(EVALUATIONS)
        .where((F.col("space_id") == space.space_id) & (F.col("answerer") == space.answerer))
        .where((F.col("state_hash") == state_hash) & (F.col("evaluation_id") != evaluation_id))
        .select("evaluation_id", "data_versions", "started_at")
    )
    answers = (
        tables.read(EVAL_RESULTS)
        .where(F.col("answer_outcome").isin(*_ANSWERS))
        .select(
            "evaluation_id", "question_id", "question", "attempt", "genie_sql", "genie_result_hash"
        )
        .join(same_state, "evaluation_id", "inner")
        .orderBy("started_at", "evaluation_id", "attempt")
    )
    found: dict[tuple[str, str], list[Asking]] = {}
    for row in answers.collect():  # the questions of one space, a few times
        key = (row["question_id"], row["question"])
        found.setdefault(key, []).append(_asking(row, _mark(row["data_versions"])))
    return Earlier(found, data)


def ask_again(
    answerer_of: Callable[[int], Answerer],
    questions: Sequence[ToAsk],
    first: Sequence[Asked],
    earlier: Earlier,
    asks: int,
    policy: AskPolicy,
    execute: Callable[[str], Execution],
    on_answer: Callable[[int, int], None] = lambda done, total: None,
) -> list[tuple[int, Asked]]:
    """The further askings, each with its attempt, from 2; ``first`` are the answers to all.

    ``asks`` is how often a question is asked at most, in all evaluations of the state.
    ``answerer_of`` gives who is asked in an attempt, ``execute`` what comes of SQL on the space's
    data. Raises what asking raises.
    """
    given: dict[str, list[Asked]] = {one.question_id: [one] for one in first}
    again: list[tuple[int, Asked]] = []
    for attempt in range(FIRST_ASKING + 1, asks + 1):
        due = [
            one for one in questions if _is_due(one, given[one.question_id], earlier, asks, execute)
        ]
        if not due:
            break
        told = partial(_tell, on_answer, len(due))
        asked = ask_all(answerer_of(attempt), due, policy, on_answer=told)
        for one in asked:
            given[one.question_id].append(one)
            again.append((attempt, one))
    return again


def _tell(on_answer: Callable[[int, int], None], total: int, done: int) -> None:
    on_answer(done, total)


def _is_due(
    question: ToAsk,
    given: Sequence[Asked],
    earlier: Earlier,
    asks: int,
    execute: Callable[[str], Execution],
) -> bool:
    known = earlier.of(question.question_id, question.question)
    left = asks - len(known) - len(given)
    sqls = [one.answer.sql for one in given if one.answer.outcome in _ANSWERS]
    by_sql = [*known, *(Asking(_canonical(sql), None, earlier.data) for sql in sqls)]
    if left <= 0 or not needs_results(by_sql):
        return not is_decided(by_sql, left)
    results = [None if sql is None else result_hash(execute(sql)) for sql in sqls]
    by_result = [
        Asking(_canonical(sql), result, earlier.data)
        for sql, result in zip(sqls, results, strict=True)
    ]
    return not is_decided([*known, *by_result], left)


def repeated_questions(
    completions: Sequence[Row], earlier: Earlier, space: Space
) -> dict[str, Repeated]:
    """By question what its askings show, where a live space was asked it more than once.

    ``completions`` are the judged rows of ``eval_results`` of one evaluation.
    """
    if space.answerer_hash is not None:
        return {}
    askings: dict[str, list[Asking]] = {}
    for row in sorted(completions, key=lambda one: (one["question_id"], one["attempt"])):
        if row["answer_outcome"] in _ANSWERS:
            before = earlier.of(row["question_id"], row["question"])
            known = askings.setdefault(row["question_id"], before)
            known.append(_asking(row, earlier.data))
    found = {question_id: repeated(known) for question_id, known in askings.items()}
    return {question_id: one for question_id, one in found.items() if one is not None}


def with_repeatability(judged: JudgedRows, found: Mapping[str, Repeated]) -> JudgedRows:
    """What was judged, with the verdict of the judge ``repeatability`` on every question.

    An answer that was asked for again is executed and compared, and judged for nothing else: of it
    only the completion stays.
    """
    verdicts = [row for row in _of_first(judged.verdicts) if row["judge"] != REPEATABILITY]
    kept = JudgedRows(
        list(judged.completions), verdicts, _of_first(judged.failures), _of_first(judged.rulings)
    )
    for answer in _of_first(judged.completions):
        one = found.get(answer["question_id"])
        failure = failure_of(one, answer["space_id"]) if one is not None else None
        judgement = Judgement(
            outcome=answer["outcome"],
            comparison=None,
            verdicts=(repeatability(one),),
            failures=(failure,) if failure is not None else (),
            ruling=None,
            confirmation=None,  # unarbitrated: it is shown, and no ground for a change
        )
        rows = judged_rows(answer, _NOT_RUN, _NOT_RUN, judgement)
        kept.verdicts.extend(rows.verdicts)
        kept.failures.extend(rows.failures)
    return kept


_NOT_RUN = Execution("sql_error")


def repeated_rows(
    completions: Iterable[Row], found: Mapping[str, Repeated], space: Space, state_hash: str
) -> list[dict[str, Any]]:
    """Rows of ``repeated_questions``."""
    return [
        {
            "space_id": answer["space_id"],
            "evaluation_id": answer["evaluation_id"],
            "question_id": answer["question_id"],
            "split": answer["split"],
            "question": answer["question"],
            "answerer": space.answerer,
            "state_hash": state_hash,
            "asked_count": one.asked_count,
            "answers": [list(given) for given in one.answers],
            "result_share": one.result_share,
            "sql_count": one.sql_count,
            "sql_share": one.sql_share,
            "is_unstable": one.is_unstable,
        }
        for answer in _of_first(completions)
        if (one := found.get(answer["question_id"])) is not None
    ]


def _of_first(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows if row["attempt"] == FIRST_ASKING]


def _asking(row: Any, data: str) -> Asking:
    return Asking(_canonical(row["genie_sql"]), row["genie_result_hash"], data)


def _mark(data_versions: Mapping[str, int]) -> str:
    return content_hash(dict(data_versions))


@lru_cache(maxsize=4096)
def _canonical(sql: str | None) -> str | None:
    return None if sql is None else canonical_sql(sql)
