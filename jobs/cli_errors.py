"""How the command line ends when something goes wrong: one message on stderr and an exit code."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import typer

from jobs.home import Home
from jobs.visible import visible
from transforms.errors import GenieLoopError

UNEXPECTED = 70  # as sysexits calls a fault of the program itself
INTERRUPTED = 130  # as shells call a process that Ctrl-C ended
_JAVA_CAUSES = (": ", "Caused by: ")  # what lines with a Java exception begin with


class CutOffError(Exception):
    """Ctrl-C, with what to tell: what was cut off and how it goes on."""


@contextlib.contextmanager
def told_errors(home: Home, *, is_verbose: bool) -> Iterator[None]:
    """Tell an error in words and exit with its code."""
    try:
        yield
    except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError):
        raise  # usage errors, --help, a reader that has seen enough: typer ends these
    except CutOffError as error:
        say(str(error))
        raise typer.Exit(INTERRUPTED) from error
    except KeyboardInterrupt as error:
        say("Interrupted.")
        raise typer.Exit(INTERRUPTED) from error
    except Exception as error:
        raise typer.Exit(tell(error, home, is_verbose=is_verbose)) from error


def tell(error: Exception, home: Home, *, is_verbose: bool) -> int:
    """Say on stderr what was wrong, where, and what to do; gives the exit code that it has.

    What is no error of ours is told in one line and kept in a log. A traceback is shown only with
    ``is_verbose``.
    """
    if is_verbose:
        say("".join(traceback.format_exception(error)))
    if isinstance(error, GenieLoopError):
        say(f"Error: {error}")
    else:
        log = _log_of(home)
        _keep(error, log)
        say(f"Error: {type(error).__name__}: {_in_one_line(str(error))} (see {log})")
    return exit_code_of(error)


def exit_code_of(error: Exception) -> int:
    """What the command line ends with because of this error."""
    return error.exit_code if isinstance(error, GenieLoopError) else UNEXPECTED


def say(text: str) -> None:
    """Text for people on stderr, apart from what a program may read."""
    print(visible(text.rstrip()), file=sys.stderr, flush=True)


def _in_one_line(message: str) -> str:
    """What a message says first; of one that quotes Java, what caused it in the end.

    Java's first line names only the call that Python made.
    """
    lines = [line.strip() for line in message.strip().splitlines()]
    causes = [line for line in lines if line.startswith(_JAVA_CAUSES)]
    if causes:
        return causes[-1].lstrip(": ")
    return lines[0] if lines else "no message"


def _log_of(home: Home) -> Path:
    """Where unexpected errors are kept: in the home if there is one."""
    folder = home.logs if home.root.is_dir() else Path(tempfile.gettempdir())
    return folder / "genie-loop.log"


def _keep(error: Exception, log: Path) -> None:
    """Append an error with its traceback to a log, as far as that can be written."""
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv)}\n")
            file.write("".join(traceback.format_exception(error)))
