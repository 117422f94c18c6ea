"""Ids and hashes as Spark columns: the same values that ``transforms.identity`` gives in Python."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F


def id_column(kind: str, *parts: Column) -> Column:
    """``make_id(kind, *parts)`` of text columns; a NULL part counts as JSON null.

    Equal to the Python function for every text without rare control characters, which the two JSON
    writers spell differently.
    """
    text = F.to_json(F.array(F.lit(kind), *parts))
    return F.concat(F.lit(f"{kind}-"), F.substring(F.sha2(text, 256), 1, 20))


def content_hash_column(*parts: Column) -> Column:
    """SHA-256 (64 hex digits) over columns of any type, in the order given."""
    return F.sha2(F.to_json(F.struct(*parts)), 256)
