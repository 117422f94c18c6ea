"""Views of what is evaluated: spaces, benchmarks, evaluations and what the gate says of them."""

from __future__ import annotations

from transforms.contracts import BENCHMARKS, EVALUATIONS, REPEATED_QUESTIONS, SPACES
from transforms.view_model import View, columns

LATEST_SPACES = View(
    name="latest_spaces",
    comment="One row per space: its newest registration",
    sql=f"""
SELECT {columns(SPACES, "r")}
FROM (
  SELECT s.*, ROW_NUMBER() OVER (
    PARTITION BY s.space_id ORDER BY s.ordinal DESC, s.recorded_at DESC, s.registration_id DESC
  ) AS recency
  FROM spaces s
) r
WHERE r.recency = 1
""",
)

CURRENT_BENCHMARKS = View(
    name="current_benchmarks",
    comment="One row per question: its newest version, quarantined ones too",
    sql=f"""
SELECT {columns(BENCHMARKS, "r")}
FROM (
  SELECT b.*, ROW_NUMBER() OVER (
    PARTITION BY b.space_id, b.question_id ORDER BY b.benchmark_version DESC
  ) AS recency
  FROM benchmarks b
) r
WHERE r.recency = 1
""",
)

# An expected SQL that is another one since is not suspect for what the former one did.
BENCHMARK_STATES = View(
    name="benchmark_states",
    comment=(
        "One row per question: active, suspect, corrected or quarantined. Suspect: in two "
        "evaluations neither side was right, or in the newest its expected SQL failed or gave no "
        "row; suspicion says which, and at what evaluation it was seen last"
    ),
    sql="""
SELECT b.space_id, b.question_id, b.benchmark_version, b.group_id, b.split, b.question,
  b.expected_sql, b.category,
  CASE
    WHEN b.status = 'quarantined' THEN 'quarantined'
    WHEN r.outcome = 'expected_sql_error' OR r.expected_row_count = 0
      OR v.evaluation_count >= 2 THEN 'suspect'
    WHEN b.source = 'corrected' THEN 'corrected'
    ELSE 'active'
  END AS state,
  CASE
    WHEN r.outcome = 'expected_sql_error' THEN 'its expected SQL does not run'
    WHEN v.evaluation_count >= 2 THEN 'neither its expected SQL nor the answer is right, twice'
    WHEN r.expected_row_count = 0 THEN 'its expected SQL gives no row'
  END AS suspicion,
  COALESCE(r.evaluation_id, v.evaluation_id) AS suspicion_evaluation_id,
  b.recorded_at
FROM current_benchmarks b
LEFT JOIN (
  SELECT q.space_id, q.question_id, q.expected_sql, q.outcome, q.expected_row_count,
    q.evaluation_id, ROW_NUMBER() OVER (
      PARTITION BY q.space_id, q.question_id, q.expected_sql
      ORDER BY e.started_at DESC, e.evaluation_id DESC
    ) AS recency
  FROM eval_results q
  JOIN evaluations e ON e.evaluation_id = q.evaluation_id
  WHERE q.attempt = 1 AND q.outcome NOT IN ('infrastructure', 'no_sql')
) r ON r.space_id = b.space_id AND r.question_id = b.question_id
  AND r.expected_sql = b.expected_sql AND r.recency = 1
LEFT JOIN (
  SELECT space_id, question_id, expected_sql, COUNT(DISTINCT evaluation_id) AS evaluation_count,
    MAX(evaluation_id) AS evaluation_id
  FROM arbiter_verdicts
  WHERE verdict = 'neither_correct'
  GROUP BY space_id, question_id, expected_sql
) v ON v.space_id = b.space_id AND v.question_id = b.question_id
  AND v.expected_sql = b.expected_sql
""",
)

BATCH_GATES = View(
    name="batch_gates",
    comment="One row per gated batch: its last gate decision",
    sql="""
SELECT r.space_id, r.batch_id, r.number, r.evaluation_ids, r.baseline_evaluation_id, r.decision,
  r.train_net, r.held_out_net, r.rationale, r.stop_reason, r.recorded_at
FROM (
  SELECT g.*, ROW_NUMBER() OVER (PARTITION BY g.batch_id ORDER BY g.number DESC) AS recency
  FROM gate_decisions g
) r
WHERE r.recency = 1
""",
)

BATCH_ROLLBACKS = View(
    name="batch_rollbacks",
    comment="One row per batch that a person decided to have undone again: the first decision",
    sql="""
SELECT r.space_id, r.batch_id, r.decided_by AS rolled_back_by, r.reason AS rollback_reason,
  r.recorded_at AS rolled_back_at
FROM (
  SELECT f.*, ROW_NUMBER() OVER (
    PARTITION BY f.batch_id ORDER BY f.recorded_at, f.decision_id
  ) AS position
  FROM approvals f
  JOIN batches k ON k.batch_id = f.batch_id AND k.content_hash = f.content_hash
  WHERE f.decision = 'rolled_back'
) r
WHERE r.position = 1
""",
)

