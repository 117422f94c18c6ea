"""Views of what is to be changed: clusters, proposals, batches and the states they are in."""

from __future__ import annotations

from transforms.contracts import BATCHES, CLUSTERS, PROPOSALS
from transforms.view_model import View, columns

CHANGES_MADE = View(
    name="changes_made",
    comment="One row per proposal that was applied: when, and when undone again; NULL: it stands",
    sql="""
SELECT p.space_id, p.proposal_id, p.cluster_id, b.batch_id, b.cycle, b.lever, p.target,
  p.target_field, a.recorded_at AS applied_at, u.recorded_at AS undone_at
FROM applications a
JOIN batches b ON b.batch_id = a.batch_id
JOIN proposals p ON p.space_id = b.space_id
  AND array_contains(COALESCE(a.proposal_ids, b.proposal_ids), p.proposal_id)
LEFT JOIN applications u ON u.batch_id = a.batch_id AND u.direction = 'undo'
WHERE a.direction = 'apply'
""",
)

APPLIED_PROPOSALS = View(
    name="applied_proposals",
    comment="One row per proposal whose change stands: applied and not undone",
    sql="""
SELECT m.space_id, m.proposal_id, m.cluster_id, m.batch_id, m.cycle, m.lever, m.target,
  m.target_field, m.applied_at
FROM changes_made m
WHERE m.undone_at IS NULL
""",
)

# A change in the catalog is seen by every space, a change in a space by that space only.
OVERTAKEN_PROPOSALS = View(
    name="overtaken_proposals",
    comment=(
        "One row per proposal where another change was made since, or one that stood then was "
        "undone: what it would change is not what its proposer saw"
    ),
    sql="""
SELECT DISTINCT p.space_id, p.proposal_id
FROM proposals p
JOIN changes_made o ON o.target = p.target AND o.target_field = p.target_field
  AND (o.space_id = p.space_id OR p.target LIKE 'table:%' OR p.target LIKE 'column:%'
    OR p.target LIKE 'measure:%' OR p.target LIKE 'function:%')
WHERE o.proposal_id <> p.proposal_id AND (
  (o.applied_at > p.recorded_at AND o.undone_at IS NULL)
  OR (o.applied_at <= p.recorded_at AND o.undone_at > p.recorded_at))
""",
)

# A decline that came after all was applied is none: there is the gate, and there is going back.
BATCH_PROGRESS = View(
    name="batch_progress",
    comment=(
        "One row per batch: proposed, approved, declined, applied, accepted, rejected, undone or "
        "stale. An approval covers a batch's content, and declining takes it back until all is "
        "applied: what was begun is then rejected, to be undone. One that a person rolled back is "
        "rejected, whatever the gate said"
    ),
    sql=f"""
SELECT {columns(BATCHES, "b")},
  CASE
    WHEN u.batch_id IS NOT NULL THEN 'undone'
    WHEN r.batch_id IS NOT NULL AND COALESCE(i.batch_id, a.batch_id) IS NOT NULL THEN 'rejected'
    WHEN g.decision = 'rejected' THEN 'rejected'
    WHEN g.decision = 'accepted' THEN 'accepted'
    WHEN a.batch_id IS NOT NULL THEN 'applied'
    WHEN d.decision = 'declined' AND i.batch_id IS NOT NULL THEN 'rejected'
    WHEN d.decision = 'declined' THEN 'declined'
    WHEN c.batch_id IS NOT NULL AND i.batch_id IS NULL THEN 'stale'
    WHEN d.decision = 'approved' THEN 'approved'
    ELSE 'proposed'
  END AS state,
  d.decision, d.decided_by, d.reason AS decision_reason, d.recorded_at AS decided_at,
  r.rolled_back_by, r.rollback_reason, r.rolled_back_at,
  COALESCE(i.begun_at, a.recorded_at) AS begun_at, a.application_id, a.recorded_at AS applied_at,
  COALESCE(a.proposal_ids, b.proposal_ids) AS applied_proposal_ids,
  g.train_net, g.held_out_net, g.rationale AS gate_rationale, g.stop_reason
FROM batches b
LEFT JOIN (
  SELECT f.*, ROW_NUMBER() OVER (
    PARTITION BY f.batch_id ORDER BY
      CASE WHEN x.batch_id IS NOT NULL AND f.decision = 'declined' THEN 1 ELSE 0 END,
      f.decision DESC, f.recorded_at, f.decision_id
  ) AS position
  FROM approvals f
  JOIN batches k ON k.batch_id = f.batch_id AND k.content_hash = f.content_hash
  LEFT JOIN applications x ON x.batch_id = f.batch_id AND x.direction = 'apply'
  WHERE f.decision <> 'rolled_back'
) d ON d.batch_id = b.batch_id AND d.position = 1
LEFT JOIN batch_rollbacks r ON r.batch_id = b.batch_id
LEFT JOIN (
  SELECT batch_id, MIN(recorded_at) AS begun_at
  FROM application_intents
  WHERE direction = 'apply'
  GROUP BY batch_id
) i ON i.batch_id = b.batch_id
LEFT JOIN applications a ON a.batch_id = b.batch_id AND a.direction = 'apply'
LEFT JOIN applications u ON u.batch_id = b.batch_id AND u.direction = 'undo'
LEFT JOIN batch_gates g ON g.batch_id = b.batch_id
LEFT JOIN (
  SELECT DISTINCT k.batch_id
  FROM batches k
  JOIN overtaken_proposals o ON o.space_id = k.space_id
    AND array_contains(k.proposal_ids, o.proposal_id)
) c ON c.batch_id = b.batch_id
""",
)


