from __future__ import annotations

import pytest

from tests.transforms.shop import STATE
from transforms.question_demands import names_column, shown_part
from transforms.question_words import (
    contains_value,
    is_temporal_name,
    name_words,
    quoted_strings,
    stem,
    unexplained_terms,
)
from transforms.space_state import ColumnState, SpaceState, TableState


@pytest.mark.parametrize(
    ("question", "literals", "expected"),
    [
        ("How many customers are there?", [], ()),
        ("How many clients are there?", [], ("clients",)),
        ("Which clients are loyal?", [], ("clients", "loyal")),
        (
            "Which loyal clients ordered?",
            [],
            ("loyal clients", "loyal", "clients"),
        ),
        ("What does a lamp cost?", ["'Lamp'"], ()),
        ("What do our lamps cost?", ["'Lamp'"], ()),
        ("What do lamps cost?", [], ("lamps",)),
        ("Which Nordic customers are there?", ["'Nord'"], ()),
        ("Which custmers ordered?", [], ()),
        ("Whose nick-name is Boss?", ["'Boss'"], ()),
        ("How many of 20 in 2023?", [], ()),
        ("", [], ()),
    ],
)
def test_words_that_nothing_explains_are_found(
    question: str, literals: list[str], expected: tuple[str, ...]
) -> None:
    assert unexplained_terms(question, STATE, literals) == expected


def test_a_word_is_explained_by_a_synonym_or_a_description() -> None:
    column = ColumnState("nm", "string", synonyms=("alias",), description="what friends call them")
    state = SpaceState("s", "d", (TableState("d.people", (column,)),))
    assert unexplained_terms("Which alias do friends use for nobody?", state, []) == ("nobody",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cities", "city"),
        ("orders", "ordered"),
        ("eyed", "eye"),
        ("heights", "height"),
        ("customer's", "customers"),
        ("published", "publisher"),
        ("categories", "category"),
    ],
)
def test_forms_of_one_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("eye_colour_id", ("eye", "colour", "id")),
        ("EyeColourID", ("eye", "colour", "id")),
        ("GNPOld", ("gnp", "old")),
    ],
)
def test_names_are_taken_apart(name: str, expected: tuple[str, ...]) -> None:
    assert name_words(name) == expected


def test_values_are_found_in_any_case_and_inflection() -> None:
    assert contains_value("How many vip customers?", "VIP")
    assert contains_value("Which robots are there?", "Robot")
    assert not contains_value("Which robots are there?", "Rob")
    assert not contains_value("Which robots are there?", "")


def test_quotes_of_a_question_are_taken_out_but_not_apostrophes() -> None:
    assert quoted_strings("Who is 'Ada' and whose are the \"old lamps\"?") == ("Ada", "old lamps")
    assert quoted_strings("What are Ada's and Bo's orders?") == ()


def test_temporal_names() -> None:
    assert is_temporal_name("ordered_date")
    assert is_temporal_name("IndepYear")
    assert not is_temporal_name("update_count")


def test_a_question_names_a_column_word_by_word() -> None:
    assert names_column("List the nick names of all customers", "shop.customers.nick_name")
    assert not names_column("List the names of all customers", "shop.customers.nick_name")
    assert not names_column("What is the tier?", "shop.customers.tier")


def test_the_part_that_says_what_to_show_ends_at_the_first_condition() -> None:
    assert "price" not in shown_part("Which product has the highest price?")
    assert "title" in shown_part("Show the title of products that cost 3.")
    assert "owner" in shown_part("Which shop is big? Name the owner that pays.")
