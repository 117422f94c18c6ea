"""The configuration of a Genie Space as one value that keeps the bytes it was read from."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NoReturn

from transforms.errors import InvalidInputError
from transforms.serialized_space import model, rules
from transforms.serialized_space.rules import Violation
from transforms.serialized_space.splicing import splice
from transforms.wording import count

_MAX_NESTING = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """How many things of each kind a space holds: what rule 8 looks at."""

    tables: int
    metric_views: int
    functions: int
    instructions: int
    examples: int
    join_specs: int
    snippets: int
    benchmarks: int

    @property
    def is_configured(self) -> bool:
        """Whether there is anything to answer from."""
        return bool(self.tables or self.metric_views or self.functions)

    @property
    def line(self) -> str:
        """Every count, for people."""
        counts = asdict(self).items()
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts)


@dataclass(frozen=True)
class SpaceConfig:
    """A ``serialized_space``. Make one with ``parse``; two are equal when their texts are.

    A document that the platform would refuse can be held and written, too: ``validate`` says what
    is wrong with it.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> SpaceConfig:
        """The configuration that a text holds.

        Raises InvalidInputError when the text is not one JSON object: no JSON, a key twice in one
        object, half a character, nesting beyond any use.
        """
        config = cls(text)
        _ = config._document
        return config

    @classmethod
    def empty(cls) -> SpaceConfig:
        """A space with nothing in it."""
        return cls('{\n  "version": 2\n}\n')

    def serialize(self) -> str:
        """The text: what was parsed, byte by byte, but for what was edited."""
        return self.text

    @cached_property
    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(
                self.text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
            )
            json.dumps(document, ensure_ascii=False).encode()  # an escape may be half a character
        except json.JSONDecodeError as error:
            raise _unreadable(f"not JSON: {error.msg}", error.lineno, error.colno) from error
        except UnicodeError as error:
            raise _unreadable("a text in it holds half a character") from error
        except (ValueError, RecursionError) as error:
            raise _unreadable(f"not JSON: {error}") from error
        if not isinstance(document, dict):
            raise _unreadable("a JSON object is expected")
        if _nesting(document) > _MAX_NESTING:
            raise _unreadable(f"nested more than {_MAX_NESTING} levels deep")
        return document

    def to_dict(self) -> dict[str, Any]:
        """A copy of the document as JSON values, to look at or to change and give to ``edited``."""
        return copy.deepcopy(self._document)

    def edited(self, document: dict[str, Any]) -> SpaceConfig:
        """This configuration with the content of ``document``; what both have keeps its bytes."""
        return SpaceConfig.parse(splice(self.text, self._document, document))

    @cached_property
    def content(self) -> model.SpaceExport:
        """The document as typed values.

        Raises InvalidInputError where it has not the fields and types of version 2.
        """
        problems = rules.shape_violations(self._document)
        if problems:
            raise _refused(problems)
        return model.read(model.SpaceExport, self._document)

    def validate(self) -> tuple[Violation, ...]:
        """Everything the platform would refuse, each with its place; empty when it is accepted."""
        return rules.violations(self._document, len(self.text.encode()))

    def check(self) -> None:
        """Raises InvalidInputError with everything that ``validate`` finds."""
        problems = self.validate()
        if problems:
            raise _refused(problems)

    def without_benchmarks(self) -> SpaceConfig:
        """The same space as it may be shown to whatever answers questions.

        Raises nothing: a part of another shape under ``benchmarks`` is left out as well.
        """
        document = {key: value for key, value in self._document.items() if key != "benchmarks"}
        return self.edited(document)

    def counts(self) -> Counts:
        """How many things of each kind there are. Raises InvalidInputError as ``content`` does."""
        sources, instructions = self.content.data_sources, self.content.instructions
        snippets = instructions.sql_snippets
        return Counts(
            tables=len(sources.tables),
            metric_views=len(sources.metric_views),
            functions=len(instructions.sql_functions),
            instructions=len(instructions.text_instructions),
            examples=len(instructions.example_question_sqls),
            join_specs=len(instructions.join_specs),
            snippets=len(snippets.filters) + len(snippets.expressions) + len(snippets.measures),
            benchmarks=len(self.content.benchmarks.questions),
        )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key!r} is twice in one object")
        made[key] = value
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _nesting(document: Any) -> int:
    level, depth = [document], 0
    while level:
        depth += 1
        containers = [value for value in level if isinstance(value, dict | list)]
        level = [
            child
            for value in containers
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return depth


def _unreadable(
    reason: str, line: int | None = None, column: int | None = None
) -> InvalidInputError:
    return InvalidInputError(
        reason,
        where="serialized_space" + (f", line {line}, column {column}" if line else ""),
        remedy="give the JSON of a Genie Space as the platform exports it",
    )


def _refused(problems: tuple[Violation, ...]) -> InvalidInputError:
    return InvalidInputError(
        f"the platform would refuse this configuration: {count(len(problems), 'violation')}",
        where="serialized_space",
        remedy="change what the list names; everything else is accepted",
        problems=[str(problem) for problem in problems],
    )