def _turn(batch: str) -> str:
    """Among batches in each other's way the lowest comes first: begun, approved, neither."""
    return (
        f"CASE WHEN {batch}.begun_at IS NOT NULL THEN 0 WHEN {batch}.state = 'approved' THEN 1 "
        "ELSE 2 END"
    )


BATCH_STATES = View(
    name="batch_states",
    comment=(
        "One row per batch with its state, whether it is settled, and the batch it waits for: the "
        "first in flight, approved and not settled, in the same space or on the same object. One "
        "that nobody decided on is in nobody's way; of two approved ones the older comes first"
    ),
    sql=f"""
SELECT p.*, p.state IN ('declined', 'accepted', 'undone', 'stale') AS is_settled,
  w.waits_for
FROM batch_progress p
LEFT JOIN (
  SELECT b.batch_id, o.batch_id AS waits_for, ROW_NUMBER() OVER (
    PARTITION BY b.batch_id ORDER BY {_turn("o")}, o.recorded_at, o.kind, o.batch_id
  ) AS position
  FROM batch_progress b
  JOIN batch_progress o ON o.batch_id <> b.batch_id
    AND (o.space_id = b.space_id OR arrays_overlap(o.targets, b.targets))
    AND ({_turn("o")} < {_turn("b")} OR ({_turn("o")} = {_turn("b")}
      AND (o.recorded_at < b.recorded_at OR (o.recorded_at = b.recorded_at
        AND (o.kind < b.kind OR (o.kind = b.kind AND o.batch_id < b.batch_id))))))
  WHERE b.state IN ('proposed', 'approved')
    AND o.state IN ('approved', 'applied', 'rejected')
) w ON w.batch_id = p.batch_id AND w.position = 1
""",
)

CLUSTER_STATES = View(
    name="cluster_states",
    comment=(
        "One row per cluster: open, addressed (a change for it is applied and not measured yet), "
        "resolved (not in the newest accepted evaluation), regressed (back again after an "
        "evaluation without it) or retracted (its benchmarks were corrected)"
    ),
    sql=f"""
SELECT {columns(CLUSTERS, "c")},
  CASE
    WHEN k.question_count >= c.question_count THEN 'retracted'
    WHEN e.evaluation_id IS NULL OR c.last_seen_at < e.started_at OR c.first_seen_at > e.started_at
      THEN 'resolved'
    WHEN a.applied_at > c.last_seen_at THEN 'addressed'
    WHEN n.evaluation_count > c.evaluation_count THEN 'regressed'
    ELSE 'open'
  END AS state
FROM clusters c
LEFT JOIN latest_evaluations e ON e.space_id = c.space_id
LEFT JOIN (
  SELECT cluster_id, MAX(applied_at) AS applied_at
  FROM applied_proposals
  GROUP BY cluster_id
) a ON a.cluster_id = c.cluster_id
LEFT JOIN (
  SELECT x.cluster_id, COUNT(*) AS question_count
  FROM clusters x
  JOIN current_benchmarks b ON b.space_id = x.space_id
    AND array_contains(x.question_ids, b.question_id)
  WHERE b.status = 'quarantined'
    OR (b.source = 'corrected' AND b.recorded_at > x.last_seen_at)
  GROUP BY x.cluster_id
) k ON k.cluster_id = c.cluster_id
LEFT JOIN (
  SELECT x.cluster_id, COUNT(*) AS evaluation_count
  FROM clusters x
  JOIN evaluation_states s ON s.space_id = x.space_id
    AND s.started_at >= x.first_seen_at AND s.started_at <= x.last_seen_at
  WHERE s.kind <> 'canary' AND s.asks_train
  GROUP BY x.cluster_id
) n ON n.cluster_id = c.cluster_id
""",
)

