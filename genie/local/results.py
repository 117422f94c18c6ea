"""Results as the statement API sends them: a manifest, and string cells in chunks."""

from __future__ import annotations

import re
from typing import Any

from genie.local.requests import chunks
from genie.local.seams import Column, SqlResult

MAX_INLINE_BYTES = 25 * 1024 * 1024

_TYPE = re.compile(r"\s*([a-zA-Z_]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_TYPE_NAMES = {
    "BIGINT": "LONG",
    "INTEGER": "INT",
    "SMALLINT": "SHORT",
    "TINYINT": "BYTE",
    "REAL": "FLOAT",
    "VARCHAR": "STRING",
    "VOID": "NULL",
    "TIMESTAMP_LTZ": "TIMESTAMP",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "VARIANT": "STRING",
}


def inline_bytes(result: SqlResult) -> int:
    """How many bytes the cells take."""
    return sum(len(cell.encode()) for row in result.rows for cell in row if cell is not None)


def manifest(result: SqlResult, chunk_rows: int) -> dict[str, Any]:
    """What describes a result: its columns, and the chunks of ``chunk_rows`` rows it comes in."""
    parts = chunks(result.rows, chunk_rows)
    return {
        "format": "JSON_ARRAY",
        "schema": {
            "column_count": len(result.columns),
            "columns": [
                _column(position, column) for position, column in enumerate(result.columns)
            ],
        },
        "total_chunk_count": len(parts),
        "total_row_count": len(result.rows),
        "truncated": result.is_truncated,
        "chunks": [
            {"chunk_index": index, "row_offset": index * chunk_rows, "row_count": len(part)}
            for index, part in enumerate(parts)
        ],
    }


def chunk(result: SqlResult, statement_id: str, index: int, chunk_rows: int) -> dict[str, Any]:
    """The rows of one chunk, and where the next one is. ``index`` must be one of the manifest's."""
    parts = chunks(result.rows, chunk_rows)
    sent: dict[str, Any] = {
        "chunk_index": index,
        "row_offset": index * chunk_rows,
        "row_count": len(parts[index]),
        "data_array": [list(row) for row in parts[index]],
    }
    if index + 1 < len(parts):
        link = f"/api/2.0/sql/statements/{statement_id}/result/chunks/{index + 1}"
        sent |= {"next_chunk_index": index + 1, "next_chunk_internal_link": link}
    return sent


def _column(position: int, column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "position": position,
        "type_text": column.type_text.upper(),
    }
    found = _TYPE.match(column.type_text)
    base = found[1].upper() if found else "STRING"
    described["type_name"] = _TYPE_NAMES.get(base, base)
    if found and base == "DECIMAL" and found[2]:
        described |= {"type_precision": int(found[2]), "type_scale": int(found[3] or 0)}
    return described
