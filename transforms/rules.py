"""The rules of judging: what each cause is called, how bad and how certain it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "major", "minor"]
Row = tuple[str, str, str | None, Severity, float, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is fixed about a cause. ``judge`` is the judge whose failure it is."""

    judge: str
    failure_type: str
    wrong_clause: str | None
    severity: Severity
    confidence: float
    description: str


@dataclass(frozen=True, slots=True)
class ArbiterRule:
    """What is fixed about a way to settle who is right; a skipped verdict has no confidence."""

    verdict: str
    confidence: float | None
    description: str


# Name, failure type, wrong clause, severity, confidence; then what it means, in one sentence.
# fmt: off
# ruff: noqa: ISC004
_SYNTAX: tuple[Row, ...] = (
    ("no_sql", "other", None, "critical", 1.0,
     "The answer holds no SQL"),
    ("sql_refused", "compliance_violation", None, "critical", 1.0,
     "The SQL is not one read-only query over the space's data, and was not run"),
    ("sql_unparsable", "other", None, "critical", 1.0,
     "The SQL does not parse"),
    ("sql_fails", "other", None, "critical", 0.9,
     "The SQL parses but does not run"),
    ("column_not_grouped", "wrong_aggregation", "GROUP BY", "critical", 0.95,
     "A column stands beside an aggregate without being grouped by"),
    ("subquery_gives_many_rows", "wrong_join", "WHERE", "critical", 0.95,
     "A subquery that stands for one value gives several: IN was meant"),
    ("query_too_slow", "performance_issue", None, "major", 0.9,
     "The SQL did not finish in time, or gave more rows than can be compared"),
)
_SCHEMA: tuple[Row, ...] = (
    ("column_unknown", "wrong_column", "SELECT", "critical", 0.95,
     "A column does not exist where it is used; the column that was meant is blamed"),
    ("column_without_join", "wrong_join", "JOIN", "critical", 0.95,
     "A column is used whose table is not joined in; the join that is missing is blamed"),
    ("table_unknown", "wrong_table", "FROM", "critical", 0.95,
     "A table does not exist; the table that was meant is blamed"),
    ("output_column_wrong", "wrong_column", "SELECT", "critical", 0.9,
     "Another column is returned than the expected one"),
    ("key_instead_of_name", "wrong_column", "SELECT", "major", 0.85,
     "A key is returned where the name of the thing it identifies was expected"),
    ("name_instead_of_key", "wrong_column", "SELECT", "major", 0.85,
     "The name of a thing is returned where its key was expected"),
    ("key_of_other_table", "wrong_table", "FROM", "critical", 0.85,
     "The same key is returned from another table, which has other things in it"),
    ("filter_column_wrong", "wrong_column", "WHERE", "critical", 0.9,
     "A condition is put on another column than the expected one"),
    ("key_value_guessed", "wrong_column", "WHERE", "critical", 0.85,
     "A key's value is written out instead of looking the thing up by its name"),
    ("ranking_column_wrong", "wrong_column", "ORDER BY", "critical", 0.9,
     "Rows are ranked by another column than the expected one"),
    ("aggregated_column_wrong", "wrong_column", "SELECT", "critical", 0.9,
     "The right aggregate is taken of another column"),
    ("output_missing", "wrong_column", "SELECT", "major", 0.85,
     "A column that was expected in the result is not returned"),
    ("table_wrong", "wrong_table", "FROM", "critical", 0.85,
     "Another table is read"),
    ("table_missing", "wrong_table", "FROM", "critical", 0.8,
     "A table is not read"),
    ("table_not_asked", "wrong_table", "FROM", "major", 0.75,
     "A table is joined that nothing asks for, and it drops or repeats rows"),
    ("join_column_wrong", "wrong_join", "JOIN", "critical", 0.95,
     "The right tables are joined on other columns"),
    ("join_missing", "wrong_join", "JOIN", "critical", 0.85,
     "A join condition is missing"),
    ("tables_not_joined", "wrong_join", "JOIN", "critical", 0.9,
     "Tables stand side by side without a condition that joins them"),
    ("outer_join_missing", "wrong_join", "JOIN", "major", 0.7,
     "Rows without a partner are lost: an outer join was expected"),
    ("outer_join_not_asked", "wrong_join", "JOIN", "major", 0.7,
     "Rows without a partner are kept: an inner join was expected"),
)
_LOGIC: tuple[Row, ...] = (
    ("literal_spelled_differently", "description_mismatch", "WHERE", "critical", 0.95,
     "A value is written in another case or spelling than the data has it"),
    ("literal_not_in_column", "missing_synonym", "WHERE", "critical", 0.9,
     "A word of the question is used as a value; the data calls it something else"),
    ("literal_wrong", "missing_filter", "WHERE", "critical", 0.9,
     "The right column is compared with another value than the expected one"),
    ("pattern_instead_of_value", "description_mismatch", "WHERE", "critical", 0.9,
     "A pattern is used where one exact value is meant, and other values match it too"),
    ("value_instead_of_pattern", "description_mismatch", "WHERE", "critical", 0.85,
     "An exact value is used where a pattern is meant"),
    ("null_instead_of_value", "description_mismatch", "WHERE", "critical", 0.9,
     "NULL is looked for where the data has a value that stands for none"),
    ("value_instead_of_null", "description_mismatch", "WHERE", "critical", 0.85,
     "A value is looked for where the data has NULL"),
    ("boundary_wrong", "missing_filter", "WHERE", "major", 0.9,
     "A bound is taken in where it should be left out, or the reverse"),
    ("operator_wrong", "missing_filter", "WHERE", "critical", 0.85,
     "The right column is compared in another way than expected"),
    ("compared_value_wrong", "wrong_aggregation", "WHERE", "critical", 0.85,
     "Rows are compared with another computed value (MAX for MIN, and the like)"),
    ("filter_missing", "missing_filter", "WHERE", "critical", 0.9,
     "A condition that was expected is not applied"),
    ("temporal_filter_missing", "missing_temporal_filter", "WHERE", "critical", 0.9,
     "A condition on time that was expected is not applied"),
    ("filter_not_asked", "missing_instruction", "WHERE", "major", 0.85,
     "A condition is applied that was not expected"),
    ("rows_filtered_instead_of_excluded", "missing_filter", "WHERE", "critical", 0.9,
     "Rows with a value are dropped, where everything that has such a row should be"),
    ("exclusion_missing", "missing_filter", "WHERE", "critical", 0.9,
     "Things that should be left out are not, or are even what is looked for"),
    ("exclusion_not_asked", "missing_instruction", "WHERE", "major", 0.8,
     "Things are left out that were expected"),
    ("either_instead_of_both", "missing_filter", "WHERE", "critical", 0.9,
     "Either of several values is enough, where each of them was expected"),
    ("both_instead_of_either", "missing_filter", "WHERE", "critical", 0.9,
     "All of several values are needed, where any of them was expected"),
    ("set_operation_wrong", "wrong_aggregation", None, "critical", 0.85,
     "Results are combined by another set operation, or combined after aggregating"),
    ("share_of_other_rows", "wrong_aggregation", "SELECT", "critical", 0.85,
     "A share is taken of other rows: a condition on all rows stands in the numerator"),
    ("ratio_inverted", "wrong_aggregation", "SELECT", "critical", 0.95,
     "Numerator and denominator are swapped"),
    ("condition_on_rows", "wrong_aggregation", "GROUP BY", "critical", 0.9,
     "A condition on groups (HAVING) is put on single rows"),
    ("condition_on_groups", "wrong_aggregation", "GROUP BY", "critical", 0.9,
     "A condition on single rows is put on groups (HAVING)"),
    ("aggregate_function_wrong", "wrong_aggregation", "SELECT", "critical", 0.95,
     "Another aggregate function is used"),
    ("aggregate_missing", "wrong_aggregation", "SELECT", "critical", 0.9,
     "Rows are returned where an aggregate was expected"),
    ("aggregate_output_missing", "wrong_aggregation", "SELECT", "major", 0.9,
     "An aggregate that was expected in the result is not returned"),
    ("aggregate_not_asked", "wrong_aggregation", "SELECT", "critical", 0.9,
     "An aggregate is returned where rows were expected"),
    ("distinct_missing", "wrong_aggregation", "SELECT", "major", 0.85,
     "Repeated values are counted, where different ones were expected"),
    ("distinct_not_asked", "wrong_aggregation", "SELECT", "major", 0.8,
     "Different values are counted, where every row was expected"),
    ("nulls_counted_differently", "wrong_aggregation", "SELECT", "minor", 0.7,
     "COUNT of a column leaves out NULLs, COUNT(*) does not"),
    ("calculation_wrong", "wrong_aggregation", "SELECT", "critical", 0.8,
     "A value is calculated in another way"),
    ("unit_not_converted", "description_mismatch", "SELECT", "critical", 0.9,
     "A value is used in the unit it is stored in (cents, seconds), or converted without need"),
    ("scale_wrong", "missing_instruction", "SELECT", "major", 0.9,
     "A share is returned where a percentage was expected, or the reverse"),
    ("result_rounded", "missing_instruction", "SELECT", "minor", 0.95,
     "The right value is rounded"),
    ("rank_missing", "wrong_aggregation", "SELECT", "major", 0.9,
     "The position in a ranking (RANK) was expected as a column"),
    ("group_key_missing", "wrong_aggregation", "GROUP BY", "critical", 0.85,
     "A key that was expected is not grouped by"),
    ("group_key_not_asked", "wrong_aggregation", "GROUP BY", "major", 0.8,
     "Groups are finer than expected: one key too many"),
    ("group_key_wrong", "wrong_aggregation", "GROUP BY", "critical", 0.85,
     "Groups are formed by another key"),
    ("grouping_level_wrong", "wrong_aggregation", "GROUP BY", "critical", 0.8,
     "Groups are aggregated once more, where each was expected, or the reverse"),
    ("grouped_by_key_or_name", "wrong_aggregation", "GROUP BY", "minor", 0.75,
     "One side groups by a key, the other by a name that several things share"),
    ("rows_multiplied_by_join", "wrong_aggregation", "JOIN", "critical", 0.85,
     "A join that nothing asks for repeats the rows that are aggregated"),
    ("ranking_wrong", "wrong_aggregation", "ORDER BY", "critical", 0.9,
     "Rows or groups are ranked by another calculation"),
    ("ranking_missing", "wrong_aggregation", "ORDER BY", "critical", 0.9,
     "The first or extreme rows were expected, and rows are not ranked"),
    ("ranking_not_asked", "wrong_aggregation", "ORDER BY", "major", 0.85,
     "Only the first or extreme rows are returned, where all were expected"),
    ("ranking_direction_wrong", "wrong_aggregation", "ORDER BY", "critical", 0.95,
     "The smallest is taken for the largest, or the reverse"),
    ("ranked_over_all_rows", "missing_filter", "WHERE", "critical", 0.9,
     "The extreme value is looked for among rows that a condition should leave out"),
    ("ties_cut", "wrong_aggregation", "ORDER BY", "minor", 0.7,
     "Rows that tie are cut off"),
    ("ties_kept", "wrong_aggregation", "ORDER BY", "minor", 0.7,
     "Rows that tie are all kept"),
    ("limit_missing", "missing_instruction", "ORDER BY", "major", 0.9,
     "The number of rows that was expected is not kept to"),
    ("limit_wrong", "missing_instruction", "ORDER BY", "major", 0.9,
     "Another number of rows"),
    ("limit_not_asked", "missing_instruction", "ORDER BY", "major", 0.85,
     "Rows are cut off that were expected"),
    ("order_missing", "missing_instruction", "ORDER BY", "minor", 0.9,
     "The order that was asked for is missing"),
    ("order_wrong", "missing_instruction", "ORDER BY", "minor", 0.9,
     "Another order"),
    ("order_direction_wrong", "missing_instruction", "ORDER BY", "minor", 0.9,
     "The order is reversed"),
    ("duplicates_kept", "wrong_aggregation", "SELECT", "minor", 0.85,
     "The right rows are returned, some of them more often than expected"),
    ("duplicates_removed", "wrong_aggregation", "SELECT", "minor", 0.85,
     "The right rows are returned, some of them less often than expected"),
    ("output_not_asked", "missing_instruction", "SELECT", "minor", 0.95,
     "The right rows are returned with columns that were not asked for"),
    ("measure_wrong", "wrong_measure", "MEASURE", "critical", 0.95,
     "Another measure of a metric view is returned"),
    ("measure_not_used", "wrong_measure", "MEASURE", "critical", 0.9,
     "A value is calculated by hand that a measure defines"),
    ("measure_not_asked", "wrong_measure", "MEASURE", "critical", 0.85,
     "A measure is returned where another calculation was expected"),
    ("function_argument_wrong", "tvf_parameter_error", "FROM", "critical", 0.95,
     "A table function is called with another argument"),
)
_ROUTING: tuple[Row, ...] = (
    ("asset_kind_wrong", "asset_routing_error", "FROM", "major", 0.95,
     "The answer reads another kind of asset than the one that should answer"),
    ("function_not_called", "asset_routing_error", "FROM", "major", 0.9,
     "A table function that should answer is not called"),
    ("function_not_asked", "asset_routing_error", "FROM", "major", 0.85,
     "A table function is called where tables should answer"),
)
_RESULT: tuple[Row, ...] = (
    ("results_differ", "other", None, "major", 0.5,
     "The results differ, and nothing in the queries tells why"),
    ("expected_sql_fails", "other", None, "major", 1.0,
     "The benchmark's own SQL does not run"),
    ("platform_fault", "other", None, "major", 1.0,
     "The platform did not answer; asked again"),
    ("not_compared", "performance_issue", None, "minor", 0.5,
     "A result is too large, or came too late, to be compared"),
)
_REPEATABILITY: tuple[Row, ...] = (
    ("answers_vary", "repeatability_issue", None, "major", 1.0,
     "Asked the same several times, the space gives different answers"),
)
_ARBITER: tuple[tuple[str, str, float | None, str], ...] = (
    ("tie_at_limit", "both_correct", 0.85,
     "Both rank by the same thing and keep the same number of rows (or all that tie); where there "
     "is an engine to ask, the values show that rows tie"),
    ("expected_literal_not_stored", "genie_correct", 0.95,
     "The expected SQL finds nothing because a value in it is not in its column; the answer "
     "uses the stored one and agrees in everything else"),
    ("both_differ_from_data_or_question", "neither_correct", 0.8,
     "The expected SQL has a fault of its own, and the answer another one"),
    ("produced_literal_not_stored", "ground_truth_correct", 0.95,
     "The answer looks for a value that is not in its column; the expected SQL for one that is"),
    ("question_contradicts_expected", "genie_correct", 0.8,
     "Explicit words of the question fit the answer and not the expected SQL"),
    ("question_contradicts_produced", "ground_truth_correct", 0.9,
     "Explicit words of the question fit the expected SQL and not the answer"),
    ("question_contradicts_expected_only", "skipped", None,
     "Explicit words of the question speak against the expected SQL, and nothing shows that "
     "the answer is right"),
    ("declared_measure_ignored", "genie_correct", 0.8,
     "The question names a measure that the semantic layer declares; the answer uses it, and the "
     "expected SQL computes another aggregate"),
    ("declared_filter_ignored", "genie_correct", 0.8,
     "The semantic layer declares a filter for what the question asks; the answer keeps to it, and "
     "the expected SQL does not"),
    ("declaration_contradicts_expected_only", "skipped", None,
     "A declared measure or filter speaks against the expected SQL, and nothing shows that the "
     "answer is right"),
    ("columns_ranked_by_added", "both_correct", 0.7,
     "The same rows; the answer also shows what it ranks, groups or filters by"),
    ("columns_not_asked_left_out", "both_correct", 0.65,
     "The same rows; the answer leaves out columns that the question does not ask to see, nothing "
     "computed, and none where it asks how many, when or per what"),
    ("rank_shown_by_order", "both_correct", 0.65,
     "The same rows; the expected SQL numbers them by rank, the answer returns them in that "
     "order"),
    ("repeated_rows_left_out", "both_correct", 0.65,
     "The same rows; the expected SQL repeats some of them, and nothing asks for that"),
    ("things_without_rows", "both_correct", 0.6,
     "The answer also returns things that have no row in the table that the expected SQL reads"),
    ("key_and_name_of_one_thing", "both_correct", 0.65,
     "The same rows; one shows the key of a thing, the other its name: a text of its table that "
     "is no key and no reference"),
    ("any_has_two_meanings", "both_correct", 0.6,
     "The question compares with 'any': one reads it as some, the other as every"),
    ("name_is_not_unique", "genie_correct", 0.7,
     "The expected SQL groups by a name that several things share, the answer by their key"),
    ("difference_is_named", "ground_truth_correct", 0.7,
     "The expected SQL has no fault that can be found, and the answer differs in a named way"),
    ("nothing_decides", "skipped", None,
     "The results differ and neither the queries, the data nor the question tell why"),
    ("expected_sql_does_not_run", "skipped", None,
     "There is no expected result to compare with"),
)
# fmt: on


def _rules(judge: str, rows: tuple[Row, ...]) -> dict[str, Rule]:
    return {name: Rule(judge, *rest) for name, *rest in rows}  # type: ignore[arg-type]


RULES: Mapping[str, Rule] = {
    **_rules("syntax_validity", _SYNTAX),
    **_rules("schema_accuracy", _SCHEMA),
    **_rules("logical_accuracy", _LOGIC),
    **_rules("asset_routing", _ROUTING),
    **_rules("result_correctness", _RESULT),
    **_rules("repeatability", _REPEATABILITY),
}

ARBITER_RULES: Mapping[str, ArbiterRule] = {
    name: ArbiterRule(verdict, confidence, description)
    for name, verdict, confidence, description in _ARBITER
}
