"""A home of documents: a small Protocol, what a place in it is, and how it fails."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol

from genie.patching.changes import DocumentKind
from transforms.errors import GenieLoopError, StateConflictError


@dataclass(frozen=True, slots=True)
class Place:
    """One document: in which home, of what kind, by which name.

    ``name`` is a table, view or function of the catalog, a file's path in the repository, a space
    or a question; ``column`` is a column of the table, None for the table itself.
    """

    home: Literal["repo", "live"]
    kind: DocumentKind
    name: str
    column: str | None = None

    def __str__(self) -> str:
        column = f".{self.column}" if self.column else ""
        return f"{self.home} {self.kind} {self.name}{column}"


class Home(Protocol):
    """Reads and writes whole documents, exactly.

    What is written is what ``read`` gives afterwards. Only one process writes through homes at a
    time; people may change anything between two calls.
    """

    def read(self, place: Place) -> str:
        """The document; empty for a comment that is not there.

        Raises MissingObjectError for an object that is not there.
        """

    def write(self, place: Place, content: str, *, expected: str | None) -> None:
        """Replace the document, which has to be ``expected`` now; None: it has to be missing.

        Raises DriftedError, with nothing written, where it is anything else; RefusedWriteError
        where the other side does not take it, with the document as it was. Anything else that is
        raised leaves the document before or after the change; a view may be missing then.
        """


class DriftedError(StateConflictError):
    """Somebody else changed what was to be changed; it was left alone. Exit code 7."""


class MissingObjectError(StateConflictError):
    """The object that a change names is not there. Exit code 7."""


class RefusedWriteError(GenieLoopError):
    """The other side does not take the content; it will not take it next time either."""


def drifted(place: Place) -> DriftedError:
    """The error for a document that is not what it has to be."""
    return DriftedError(
        "drifted: it is neither what it was before this change nor what it is after it",
        where=str(place),
        remedy="somebody changed it meanwhile, and it was left alone; make it what it was before "
        "or after (application_intents has both), then run apply again",
    )


def missing(place: Place, why: str = "") -> MissingObjectError:
    """The error for an object that is not there."""
    return MissingObjectError(
        f"there is no such object{f': {why}' if why else ''}",
        where=str(place),
        remedy="create it, then run apply again",
    )


def fingerprint(content: str | None) -> str:
    """SHA-256 of a document; another one where it is missing."""
    return hashlib.sha256(b"\0missing" if content is None else content.encode()).hexdigest()
