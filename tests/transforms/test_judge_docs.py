"""The documentation of the judges is what their rules say."""

from __future__ import annotations

from pathlib import Path

from transforms.contracts import JUDGES
from transforms.judge_docs import judges_markdown
from transforms.rules import ARBITER_RULES, RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "judges.md"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == judges_markdown(), "write judges_markdown() to docs/judges.md"


def test_every_rule_is_documented_with_its_type_and_confidence() -> None:
    text = judges_markdown()
    for name, rule in RULES.items():
        start = f"| `{name}` | `{rule.failure_type}` |"
        assert f"{rule.confidence:.2f} | {rule.description} |" in text.partition(start)[2][:400]
    for name, arbiter in ARBITER_RULES.items():
        assert f"| `{name}` | `{arbiter.verdict}` |" in text


def test_every_judge_is_documented() -> None:
    assert all(f"| `{judge}` |" in judges_markdown() for judge in JUDGES)
