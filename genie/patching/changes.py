"""What a patch makes of a document: one pure function for every type of patch and kind of home."""

from __future__ import annotations

from typing import Literal

from genie.patching import functions, metric_views, questions, spaces, table_files
from genie.patching.refusals import impossible
from transforms.patches import (
    CorrectBenchmark,
    Patch,
    QuarantineBenchmark,
    SetColumnComment,
    SetFunctionComment,
    SetFunctionDefault,
    SetMetricViewDimension,
    SetMetricViewMeasure,
    SetMlTableComment,
    SetMonitoringComment,
    SetTableComment,
)

_TABLE_PATCHES = (SetTableComment, SetColumnComment, SetMonitoringComment, SetMlTableComment)

DocumentKind = Literal[
    "comment", "table_file", "metric_view", "function", "space", "registered_space", "benchmark",
    "benchmark_status", "questions",
]  # fmt: skip
"""What a document is: a comment of the catalog, a YAML file of a table, SQL that creates a metric
view or a function (live and in the repo), a ``serialized_space`` (both), a registered
configuration, the expected SQL of a benchmark, its status above that SQL, a file of questions."""
QUARANTINED = "quarantined"


def changed(patch: Patch, kind: DocumentKind, before: str) -> str:
    """The document with the patch made; what the patch does not name keeps its bytes.

    Gives ``before`` itself where it says already what the patch says. The way back is the
    ``Splice`` between the two. Raises ImpossiblePatchError, saying what to do, where the document
    has no place for it.
    """
    if current_comment(patch, kind, before) == _comment(patch):
        return before
    match patch, kind:
        case _, "comment" if isinstance(patch, _TABLE_PATCHES):
            return patch.comment
        case _, "table_file" if isinstance(patch, _TABLE_PATCHES):
            return table_files.with_comment(before, _column(patch), patch.comment, patch)
        case ((SetMetricViewMeasure() | SetMetricViewDimension()), "metric_view"):
            return metric_views.with_member(before, patch)
        case SetFunctionComment(), "function":
            return functions.with_function_comment(before, patch)
        case SetFunctionDefault(), "function":
            return functions.with_function_default(before, patch)
        case CorrectBenchmark(), "benchmark":
            return patch.expected_sql
        case QuarantineBenchmark(), "benchmark_status":
            return "\n".join([QUARANTINED, *before.split("\n")[1:]])
        case ((CorrectBenchmark() | QuarantineBenchmark()), "questions"):
            return questions.with_benchmark(before, patch)
        case _, "space" if isinstance(patch, spaces.SPACE_PATCHES):
            return spaces.with_space_patch(before, patch)
        case _, "registered_space" if isinstance(patch, spaces.SPACE_PATCHES):
            return spaces.with_registered_patch(before, patch)
    raise impossible(f"a {kind} has no place for it", patch, "propose it for another object")


def current_comment(patch: Patch, kind: DocumentKind, document: str) -> str | None:
    """The comment that the patch would replace, empty where there is none.

    None for a patch that replaces no comment.
    """
    match patch, kind:
        case _, "comment" if isinstance(patch, _TABLE_PATCHES):
            return document
        case _, "table_file" if isinstance(patch, _TABLE_PATCHES):
            return table_files.comment_in(document, _column(patch), patch)
        case SetFunctionComment(), "function":
            return functions.function_comment_in(document, patch)
    return None


def found_instead(patch: Patch, kind: DocumentKind, document: str, saw: str) -> str | None:
    """What the patch would overwrite though the proposer did not see it; None: nothing.

    ``saw`` is what the proposer saw in its place: a comment, the expression that is corrected, or
    the expected SQL of a benchmark. A measure whose comment is changed has to have the patch's own
    expression: somebody who computes it in another way meanwhile knows better.
    """
    match patch, kind:
        case ((SetMetricViewMeasure() | SetMetricViewDimension()), "metric_view"):
            member = metric_views.member_in(document, patch)
            if member is None:
                return None
            expr, comment = member
            if _flat(expr) == _flat(saw):
                return None
            if _flat(expr) != _flat(patch.expr):
                return f"the expression {expr!r}"
            is_known = not comment.strip() or _flat(comment) in (_flat(saw), _flat(patch.comment))
            return None if is_known else f"the comment {comment!r}"
        case CorrectBenchmark(), ("benchmark" | "questions"):
            sql = document if kind == "benchmark" else questions.expected_sql_in(document, patch)
            is_known = sql is None or _flat(sql) in (_flat(saw), _flat(patch.expected_sql))
            return None if is_known else f"the expected SQL {sql!r}"
        case QuarantineBenchmark(), ("benchmark_status" | "questions"):
            sql = (
                document.partition("\n")[2]
                if kind == "benchmark_status"
                else questions.expected_sql_in(document, patch)
            )
            is_known = sql is None or _flat(sql) == _flat(saw)
            return None if is_known else f"the expected SQL {sql!r}"
    found = current_comment(patch, kind, document)
    is_known = found is None or found.strip() in (saw.strip(), _comment(patch))
    return None if is_known else f"the comment {found!r}"


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


def _column(patch: Patch) -> str | None:
    """The column whose comment it is; None for that of the table."""
    column: str | None = getattr(patch, "column", None)
    return column


def _comment(patch: Patch) -> str:
    """What the patch would say there."""
    return str(getattr(patch, "comment", ""))
