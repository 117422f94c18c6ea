"""Where a change lands: the live object, and the file of the repository that defines it."""

from genie.homes.base import (
    DriftedError,
    Home,
    MissingObjectError,
    Place,
    RefusedWriteError,
    fingerprint,
)

__all__ = [
    "DriftedError",
    "Home",
    "MissingObjectError",
    "Place",
    "RefusedWriteError",
    "fingerprint",
]
