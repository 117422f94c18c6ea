"""A request as the endpoints read it, and the parts that several of them share."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from genie.local.api_errors import denied, invalid, malformed

_T = TypeVar("_T")

PermissionLevel = Literal["CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"]
_LEVELS: tuple[PermissionLevel, ...] = ("CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")


@dataclass(frozen=True, slots=True)
class Request:
    """``ids`` are the variable parts of the path, in order."""

    ids: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A text of the body; None when it is absent. Raises ApiError for anything else."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise malformed(
                f"Could not parse request object: Expected Scalar value for String field '{name}'"
            )
        return value

    def required(self, name: str) -> str:
        """A text of the body that is not blank. Raises ApiError for anything else."""
        value = self.text(name)
        if value is None or not value.strip():
            raise invalid(f"{name} must be provided and non-empty")
        return value

    def number(self, name: str) -> int | None:
        """A whole number of the body, not negative; None when it is absent."""
        value = self.body.get(name)
        if value is not None and (type(value) is not int or value < 0):
            raise invalid(f"{name} must be a whole number that is not negative")
        return value


def page(
    items: Sequence[_T], request: Request, identify: Callable[[_T], str], *, default_size: int
) -> tuple[Sequence[_T], dict[str, str]]:
    """One page of the items, and ``next_page_token`` when there are more.

    A token names the last item that was given, so that what is added meanwhile moves nothing.
    """
    raw_size = request.query.get("page_size", str(default_size))
    if not raw_size.isdecimal() or not 1 <= int(raw_size) <= 1000:
        raise invalid(f"page_size must be between 1 and 1000, not {raw_size}")
    start = 0
    if token := request.query.get("page_token"):
        last = _decoded(token)
        names = [identify(item) for item in items]
        if last not in names:
            raise invalid("page_token is not one that was given out, or what it names is gone")
        start = names.index(last) + 1
    end = start + int(raw_size)
    chosen = items[start:end]
    if end >= len(items):
        return chosen, {}
    token = base64.urlsafe_b64encode(identify(chosen[-1]).encode()).decode()
    return chosen, {"next_page_token": token}


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid("page_token is not one that was given out") from error


def require(level: PermissionLevel, needed: PermissionLevel, what: str) -> None:
    """Raises ApiError (403) when ``level`` is less than ``needed``."""
    if _LEVELS.index(level) < _LEVELS.index(needed):
        words = needed.replace("_", " ")
        raise denied(f"User does not have permission to {what}. {words} permission is required.")


class Timestamps:
    """Milliseconds since 1970, never the same twice: they order what was made."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """Now, or just after the last one."""
        with self._lock:
            self._last = max(int(self._clock() * 1000), self._last + 1)
            return self._last

    def seen(self, timestamp: int) -> None:
        """Stay after one that was given out in an earlier life."""
        with self._lock:
            self._last = max(self._last, timestamp)


def chunks(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    """The items in order, ``size`` at a time; one empty chunk for no items."""
    starts = range(0, max(1, len(items)), size)
    return [items[start : start + size] for start in starts]
