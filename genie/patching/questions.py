"""Files of benchmark questions: one JSON object per line."""

from __future__ import annotations

import json

from genie.patching.refusals import impossible
from transforms.patches import CorrectBenchmark
from transforms.serialized_space.splicing import splice


def expected_sql_in(text: str, patch: CorrectBenchmark) -> str | None:
    """The expected SQL that the file has for the question; None where it does not have it."""
    for line in text.split("\n"):
        try:
            question = json.loads(line) if line.strip() else None
        except ValueError:
            continue  # told when it is to be edited
        if isinstance(question, dict) and str(question.get("question_id")) == patch.question_id:
            return str(question.get("expected_sql") or "")
    return None


def with_expected_sql(text: str, patch: CorrectBenchmark) -> str:
    """The file with another expected SQL of one question; all else keeps its bytes.

    Raises ImpossiblePatchError where the file does not have the question.
    """
    lines = text.split("\n")
    for position, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
        except ValueError as error:
            raise impossible(
                f"line {position + 1} of the questions is not JSON", patch, "repair the file"
            ) from error
        if isinstance(question, dict) and str(question.get("question_id")) == patch.question_id:
            lines[position] = splice(
                line, question, {**question, "expected_sql": patch.expected_sql}
            )
            return "\n".join(lines)
    raise impossible(
        f"the file has no question {patch.question_id}", patch, "add the question to the file"
    )