EVALUATION_STATES = View(
    name="evaluation_states",
    comment=(
        "One row per evaluation: accepted when it shows a state that stands, rejected when a batch "
        "that was in it is rejected, undone or rolled back, else undecided: a batch is not gated"
    ),
    sql=f"""
SELECT {columns(EVALUATIONS, "e")},
  CASE
    WHEN w.is_rejected = 1 THEN 'rejected'
    WHEN w.is_rejected = 0 THEN 'undecided'
    WHEN e.application_id IS NULL OR a.direction = 'undo' THEN 'accepted'
    ELSE COALESCE(g.decision, 'undecided')
  END AS state,
  COALESCE(array_contains(r.splits, 'train'), TRUE) AS asks_train
FROM evaluations e
LEFT JOIN applications a ON a.application_id = e.application_id
LEFT JOIN batch_gates g ON g.batch_id = e.batch_id
LEFT JOIN evaluation_requests r ON r.request_id = e.request_id
LEFT JOIN (
  SELECT x.evaluation_id, MAX(
    CASE WHEN u.batch_id IS NOT NULL OR k.batch_id IS NOT NULL OR y.decision = 'rejected'
      THEN 1 ELSE 0 END
  ) AS is_rejected
  FROM evaluations x
  JOIN applications p ON p.space_id = x.space_id AND p.direction = 'apply'
  LEFT JOIN (
    SELECT batch_id, MIN(recorded_at) AS begun_at
    FROM application_intents
    WHERE direction = 'apply'
    GROUP BY batch_id
  ) i ON i.batch_id = p.batch_id
  LEFT JOIN applications u ON u.batch_id = p.batch_id AND u.direction = 'undo'
  LEFT JOIN batch_rollbacks k ON k.batch_id = p.batch_id
  LEFT JOIN batch_gates y ON y.batch_id = p.batch_id
  WHERE COALESCE(i.begun_at, p.recorded_at) < x.started_at
    AND (u.batch_id IS NULL OR u.recorded_at > x.started_at)
    AND (u.batch_id IS NOT NULL OR k.batch_id IS NOT NULL
      OR COALESCE(y.decision, 'undecided') <> 'accepted')
  GROUP BY x.evaluation_id
) w ON w.evaluation_id = e.evaluation_id
""",
)

LATEST_EVALUATIONS = View(
    name="latest_evaluations",
    comment="One row per space: its newest accepted evaluation that asks train questions",
    sql=f"""
SELECT {columns(EVALUATIONS, "r")}
FROM (
  SELECT e.*, ROW_NUMBER() OVER (
    PARTITION BY e.space_id ORDER BY e.started_at DESC, e.evaluation_id DESC
  ) AS recency
  FROM evaluation_states e
  WHERE e.state = 'accepted' AND e.kind <> 'canary' AND e.asks_train
) r
WHERE r.recency = 1
""",
)

EVALUATION_SUMMARY = View(
    name="evaluation_summary",
    comment="One row per evaluation: questions and right ones of the splits side by side",
    sql="""
SELECT e.space_id, e.evaluation_id, e.kind, e.cycle, e.iteration, e.batch_id, e.state, e.answerer,
  e.comparison_policy, e.model_id, e.mlflow_run_id, e.question_count, e.correct_count, e.accuracy,
  e.failure_count,
  COALESCE(q.train_count, 0) AS train_count, COALESCE(q.train_correct, 0) AS train_correct,
  COALESCE(q.held_out_count, 0) AS held_out_count,
  COALESCE(q.held_out_correct, 0) AS held_out_correct,
  COALESCE(q.sealed_count, 0) AS sealed_count, COALESCE(q.sealed_correct, 0) AS sealed_correct,
  COALESCE(q.infrastructure_count, 0) AS infrastructure_count,
  e.started_at, e.finished_at
FROM evaluation_states e
LEFT JOIN (
  SELECT evaluation_id,
    SUM(CASE WHEN split = 'train' THEN 1 ELSE 0 END) AS train_count,
    SUM(CASE WHEN split = 'train' AND is_correct THEN 1 ELSE 0 END) AS train_correct,
    SUM(CASE WHEN split = 'held_out' THEN 1 ELSE 0 END) AS held_out_count,
    SUM(CASE WHEN split = 'held_out' AND is_correct THEN 1 ELSE 0 END) AS held_out_correct,
    SUM(CASE WHEN split = 'sealed' THEN 1 ELSE 0 END) AS sealed_count,
    SUM(CASE WHEN split = 'sealed' AND is_correct THEN 1 ELSE 0 END) AS sealed_correct,
    SUM(CASE WHEN outcome = 'infrastructure' THEN 1 ELSE 0 END) AS infrastructure_count
  FROM eval_results
  WHERE attempt = 1
  GROUP BY evaluation_id
) q ON q.evaluation_id = e.evaluation_id
""",
)

QUESTION_REPEATABILITY = View(
    name="question_repeatability",
    comment=(
        "One row per space, answerer, state and question that was asked there more than once: "
        "what share of all its askings gave the dominant answer"
    ),
    sql=f"""
SELECT {columns(REPEATED_QUESTIONS, "r")}, r.started_at
FROM (
  SELECT q.*, e.started_at, ROW_NUMBER() OVER (
    PARTITION BY q.space_id, q.answerer, q.state_hash, q.question_id, q.question
    ORDER BY e.started_at DESC, e.evaluation_id DESC
  ) AS recency
  FROM repeated_questions q
  JOIN evaluations e ON e.evaluation_id = q.evaluation_id
) r
WHERE r.recency = 1
""",
)
