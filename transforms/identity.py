"""Ids as hashes of what makes a thing the same, so that a retry finds what is already there."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def content_hash(*parts: Any) -> str:
    """SHA-256 (64 hex digits) over JSON values; the order of mapping keys does not matter.

    Raises TypeError for values that JSON does not know.
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def make_id(kind: str, *parts: Any) -> str:
    """A readable id, ``<kind>-<20 hex digits>`` of the parts that make the thing the same."""
    return f"{kind}-{content_hash(kind, *parts)[:20]}"
