"""Errors as the platform sends them: an HTTP status, an error code, a message."""

from __future__ import annotations


class ApiError(Exception):
    """What a request is answered with when it fails; ``retry_after_s`` becomes Retry-After."""

    def __init__(
        self, status: int, error_code: str, message: str, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.retry_after_s = retry_after_s


def invalid(message: str) -> ApiError:
    """400, ``InvalidParameterValue`` in the SDK."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def malformed(message: str) -> ApiError:
    """400, ``BadRequest`` in the SDK: the request is not what the endpoint reads."""
    return ApiError(400, "MALFORMED_REQUEST", message)


def invalid_state(message: str) -> ApiError:
    """400, ``InvalidState`` in the SDK: possible, but not now."""
    return ApiError(400, "INVALID_STATE", message)


def unauthenticated(message: str) -> ApiError:
    """401, ``Unauthenticated`` in the SDK."""
    return ApiError(401, "UNAUTHENTICATED", message)


def denied(message: str) -> ApiError:
    """403, ``PermissionDenied`` in the SDK."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_found(message: str) -> ApiError:
    """404, ``ResourceDoesNotExist`` in the SDK, which is a ``NotFound``."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def no_endpoint(method: str, path: str) -> ApiError:
    """404, ``NotFound`` in the SDK: nothing is served there."""
    return ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")


def aborted(message: str) -> ApiError:
    """409, ``Aborted`` in the SDK, which is a ``ResourceConflict``."""
    return ApiError(409, "ABORTED", message)


def too_many(message: str, retry_after_s: int) -> ApiError:
    """429, ``RequestLimitExceeded`` in the SDK, which is a ``TooManyRequests``."""
    return ApiError(429, "REQUEST_LIMIT_EXCEEDED", message, retry_after_s=retry_after_s)
