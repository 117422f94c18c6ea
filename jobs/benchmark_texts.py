"""Which texts of benchmarks a screen may show: those of train, and no others unless asked for.

Who reads held-out or sealed questions while improving a space fits the space to them, and its
accuracy on them says nothing any more. Clusters and proposals rest on train alone; only a proposed
correction of a benchmark may carry the text of another split.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs import screens
from jobs.reading import History, Row
from jobs.screens import Column

_TRAIN_QUESTIONS = """
SELECT question_id, question, state
FROM benchmark_states
WHERE space_id = :space AND split = 'train' AND question_id IN :questions
ORDER BY question_id
"""

_OF_BENCHMARKS = {
    "correct_benchmark": "Correct the expected SQL of question",
    "quarantine_benchmark": "Quarantine question",
}
_TEXTS = ("patch", "before", "after", "evidence")


def train_questions(history: History, space: str, questions: Sequence[str]) -> list[Row]:
    """Id, text and state of those of the questions that are in train."""
    return history.select(_TRAIN_QUESTIONS, space=space, questions=questions)


def print_questions(heading: str, asked: Sequence[str], train: Sequence[Row]) -> None:
    """The train questions, and how many of those asked for are of another split."""
    others = len(asked) - len(train)
    hidden = f", {others} of other splits not shown" if others else ""
    screens.print_heading(f"{heading} ({len(train)} of train{hidden})")
    if train:
        screens.print_table(train, _COLUMNS)


def hidden(proposal: Row) -> Row:
    """A row of proposals with ``benchmark_split``, without texts of a benchmark outside train.

    ``benchmark_split`` is the split of the benchmark that a correction is about; it is not there
    for any other proposal.
    """
    if not _is_hidden(proposal):
        return proposal
    split = proposal["benchmark_split"] or "unknown"
    told = f"not shown: the benchmark is {split}; show it with --reveal"
    return {**proposal, **dict.fromkeys(_TEXTS, told), "summary": shown_summary(proposal)}


def shown_summary(proposal: Row) -> str:
    """The change in a sentence, as ``hidden`` gives it."""
    if not _is_hidden(proposal):
        return str(proposal["summary"])
    question = ", ".join(proposal["question_ids"])
    split = proposal["benchmark_split"] or "unknown split"
    return f"{_OF_BENCHMARKS[proposal['patch_type']]} {question} ({split})."


def _is_hidden(proposal: Row) -> bool:
    return bool(proposal["patch_type"] in _OF_BENCHMARKS and proposal["benchmark_split"] != "train")


_COLUMNS = (
    Column("id", lambda row: row["question_id"]),
    Column("question", lambda row: row["question"], wraps=True),
    Column("benchmark", lambda row: row["state"]),
)
