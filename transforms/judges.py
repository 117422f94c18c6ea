"""Judging one answer: what came of it, which judges say no and why, who is right."""

from __future__ import annotations

from transforms.arbiter import arbitrate
from transforms.contracts import JUDGES
from transforms.diff_errors import execution_finding
from transforms.equivalence import completeness, semantic_equivalence
from transforms.failing import failure_of
from transforms.findings import Differ, Finding
from transforms.harmless import rule_of
from transforms.judgement import (
    ArbiterRuling,
    Comparison,
    Engine,
    Execution,
    Failure,
    Judgement,
    Question,
    ValueLookup,
    Verdict,
)
from transforms.judging_case import Case, compare_results, differ_of
from transforms.query_diff import diff_queries
from transforms.read_queries import ReadQueries
from transforms.repeatability import ASKED_ONCE
from transforms.routing import routing, wanted_kind
from transforms.rules import RULES
from transforms.space_state import SpaceState

JUDGE_VERSION = "4"
"""Rises with every change that can change a verdict, a failure or a ruling."""

_STRUCTURAL = ("schema_accuracy", "logical_accuracy")
_OF_MEANING = ("semantic_equivalence", "completeness")
_INFRASTRUCTURE = ("timed_out", "failed")
_UNFINISHED = ("timed_out", "too_large")


def judge(
    question: Question,
    expected: Execution,
    produced: Execution,
    *,
    state: SpaceState,
    values: ValueLookup,
    policy: str = "bag_any_column",
    engine: Engine | None = None,
    queries: ReadQueries | None = None,
) -> Judgement:
    """Everything judging has to say about one answer. Deterministic; never raises for any SQL.

    ``expected`` and ``produced`` are what came of running both queries on the same data; ``engine``
    is what ran them, and is asked where rows tie and where a result is too large to be at hand.
    Without it, nothing shows that rows tie, and large results are not compared. ``queries`` keeps
    what was read of queries from one answer to the next. A cause is
    the failure of one judge: the others that say no for the same cause refer to it, so that one
    cause is one failure. Raises ValueError for an unknown policy.
    """
    case = Case(question, expected, produced, state, values, engine, queries)
    if question.answer_outcome in _INFRASTRUCTURE:
        return _infrastructure(case)
    if not (question.produced_sql or "").strip():
        return _no_sql(case)
    if produced.status in {"refused", "parse_error", "sql_error"}:
        return _not_run(case)
    if expected.status not in {"ok", *_UNFINISHED}:
        return _no_expected(case)
    if case.is_too_large and engine is not None:
        return _compared(case, policy)
    if expected.rows is None or produced.rows is None:
        return _not_comparable(case)
    return _compared(case, policy)


def _verdict(judge_name: str, value: str, rationale: str, confidence: float | None) -> Verdict:
    return Verdict(judge_name, value, rationale, confidence)  # type: ignore[arg-type]


def _skipped(judge_name: str, reason: str) -> Verdict:
    return _verdict(judge_name, "skipped", reason, None)


def _in_order(*verdicts: Verdict) -> tuple[Verdict, ...]:
    """The verdicts of all judges on one asking, in the order of the judges."""
    return tuple(sorted((*verdicts, ASKED_ONCE), key=lambda verdict: JUDGES.index(verdict.judge)))


def _ruling_verdict(ruling: ArbiterRuling) -> Verdict:
    return _verdict("arbiter", ruling.verdict, ruling.evidence, ruling.confidence)


def _not_asked(reason: str) -> Verdict:
    return _skipped("arbiter", f"Not asked: {reason}")


def _failure(case: Case, finding: Finding) -> Failure:
    return failure_of(
        finding,
        case.question.question,
        case.catalog,
        case.values,
        case.expected_shape,
        case.produced_shape,
    )


