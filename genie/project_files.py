"""What the files of a project say: the texts that ``genie.project`` reads, made of what is live.

A definition is one text for equal objects; what somebody wrote around it in another repository
(comments of SQL, its layout) is not in the catalog and so not in the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genie.catalog import Relation, Routine, name_parts
from genie.homes.definitions import function_sql, metric_view_sql
from genie.patching.yaml_text import is_text_of, scalars
from transforms.serialized_space import SpaceConfig, join_text
from transforms.serialized_space.rules import MAX_BYTES

_NOT_IN_FILE_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_STEM = 60  # characters: file systems take 255 bytes


@dataclass(frozen=True, slots=True)
class QuestionsFile:
    """``questions.jsonl`` of a space: ``count`` questions, ``without_sql`` of them to be completed.

    ``known`` of them are examples of the space as well. Its other examples, ``left_out``, are no
    benchmarks: the space answers from them, so that asking them measures nothing.
    """

    text: str
    count: int
    without_sql: int
    known: int
    left_out: int


def table_file(relation: Relation) -> str:
    """The YAML of a table or view: types, keys and comments as the catalog has them."""
    kind = relation.kind if relation.table_kind == "table" else relation.table_kind
    entry = {"table": relation.name, "kind": kind, "comment": relation.comment}
    lines = [*_pairs(entry), "columns:"]
    for column in relation.columns:
        table, key = relation.foreign_keys.get(column.name, (None, None))
        said: dict[str, str | bool | None] = {
            "name": column.name,
            "type": column.data_type,
            "comment": column.comment,
            "primary_key": column.name in relation.primary_key,
            "references": f"{table}.{key}" if table else None,
        }
        first, *others = _pairs(said)
        lines += [f"  - {first}", *(f"    {line}" for line in others)]
    return "\n".join(lines) + "\n"


def metric_view_file(view: Relation) -> str:
    """The statement that creates a metric view. Raises ValueError for what is none."""
    return metric_view_sql(name_parts(view.name), view) + ";\n"


def function_file(routine: Routine) -> str:
    """The statement that creates a table function.

    Raises ValueError for any other function, and for one whose body is not shown.
    """
    return function_sql(name_parts(routine.name), routine) + "\n;\n"


def space_file(config: SpaceConfig) -> str:
    """The configuration, laid out to be read; as it is where that would be too large to deploy."""
    text = json.dumps(config.to_dict(), indent=2, ensure_ascii=False) + "\n"
    return text if len(text.encode()) <= MAX_BYTES else config.serialize()


def questions_file(config: SpaceConfig) -> QuestionsFile:
    """The questions that a space can be measured by, one line each.

    Its benchmarks come with their SQL; the questions that its page offers come without, once each,
    unless a benchmark or an example asks the same.
    """
    content = config.content
    examples = {
        _folded(join_text(example.question))
        for example in content.instructions.example_question_sqls
    }
    lines = benchmark_lines(config)
    benchmarks = {_folded(line["question"]) for line in lines}
    asked = benchmarks | examples
    for sample in content.config.sample_questions:
        line = _question(sample.id, sample.question, "")
        if _folded(line["question"]) not in asked:
            asked.add(_folded(line["question"]))
            lines.append(line)
    kept = [line for line in lines if line["question"]]
    return QuestionsFile(
        text="".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept),
        count=len(kept),
        without_sql=sum(line["expected_sql"] is None for line in kept),
        known=len(benchmarks & examples),
        left_out=len(examples - benchmarks),
    )


def benchmark_lines(config: SpaceConfig) -> list[dict[str, Any]]:
    """The space's own benchmarks, each with its id, question and SQL (None: it has none)."""
    return [
        _question(one.id, one.question, "".join(join_text(answer.content) for answer in one.answer))
        for one in config.content.benchmarks.questions
    ]


def file_stems(names: Sequence[str]) -> Mapping[str, str]:
    """By name: what its file is called, without ending; different on every file system.

    It is the last part of the name, or the whole name where several would share the file.
    """
    last = {name: _file_name(name_parts(name)[-1:]) for name in names}
    whole = {name: _file_name(name_parts(name)) for name in names}
    stems: dict[str, str] = {}
    for name in names:
        is_alone = sum(stem.lower() == last[name].lower() for stem in last.values()) == 1
        stem = last[name] if is_alone else whole[name]
        taken = {other.lower() for other in stems.values()}
        while stem.lower() in taken:
            stem += "_"
        stems[name] = stem
    return stems


def _file_name(parts: Sequence[str]) -> str:
    plain = _NOT_IN_FILE_NAMES.sub("_", ".".join(parts))
    return plain[-_LONGEST_STEM:].strip("._") or "_"


def _pairs(said: Mapping[str, str | bool | None]) -> Iterator[str]:
    """``key: value`` in YAML; what is empty or false is left out."""
    for key, value in said.items():
        if value is True:
            yield f"{key}: true"
        elif value:
            yield f"{key}: {_scalar(value)}"


def _scalar(value: str) -> str:
    """The plainest way to write a text as YAML that says just this text."""
    return next(way for way in scalars(value) if is_text_of(f"key: {way}", {"key": value}))


def _question(question_id: str, question: Sequence[str], sql: str) -> dict[str, Any]:
    return {
        "question_id": question_id,
        "question": join_text(question).strip(),
        "expected_sql": sql.strip() or None,
    }


def _folded(question: str) -> str:
    return " ".join(question.lower().split())