PROPOSAL_STATES = View(
    name="proposal_states",
    comment=(
        "One row per proposal: open, waiting (a higher one changes the same), batched, applied, "
        "accepted, rejected, declined, refused (leak) or stale, with the reason where it has one"
    ),
    sql=f"""
SELECT {columns(PROPOSALS, "r")}, r.batch_id,
  CASE WHEN r.phase = 'open' AND r.position > 1 THEN 'waiting' ELSE r.phase END AS state,
  CASE
    WHEN r.phase = 'open' AND r.position > 1
      THEN concat(r.first_proposal_id, ' changes the same and comes first')
    ELSE r.phase_reason
  END AS state_reason
FROM (
  SELECT l.*,
    ROW_NUMBER() OVER (
      PARTITION BY l.space_id, l.target, l.target_field, l.is_live
      ORDER BY l.is_in_flight DESC, l.impact DESC, l.confidence DESC, l.proposal_id
    ) AS position,
    FIRST_VALUE(l.proposal_id) OVER (
      PARTITION BY l.space_id, l.target, l.target_field, l.is_live
      ORDER BY l.is_in_flight DESC, l.impact DESC, l.confidence DESC, l.proposal_id
    ) AS first_proposal_id
  FROM (
    SELECT q.*,
      CASE WHEN q.phase IN ('open', 'batched', 'applied') THEN 1 ELSE 0 END AS is_live,
      CASE WHEN q.phase IN ('batched', 'applied') THEN 1 ELSE 0 END AS is_in_flight
    FROM (
      SELECT {columns(PROPOSALS, "p")}, m.batch_id,
        CASE
          WHEN f.proposal_id IS NOT NULL THEN 'refused'
          WHEN m.state = 'declined' THEN 'declined'
          WHEN m.applied_at IS NOT NULL
            AND NOT array_contains(m.applied_proposal_ids, p.proposal_id) THEN 'declined'
          WHEN m.state IN ('rejected', 'undone') THEN 'rejected'
          WHEN m.state IN ('applied', 'accepted') THEN m.state
          WHEN m.state IN ('proposed', 'approved') THEN 'batched'
          WHEN o.proposal_id IS NOT NULL THEN 'stale'
          WHEN c.state IN ('resolved', 'retracted') THEN 'stale'
          ELSE 'open'
        END AS phase,
        CASE
          WHEN f.proposal_id IS NOT NULL
            THEN concat('it reproduces a benchmark of split ', f.split)
          WHEN m.state IN ('rejected', 'undone') AND m.rolled_back_by IS NOT NULL
            THEN concat('rolled back by ', m.rolled_back_by)
          WHEN m.state IN ('rejected', 'undone')
            THEN COALESCE(m.gate_rationale, m.decision_reason)
          WHEN m.state = 'declined' THEN m.decision_reason
          WHEN m.state IN ('proposed', 'approved', 'applied', 'accepted') THEN NULL
          WHEN o.proposal_id IS NOT NULL THEN 'what it would change has changed'
          WHEN c.state IN ('resolved', 'retracted') THEN concat('its cluster is ', c.state)
        END AS phase_reason
      FROM proposals p
      LEFT JOIN (
        SELECT proposal_id, MIN(split) AS split FROM leak_refusals GROUP BY proposal_id
      ) f ON f.proposal_id = p.proposal_id
      LEFT JOIN (
        SELECT x.proposal_id, b.batch_id, b.state, b.applied_at, b.applied_proposal_ids,
          b.gate_rationale, b.decision_reason, b.rolled_back_by, ROW_NUMBER() OVER (
            PARTITION BY x.proposal_id ORDER BY b.recorded_at DESC, b.batch_id
          ) AS recency
        FROM batch_progress b
        JOIN proposals x ON x.space_id = b.space_id
          AND array_contains(b.proposal_ids, x.proposal_id)
      ) m ON m.proposal_id = p.proposal_id AND m.recency = 1
      LEFT JOIN overtaken_proposals o ON o.proposal_id = p.proposal_id
      LEFT JOIN cluster_states c ON c.cluster_id = p.cluster_id
    ) q
  ) l
) r
""",
)
