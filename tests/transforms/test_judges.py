from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.shop import SPACE, STATE, judged, rows, run, values
from transforms.contracts import CONFIRMATIONS, JUDGES, OUTCOMES
from transforms.judgement import Execution, Judgement, ProfiledValues, Question
from transforms.judges import judge
from transforms.rules import RULES

GOLD = "SELECT nick_name FROM customers WHERE tier = 'Gold'"


def values_of(judgement: Judgement) -> dict[str, str]:
    return {verdict.judge: verdict.value for verdict in judgement.verdicts}


def test_a_right_answer_passes_whatever_its_sql() -> None:
    judgement = judged(
        "Who is gold?", GOLD, "SELECT c.nick_name FROM customers c WHERE LOWER(c.tier) = 'gold'"
    )
    assert judgement.outcome == "correct"
    assert judgement.failures == ()
    assert (judgement.ruling, judgement.confirmation) == (None, None)
    assert values_of(judgement) == {
        "syntax_validity": "yes",
        "schema_accuracy": "yes",
        "logical_accuracy": "yes",
        "semantic_equivalence": "yes",
        "completeness": "yes",
        "result_correctness": "yes",
        "asset_routing": "skipped",
        "repeatability": "skipped",
        "arbiter": "skipped",
    }
    assert "other SQL is right too" in judgement.verdicts[1].rationale


def test_one_query_written_twice_is_recognized() -> None:
    judgement = judged("Who is gold?", GOLD, GOLD.lower().replace("'gold'", "'Gold'"))
    assert judgement.comparison is not None
    assert judgement.comparison.step == "identical_sql"


def test_every_judge_gives_one_verdict_with_a_confidence_unless_it_skips() -> None:
    for produced in (GOLD, "SELECT tier FROM customers", "SELECT x FROM customers", None):
        judgement = judged("Who is gold?", GOLD, produced)
        assert tuple(verdict.judge for verdict in judgement.verdicts) == JUDGES
        for verdict in judgement.verdicts:
            assert verdict.rationale
            assert (verdict.confidence is None) == (verdict.value == "skipped")


def test_a_cause_is_the_failure_of_one_judge_and_the_others_refer_to_it() -> None:
    judgement = judged("Who is gold?", GOLD, "SELECT nick_name FROM customers")
    assert [(f.judge, f.rule) for f in judgement.failures] == [
        ("logical_accuracy", "filter_missing")
    ]
    verdicts = {verdict.judge: verdict for verdict in judgement.verdicts}
    assert verdicts["schema_accuracy"].value == "yes"
    assert verdicts["result_correctness"].value == "no"
    assert "filter_missing" in verdicts["result_correctness"].rationale


def test_several_causes_are_several_failures() -> None:
    judgement = judged(
        "Which gold customers are called Ada?",
        "SELECT nick_name FROM customers WHERE tier = 'Gold' AND customer_name = 'Ada'",
        "SELECT customer_name FROM customers WHERE customer_name = 'Ada'",
    )
    assert {failure.rule for failure in judgement.failures} == {
        "filter_missing",
        "output_column_wrong",
    }


def test_all_twelve_fields_say_something_where_they_mean_something() -> None:
    judgement = judged(
        "Which region has 3 customers called 'Ada'?",
        "SELECT home_region_id FROM customers WHERE customer_name = 'Ada'",
        "SELECT home_region_id FROM customers WHERE nick_name = 'Ada'",
    )
    failure = judgement.failures[0]
    asi = failure.asi
    assert (asi.failure_type, asi.severity, asi.wrong_clause) == (
        "wrong_column",
        "critical",
        "WHERE",
    )
    assert asi.confidence == RULES["filter_column_wrong"].confidence
    assert asi.blame_set == ("column:shop.customers.customer_name",)
    assert asi.quoted_metadata_text == "shop.customers.customer_name: name of the customer"
    assert asi.missing_metadata is not None
    assert "called" in asi.missing_metadata or "Ada" not in asi.missing_metadata
    assert asi.ambiguity_detected is False
    assert asi.expected_value == "shop.customers.customer_name = 'Ada'"
    assert asi.actual_value == "shop.customers.nick_name = 'Ada'"
    assert asi.counterfactual_fix is not None
    assert "shop.customers.customer_name = 'Ada'" in asi.counterfactual_fix
    assert asi.affected_question_pattern == (
        "Which region has <number> customers called '<value>'?"
    )
    assert failure.expected_fragment == "shop.customers.customer_name"
    assert failure.actual_fragment == "shop.customers.nick_name"


