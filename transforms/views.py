"""States as SQL views over the rows: never columns that two jobs update.

Spark creates the views in the catalog; commands that only list run the same text without a JVM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.change_views import (
    APPLIED_PROPOSALS,
    BATCH_PROGRESS,
    BATCH_STATES,
    CHANGES_MADE,
    CLUSTER_STATES,
    OVERTAKEN_PROPOSALS,
    PROPOSAL_STATES,
)
from transforms.evaluation_views import (
    BATCH_GATES,
    BATCH_ROLLBACKS,
    BENCHMARK_STATES,
    CURRENT_BENCHMARKS,
    EVALUATION_STATES,
    EVALUATION_SUMMARY,
    LATEST_EVALUATIONS,
    LATEST_SPACES,
    QUESTION_REPEATABILITY,
)
from transforms.view_model import View

__all__ = ["VIEWS", "View", "as_query"]

SPACE_STATES = View(
    name="space_states",
    comment=(
        "One row per space: where its loop stands. improving, or ended by target, maximum or "
        "plateau (six final audit rows in a cycle, nothing accepted in it)"
    ),
    sql="""
SELECT s.space_id, s.title, s.domain, s.data_schema, s.answerer, s.policy, s.target_accuracy,
  s.max_applied_batches, e.evaluation_id, e.iteration, e.accuracy, e.question_count,
  e.correct_count, COALESCE(l.cycle, 1) AS cycle, COALESCE(l.final_count, 0) AS final_count,
  COALESCE(b.accepted_count, 0) AS accepted_count, g.stop_reason AS gate_stop_reason,
  CASE
    WHEN e.evaluation_id IS NULL THEN 'not evaluated'
    WHEN g.stop_reason IS NOT NULL THEN g.stop_reason
    WHEN l.final_count = 6 AND COALESCE(b.accepted_count, 0) = 0 THEN 'plateau'
    ELSE 'improving'
  END AS state
FROM latest_spaces s
LEFT JOIN latest_evaluations e ON e.space_id = s.space_id
LEFT JOIN (
  SELECT r.space_id, r.cycle, SUM(CASE WHEN r.is_final THEN 1 ELSE 0 END) AS final_count
  FROM lever_audit r
  JOIN (SELECT space_id, MAX(cycle) AS cycle FROM lever_audit GROUP BY space_id) m
    ON m.space_id = r.space_id AND m.cycle = r.cycle
  GROUP BY r.space_id, r.cycle
) l ON l.space_id = s.space_id
LEFT JOIN (
  SELECT space_id, cycle, COUNT(*) AS accepted_count
  FROM batch_progress
  WHERE state = 'accepted' AND kind <> 'correction'
  GROUP BY space_id, cycle
) b ON b.space_id = s.space_id AND b.cycle = COALESCE(l.cycle, 1)
LEFT JOIN (
  SELECT r.space_id, r.stop_reason
  FROM (
    SELECT d.space_id, d.stop_reason, ROW_NUMBER() OVER (
      PARTITION BY d.space_id ORDER BY d.recorded_at DESC, d.gate_decision_id
    ) AS recency
    FROM gate_decisions d
    LEFT JOIN batch_rollbacks k ON k.batch_id = d.batch_id
    WHERE k.batch_id IS NULL
  ) r
  WHERE r.recency = 1
) g ON g.space_id = s.space_id
""",
)

VIEWS: tuple[View, ...] = (
    LATEST_SPACES,
    CURRENT_BENCHMARKS,
    BENCHMARK_STATES,
    BATCH_GATES,
    BATCH_ROLLBACKS,
    EVALUATION_STATES,
    LATEST_EVALUATIONS,
    EVALUATION_SUMMARY,
    QUESTION_REPEATABILITY,
    CHANGES_MADE,
    APPLIED_PROPOSALS,
    OVERTAKEN_PROPOSALS,
    BATCH_PROGRESS,
    BATCH_STATES,
    CLUSTER_STATES,
    PROPOSAL_STATES,
    SPACE_STATES,
)
"""In an order in which each can be created: a view refers only to those before it."""


def as_query(view: View) -> str:
    """The view as one statement over the tables alone: the views it needs stand before it."""
    needed = [*_needed(view)]
    if not needed:
        return view.sql.strip()
    parts = ",\n".join(f"{other.name} AS ({other.sql.strip()})" for other in needed)
    return f"WITH {parts}\n{view.sql.strip()}"


def _needed(view: View) -> Iterator[View]:
    wanted = {view.name}
    needed: list[View] = []
    for other in reversed(VIEWS[: VIEWS.index(view) + 1]):
        if other.name in wanted:
            wanted |= set(_words(other.sql))
            needed.append(other)
    yield from reversed(needed[1:])


def _words(sql: str) -> list[str]:
    return re.findall(r"\w+", sql)
