"""Files of benchmark questions: one JSON object per line."""

from __future__ import annotations

import json

from genie.patching.refusals import impossible
from transforms.patches import CorrectBenchmark
from transforms.serialized_space.splicing import splice


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
