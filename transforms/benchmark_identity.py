"""What makes a benchmark, and a set of them, the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from transforms.identity import content_hash


def benchmark_hash(question: str, expected_sql: str, expected_asset: str | None) -> str:
    """What makes a new version: question, expected SQL and expected asset."""
    return content_hash(question, expected_sql, expected_asset)


def benchmark_set_hash(versions: Iterable[tuple[str, str]]) -> str:
    """Identifies a set of benchmark versions, given ``(question_id, benchmark_hash)`` pairs."""
    return content_hash(sorted(versions))


def benchmark_set_hash_of_sorted(versions: Iterable[tuple[str, str]]) -> str:
    """``benchmark_set_hash`` of pairs that come sorted; none is held."""
    digest = hashlib.sha256(b"[[")
    for number, version in enumerate(versions):
        text = json.dumps(version, ensure_ascii=False, separators=(",", ":"))
        digest.update((f",{text}" if number else text).encode())
    digest.update(b"]]")
    return digest.hexdigest()