def _infrastructure(case: Case) -> Judgement:
    reason = case.question.answer_error or "The platform did not answer."
    fix = "Ask again; nothing is known about the answer."
    finding = Finding("platform_fault", case.space, fix, actual_value=reason)
    names = ("syntax_validity", *_STRUCTURAL, *_OF_MEANING, "asset_routing", "result_correctness")
    verdicts = [_skipped(name, f"No answer to judge: {reason}") for name in names]
    return Judgement(
        outcome="infrastructure",
        comparison=None,
        verdicts=_in_order(*verdicts, _not_asked("there is no answer.")),
        failures=(_failure(case, finding),),
        ruling=None,
        confirmation="infrastructure",
    )


def _unanswered(case: Case, outcome: str, findings: tuple[Finding, ...]) -> Judgement:
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
        *(_skipped(n, "The answer has no SQL that runs.") for n in (*_OF_MEANING, "asset_routing")),
        _verdict("result_correctness", "no", f"No result: {rationale}", 1.0),
        _not_asked("the answer has no result, so there is nothing to decide."),
    ]
    return Judgement(
        outcome=outcome,
        comparison=None,
        verdicts=_in_order(*verdicts),
        failures=tuple(_failure(case, finding) for finding in findings),
        ruling=None,
        confirmation="confirmed",
    )


def _no_sql(case: Case) -> Judgement:
    finding = Finding(
        "no_sql",
        case.space,
        "Answer with SQL: the space's tables can answer this question.",
        actual_value=case.question.answer_error,
    )
    return _unanswered(case, "no_sql", (finding,))


def _not_run(case: Case) -> Judgement:
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


def _error_findings(case: Case, error: str) -> tuple[Finding, ...]:
    differ = differ_of(case, is_ordered=False)
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


def _no_expected(case: Case) -> Judgement:
    error = _first_line(case.expected.error or "The expected SQL does not run.")
    fix = f"Correct the benchmark: {error}"
    ruling = rule_of("expected_sql_does_not_run", f"The expected SQL does not run: {error}")
    finding = Finding("expected_sql_fails", case.space, fix, actual_value=error)
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and runs.", 1.0),
        *(_skipped(n, "There is no expected result.") for n in (*_STRUCTURAL, *_OF_MEANING)),
        _routing_verdict(case, None),
        _skipped("result_correctness", f"There is no expected result: {error}"),
        _ruling_verdict(ruling),
    ]
    return Judgement(
        outcome="expected_sql_error",
        comparison=None,
        verdicts=_in_order(*verdicts),
        failures=(_failure(case, finding),),
        ruling=ruling,
        confirmation="suspect",
    )


def _not_comparable(case: Case, why: str | None = None) -> Judgement:
    is_produced = case.produced.rows is None
    side = "produced" if is_produced else "expected"
    status = case.produced.status if is_produced else case.expected.status
    reason = f"The {side} result is not there to compare: {status.replace('_', ' ')}."
    if why is not None:
        reason = f"The results cannot be compared: {why}."
    tables = case.produced_shape.tables_set() if is_produced and case.produced_shape else ()
    blame = tuple(f"table:{table}" for table in sorted(tables)) or case.space
    rule = "query_too_slow" if is_produced else "not_compared"
    finding = Finding(rule, blame, f"{reason} Return fewer rows, or filter first.")
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and plans.", 1.0),
        *(_skipped(name, reason) for name in (*_STRUCTURAL, *_OF_MEANING)),
        _routing_verdict(case, None),
        _skipped("result_correctness", reason),
        _not_asked("there are no two results."),
    ]
    return Judgement(
        outcome="not_comparable",
        comparison=Comparison("not_comparable", is_correct=False, detail=reason),
        verdicts=_in_order(*verdicts),
        failures=(_failure(case, finding),),
        ruling=None,
        confirmation="unarbitrated",
    )


