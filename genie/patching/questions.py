"""Files of benchmark questions: one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from genie.patching.refusals import impossible
from transforms.errors import InvalidInputError
from transforms.patches import CorrectBenchmark, QuarantineBenchmark
from transforms.serialized_space.splicing import splice

QUARANTINED = "quarantined"  # the key whose text says why nobody is asked the question
BenchmarkPatch = CorrectBenchmark | QuarantineBenchmark


def expected_sql_in(text: str, patch: BenchmarkPatch) -> str | None:
    """The expected SQL that the file has for the question; None where it does not have it."""
    for line in text.split("\n"):
        try:
            question = json.loads(line) if line.strip() else None
        except ValueError:
            continue  # told when it is to be edited
        if isinstance(question, dict) and str(question.get("question_id")) == patch.question_id:
            return str(question.get("expected_sql") or "")
    return None


def with_questions(text: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """The file with these questions: known ones as they are now, new ones at its end.

    What a line does not name keeps its bytes, and so do all other lines. Raises InvalidInputError
    where the file cannot be read.
    """
    wanted = {str(line["question_id"]): line for line in lines}
    kept = text.split("\n")
    for position, raw in enumerate(kept):
        if not raw.strip():
            continue
        try:
            there = json.loads(raw)
        except ValueError as error:
            raise InvalidInputError(
                "not JSON", where=f"line {position + 1} of the questions", remedy="repair the file"
            ) from error
        line = wanted.pop(str(there.get("question_id")), None) if isinstance(there, dict) else None
        if line is not None:
            kept[position] = splice(raw, there, {**there, **line})
    added = [json.dumps(line, ensure_ascii=False) for line in wanted.values()]
    whole = "\n".join(kept)
    needs_break = bool(added) and bool(whole) and not whole.endswith("\n")
    return whole + ("\n" if needs_break else "") + "".join(f"{line}\n" for line in added)


def with_benchmark(text: str, patch: BenchmarkPatch) -> str:
    """The file with another expected SQL of one question, or with why it is quarantined.

    All else keeps its bytes. Raises ImpossiblePatchError where the file does not have the question.
    """
    change = (
        {"expected_sql": patch.expected_sql}
        if isinstance(patch, CorrectBenchmark)
        else {QUARANTINED: patch.reason}
    )
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
            lines[position] = splice(line, question, {**question, **change})
            return "\n".join(lines)
    raise impossible(
        f"the file has no question {patch.question_id}", patch, "add the question to the file"
    )
