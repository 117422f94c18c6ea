from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.transforms.shop import judged, rows
from transforms.contracts import FAILURE_TYPES
from transforms.judgement import Execution
from transforms.rules import RULES

# Causes that the arbiter always finds harmless: they explain a verdict and are never a failure.
HARMLESS = {"ties_cut", "ties_kept", "duplicates_removed", "grouped_by_key_or_name"}


@dataclass(frozen=True)
class Case:
    """One cause: what is expected, an answer that shows the cause, and one that does not."""

    rule: str
    question: str
    expected: str
    wrong: str | None
    blame: str
    fine: str
    expected_rows: list[list[Any]] | None = None
    produced_rows: list[list[Any]] | None = None
    expected_error: list[str] | None = None
    produced_error: list[str] | None = None
    expected_asset: str | None = None
    answer_outcome: str = "answered"

    def given(self, side: str) -> Execution | None:
        """The result that stands in for that of the shop's rows, if there is one."""
        error, given = getattr(self, f"{side}_error"), getattr(self, f"{side}_rows")
        if error is not None:
            status, message, error_class = error
            return Execution(status, error=message, error_class=error_class)
        return rows(*map(tuple, given)) if given is not None else None


CASES = [
    Case(**raw) for raw in yaml.safe_load((Path(__file__).parent / "judging_cases.yml").read_text())
]


def _blame(blame_set: tuple[str, ...]) -> str:
    return " + ".join(blame_set).replace("shop.", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_wrong_answer_is_explained_by_its_cause_and_the_smallest_object(case: Case) -> None:
    judgement = judged(
        case.question,
        case.expected,
        case.wrong,
        expected=case.given("expected"),
        produced=case.given("produced"),
        expected_asset=case.expected_asset,
        answer_outcome=case.answer_outcome,
    )
    found = [(failure.rule, _blame(failure.asi.blame_set)) for failure in judgement.failures]
    assert found == [(case.rule, case.blame)]
    assert judgement.failures[0].judge == RULES[case.rule].judge


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_cause_is_not_found_where_it_is_not(case: Case) -> None:
    # Where the expected query cannot be run on the shop's rows, both give one and the same row.
    same = rows((1,)) if case.given("expected") is not None else None
    judgement = judged(
        case.question,
        case.expected,
        case.fine,
        expected=same,
        produced=same,
        expected_asset=case.expected_asset,
    )
    assert case.rule not in {failure.rule for failure in judgement.failures}


def test_every_rule_has_a_case() -> None:
    shown_by_several_askings = {"answers_vary"}
    assert {case.rule for case in CASES} | HARMLESS | shown_by_several_askings == set(RULES)


def test_every_rule_names_a_known_failure_type() -> None:
    assert {rule.failure_type for rule in RULES.values()} <= set(FAILURE_TYPES)
