"""The lock fits what the project asks for, and names no index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [
    Requirement(line)
    for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])
]

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
PINS = {canonicalize_name(name): (version, rest) for name, version, rest in _PIN.findall(LOCK)}


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_what_is_asked_for_is_locked_at_a_version_that_fits(asked: Requirement):
    version, _ = PINS[canonicalize_name(asked.name)]
    assert asked.specifier.contains(version), f"run `make lock`: {asked} is locked at {version}"


def test_every_pin_has_a_hash():
    assert len(PINS) > len(ASKED)
    assert [name for name, (_, rest) in PINS.items() if "--hash=sha256:" not in rest] == []


def test_the_lock_names_no_host():
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|^-f ", LOCK) == []
