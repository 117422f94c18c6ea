"""What was asked: remembered before it is sent, so that no question is asked twice."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from transforms.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class AskKey:
    """One attempt at one question of one evaluation: what is asked once."""

    evaluation_id: str
    question_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class AskEntry:
    """How far an attempt is.

    ``started``: the question is about to be sent, or was, and nobody knows; ``asked_at_ms`` is
    when, by the clock of the workspace. ``asked``: it is this conversation and message. ``over``:
    the next asking is a new one.
    """

    state: Literal["started", "asked", "over"]
    asked_at_ms: int = 0
    conversation_id: str | None = None
    message_id: str | None = None


class AskJournal(Protocol):
    """Remembers entries by key. Called from several threads at once."""

    def find(self, key: AskKey) -> AskEntry | None:
        """The entry recorded last."""

    def record(self, key: AskKey, entry: AskEntry) -> None:
        """Remember an entry; durable when this returns."""

    def forget(self, evaluation_id: str) -> None:
        """Every attempt of an evaluation is over: whoever goes on with it asks all of it anew."""

    def claimed(self) -> Collection[str]:
        """Every conversation that was ever recorded: none of them is anybody else's."""


class MemoryAskJournal:
    """A journal that lasts as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[AskKey, AskEntry] = {}
        self._claimed: set[str] = set()

    def find(self, key: AskKey) -> AskEntry | None:
        """The entry recorded last."""
        return self._entries.get(key)

    def record(self, key: AskKey, entry: AskEntry) -> None:
        """Remember an entry until the process ends."""
        with self._lock:
            self._entries[key] = entry
            if entry.conversation_id:
                self._claimed.add(entry.conversation_id)

    def forget(self, evaluation_id: str) -> None:
        """Every attempt of an evaluation is over."""
        for key, entry in self.over(evaluation_id).items():
            self.record(key, entry)

    def over(self, evaluation_id: str) -> dict[AskKey, AskEntry]:
        """What to record so that every attempt of an evaluation is over."""
        with self._lock:
            return {
                key: AskEntry("over", conversation_id=entry.conversation_id)
                for key, entry in self._entries.items()
                if key.evaluation_id == evaluation_id and entry.state != "over"
            }

    def claimed(self) -> Collection[str]:
        """Every conversation that was ever recorded."""
        with self._lock:
            return frozenset(self._claimed)


class FileAskJournal:
    """A journal in a file, one JSON object per line; a line that a kill has cut off is dropped.

    One process at a time writes a file.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there. Raises InvalidInputError for a line that is no entry."""
        self._memory = MemoryAskJournal()
        self._lock = threading.Lock()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
        for number, line in enumerate(lines[:-1], start=1):
            key, entry = self._read(number, line)
            self._memory.record(key, entry)
        if lines[-1]:
            os.truncate(path, path.stat().st_size - len(lines[-1]))

    def _read(self, number: int, line: bytes) -> tuple[AskKey, AskEntry]:
        try:
            raw: dict[str, Any] = json.loads(line)
            return AskKey(**raw["key"]), AskEntry(**raw["entry"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"this line of the ask journal cannot be read: {error}",
                where=f"{self._path}:{number}",
                remedy="delete the line; its question may then be asked a second time",
            ) from error

    def find(self, key: AskKey) -> AskEntry | None:
        """The entry recorded last, in this process or an earlier one."""
        return self._memory.find(key)

    def record(self, key: AskKey, entry: AskEntry) -> None:
        """Append the entry and force it to the disk."""
        line = json.dumps({"key": asdict(key), "entry": asdict(entry)}) + "\n"
        with self._lock, self._path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self._memory.record(key, entry)

    def forget(self, evaluation_id: str) -> None:
        """Every attempt of an evaluation is over; on the disk when this returns."""
        for key, entry in self._memory.over(evaluation_id).items():
            self.record(key, entry)

    def claimed(self) -> Collection[str]:
        """Every conversation that was ever recorded."""
        return self._memory.claimed()
