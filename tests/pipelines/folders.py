"""A small made-up folder, as people hand it in; tests change single files of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet


def column(name: str, data_type: str, comment: str | None = None, **keys: Any) -> dict[str, Any]:
    """A column of a schema file."""
    return {
        "name": name,
        "spark_type": data_type,
        "comment": comment,
        "primary_key": keys.get("primary_key", False),
        "foreign_keys": list(keys.get("foreign_keys", ())),
    }


def schema() -> dict[str, Any]:
    """Two tables: shops, read from Parquet, and their sales, read from CSV."""
    return {
        "tables": {
            "shop": {
                "comment": "Where we sell",
                "row_count": 3,
                "columns": [
                    column("id", "BIGINT", "the shop's number", primary_key=True),
                    column("name", "STRING", "what people call it"),
                    column("country", "STRING"),
                ],
            },
            "sale": {
                "comment": None,
                "columns": [
                    column("id", "BIGINT", primary_key=True),
                    column("shop_id", "BIGINT", foreign_keys=["shop.id"]),
                    column("sold_on", "DATE", "day of the sale"),
                    column("price", "DECIMAL(8,2)", "in euros"),
                ],
            },
        }
    }


QUESTIONS: tuple[Mapping[str, Any], ...] = (
    {"question_id": "q1", "question": "How many shops are there?",
     "expected_sql": "SELECT COUNT(*) FROM shop", "difficulty": "simple"},
    {"question_id": "q2", "question": "Which shops are in Peru?",
     "expected_sql": "SELECT name FROM shop WHERE country = 'Peru'"},
    {"question_id": "q3", "question": "What did each shop earn?",
     "expected_sql": "SELECT s.name, SUM(x.price) FROM shop s JOIN sale x ON s.id = x.shop_id "
                     "GROUP BY s.name"},
    {"question_id": "q4", "question": "When was the last sale?",
     "expected_sql": "SELECT MAX(sold_on) FROM sale"},
)  # fmt: skip
RIGHT: tuple[Mapping[str, Any], ...] = tuple(
    {"question_id": q["question_id"], "sql": q["expected_sql"]} for q in QUESTIONS
)
WRONG: tuple[Mapping[str, Any], ...] = (
    {"question_id": "q1", "sql": "SELECT COUNT(name) FROM shop"},
    {"question_id": "q2", "sql": "SELECT name FROM shop WHERE country = 'peru'"},
    {"question_id": "q3", "sql": None},
    {"question_id": "q4", "sql": "SELECT MAX(sold_at) FROM sale"},
)
SALES = (
    "id,shop_id,sold_on,price\n"
    "1,1,2024-01-01,10.50\n"
    "2,1,2024-02-01,4.50\n"
    "3,2,2024-03-05,100.00\n"
    "4,3,2024-03-01,\n"
)


def write_lines(path: Path, rows: Sequence[Mapping[str, Any] | str]) -> None:
    """A JSON-lines file; texts are written as they are."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def make_folder(
    parent: Path,
    name: str = "shop_world",
    *,
    answers: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Path:
    """The folder, without a fault; ``answers`` by system, by default one right and one wrong."""
    folder = parent / name
    (folder / "tables").mkdir(parents=True)
    (folder / "schema.json").write_text(json.dumps(schema(), indent=1))
    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2, 3], pyarrow.int64()),
            "name": ["North", "South", "East"],
            "country": ["Peru", "Chile", None],
        }
    )
    pyarrow.parquet.write_table(table, folder / "tables" / "shop.parquet")
    (folder / "tables" / "sale.csv").write_text(SALES)
    write_lines(folder / "questions.jsonl", QUESTIONS)
    systems = {"right": RIGHT, "wrong": WRONG} if answers is None else answers
    for system, rows in systems.items():
        write_lines(folder / "answers" / f"{system}.jsonl", rows)
    return folder


def change_schema(folder: Path, table: str, index: int, **values: Any) -> None:
    """Change one column of the folder's schema file."""
    path = folder / "schema.json"
    raw = json.loads(path.read_text())
    raw["tables"][table]["columns"][index].update(values)
    path.write_text(json.dumps(raw, indent=1))
