from __future__ import annotations

import pytest

from tests.transforms.shop import judged, rows
from transforms.year_demands import asked_years

COUNT = "SELECT COUNT(*) FROM orders WHERE "


def rule(question: str, expected: str, produced: str) -> str:
    given = {"expected": rows((3,)), "produced": rows((2,))}
    ruling = judged(question, COUNT + expected, COUNT + produced, **given).ruling
    assert ruling is not None
    return ruling.rule


FORMS = (
    "YEAR(ordered_on) = {0}",
    "ordered_on >= '{0}-01-01' AND ordered_on < '{1}-01-01'",
    "ordered_on BETWEEN '{0}-01-01' AND '{0}-12-31'",
    "ordered_on LIKE '{0}%'",
    "DATE_TRUNC('year', ordered_on) = '{0}-01-01'",
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", [-1, 1, -3])
def test_another_year_is_a_fault_however_it_is_written(form: str, step: int) -> None:
    asked, other = form.format(2023, 2024), form.format(2023 + step, 2024 + step)
    question = "How many orders were made in 2023?"
    assert rule(question, other, asked) == "question_contradicts_expected"
    assert rule(question, asked, other) == "question_contradicts_produced"


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        ("Number of orders since 2023", "YEAR(ordered_on) >= 2022", "YEAR(ordered_on) >= 2023"),
        ("Number of orders before 2023", "YEAR(ordered_on) < 2024", "YEAR(ordered_on) < 2023"),
        ("Number of orders before 2023", "YEAR(ordered_on) <= 2023", "YEAR(ordered_on) < 2023"),
        (
            "Number of orders from 2022 to 2023",
            "YEAR(ordered_on) BETWEEN 2021 AND 2023",
            "YEAR(ordered_on) BETWEEN 2022 AND 2023",
        ),
        (
            "Number of orders in 2022 and 2023",
            "YEAR(ordered_on) IN (2021, 2022)",
            "YEAR(ordered_on) IN (2022, 2023)",
        ),
    ],
)
def test_a_period_with_bounds_is_held_against_what_is_covered(
    question: str, expected: str, produced: str
) -> None:
    assert rule(question, expected, produced).startswith("question_contradicts_expected")
    assert rule(question, produced, expected) == "question_contradicts_produced"


@pytest.mark.parametrize(
    ("question", "expected", "produced"),
    [
        ("Number of orders after 2022", "ordered_on >= '2022-01-01'", "YEAR(ordered_on) > 2022"),
        ("Number of orders since 2022", "ordered_on > '2022-12-31'", "YEAR(ordered_on) >= 2022"),
        ("Number of orders until 2023", "ordered_on < '2023-01-01'", "YEAR(ordered_on) <= 2023"),
        ("Number of orders by 2023", "YEAR(ordered_on) <= 2023", "YEAR(ordered_on) = 2023"),
        (
            "Number of orders between 2022 and 2024",
            "ordered_on >= '2022-01-01' AND ordered_on < '2024-01-01'",
            "YEAR(ordered_on) BETWEEN 2022 AND 2024",
        ),
        (
            "Number of orders in fiscal year 2023",
            "ordered_on >= '2022-04-01' AND ordered_on < '2023-04-01'",
            "YEAR(ordered_on) = 2023",
        ),
        (
            "Number of orders before March 2023",
            "ordered_on < '2022-12-01'",
            "YEAR(ordered_on) = 2023",
        ),
        ("Number of orders in 2023 (FY23)", "YEAR(ordered_on) = 2022", "YEAR(ordered_on) = 2023"),
        ("Number of orders not in 2023", "YEAR(ordered_on) <> 2023", "YEAR(ordered_on) = 2023"),
        (
            "Number of orders in 2023",
            "ordered_on >= CURRENT_DATE - INTERVAL 1 YEAR",
            "YEAR(ordered_on) = 2023",
        ),
        ("Number of orders in 2023/24", "YEAR(ordered_on) = 2024", "YEAR(ordered_on) = 2023"),
        (
            "Number of orders of more than 2000",
            "YEAR(ordered_on) = 2021",
            "YEAR(ordered_on) = 2000",
        ),
    ],
)
def test_where_words_can_be_read_both_ways_nothing_contradicts(
    question: str, expected: str, produced: str
) -> None:
    assert rule(question, expected, produced) not in {
        "question_contradicts_expected",
        "both_differ_from_data_or_question",
    }


def test_the_words_of_a_bound_go_with_its_year() -> None:
    found = asked_years("Since 2019, in 2021, 2022-2023 and before 2015; more than 2000 seats")
    assert {(one.phrase, tuple(sorted(one.must)), one.least, one.most) for one in found} == {
        ("since 2019", (2019,), 2019, 9999),
        ("2021", (2021,), 0, 9999),
        ("2022-2023", (2022, 2023), 2022, 2023),
        ("before 2015", (2014,), 0, 2014),
    }
