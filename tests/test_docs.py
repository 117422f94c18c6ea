"""What the documents point at is there: files, headings, commands with their options, targets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from jobs.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "samples/**/*.md", "perf/*.md", "dashboards/*.md")
    for path in ROOT.glob(pattern)
)
BY_NAME = {str(path.relative_to(ROOT)): path for path in DOCUMENTS}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_PROMPT = re.compile(r"^\$ ")
_MAKE_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def _prose(text: str) -> str:
    return _FENCE.sub("", text)


def _slug(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown: lower case, dashes for spaces."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return plain.replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(path.read_text()), re.MULTILINE)
    return {_slug(heading) for heading in headings}


def _code(text: str) -> Iterator[str]:
    """Every line of code in a document: lines of fenced blocks, and code within a sentence."""
    for block in _FENCE.findall(text):
        yield from (_PROMPT.sub("", line.strip()) for line in block.splitlines())
    yield from _CODE.findall(_prose(text))


def _commands(name: str, text: str) -> Iterator[list[str]]:
    """The words after a program's name, wherever a line of code begins with it."""
    for line in _code(text):
        words = shlex.split(line.split(" # ")[0]) if line.startswith((name, ".venv/bin/")) else []
        if words and words[0].rpartition("/")[2] == name:
            yield words[1:]


def _program() -> TyperGroup:
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    return program


def _fault(command: TyperGroup | TyperCommand, words: list[str]) -> str | None:
    """What the command line does not know of these words, or None."""
    options = {o: p for p in command.params for o in (*p.opts, *p.secondary_opts)}
    left = [word.strip("[]") for word in words]
    while left:
        word = left.pop(0)
        name, _, value = word.partition("=")
        if name.startswith("-") and name != "--help":
            if name not in options:
                return f"no option {name}"
            takes_value = not getattr(options[name], "is_flag", False) and not value
            left = left[1:] if takes_value else left
        elif isinstance(command, TyperGroup) and word:
            names = word.split("|")  # `genie-loop approve|reject BATCH`
            unknown = [name for name in names if name not in command.commands]
            if unknown:
                return f"no command {unknown[0]}"
            chosen = command.commands[names[0]]
            assert isinstance(chosen, TyperGroup | TyperCommand)
            return _fault(chosen, left)
    return None


def test_there_are_documents_to_check() -> None:
    assert {"README.md", "docs/architecture.md", "docs/evaluation.md"} <= BY_NAME.keys()


@pytest.mark.parametrize("name", BY_NAME)
def test_every_relative_link_leads_to_a_file_and_a_heading_that_are_there(name: str) -> None:
    path = BY_NAME[name]
    broken = []
    for link in _LINK.findall(_prose(path.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        file = (path.parent / target).resolve() if target else path
        is_inside = file.is_relative_to(ROOT)
        if not file.exists() or not is_inside:
            broken.append(link)
        elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", BY_NAME)
def test_every_module_and_test_that_is_named_is_there(name: str) -> None:
    named = set(_CODE.findall(_prose(BY_NAME[name].read_text())))
    modules = {code for code in named if re.fullmatch(r"[a-z_]+/[a-z_/]+\.(py|toml|yml)", code)}
    tests = {code for code in named if re.fullmatch(r"test_[a-z0-9_]+", code)}
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)", written))
    missing = {code for code in modules if not (ROOT / code).is_file()} | (tests - known)
    assert missing == set()


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_shown_is_one_that_the_command_line_knows(name: str) -> None:
    program = _program()
    faults = {
        " ".join(words): fault
        for words in _commands("genie-loop", BY_NAME[name].read_text())
        if (fault := _fault(program, words))
    }
    assert faults == {}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_make_target_shown_is_in_the_makefile(name: str) -> None:
    targets = set(_MAKE_TARGET.findall((ROOT / "Makefile").read_text()))
    shown = {
        word
        for words in _commands("make", BY_NAME[name].read_text())
        for word in words
        if re.fullmatch(r"[a-z][a-z-]*", word)
    }
    assert shown - targets == set()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("status", None),
        ("proposals --json", None),
        ("approve|reject BATCH", None),
        ("tables create", None),
        ("tables destroy", "no command destroy"),
        ("improve", "no command improve"),
        ("status --loudly", "no option --loudly"),
    ],
)
def test_the_check_of_commands_tells_a_wrong_one_from_a_right_one(
    line: str, fault: str | None
) -> None:
    assert _fault(_program(), line.split()) == fault


def test_readme_starts_with_exactly_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.split("## Quick start")[1].split("\n## ")[0]
    shown = [line.split(" #")[0].strip() for line in _FENCE.findall(section)[0].splitlines()]
    assert shown == ["make demo", "make test"]
