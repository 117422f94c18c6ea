"""What anybody wrote into the data steers no terminal, wherever a screen shows it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import screens
from jobs.cli_errors import say
from jobs.visible import visible, visible_json

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "\x1b[31mred\x9b0m\x7f \u202eback\u2066 over\rwritten\ud800"
SHOWN = r"\x1b[31mred\x9b0m\x7f \u202eback\u2066 over\x0dwritten\ud800"
COLUMNS = (
    screens.Column("a", lambda row: row["a"]),
    screens.Column("b", lambda row: row["a"], wraps=True),
)


def _table() -> None:
    screens.print_table([{"a": EVIL}], COLUMNS)


def _groups() -> None:
    screens.print_table([{"a": "a", "group": EVIL}], COLUMNS, group_by="group")


def _column() -> None:
    screens.print_table([{"a": "a"}], (screens.Column(EVIL, lambda row: row["a"]),))


PRINTERS = {
    "table": _table,
    "groups": _groups,
    "column": _column,
    "lines": lambda: screens.print_lines(EVIL),
    "heading": lambda: screens.print_heading(EVIL),
    "fields": lambda: screens.print_fields([("name", EVIL)]),
    "names of fields": lambda: screens.print_fields([(EVIL, "value")]),
    "errors": lambda: say(EVIL),
}


@pytest.mark.parametrize("printed", PRINTERS.values(), ids=PRINTERS.keys())
def test_what_would_steer_a_terminal_is_shown_escaped(printed, capsys):
    printed()
    told = "".join(capsys.readouterr())
    assert not STEERING.search(told)
    assert SHOWN in told


def test_on_a_terminal_too(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    screens.print_table([{"a": EVIL}], COLUMNS, group_by="a")
    told = capsys.readouterr().out
    assert "\x1b[31m" not in told
    assert not STEERING.search(re.sub(r"\x1b\[[0-9;]*m", "", told))


def test_markup_in_a_field_is_text(capsys):
    screens.print_fields([("[red]name[/red]", "[bold]value")])
    assert capsys.readouterr().out.split() == ["[red]name[/red]", "[bold]value"]


def test_json_holds_the_text_and_no_character_that_steers(capsys):
    screens.print_json([{"question": EVIL}])
    told = capsys.readouterr().out
    assert not STEERING.search(told)
    assert json.loads(told) == [{"question": EVIL}]


@given(st.text())
def test_newlines_and_tabs_and_whatever_steers_nothing_stay(text):
    told = visible(text)
    assert not STEERING.search(told)
    if not STEERING.search(text):
        assert told == text
    assert json.loads(visible_json(json.dumps(text, ensure_ascii=False))) == text
