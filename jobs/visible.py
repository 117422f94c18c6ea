"""Texts of the data, safe on a terminal: what would steer it is shown, and steers nothing.

Questions, answers, names and messages come from files, spaces and models: anybody can write an
escape sequence there, which would recolour, move or overwrite what a screen says.
"""

from __future__ import annotations

import re

# Control characters but tab and newline; what ends a line or turns its direction; halves of a
# surrogate pair, which no stream can encode.
_STEERS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_STEERING = re.compile(f"[{_STEERS}]")


def visible(text: str) -> str:
    """The text with each character that would steer a terminal as its escape, ``\\x1b``.

    Newlines and tabs stay; a line that ends as on Windows ends in a newline.
    """
    return _STEERING.sub(_escaped, text.replace("\r\n", "\n"))


def visible_json(text: str) -> str:
    """The same JSON, in which such characters stand only as ``\\u001b``."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