@pytest.mark.parametrize(
    ("sql", "clause"),
    [
        ("SELECT price FROM products", "SELECT"),
        ("SELECT title FROM products WHERE price > 3", "WHERE"),
        ("SELECT title FROM products ORDER BY price", "ORDER BY"),
        ("SELECT title FROM products GROUP BY title HAVING MAX(price) > 3", "GROUP BY"),
    ],
)
def test_a_name_that_does_not_exist_is_blamed_in_its_clause(sql: str, clause: str) -> None:
    judgement = judged("What do products cost?", "SELECT price_cents FROM products", sql)
    assert [(f.rule, f.asi.wrong_clause) for f in judgement.failures] == [
        ("column_unknown", clause)
    ]


def test_columns_of_one_name_in_two_tables_are_ambiguous() -> None:
    judgement = judged(
        "Which titles are there?",
        "SELECT title FROM products WHERE title = 'Lamp' AND category = 'Home'",
        "SELECT p.category FROM products AS p JOIN suppliers AS s ON p.product_id = s.product_id "
        "WHERE s.title = 'Lamp' AND p.category = 'Home'",
        expected=rows(("a",)),
        produced=rows(("b",)),
    )
    by_rule = {failure.rule: failure for failure in judgement.failures}
    assert by_rule["filter_column_wrong"].asi.ambiguity_detected


def test_the_order_of_rows_counts_only_where_the_expected_sql_asks_for_it() -> None:
    ordered = "SELECT title FROM products ORDER BY price_cents"
    assert judged("Titles?", ordered, "SELECT title FROM products").outcome == "incorrect"
    assert judged("Titles?", "SELECT title FROM products", ordered).outcome == "correct"


def test_rows_that_tie_under_one_order_may_stand_in_any_order() -> None:
    judgement = judged(
        "Orders by status?",
        "SELECT order_id, status FROM orders ORDER BY status",
        "SELECT order_id, status FROM orders ORDER BY status, order_id DESC",
    )
    assert judgement.outcome == "correct"


