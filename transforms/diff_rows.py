"""Differences that the rows of two results show by themselves, whatever the queries say."""

from __future__ import annotations

from transforms.findings import Differ, Finding, tables_of
from transforms.shape_model import Term


def diff_by_rows(differ: Differ) -> bool:
    """Explains results whose rows agree but for columns, order, rounding or repetition.

    Such a difference is the whole cause, whatever else is written differently. True when found.
    """
    evidence = differ.evidence
    if evidence.has_extra_columns_only:
        extra_columns(differ, evidence.extra_columns)
    elif evidence.has_missing_columns_only:
        _missing_columns(differ, evidence.missing_columns)
    elif evidence.is_rounding_only and any(t.has_rounding for t in differ.produced.outputs):
        _rounded(differ)
    elif evidence.is_duplicates_only and not _is_cut_differently(differ):
        return _duplicates(differ)
    else:
        return False
    return True


def _is_cut_differently(differ: Differ) -> bool:
    """Whether the queries keep different numbers of rows, which repeats or drops some."""
    cuts = [
        (shape.limit, [ranking.count for ranking in shape.superlatives])
        for shape in (differ.expected, differ.produced)
    ]
    return cuts[0] != cuts[1]


def _outputs_at(outputs: tuple[Term, ...], positions: tuple[int, ...]) -> list[Term]:
    return [outputs[i] for i in positions if i < len(outputs)]


def texts(terms: list[Term]) -> str | None:
    return ", ".join(term.text for term in terms) or None


def extra_columns(differ: Differ, positions: tuple[int, ...]) -> None:
    extra = _outputs_at(differ.produced.outputs, positions)
    if differ.produced.has_star:
        shown = "SELECT *"
    else:
        shown = texts(extra) or f"{len(positions)} more columns"
    differ.add(
        Finding(
            rule="output_not_asked",
            blame=differ.space_blame(),
            fix=f"Return only what is asked for; leave out {shown}.",
            actual_fragment=texts(extra),
            actual_value=f"{differ.evidence.produced_width} columns",
            expected_value=f"{differ.evidence.expected_width} columns",
        )
    )


def _missing_columns(differ: Differ, positions: tuple[int, ...]) -> None:
    if differ.expected.has_star:
        differ.add(star_finding(differ))
        return
    for term in _outputs_at(differ.expected.outputs, positions):
        differ.add(missing_output(differ, term))


def star_finding(differ: Differ) -> Finding:
    return Finding(
        rule="output_missing",
        blame=differ.space_blame(),
        fix="Return every column (SELECT *).",
        expected_fragment="*",
        actual_fragment=texts(list(differ.produced.outputs)),
        expected_value=f"{differ.evidence.expected_width} columns",
        actual_value=f"{differ.evidence.produced_width} columns",
    )


def missing_output(differ: Differ, term: Term) -> Finding:
    return Finding(
        rule=_missing_rule(term),
        blame=differ.term_blame(term, differ.expected),
        fix=f"Return {term.text} too.",
        expected_fragment=term.text,
        covers=tables_of(term.columns),
    )


def _missing_rule(term: Term) -> str:
    if term.is_window:
        return "rank_missing"
    return "aggregate_output_missing" if term.aggregates else "output_missing"


def _rounded(differ: Differ) -> None:
    rounded = next((t for t in differ.produced.outputs if t.has_rounding), None)
    differ.add(
        Finding(
            rule="result_rounded",
            blame=differ.space_blame(),
            fix="Return the value as it is; round only where the question asks for it.",
            expected_fragment=texts(list(differ.expected.outputs)),
            actual_fragment=f"ROUND({rounded.text})" if rounded else None,
        )
    )


def _duplicates(differ: Differ) -> bool:
    evidence = differ.evidence
    is_more = (evidence.produced_rows or 0) > (evidence.expected_rows or 0)
    outputs = list(differ.expected.outputs)
    columns = [name for term in outputs for name in term.columns]
    rule = "duplicates_kept" if is_more else "duplicates_removed"
    fix = "Return a row for each match: no DISTINCT, and a join instead of IN."
    if is_more:
        is_one = evidence.expected_rows == 1
        fix = "Return one row only." if is_one else "Return each row once (DISTINCT)."
    words = ("DISTINCT ", "") if is_more else ("", "DISTINCT ")
    differ.add(
        Finding(
            rule=rule,
            blame=differ.column_blame(columns) if columns else _counted(differ),
            fix=fix,
            expected_fragment=f"SELECT {words[0]}{texts(outputs)}",
            actual_fragment=f"SELECT {words[1]}{texts(list(differ.produced.outputs))}",
            expected_value=f"{evidence.expected_rows} rows",
            actual_value=f"{evidence.produced_rows} rows",
        )
    )
    return True


def _counted(differ: Differ) -> tuple[str, ...]:
    tables = sorted(differ.produced.tables_set())
    return (f"table:{tables[0]}",) if len(tables) == 1 else differ.space_blame()
