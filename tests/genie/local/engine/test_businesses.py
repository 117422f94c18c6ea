"""With good metadata the engine answers two quite different businesses; without it hardly."""

from __future__ import annotations

import pytest

from genie.local.engine.engine import MetadataEngine
from tests.genie.local.engine.factory import FACTORY
from tests.genie.local.engine.gym import GYM
from tests.genie.local.engine.library import LIBRARY
from tests.genie.local.engine.same_query import same
from tests.genie.local.engine.spaces import without_metadata

BUSINESSES = {"library": LIBRARY, "factory": FACTORY}


@pytest.mark.parametrize(
    ("name", "question"),
    [(name, question) for name, b in BUSINESSES.items() for question in b.questions],
)
def test_good_metadata_answers(name, question):
    answer = MetadataEngine().answer(BUSINESSES[name].visible(), question)
    assert same(answer.sql, BUSINESSES[name].questions[question]), answer.sql or answer.text


@pytest.mark.parametrize("name", BUSINESSES)
def test_names_and_types_alone_answer_little(name):
    bare = without_metadata(BUSINESSES[name])
    visible, engine = bare.visible(), MetadataEngine()
    right = [
        question
        for question, sql in bare.questions.items()
        if same(engine.answer(visible, question).sql, sql)
    ]
    assert len(right) <= 0.4 * len(bare.questions), right


def test_a_business_that_the_engine_was_not_built_on_is_answered_too():
    visible, engine = GYM.visible(), MetadataEngine()
    right = [q for q, sql in GYM.questions.items() if same(engine.answer(visible, q).sql, sql)]
    assert len(right) >= 0.85 * len(GYM.questions), sorted(set(GYM.questions) - set(right))