@pytest.mark.parametrize(
    ("given", "outcome", "confirmation", "judge_values"),
    [
        (
            {"produced": Execution("refused", error="no")},
            "refused",
            "confirmed",
            {"syntax_validity": "no", "result_correctness": "no", "arbiter": "skipped"},
        ),
        (
            {"produced": Execution("sql_error", error="no")},
            "sql_error",
            "confirmed",
            {"syntax_validity": "no", "logical_accuracy": "skipped"},
        ),
        (
            {"expected": Execution("sql_error", error="no")},
            "expected_sql_error",
            "suspect",
            {"syntax_validity": "yes", "result_correctness": "skipped", "arbiter": "skipped"},
        ),
        (
            {"produced": Execution("too_large", error="no")},
            "not_comparable",
            "unarbitrated",
            {"syntax_validity": "yes", "result_correctness": "skipped"},
        ),
        (
            {"answer_outcome": "failed"},
            "infrastructure",
            "infrastructure",
            {"syntax_validity": "skipped", "result_correctness": "skipped", "arbiter": "skipped"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_way_to_end_has_its_outcome(
    given: dict[str, object], outcome: str, confirmation: str, judge_values: dict[str, str]
) -> None:
    judgement = judged("Who is gold?", GOLD, GOLD, **given)
    assert (judgement.outcome, judgement.confirmation) == (outcome, confirmation)
    assert len(judgement.failures) == 1
    assert judge_values.items() <= values_of(judgement).items()


@pytest.mark.parametrize(
    ("asset", "produced", "value"),
    [
        (None, GOLD, "skipped"),
        ("spreadsheet", GOLD, "skipped"),
        ("table", GOLD, "yes"),
        ("TVF", "SELECT nick_name FROM orders_between('2023-01-01', '2023-01-02')", "yes"),
        ("metric view", GOLD, "no"),
    ],
)
def test_asset_routing_judges_only_what_is_stated(
    asset: str | None, produced: str, value: str
) -> None:
    same = rows(("x",))
    judgement = judged("?", GOLD, produced, expected=same, produced=same, expected_asset=asset)
    assert values_of(judgement)["asset_routing"] == value
    assert [f.rule for f in judgement.failures] == (["asset_kind_wrong"] if value == "no" else [])
    assert judgement.outcome == "correct"


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown policy"):
        judge(
            Question("q", "?", GOLD, GOLD),
            run(GOLD),
            run(GOLD),
            state=STATE,
            values=values(),
            policy="lenient",
        )


QUERIES = (
    GOLD,
    "SELECT COUNT(*) FROM orders WHERE YEAR(ordered_on) = 2023 AND total > 50 AND status = 'open'",
    (
        "SELECT c.tier, COUNT(*) FROM customers AS c JOIN orders AS o "
        "ON c.customer_id = o.customer_id "
        "WHERE o.status = 'completed' AND c.is_active = 1 GROUP BY c.tier HAVING COUNT(*) > 1"
    ),
    (
        "SELECT title FROM products WHERE category = 'Toys' AND price_cents < 9000 "
        "ORDER BY price_cents DESC LIMIT 1"
    ),
    (
        "SELECT customer_id FROM customers WHERE tier <> 'Gold' AND customer_id NOT IN "
        "(SELECT customer_id FROM customer_tags WHERE tag = 'vip' AND is_public = 'Y')"
    ),
    (
        "SELECT r.Region, AVG(o.total) FROM customers AS c JOIN regions AS r ON c.ship_region_id = "
        "r.region_id JOIN orders AS o ON o.customer_id = c.customer_id GROUP BY r.Region"
    ),
    (
        "WITH busy AS (SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id) "
        "SELECT nick_name, n FROM customers AS c JOIN busy AS b ON c.customer_id = b.customer_id"
    ),
)


@given(st.sampled_from(QUERIES), st.sampled_from(QUERIES))
@settings(deadline=None, max_examples=30)
def test_the_expected_sql_as_answer_never_fails(expected: str, other: str) -> None:
    judgement = judged("?", expected, expected)
    assert judgement.outcome == "correct"
    assert judgement.failures == ()
    mixed = judged("?", expected, other)
    assert (mixed.outcome == "correct") == (expected == other)


def _rewritten(sql: str, draw: st.DataObject) -> str:
    """The same query with other aliases, conjuncts in another order and another layout."""
    tree = sqlglot.parse_one(sql, dialect="spark")
    names = {
        table.alias: draw.draw(st.sampled_from(("x", "y", "z"))) + table.alias + "_1"
        for table in tree.find_all(sqlglot.exp.Table)
        if table.alias
    }
    for table in tree.find_all(sqlglot.exp.Table):
        if table.alias:
            table.set("alias", sqlglot.exp.TableAlias(this=names[table.alias]))
    for column in tree.find_all(sqlglot.exp.Column):
        if column.table in names:
            column.set("table", sqlglot.exp.to_identifier(names[column.table]))
    for node in list(tree.find_all(sqlglot.exp.And)):
        if draw.draw(st.booleans()):
            left, right = node.this.copy(), node.expression.copy()
            node.set("this", right)
            node.set("expression", left)
    text = tree.sql(dialect="spark", pretty=draw.draw(st.booleans()))
    return text.replace("SELECT", "select") if draw.draw(st.booleans()) else text


@given(st.sampled_from(QUERIES), st.sampled_from(QUERIES), st.data())
@settings(deadline=None, max_examples=80)
def test_writing_the_same_differently_never_changes_the_judgement(
    expected: str, produced: str, data: st.DataObject
) -> None:
    plain = judged("Which gold customers ordered in 2023?", expected, produced)
    rewritten = judged(
        "Which gold customers ordered in 2023?",
        _rewritten(expected, data),
        _rewritten(produced, data),
        expected=run(expected),
        produced=run(produced),
    )
    assert rewritten.outcome == plain.outcome
    assert rewritten.ruling == plain.ruling
    assert [(f.rule, f.asi.blame_set) for f in rewritten.failures] == [
        (f.rule, f.asi.blame_set) for f in plain.failures
    ]


TOKENS = (
    *sorted({token for query in QUERIES for token in query.split()}),
    "UNION", "INTERSECT", "EXCEPT", "LEFT", "CASE", "WHEN", "THEN", "END", "OVER", "(", ")", ",",
    "EXISTS", "NULL", "OR", "BETWEEN", "LIKE", "DISTINCT", "*", "MEASURE(", "ALL", "ANY", "QUALIFY",
)  # fmt: skip
arbitrary_sql = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=10).map(
        lambda tokens: "SELECT nick_name FROM customers WHERE " + " ".join(tokens)
    ),
    st.tuples(st.sampled_from(QUERIES), st.integers(0, 12), st.sampled_from(TOKENS)).map(
        lambda t: " ".join([*t[0].split()[: t[1]], t[2], *t[0].split()[t[1] + 1 :]])
    ),
)


@given(arbitrary_sql, st.sampled_from(QUERIES), st.booleans(), st.text(max_size=40))
@settings(deadline=None, max_examples=300)
def test_judging_never_raises_and_keeps_to_the_contract_whatever_is_produced(
    produced: str, expected: str, runs: bool, question: str
) -> None:
    result = rows((1, "x")) if runs else run(produced)
    judgement = judge(
        Question("q", question, expected, produced),
        run(expected),
        result,
        state=STATE,
        values=ProfiledValues({}),
    )
    assert judgement.outcome in OUTCOMES
    assert judgement.confirmation is None or judgement.confirmation in CONFIRMATIONS
    assert tuple(verdict.judge for verdict in judgement.verdicts) == JUDGES
    for failure in judgement.failures:
        assert failure.rule in RULES
        assert failure.asi.blame_set == tuple(sorted(failure.asi.blame_set))
        assert failure.asi.blame_set


def test_long_chains_of_conditions_and_terms_are_judged() -> None:
    conditions = " AND ".join(f"price_cents <> {n}" for n in range(2000))
    chain = " - ".join(["price_cents"] * 3000)
    for produced in (
        f"SELECT title FROM products WHERE {conditions}",
        f"SELECT {chain} FROM products",
    ):
        judgement = judged("?", "SELECT title FROM products", produced, produced=rows(("x",)))
        assert judgement.outcome == "incorrect"
        assert judgement.failures


def test_sql_that_runs_has_no_unknown_names_whatever_the_catalog_says() -> None:
    judgement = judged(
        "?",
        "SELECT title FROM products",
        "SELECT word FROM products LATERAL VIEW explode(split(title, ' ')) t AS word",
        produced=rows(("Bi",)),
    )
    assert "column_unknown" not in {failure.rule for failure in judgement.failures}


def test_results_without_values_prove_no_column_superfluous() -> None:
    judgement = judged(
        "What is the total and the average total of lost orders?",
        "SELECT SUM(total), AVG(total) FROM orders WHERE status = 'lost'",
        "SELECT SUM(total) FROM orders WHERE status = 'lost'",
    )
    assert [failure.expected_fragment for failure in judgement.failures] == [
        "AVG(shop.orders.total)"
    ]


def test_an_empty_space_is_judged_too() -> None:
    judgement = judged("Who?", GOLD, "SELECT nick_name FROM customers")
    empty = judge(
        Question("q", "Who?", GOLD, "SELECT nick_name FROM customers"),
        rows((1,)),
        rows((2,)),
        state=type(STATE)("shop-space", "shop", ()),
        values=ProfiledValues({}),
    )
    assert judgement.outcome == empty.outcome == "incorrect"
    assert empty.failures[0].asi.blame_set == (SPACE,)
