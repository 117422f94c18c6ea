"""What a failed request to Genie means: whether it was done, and whether to try again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import requests
from databricks.sdk.errors import (
    BadRequest,
    NotFound,
    PermissionDenied,
    TooManyRequests,
    Unauthenticated,
)
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.dashboards import MessageErrorType as ErrorType
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from genie.one_try import cause

# Failures of a message that say nothing of the question: asked again, it may be answered.
PASSING_FAILURES = frozenset({
    ErrorType.CHAT_COMPLETION_CLIENT_EXCEPTION,
    ErrorType.CHAT_COMPLETION_CLIENT_TIMEOUT_EXCEPTION,
    ErrorType.CHAT_COMPLETION_NETWORK_EXCEPTION,
    ErrorType.DESCRIBE_QUERY_TIMEOUT,
    ErrorType.GENERIC_CHAT_COMPLETION_SERVICE_EXCEPTION,
    ErrorType.GENERIC_SQL_EXEC_API_CALL_EXCEPTION,
    ErrorType.INTERNAL_CATALOG_ASSET_CREATION_ONGOING_EXCEPTION,
    ErrorType.NO_DEPLOYMENTS_AVAILABLE_TO_WORKSPACE,
    ErrorType.RATE_LIMIT_EXCEEDED_GENERIC_EXCEPTION,
    ErrorType.RATE_LIMIT_EXCEEDED_SPECIFIED_WAIT_EXCEPTION,
    ErrorType.REPLY_PROCESS_TIMEOUT_EXCEPTION,
    ErrorType.RETRYABLE_PROCESSING_EXCEPTION,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What became of a request.

    ``refused``: it was not done, and may be sent again. ``unknown``: nobody knows whether it was.

    ``rejected``: it never will be, as it is. ``missing``: what it names is not there. ``denied``:
    nothing will be done for this user. ``retry_after_s`` is what the workspace asks for.
    """

    kind: Literal["refused", "unknown", "rejected", "missing", "denied"]
    reason: str
    retry_after_s: float | None = None


def read_fault(raised: Exception) -> RequestFault:
    """What an exception of a ``one_try_client`` means."""
    error = cause(raised)
    reason = f"{type(error).__name__}: {error}"
    retry_after_s = getattr(error, "retry_after_secs", None)
    if isinstance(error, TooManyRequests) or _never_connected(error):
        return RequestFault("refused", reason, retry_after_s)
    if isinstance(error, Unauthenticated | PermissionDenied):
        return RequestFault("denied", reason)
    if isinstance(error, NotFound):
        return RequestFault("missing", reason)
    if isinstance(error, BadRequest):
        return RequestFault("rejected", reason)
    if isinstance(error, DatabricksError | requests.RequestException | TimeoutError):
        return RequestFault("unknown", reason, retry_after_s)
    raise raised


def _never_connected(error: Exception) -> bool:
    """Whether not even a connection was made, so that nothing can have been sent over it."""
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else error
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
