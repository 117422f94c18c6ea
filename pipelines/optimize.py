"""The optimize job's dataflow: take in what is new, then plan from what is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipelines.optimize_stream import Commits, take_in_evaluations
from pipelines.planning import plan
from pipelines.tables import Tables
from transforms.proposal_values import Proposer
from transforms.proposing import propose


@dataclass(frozen=True, slots=True)
class Optimized:
    """What one run did: evaluations taken in, and commits by table."""

    evaluation_count: int
    commits: Counter[str]


def optimize(tables: Tables, *, checkpoint: str, proposer: Proposer = propose) -> Optimized:
    """Take in new evaluations, then plan; planning also runs when only decisions are new.

    Run again on the same state it writes nothing. Raises MissingEvidenceError for an evaluation
    without its rows; then nothing of its stream batch is written, and nothing is planned.
    """
    commits = Commits()
    count = take_in_evaluations(tables, checkpoint=checkpoint, propose=proposer, commits=commits)
    plan(tables, commits=commits)
    return Optimized(count, Counter(commits.tables))
