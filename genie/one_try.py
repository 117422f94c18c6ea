"""A client of the SDK that sends every request exactly once."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import Clock
from databricks.sdk.config import Config

from transforms.errors import InvalidInputError

_CONNECT_BUDGET_S = 10  # how long a host that does not answer may keep the constructor
_REQUEST_TIMEOUT_S = 30


class OneTryClock(Clock):
    """A clock that ends the SDK's own retries before the second try.

    The SDK sends a request again after a dropped connection, POSTs too, and has no setting against
    it. It stops when its clock says that its time is over: here it is, as soon as it has waited.
    What it then raises is the builtin ``TimeoutError``, caused by the failure; ``cause`` gives it.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def time(self) -> float:
        """Seconds; endlessly late right after ``sleep`` was called by the same thread."""
        has_waited = getattr(self._of_thread, "has_waited", False)
        self._of_thread.has_waited = False
        return math.inf if has_waited else time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait not at all: whether and when to try again is the caller's decision."""
        self._of_thread.has_waited = True


def one_try_client(**settings: Any) -> WorkspaceClient:
    """A client for the workspace of the environment, or of ``settings`` (those of ``Config``).

    Raises ValueError when neither says which workspace it is and how to log in.
    """
    config = Config(
        clock=OneTryClock(),
        retry_timeout_seconds=_CONNECT_BUDGET_S,
        http_timeout_seconds=_REQUEST_TIMEOUT_S,
        **settings,
    )
    return WorkspaceClient(config=config)


def environment_client(wanted_for: str) -> WorkspaceClient:
    """``one_try_client`` for the workspace that the SDK's standard environment names.

    Raises InvalidInputError, with what it is ``wanted_for``, when it names none.
    """
    try:
        return one_try_client()
    except ValueError as error:
        raise InvalidInputError(
            f"no workspace to ask: {error}",
            where=wanted_for,
            remedy="set DATABRICKS_HOST and DATABRICKS_TOKEN, or DATABRICKS_CONFIG_PROFILE",
        ) from error


def cause(error: Exception) -> Exception:
    """The failure behind what a client of ``one_try_client`` has raised."""
    if isinstance(error, TimeoutError) and isinstance(error.__cause__, Exception):
        return error.__cause__
    return error
