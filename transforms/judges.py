"""Judging one answer: what came of it, which judges say no and why, who is right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transforms.arbiter import arbitrate, repaired
from transforms.diff_errors import execution_finding
from transforms.errors import GenieLoopError
from transforms.failing import failure_of
from transforms.findings import Differ, Finding
from transforms.harmless import rule_of
from transforms.judgement import (
    ArbiterRuling,
    Comparison,
    Execution,
    Failure,
    Judgement,
    Question,
    ValueLookup,
    Verdict,
)
from transforms.name_scope import Catalog
from transforms.query_diff import diff_queries
from transforms.query_shape import query_shape
from transforms.result_evidence import result_evidence
from transforms.results import compare
from transforms.routing import routing, wanted_kind
from transforms.rules import RULES
from transforms.shape_model import QueryShape
from transforms.space_state import SpaceState
from transforms.sql_text import canonical_sql, parse_query

JUDGE_VERSION = "1"
"""Rises with every change that can change a verdict, a failure or a ruling."""

_STRUCTURAL = ("schema_accuracy", "logical_accuracy")
_INFRASTRUCTURE = ("timed_out", "failed")
_UNFINISHED = ("timed_out", "too_large")


@dataclass(frozen=True, slots=True)
class _Case:
    """One answer with everything known about it."""

    question: Question
    expected: Execution
    produced: Execution
    catalog: Catalog
    values: ValueLookup
    expected_shape: QueryShape | None
    produced_shape: QueryShape | None

    @property
    def space(self) -> tuple[str, ...]:
        return (f"space:{self.catalog.state.space_id}",)


def judge(
    question: Question,
    expected: Execution,
    produced: Execution,
    *,
    state: SpaceState,
    values: ValueLookup,
    policy: str = "bag_any_column",
) -> Judgement:
    """Everything judging has to say about one answer. Deterministic; never raises for any SQL.

    ``expected`` and ``produced`` are what came of running both queries on the same data. A cause is
    the failure of one judge: the others that say no for the same cause refer to it, so that one
    cause is one failure. Raises ValueError for an unknown policy.
    """
    catalog = Catalog(state)
    case = _Case(
        question,
        expected,
        produced,
        catalog,
        values,
        _shape(question.expected_sql, state),
        _shape(question.produced_sql, state),
    )
    if question.answer_outcome in _INFRASTRUCTURE:
        return _infrastructure(case)
    if not (question.produced_sql or "").strip():
        return _no_sql(case)
    if produced.status in {"refused", "parse_error", "sql_error"}:
        return _not_run(case)
    if expected.status not in {"ok", *_UNFINISHED}:
        return _no_expected(case)
    if expected.rows is None or produced.rows is None:
        return _not_comparable(case)
    return _compared(case, policy)


def _shape(sql: str | None, state: SpaceState) -> QueryShape | None:
    """The shape of a query; None for text that is none."""
    try:
        return query_shape(parse_query(sql), state) if sql else None
    except GenieLoopError:
        return None


def _verdict(judge_name: str, value: str, rationale: str, confidence: float | None) -> Verdict:
    return Verdict(judge_name, value, rationale, confidence)  # type: ignore[arg-type]


def _skipped(judge_name: str, reason: str) -> Verdict:
    return _verdict(judge_name, "skipped", reason, None)


def _ruling_verdict(ruling: ArbiterRuling) -> Verdict:
    return _verdict("arbiter", ruling.verdict, ruling.evidence, ruling.confidence)


def _not_asked(reason: str) -> Verdict:
    return _skipped("arbiter", f"Not asked: {reason}")


def _failure(case: _Case, finding: Finding) -> Failure:
    return failure_of(
        finding,
        case.question.question,
        case.catalog,
        case.values,
        case.expected_shape,
        case.produced_shape,
    )


def _infrastructure(case: _Case) -> Judgement:
    reason = case.question.answer_error or "The platform did not answer."
    fix = "Ask again; nothing is known about the answer."
    finding = Finding("platform_fault", case.space, fix, actual_value=reason)
    names = ("syntax_validity", *_STRUCTURAL, "asset_routing", "result_correctness")
    verdicts = [_skipped(name, f"No answer to judge: {reason}") for name in names]
    return Judgement(
        outcome="infrastructure",
        comparison=None,
        verdicts=(*verdicts, _not_asked("there is no answer.")),
        failures=(_failure(case, finding),),
        ruling=None,
        confirmation="infrastructure",
    )


def _unanswered(case: _Case, outcome: str, findings: tuple[Finding, ...]) -> Judgement:
    """An answer without a result: a confirmed failure that no arbiter has to look at."""
    rule = RULES[findings[0].rule]
    rationale = f"{rule.description}. {findings[0].fix}"
    verdicts = [_verdict("syntax_validity", "no", rationale, rule.confidence)]
    for name in _STRUCTURAL:
        if rule.judge == name:
            verdicts.append(_verdict(name, "no", rationale, rule.confidence))
        else:
            verdicts.append(_skipped(name, "The answer has no SQL that runs."))
    verdicts += [
        _skipped("asset_routing", "The answer has no SQL that runs."),
        _verdict("result_correctness", "no", f"No result: {rationale}", 1.0),
        _not_asked("the answer has no result, so there is nothing to decide."),
    ]
    return Judgement(
        outcome=outcome,
        comparison=None,
        verdicts=tuple(verdicts),
        failures=tuple(_failure(case, finding) for finding in findings),
        ruling=None,
        confirmation="confirmed",
    )


def _no_sql(case: _Case) -> Judgement:
    finding = Finding(
        "no_sql",
        case.space,
        "Answer with SQL: the space's tables can answer this question.",
        expected_fragment=case.question.expected_sql,
        actual_value=case.question.answer_error,
    )
    return _unanswered(case, "no_sql", (finding,))


def _not_run(case: _Case) -> Judgement:
    error = case.produced.error or "It does not run."
    status = case.produced.status
    outcome = "refused" if status == "refused" else "sql_error"
    if status == "refused":
        fix = f"Answer with a single read-only query over the space's tables. {error}"
        found: tuple[Finding, ...] = (Finding("sql_refused", case.space, fix, actual_value=error),)
    elif status == "parse_error":
        found = (Finding("sql_unparsable", case.space, _first_line(error), actual_value=error),)
    else:
        found = _error_findings(case, error)
    return _unanswered(case, outcome, found)


def _error_findings(case: _Case, error: str) -> tuple[Finding, ...]:
    differ = _differ(case, is_ordered=False)
    if differ is not None:
        found = execution_finding(differ, error, case.produced.error_class)
        if found:
            return found
    is_syntax = "PARSE" in (case.produced.error_class or "")
    rule = "sql_unparsable" if is_syntax else "sql_fails"
    return (Finding(rule, case.space, _first_line(error), actual_value=case.produced.error_class),)


def _first_line(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[0][:300] if lines else "The SQL does not run."


def _no_expected(case: _Case) -> Judgement:
    error = _first_line(case.expected.error or "The expected SQL does not run.")
    fix = f"Correct the benchmark: {error}"
    ruling = rule_of("expected_sql_does_not_run", f"The expected SQL does not run: {error}")
    finding = Finding("expected_sql_fails", case.space, fix, actual_value=error)
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and runs.", 1.0),
        *(_skipped(name, "There is no expected result.") for name in _STRUCTURAL),
        _routing_verdict(case, None),
        _skipped("result_correctness", f"There is no expected result: {error}"),
        _ruling_verdict(ruling),
    ]
    return Judgement(
        outcome="expected_sql_error",
        comparison=None,
        verdicts=tuple(verdicts),
        failures=(_failure(case, finding),),
        ruling=ruling,
        confirmation="suspect",
    )


def _not_comparable(case: _Case) -> Judgement:
    is_produced = case.produced.rows is None
    side = "produced" if is_produced else "expected"
    status = case.produced.status if is_produced else case.expected.status
    reason = f"The {side} result is not there to compare: {status.replace('_', ' ')}."
    tables = case.produced_shape.tables_set() if is_produced and case.produced_shape else ()
    blame = tuple(f"table:{table}" for table in sorted(tables)) or case.space
    rule = "query_too_slow" if is_produced else "not_compared"
    finding = Finding(rule, blame, f"{reason} Return fewer rows, or filter first.")
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and plans.", 1.0),
        *(_skipped(name, reason) for name in _STRUCTURAL),
        _routing_verdict(case, None),
        _skipped("result_correctness", reason),
        _not_asked("there are no two results."),
    ]
    return Judgement(
        outcome="not_comparable",
        comparison=Comparison("not_comparable", is_correct=False, detail=reason),
        verdicts=tuple(verdicts),
        failures=(_failure(case, finding),),
        ruling=None,
        confirmation="unarbitrated",
    )


def _differ(case: _Case, *, is_ordered: bool) -> Differ | None:
    if case.expected_shape is None or case.produced_shape is None:
        return None
    evidence = result_evidence(case.expected, case.produced)
    expected = case.expected_shape
    if evidence.is_expected_void and not evidence.is_produced_void:
        expected = repaired(expected, case.values)
    return Differ(
        expected=expected,
        produced=case.produced_shape,
        catalog=case.catalog,
        values=case.values,
        evidence=evidence,
        question=case.question.question,
        is_ordered=is_ordered,
        written_expected=case.expected_shape,
    )


def _compare(case: _Case, policy: str) -> tuple[Comparison, bool]:
    """The comparison under a policy, and whether the order of rows counts.

    It counts where the expected SQL orders its result: without that, no order is right or wrong.
    Rows that tie under one and the same ORDER BY may stand in any order.
    """
    wanted, given = case.expected_shape, case.produced_shape
    is_ordered = wanted is not None and bool(
        wanted.order_by or any(r.count > 1 and r.population is None for r in wanted.superlatives)
    )
    comparison = compare(case.expected, case.produced, policy=policy, is_ordered=is_ordered)
    if comparison.step == "row_order" and not comparison.is_correct and wanted and given:
        keys = [(key.term, key.is_descending) for key in wanted.order_by]
        others = [(key.term, key.is_descending) for key in given.order_by[: len(keys)]]
        is_same = len(keys) == len(others) and all(
            mine[0].same(theirs[0]) and mine[1] == theirs[1]
            for mine, theirs in zip(keys, others, strict=True)
        )
        if keys and is_same:
            comparison = compare(case.expected, case.produced, policy=policy, is_ordered=False)
    if comparison.is_correct and comparison.step == "equal":
        sqls = case.question.expected_sql, case.question.produced_sql or ""
        if canonical_sql(sqls[0]) == canonical_sql(sqls[1]):
            comparison = Comparison("identical_sql", True, "Both queries are one query.")
    return comparison, is_ordered


def _compared(case: _Case, policy: str) -> Judgement:
    comparison, is_ordered = _compare(case, policy)
    if comparison.is_correct:
        return _right(case, comparison)
    differ = _differ(case, is_ordered=is_ordered)
    if differ is None:
        return _wrong(case, comparison, (), rule_of("nothing_decides", "A query does not parse."))
    findings = diff_queries(differ)
    routed = _routing_finding(case)
    if routed is not None:
        findings = (routed, *(f for f in findings if f.rule != "table_wrong"))
    ruling = arbitrate(differ, findings)
    if ruling.rule == "tie_at_limit":
        comparison = replace(comparison, step="tie_cut_by_limit", detail=ruling.evidence)
    return _wrong(case, comparison, findings, ruling)


def _right(case: _Case, comparison: Comparison) -> Judgement:
    is_same = comparison.step == "identical_sql"
    passed = "The result is right" + ("." if is_same else ", so other SQL is right too.")
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and runs.", 1.0),
        *(_verdict(name, "yes", passed, 1.0 if is_same else 0.9) for name in _STRUCTURAL),
        _routing_verdict(case, routed := _routing_finding(case)),
        _verdict("result_correctness", "yes", comparison.detail, 1.0),
        _not_asked("the results agree."),
    ]
    return Judgement(
        outcome="correct",
        comparison=comparison,
        verdicts=tuple(verdicts),
        failures=(_failure(case, routed),) if routed is not None else (),
        ruling=None,
        confirmation="confirmed" if routed is not None else None,
    )


def _routing_finding(case: _Case) -> Finding | None:
    asset = case.question.expected_asset
    if not asset or case.expected_shape is None or case.produced_shape is None:
        return None
    return routing(asset, case.expected_shape, case.produced_shape, case.catalog)


def _routing_verdict(case: _Case, finding: Finding | None) -> Verdict:
    asset = case.question.expected_asset
    if not asset:
        return _skipped("asset_routing", "The benchmark does not say which asset should answer.")
    if wanted_kind(asset) is None:
        return _skipped("asset_routing", f"{asset!r} is no kind of asset.")
    if case.produced_shape is None or case.expected_shape is None:
        return _skipped("asset_routing", "The SQL cannot be read.")
    if finding is not None:
        confidence = RULES[finding.rule].confidence
        return _verdict("asset_routing", "no", finding.fix, confidence)
    return _verdict("asset_routing", "yes", f"The answer reads a {asset}.", 0.95)


def _wrong(
    case: _Case, comparison: Comparison, findings: tuple[Finding, ...], ruling: ArbiterRuling
) -> Judgement:
    named = findings or (_unexplained(case, comparison),)
    by_judge: dict[str, list[Finding]] = {}
    for finding in named:
        by_judge.setdefault(RULES[finding.rule].judge, []).append(finding)
    verdicts = [_verdict("syntax_validity", "yes", "The SQL parses and runs.", 1.0)]
    for name in _STRUCTURAL:
        verdicts.append(_structural(name, by_judge.get(name, [])))
    routed = by_judge.get("asset_routing", [])
    verdicts.append(_routing_verdict(case, routed[0] if routed else None))
    explained = ", ".join(finding.rule for finding in findings)
    reason = f" Explained by: {explained}." if explained else " Nothing structural explains it."
    verdicts += [
        _verdict("result_correctness", "no", comparison.detail + reason, 1.0),
        _ruling_verdict(ruling),
    ]
    confirmation = {
        "ground_truth_correct": "confirmed",
        "neither_correct": "suspect",
        "skipped": "unarbitrated",
    }.get(ruling.verdict)
    failures = tuple(_failure(case, finding) for finding in named) if confirmation else ()
    return Judgement(
        outcome="incorrect",
        comparison=comparison,
        verdicts=tuple(verdicts),
        failures=failures,
        ruling=ruling,
        confirmation=confirmation,
    )


def _unexplained(case: _Case, comparison: Comparison) -> Finding:
    return Finding(
        "results_differ",
        case.space,
        f"Compare the two queries by hand. {comparison.detail}",
        expected_value=f"{case.expected.row_count} rows",
        actual_value=f"{case.produced.row_count} rows",
    )


def _structural(name: str, findings: list[Finding]) -> Verdict:
    if not findings:
        return _verdict(name, "yes", "No difference of this kind explains the result.", 0.8)
    rationale = " ".join(f"{RULES[f.rule].description}: {f.fix}" for f in findings)
    confidence = max(RULES[f.rule].confidence for f in findings)
    return _verdict(name, "no", rationale, confidence)
