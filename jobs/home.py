"""Where everything lives on a laptop: ``$GENIE_LOOP_HOME``, its folders and its two locks.

``owner.lock`` says which one process runs Spark on this home (the catalog allows one). Its lock
also belongs to that process's JVM, so that a killed owner stays the owner until its JVM is gone.
``commit.lock`` is held around every commit to a contract table, by Spark or by delta-rs: commits on
a plain file system look before they rename, which is not safe between processes.

Reading needs no lock: Delta tables are snapshots.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from transforms.errors import HomeBusyError, MissingRuntimeError

_ORPHAN_PATIENCE_S = 20.0  # a killed owner's JVM leaves when it sees its input closed
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the home: process id, what it was started as, since when (UTC, ISO 8601)."""

    pid: int
    command: str
    since: str


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one home. Making the value touches nothing."""

    root: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Home:
        """``$GENIE_LOOP_HOME``, by default ``.genie-loop`` in the working folder; absolute."""
        return cls(Path(environ.get("GENIE_LOOP_HOME") or ".genie-loop").expanduser().absolute())

    @property
    def warehouse(self) -> Path:
        """Delta tables: ``<schema>.db/<table>``."""
        return self.root / "warehouse"

    @property
    def metastore(self) -> Path:
        """The catalog's Derby database."""
        return self.root / "metastore"

    @property
    def checkpoints(self) -> Path:
        """Stream checkpoints, one folder per job."""
        return self.root / "checkpoints"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.root / "mlartifacts"

    @property
    def logs(self) -> Path:
        """What Spark and Derby have to say, kept off the terminal."""
        return self.root / "logs"

    @property
    def scratch(self) -> Path:
        """What Spark spills and forgets."""
        return self.root / "tmp"

    @property
    def runner_file(self) -> Path:
        """The trigger runner's positions."""
        return self.root / "runner.json"

    @property
    def workspace(self) -> Path:
        """The embedded workspace's documents."""
        return self.root / "workspace"

    @property
    def deployments(self) -> Path:
        """What was deployed last: a folder per workspace, a file per project."""
        return self.root / "deployments"

    @property
    def tracking_uri(self) -> str:
        """MLflow's store."""
        return f"sqlite:///{self.root / 'mlflow.db'}"

    def table_path(self, schema: str, table: str) -> Path:
        """Folder of a table, as the catalog places it."""
        return self.warehouse / f"{schema.lower()}.db" / table.lower()

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept here."""
        return self.warehouse.is_dir()

    def create(self) -> None:
        """Make the folders. Raises MissingRuntimeError where they cannot be made."""
        try:
            for folder in (self.warehouse, self.checkpoints, self.artifacts, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            self.scratch.mkdir(exist_ok=True)
            self._owner_lock.touch()
            self._commit_lock.touch()
        except OSError as error:
            raise MissingRuntimeError(
                f"this folder cannot be written: {error.strerror}",
                where=str(self.root),
                remedy="set GENIE_LOOP_HOME to a folder of yours",
            ) from error

    @property
    def _owner_lock(self) -> Path:
        return self.root / "owner.lock"

    @property
    def _commit_lock(self) -> Path:
        return self.root / "commit.lock"

    def owner(self) -> Owner | None:
        """Who runs Spark on this home just now; None when nobody does."""
        try:
            descriptor = os.open(self._owner_lock, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            if _try_lock(descriptor):
                return None
            return _read_owner(self._owner_lock)
        finally:
            os.close(descriptor)

    @contextmanager
    def own(self, command: str, since: datetime) -> Iterator[int]:
        """Be the one process that runs Spark here; gives the lock's descriptor for its JVM.

        Raises HomeBusyError when another process is. An owner that was killed is waited for until
        its JVM has left, a few seconds.
        """
        self.create()
        descriptor = os.open(self._owner_lock, os.O_RDWR)
        try:
            self._await_lock(descriptor)
            owner = Owner(os.getpid(), command, since.isoformat(timespec="seconds"))
            _write_owner(descriptor, owner)
            try:
                yield descriptor
            finally:
                os.truncate(descriptor, 0)
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def _await_lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + _ORPHAN_PATIENCE_S
        while not _try_lock(descriptor):
            owner = _read_owner(self._owner_lock)
            is_orphaned = owner is not None and not _is_running(owner.pid)
            if is_orphaned and time.monotonic() < deadline:
                time.sleep(_POLL_S)
                continue
            raise self._busy(owner)

    def _busy(self, owner: Owner | None) -> HomeBusyError:
        if owner is None:
            return HomeBusyError(
                "another process is just taking this home or leaving it",
                where=str(self.root),
                remedy="try again",
            )
        return HomeBusyError(
            f"process {owner.pid} (`{owner.command}`) owns this home since {owner.since}",
            where=str(self.root),
            remedy="wait until it has finished or end it; listing commands, approve and reject "
            "work meanwhile",
        )

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Hold the right to commit to a contract table; waits for its turn. Not reentrant."""
        descriptor = os.open(self._commit_lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_owner(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):  # just being written, or none yet
        return None


def _write_owner(descriptor: int, owner: Owner) -> None:
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
