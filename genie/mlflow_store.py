"""The MLflow store of the history: one experiment per domain. MLflow is imported when it is used.

Everything goes through a client with an explicit address, so that nothing here depends on, or
changes, what the process has set for MLflow elsewhere.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transforms.errors import GenieLoopError, TrackingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EVALUATION_TAG = "genie_loop.evaluation_id"
_log = logging.getLogger(__name__)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_ -]+")


@dataclass(frozen=True, slots=True)
class MlflowStore:
    """A client and where new experiments keep their artifacts (None: where the store decides)."""

    client: MlflowClient
    tracking_uri: str
    artifacts: Path | None = None

    def experiment_id(self, domain: str) -> str:
        """The experiment of a domain, created when it is not there."""
        name = f"genie-loop-{safe_name(domain)}"
        experiment = self.client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        location = (self.artifacts / name).as_uri() if self.artifacts else None
        return self.client.create_experiment(name, artifact_location=location)


def open_store(tracking_uri: str, artifacts: Path | None = None) -> MlflowStore:
    """The store at an address. The first use of a new SQLite store takes some seconds.

    Raises TrackingError when it cannot be opened.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read by MLflow when it is imported
    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    from mlflow import MlflowClient

    with reaching_mlflow("the store"):
        return MlflowStore(MlflowClient(tracking_uri=tracking_uri), tracking_uri, artifacts)


@contextmanager
def reaching_mlflow(where: str) -> Iterator[None]:
    """Raise TrackingError for whatever goes wrong in MLflow, its database or its artifacts.

    These raise errors of many libraries; ours pass as they are.
    """
    try:
        yield
    except GenieLoopError:
        raise
    except Exception as error:
        _log.exception("MLflow failed: %s", where)
        raise TrackingError(
            f"MLflow failed: {_first_line(error)}",
            where=where,
            remedy="see to it that its store can be reached, then run again",
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def safe_name(text: str) -> str:
    """A text that MLflow takes as part of a name."""
    return _NOT_IN_A_NAME.sub("-", text).strip("- ") or "space"