def _compared(case: Case, policy: str) -> Judgement:
    comparison, is_ordered = compare_results(case, policy)
    if comparison.is_correct:
        return _right(case, comparison, is_ordered=is_ordered)
    if comparison.step == "not_comparable":
        return _not_comparable(case, comparison.detail)
    if not is_ordered and comparison.step == "row_order":
        return _unordered(case, comparison)
    differ = differ_of(case, is_ordered=is_ordered)
    if differ is None:
        ruling = rule_of("nothing_decides", "A query does not parse.")
        return _wrong(case, comparison, (), ruling, None)
    findings = diff_queries(differ)
    routed = _routing_finding(case)
    if routed is not None:
        findings = (routed,)  # another kind of asset explains every other difference
    return _wrong(case, comparison, findings, arbitrate(differ, findings), differ)


def _unordered(case: Case, comparison: Comparison) -> Judgement:
    """The question asks for an order that neither query gives."""
    fix = "Order the rows as the question asks; the expected SQL has to do it, too."
    finding = Finding("order_missing", case.space, fix)
    ruling = rule_of(
        "both_differ_from_data_or_question", f"Neither query does: {comparison.detail}"
    )
    return _wrong(case, comparison, (finding,), ruling, differ_of(case, is_ordered=False))


def _right(case: Case, comparison: Comparison, *, is_ordered: bool) -> Judgement:
    is_same = comparison.step == "identical_sql"
    passed = "The result is right" + ("." if is_same else ", so other SQL is right too.")
    differ = None if is_same else differ_of(case, is_ordered=is_ordered)
    apart = _differences(differ) if differ is not None else None
    verdicts = [
        _verdict("syntax_validity", "yes", "The SQL parses and runs.", 1.0),
        *(_verdict(name, "yes", passed, 1.0 if is_same else 0.9) for name in _STRUCTURAL),
        semantic_equivalence(comparison, apart, differ),
        completeness(comparison, (), differ, None),
        _routing_verdict(case, routed := _routing_finding(case)),
        _verdict("result_correctness", "yes", comparison.detail, 1.0),
        _not_asked("the results agree."),
    ]
    return Judgement(
        outcome="correct",
        comparison=comparison,
        verdicts=_in_order(*verdicts),
        failures=(_failure(case, routed),) if routed is not None else (),
        ruling=None,
        confirmation="confirmed" if routed is not None else None,
    )


def _differences(differ: Differ) -> tuple[Finding, ...]:
    """What sets two queries apart that agree; a metric view and what it is defined as does not."""
    found = diff_queries(differ)
    return found if not found or differ.plain is None else diff_queries(differ.with_plain_shapes())


def _routing_finding(case: Case) -> Finding | None:
    asset = case.question.expected_asset
    if not asset or case.expected_shape is None or case.produced_shape is None:
        return None
    return routing(asset, case.expected_shape, case.produced_shape, case.catalog)


def _routing_verdict(case: Case, finding: Finding | None) -> Verdict:
    asset = case.question.expected_asset
    if finding is not None:
        return _verdict("asset_routing", "no", finding.fix, RULES[finding.rule].confidence)
    if not asset:
        return _skipped("asset_routing", "The benchmark does not say which asset should answer.")
    if wanted_kind(asset) is None:
        return _skipped("asset_routing", f"{asset!r} is no kind of asset.")
    if case.produced_shape is None or case.expected_shape is None:
        return _skipped("asset_routing", "The SQL cannot be read.")
    return _verdict("asset_routing", "yes", f"The answer reads a {asset}.", 0.95)


def _wrong(
    case: Case,
    comparison: Comparison,
    findings: tuple[Finding, ...],
    ruling: ArbiterRuling,
    differ: Differ | None,
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
        semantic_equivalence(comparison, findings if differ is not None else None, differ),
        completeness(comparison, findings, differ, ruling),
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
        verdicts=_in_order(*verdicts),
        failures=failures,
        ruling=ruling,
        confirmation=confirmation,
    )


def _unexplained(case: Case, comparison: Comparison) -> Finding:
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
