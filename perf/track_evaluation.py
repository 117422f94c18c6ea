"""How long it takes to log an evaluation in MLflow, and whether every row arrives.

Run it with ``python -m perf.track_evaluation [QUESTIONS] [WORKERS]``: logs so many answers with six
verdicts each the way ``evaluate`` does, and through ``mlflow.genai.evaluate`` with so many workers,
``default`` for MLflow's own setting. Each writes to a new SQLite store. Run it alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from genie.mlflow_store import MlflowStore, open_store
from genie.tracking import record_run
from perf.machine import describe_machine, seconds
from pipelines.tracking import EvaluationRows, evaluation_run
from transforms.contracts import EVAL_RESULTS, EVALUATIONS, JUDGES

STARTED = datetime(2026, 1, 2, tzinfo=UTC)
RATIONALE = "The expected query filters on status and the produced one does not. " * 2


def main(questions: int, workers: str) -> None:
    """Log one evaluation both ways and count what is there."""
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        store = _new_store(Path(folder) / "ours")
        run = evaluation_run(_rows(questions), "perf", None)
        took = seconds(lambda: record_run(store, run))
        again = seconds(lambda: record_run(store, run))
        print(f"genie-loop: {took:.1f} s, again {again:.1f} s, {_counted(store)}")
        store = _new_store(Path(folder) / "evaluate")
        took = seconds(lambda: _genai_evaluate(store, questions, workers))
        print(f"mlflow.genai.evaluate, workers {workers}: {took:.1f} s, {_counted(store)}")


def _new_store(folder: Path) -> MlflowStore:
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")
    store.experiment_id("perf")
    return store


def _counted(store: MlflowStore) -> str:
    traces = store.client.search_traces(
        locations=[store.experiment_id("perf")], max_results=5_000, include_spans=False
    )
    feedback = sum(bool(a.feedback) for trace in traces for a in trace.info.assessments)
    return f"{len(traces)} traces with {feedback} verdicts"


def _rows(questions: int) -> EvaluationRows:
    evaluation = {
        **dict.fromkeys(EVALUATIONS.columns),
        "space_id": "perf", "evaluation_id": "evaluation-perf", "kind": "baseline",
        "iteration": 0, "model_id": "m-none", "started_at": STARTED,
        "finished_at": STARTED + timedelta(minutes=1),
    }  # fmt: skip
    keys = [
        {"space_id": "perf", "evaluation_id": "evaluation-perf", "question_id": f"q{number:04}",
         "attempt": 1, "split": "train"}
        for number in range(questions)
    ]  # fmt: skip
    results = [
        {**dict.fromkeys(EVAL_RESULTS.columns), **key, "question": f"{key['question_id']}?",
         "genie_sql": "SELECT 1", "expected_sql": "SELECT 2", "answer_outcome": "answered",
         "outcome": "incorrect", "is_correct": False, "latency_ms": 10}
        for key in keys
    ]  # fmt: skip
    verdicts = [
        {**key, "judge": judge, "value": "no", "confidence": 0.9, "rationale": RATIONALE,
         "verdict_id": f"{key['question_id']} {judge}"}
        for key in keys
        for judge in JUDGES
    ]  # fmt: skip
    return EvaluationRows(evaluation, results, verdicts, failures=[], rulings=[])


def _genai_evaluate(store: MlflowStore, questions: int, workers: str) -> None:
    if workers != "default":
        os.environ["MLFLOW_GENAI_EVAL_MAX_WORKERS"] = workers
        os.environ["MLFLOW_GENAI_EVAL_MAX_SCORER_WORKERS"] = workers
    import mlflow
    from mlflow.entities import Feedback
    from mlflow.genai import scorer

    def scorer_of(judge: str) -> Any:
        def judged(outputs: Any) -> Feedback:
            return Feedback(name=judge, value="no", rationale=RATIONALE)

        return scorer(name=judge)(judged)

    mlflow.set_tracking_uri(store.tracking_uri)
    mlflow.set_experiment(experiment_id=store.experiment_id("perf"))
    mlflow.genai.evaluate(
        data=[
            {"inputs": {"question": f"q{n}"}, "outputs": {"sql": "SELECT 1"},
             "expectations": {"expected_sql": "SELECT 2"}}
            for n in range(questions)
        ],
        scorers=[scorer_of(judge) for judge in JUDGES],
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=116)
    parser.add_argument("workers", nargs="?", default="1")
    given = parser.parse_args()
    main(given.questions, given.workers)
