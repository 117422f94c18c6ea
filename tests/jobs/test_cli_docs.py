"""docs/cli.md says what the command line does: its commands, options and exit codes, no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from jobs.cli import app
from jobs.cli_errors import INTERRUPTED, UNEXPECTED
from transforms import errors
from transforms.errors import GenieLoopError

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
PROGRAM = typer.main.get_command(app)
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE))


def options(command) -> set[str]:
    names = {name for p in command.params for name in p.opts if name.startswith("-")}
    return names - {"--help"}


def leaves(command) -> Iterator[object]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from leaves(inner)


def documented(text: str) -> set[str]:
    rows = re.findall(r"^\| (`-.*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(--?[a-z-]+)", row)}


def test_every_command_has_a_section_and_every_section_a_command():
    assert set(SECTIONS) == set(PROGRAM.commands)


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_the_options_of_a_command_are_those_of_its_section(name):
    known = set().union(*(options(leaf) for leaf in leaves(PROGRAM.commands[name])))
    assert documented(SECTIONS[name]) == known


@pytest.mark.parametrize("name", PROGRAM.commands)
def test_commands_within_a_command_are_named_in_its_section(name):
    for inner in getattr(PROGRAM.commands[name], "commands", {}):
        assert f"genie-loop {name} {inner}" in SECTIONS[name]


def test_the_options_in_front_are_documented():
    assert documented(TEXT.split("## Start")[0]) == options(PROGRAM)


def test_the_exit_codes_are_those_of_the_errors():
    table = TEXT.split("## Exit codes")[1].split("## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    raised = {
        leaf.exit_code
        for leaf in vars(errors).values()
        if isinstance(leaf, type) and issubclass(leaf, GenieLoopError)
    }
    assert codes == raised | {0, UNEXPECTED, INTERRUPTED}
