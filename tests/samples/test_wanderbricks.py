"""The Wanderbricks sample is what its README says: reproducible, messy and wrong where meant."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from pyspark.sql import SparkSession

from pipelines.load_files import read_folder
from transforms.benchmarks import BenchmarkQuestion, group_ids, split_of
from transforms.contracts import SPLITS
from transforms.read_only import parse_query
from transforms.routing import KINDS

SAMPLE = Path(__file__).parents[2] / "samples" / "wanderbricks"
ASSETS = SAMPLE / "assets"
GENERATOR: dict[str, Any] = runpy.run_path(str(SAMPLE / "generate.py"))
SMALL = 3_000  # bookings

# The columns and types of `samples.wanderbricks`, as every workspace has them.
REAL = """
amenities: amenity_id bigint, name string, category string, icon string
booking_updates: booking_id bigint, booking_update_id bigint, check_in date, check_out date,
    created_at timestamp, guests_count int, property_id bigint, status string, total_amount float,
    updated_at timestamp, user_id bigint
bookings: booking_id bigint, user_id bigint, property_id bigint, check_in date, check_out date,
    guests_count int, total_amount float, status string, created_at timestamp, updated_at timestamp
clickstream: event string, metadata struct<device: string, referrer: string>, property_id bigint,
    timestamp timestamp, user_id bigint
countries: country string, country_code string, continent string
customer_support_logs: created_at string,
    messages array<struct<message: string, sender: string, sentiment: string, timestamp: string>>,
    support_agent_id string, ticket_id string, user_id bigint
destinations: destination_id bigint, destination string, country string, state_or_province string,
    state_or_province_code string, description string
employees: employee_id bigint, host_id bigint, name string, role string, email string, phone string,
    country string, joined_at date, end_service_date date, is_currently_employed boolean
hosts: host_id bigint, name string, email string, phone string, is_verified boolean,
    is_active boolean, rating float, country string, joined_at date
page_views: device_type string, page_url string, property_id bigint, referrer string,
    timestamp timestamp, user_id bigint, view_id bigint
payments: payment_id bigint, booking_id bigint, amount decimal(15,4), payment_method string,
    status string, payment_date timestamp
properties: property_id bigint, host_id bigint, destination_id bigint, title string,
    description string, base_price float, property_type string, max_guests int, bedrooms int,
    bathrooms int, property_latitude float, property_longitude float, created_at date
property_amenities: property_id bigint, amenity_id bigint
property_images: image_id bigint, property_id bigint, url string, sequence int, is_primary boolean,
    uploaded_at date
reviews: booking_id bigint, comment string, created_at timestamp, is_deleted boolean,
    property_id bigint, rating double, review_id bigint, updated_at timestamp, user_id bigint
users: user_id bigint, email string, name string, country string, user_type string,
    created_at timestamp, is_business boolean, company_name string
"""
OWN_TABLES = {"booking_cancellation_scores", "data_quality_daily", "guest_churn_scores"}

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text().splitlines()
]
ON_PURPOSE: dict[str, Any] = json.loads((SAMPLE / "on_purpose.json").read_text())
DECLARED: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(ASSETS.glob("tables/*.yml"))
}
SPACE: dict[str, Any] = json.loads((SAMPLE / "space.json").read_text())
SQL_FILES = sorted([*ASSETS.glob("metric_views/*.sql"), *ASSETS.glob("functions/*.sql")])

GROUPS = group_ids(
    [BenchmarkQuestion(q["question_id"], q["question"], q["expected_sql"]) for q in QUESTIONS]
)
SPLIT = {question_id: split_of(group) for question_id, group in GROUPS.items()}

Result = list[tuple[Any, ...]]

# Ordered by one value: the last one that is selected, or a count that is not selected.
_RANKED = re.compile(r"ORDER BY ([\w.]+|COUNT\(\*\))( DESC)? LIMIT \d+$")


# ---- rows


@pytest.fixture(scope="module")
def small() -> dict[str, pa.Table]:
    tables: dict[str, pa.Table] = GENERATOR["Business"](SMALL, GENERATOR["SEED"]).tables()
    return tables


def _spark_type(arrow: pa.DataType) -> str:
    if pa.types.is_struct(arrow):
        return f"struct<{', '.join(f'{f.name}: {_spark_type(f.type)}' for f in arrow)}>"
    if pa.types.is_list(arrow):
        return f"array<{_spark_type(arrow.value_type)}>"
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if pa.types.is_timestamp(arrow):
        return "timestamp" if (arrow.unit, arrow.tz) == ("us", "UTC") else str(arrow)
    names = {"int64": "bigint", "int32": "int", "date32[day]": "date", "bool": "boolean"}
    return names.get(str(arrow), str(arrow))


def _columns(table: pa.Table) -> str:
    return ", ".join(f"{field.name} {_spark_type(field.type)}" for field in table.schema)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_seed_and_size_give_the_same_bytes_and_another_seed_does_not(
    tmp_path: Path,
) -> None:
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        GENERATOR["write"](tmp_path / name, bookings=500, seed=seed)
    first = _bytes(tmp_path / "first")
    assert first == _bytes(tmp_path / "again")
    other = _bytes(tmp_path / "other")
    master_data = {f"tables/{name}.parquet" for name in ("amenities", "countries", "destinations")}
    assert {name for name in first if first[name] == other[name]} == {
        "schema.json",
        "questions.jsonl",
        *master_data,
    }


def test_the_tables_have_the_columns_and_types_of_the_real_dataset(
    small: dict[str, pa.Table],
) -> None:
    logical_lines = re.sub(r"\n\s+", " ", REAL.strip()).splitlines()
    real = dict(line.split(": ", 1) for line in logical_lines)
    assert small.keys() == real.keys() | OWN_TABLES
    assert {name: _columns(small[name]) for name in real} == real


def test_every_table_is_declared_with_the_columns_and_types_that_are_generated(
    small: dict[str, pa.Table],
) -> None:
    declared = {
        name: ", ".join(f"{c['name']} {c['type'].lower()}" for c in table["columns"])
        for name, table in DECLARED.items()
    }
    # Names of fields keep their case within a nested type; all of them are in lower case here.
    assert declared == {name: _columns(table) for name, table in small.items()}
    assert all(table["table"] == f"wanderbricks.{name}" for name, table in DECLARED.items())
    assert {table["kind"] for table in DECLARED.values()} == {
        "table",
        "monitoring_table",
        "ml_table",
    }


def test_declared_keys_are_unique_and_references_lead_somewhere(small: dict[str, pa.Table]) -> None:
    for name, declared in DECLARED.items():
        keys = [c["name"] for c in declared["columns"] if c.get("primary_key")]
        if keys:
            rows = small[name].select(keys)
            assert rows.group_by(keys).aggregate([]).num_rows == rows.num_rows, name
        for column in declared["columns"]:
            if "references" in column:
                table, key = column["references"].split(".")
                values = small[name][column["name"]].drop_null()
                known = pc.is_in(values, value_set=small[table][key])
                assert pc.all(known).as_py(), f"{name}.{column['name']}"


def test_the_number_of_bookings_is_the_one_asked_for_and_the_rest_follows(
    small: dict[str, pa.Table],
) -> None:
    counts = {name: table.num_rows for name, table in small.items()}
    assert counts["bookings"] == SMALL
    assert counts["users"] == SMALL // 2
    assert counts["page_views"] == SMALL // 2
    assert SMALL // 2 < counts["booking_updates"] < SMALL
    assert counts["data_quality_daily"] == 180 * (len(small) - 1)


def _values(table: pa.Table, column: str) -> set[Any]:
    return set(table[column].to_pylist())


def test_the_rows_are_as_messy_as_the_readme_says(small: dict[str, pa.Table]) -> None:
    assert _values(small["bookings"], "status") == {
        "pending", "confirmed", "completed", "cancelled", "canceled",
    }  # fmt: skip
    assert {"PayPal", "paypal", "Credit Card", "credit_card"} <= _values(
        small["payments"], "payment_method"
    )
    assert {"apartment", "Apartment"} <= _values(small["properties"], "property_type")
    assert {"United States", "USA", "United Kingdom", "UK", None} <= _values(
        small["users"], "country"
    )
    assert _values(small["users"], "user_type") == {"individual", "business", "internal"}
    assert _values(small["payments"], "status") == {"completed", "failed", "refunded", "pending"}
    on_notice = [
        person
        for person in small["employees"].to_pylist()
        if person["is_currently_employed"] and person["end_service_date"] is not None
    ]
    assert on_notice
    claimed = [
        user
        for user in small["users"].to_pylist()
        if user["is_business"] != (user["user_type"] == "business")
    ]
    assert claimed


def test_every_booking_ends_in_the_status_that_its_history_ends_in(
    small: dict[str, pa.Table],
) -> None:
    last = {
        row["booking_id"]: (row["status"], row["updated_at"], row["guests_count"])
        for row in sorted(
            small["booking_updates"].to_pylist(),
            key=lambda row: (row["updated_at"], row["booking_update_id"]),
        )
    }
    now = {
        row["booking_id"]: (row["status"], row["updated_at"], row["guests_count"])
        for row in small["bookings"].to_pylist()
    }
    differing = {key for key in last if (now[key][0], now[key][2]) != (last[key][0], last[key][2])}
    assert last
    assert differing == set()
    unchanged = [now[key][1] for key in now.keys() - last.keys()]
    assert max(unchanged) < min(at for _, at, _ in last.values())


def test_what_was_paid_is_not_what_was_agreed_in_the_ways_that_are_known(
    small: dict[str, pa.Table],
) -> None:
    paid: Counter[int] = Counter()
    for row in small["payments"].to_pylist():
        if row["status"] == "completed":
            paid[row["booking_id"]] += row["amount"]
    ways: Counter[str] = Counter()
    for row in small["bookings"].to_pylist():
        if row["status"] != "completed":
            ways["kept after a cancellation"] += row["status"][0:6] == "cancel" and (
                row["booking_id"] in paid
            )
            continue
        share = float(paid[row["booking_id"]]) / row["total_amount"]
        ways["never"] += share == 0
        ways["with a coupon"] += 0.89 < share < 0.91
        ways["as agreed"] += 0.99 < share < 1.01
        ways["otherwise"] += not (share == 0 or 0.89 < share < 0.91 or 0.99 < share < 1.01)
    assert ways["otherwise"] == 0
    assert min(ways["never"], ways["with a coupon"], ways["kept after a cancellation"]) > 0
    assert ways["as agreed"] > 0.9 * (ways["never"] + ways["with a coupon"] + ways["as agreed"])


def test_the_written_folder_is_what_the_loader_reads(tmp_path: Path) -> None:
    GENERATOR["main"]([str(tmp_path), "--bookings", "200"])
    folder = read_folder(tmp_path, name="wanderbricks", history_schema="genie_loop")
    assert folder.set_aside == ()
    assert len(folder.questions) == len(QUESTIONS)
    schema = json.loads((tmp_path / "schema.json").read_text())
    files = {path.stem: pq.read_schema(path).names for path in tmp_path.glob("tables/*.parquet")}
    assert {
        name: [column["name"] for column in table["columns"]]
        for name, table in schema["tables"].items()
    } == files
    comments = {name: table["comment"] for name, table in schema["tables"].items()}
    assert comments == {name: table.get("comment") for name, table in DECLARED.items()}
    assert (tmp_path / "questions.jsonl").read_text() == (SAMPLE / "questions.jsonl").read_text()


def test_nothing_big_is_committed() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 300_000


# ---- questions


def test_questions_are_well_formed_and_their_sql_is_a_read_only_query() -> None:
    assert len({q["question_id"] for q in QUESTIONS}) == len(QUESTIONS)
    assert len({q["question"] for q in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        assert question["expected_asset"] in KINDS
        assert question["category"]
        assert set(question) - {"group"} == {
            "question_id", "question", "expected_sql", "expected_asset", "category",
        }  # fmt: skip
        parse_query(question["expected_sql"])


def test_there_are_enough_questions_of_every_kind_and_in_every_split() -> None:
    assert len(QUESTIONS) >= 120
    assert len(set(GROUPS.values())) >= 100
    per_asset = Counter(q["expected_asset"] for q in QUESTIONS)
    assert set(per_asset) == set(KINDS)
    assert min(per_asset.values()) >= 12
    per_split = Counter(SPLIT.values())
    assert per_split["train"] >= 60
    assert per_split["held_out"] >= 30
    assert per_split["sealed"] >= 30


def test_an_order_or_a_rounding_is_expected_only_where_a_question_asks_for_it() -> None:
    ranks = re.compile(r"\b(top|most)\b", re.IGNORECASE)
    for question in QUESTIONS:
        assert "ROUND(" not in question["expected_sql"]
        is_ordered = "ORDER BY" in question["expected_sql"]
        assert not is_ordered or ranks.search(question["question"]), question["question_id"]


def test_the_declared_groups_are_the_ones_that_the_product_finds() -> None:
    declared: dict[str, set[str]] = {}
    for question in QUESTIONS:
        key = question.get("group") or question["question_id"]
        declared.setdefault(key, set()).add(question["question_id"])
    found: dict[str, set[str]] = {}
    for question_id, group in GROUPS.items():
        found.setdefault(group, set()).add(question_id)
    assert sorted(map(sorted, declared.values())) == sorted(map(sorted, found.values()))
    assert sum(len(members) > 1 for members in found.values()) >= 5


@pytest.mark.parametrize("notion", sorted(ON_PURPOSE["notions"]))
def test_every_notion_is_asked_for_in_every_split(notion: str) -> None:
    members = ON_PURPOSE["notions"][notion]
    groups = {GROUPS[question_id]: SPLIT[question_id] for question_id in members}
    assert len(groups) >= 4
    spread = Counter(groups.values())
    assert set(spread) == set(SPLITS)
    assert spread["train"] >= 2


def test_most_notions_are_in_six_groups_or_more() -> None:
    sizes = [len({GROUPS[one] for one in members}) for members in ON_PURPOSE["notions"].values()]
    assert sum(size >= 6 for size in sizes) >= 9


def test_the_wrong_benchmarks_are_listed_and_most_of_them_can_be_learnt_from() -> None:
    wrong: Mapping[str, Any] = ON_PURPOSE["benchmarks"]
    by_id = {q["question_id"]: q for q in QUESTIONS}
    assert len(wrong) >= 5
    assert sum(SPLIT[question_id] == "train" for question_id in wrong) >= 3
    assert {SPLIT[question_id] for question_id in wrong} == set(SPLITS)
    for question_id, entry in wrong.items():
        assert entry["right_sql"] != by_id[question_id]["expected_sql"]


# ---- space.json


def _items(*path: str) -> list[dict[str, Any]]:
    node: Any = SPACE
    for key in path:
        node = node[key]
    assert isinstance(node, list)
    return node


INSTRUCTIONS = (
    ("text_instructions",),
    ("example_question_sqls",),
    ("sql_functions",),
    ("join_specs",),
    ("sql_snippets", "filters"),
    ("sql_snippets", "expressions"),
    ("sql_snippets", "measures"),
)


def test_the_space_keeps_to_the_format_that_the_platform_accepts() -> None:
    assert SPACE["version"] == 2
    assert SPACE.keys() <= {"version", "config", "data_sources", "instructions", "benchmarks"}
    for kind in ("tables", "metric_views"):
        sources = _items("data_sources", kind)
        assert [s["identifier"] for s in sources] == sorted(s["identifier"] for s in sources)
        for source in sources:
            names = [c["column_name"] for c in source.get("column_configs", [])]
            assert names == sorted(set(names))
    ids: list[str] = []
    for path in INSTRUCTIONS:
        items = _items("instructions", *path)
        assert [item["id"] for item in items] == sorted(item["id"] for item in items)
        ids += [item["id"] for item in items]
    asked = _items("config", "sample_questions")
    assert [item["id"] for item in asked] == sorted(item["id"] for item in asked)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", i) for i in [*ids, *(q["id"] for q in asked)])
    assert len(_items("data_sources", "tables")) <= 30
    assert len(_items("instructions", "text_instructions")) <= 1


def test_every_text_of_the_space_is_in_an_array_and_entity_matching_has_its_condition() -> None:
    arrays = {"description", "synonyms", "question", "sql", "content", "usage_guidance", "comment"}

    def walk(node: Any, where: str) -> None:
        if isinstance(node, dict):
            if node.get("enable_entity_matching"):
                assert node.get("enable_format_assistance"), where
            for key, value in node.items():
                assert not (key in arrays and isinstance(value, str)), f"{where}.{key}"
                walk(value, f"{where}.{key}")
        elif isinstance(node, list):
            assert None not in node, where
            for item in node:
                walk(item, where)

    walk({k: v for k, v in SPACE.items() if k != "instructions"}, "space")
    walk({k: v for k, v in SPACE["instructions"].items() if k != "sql_functions"}, "instructions")


def test_the_space_names_every_asset_and_only_columns_that_are_there() -> None:
    tables = _items("data_sources", "tables")
    assert {t["identifier"] for t in tables} == {t["table"] for t in DECLARED.values()}
    views = {v["identifier"] for v in _items("data_sources", "metric_views")}
    assert views == {f"wanderbricks.{p.stem}" for p in ASSETS.glob("metric_views/*.sql")}
    functions = {f["identifier"] for f in _items("instructions", "sql_functions")}
    assert functions == {f"wanderbricks.{p.stem}" for p in ASSETS.glob("functions/*.sql")}
    for table in tables:
        known = {c["name"] for c in DECLARED[table["identifier"].partition(".")[2]]["columns"]}
        assert {c["column_name"] for c in table.get("column_configs", [])} <= known
    for join in _items("instructions", "join_specs"):
        assert join["left"]["identifier"].endswith(f".{join['left']['alias']}")
        assert re.search(r"--rt=FROM_RELATIONSHIP_TYPE_[A-Z_]+--$", join["sql"][0])


def test_nobody_wrote_a_benchmark_into_the_space() -> None:
    assert "benchmarks" not in SPACE
    text = json.dumps(SPACE)
    assert not any(q["question"] in text or q["expected_sql"] in text for q in QUESTIONS)


# ---- with Spark: the whole size


@pytest.fixture(scope="module")
def business(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session whose current schema is the sample at full size, with its views and functions."""
    folder = tmp_path_factory.mktemp("wanderbricks")
    GENERATOR["write"](folder)
    session = spark.newSession()
    # The product's settings are for tables of a few rows.
    session.conf.set("spark.sql.codegen.wholeStage", "true")
    session.conf.set("spark.sql.codegen.factoryMode", "FALLBACK")
    session.sql("CREATE DATABASE wanderbricks")
    session.sql("USE wanderbricks")
    for path in sorted(folder.glob("tables/*.parquet")):
        session.catalog.createTable(path.stem, str(path), source="parquet")
    for path in SQL_FILES:
        session.sql(path.read_text().rstrip().removesuffix(";"))
    yield session, folder
    session.sql("USE default")
    session.sql("DROP DATABASE wanderbricks CASCADE")


@pytest.fixture(scope="module")
def results(business: Any) -> dict[str, Result]:
    """The result of every expected SQL, right or wrong."""
    session, _ = business
    return {q["question_id"]: _rows(session, q["expected_sql"]) for q in QUESTIONS}


def _rows(session: SparkSession, sql: str) -> Result:
    def plain(value: object) -> object:
        return round(float(value), 6) if isinstance(value, float | Decimal) else value

    rows = [tuple(plain(value) for value in row) for row in session.sql(sql).collect()]
    return rows if "ORDER BY" in sql else sorted(rows, key=repr)


@pytest.mark.slow
def test_metric_views_and_functions_are_what_they_are_declared_as(business: Any) -> None:
    session, _ = business
    for path in ASSETS.glob("metric_views/*.sql"):
        described = session.sql(f"DESCRIBE TABLE EXTENDED {path.stem}")
        assert described.where("col_name = 'Type'").first()["data_type"] == "METRIC_VIEW"
    for path in ASSETS.glob("functions/*.sql"):
        described = session.sql(f"DESCRIBE FUNCTION {path.stem}").collect()
        assert any("TABLE" in row[0] for row in described if row[0].startswith("Type:"))


@pytest.mark.slow
def test_every_expected_sql_says_something_but_for_the_ones_that_are_wrong_on_purpose(
    results: dict[str, Result],
) -> None:
    silent = {q for q, rows in results.items() if not rows or rows in ([(0,)], [(None,)])}
    wrong: Mapping[str, Any] = ON_PURPOSE["benchmarks"]
    meant = {q for q, entry in wrong.items() if entry["kind"] == "literal_in_wrong_case"}
    assert silent == meant


@pytest.mark.slow
def test_each_wrong_benchmark_gives_a_result_that_is_not_the_right_one(
    business: Any, results: dict[str, Result]
) -> None:
    session, _ = business
    for question_id, entry in ON_PURPOSE["benchmarks"].items():
        right = _rows(session, entry["right_sql"])
        assert right
        assert right not in ([(0,)], [(None,)])
        assert right != results[question_id], question_id


@pytest.mark.slow
def test_no_ranking_is_decided_by_a_tie(business: Any) -> None:
    session, _ = business
    tied = []
    ranked = [q for q in QUESTIONS if _RANKED.search(q["expected_sql"])]
    assert len(ranked) >= 5
    for question in ranked:
        sql, _, count = question["expected_sql"].partition(" LIMIT ")
        if "ORDER BY COUNT(*)" in sql:
            sql = sql.replace(" FROM ", ", COUNT(*) FROM ", 1)
        rows = session.sql(sql).limit(int(count) + 1).collect()
        decisive = [row[-1] for row in rows]
        if len(set(decisive)) != len(decisive):
            tied.append((question["question_id"], decisive))
    assert tied == []


@pytest.mark.slow
def test_no_result_depends_on_the_order_of_the_rows(
    business: Any, results: dict[str, Result]
) -> None:
    session, folder = business
    for path in sorted(folder.glob("tables/*.parquet")):
        table = pq.read_table(path)
        backwards = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
        pq.write_table(backwards, path)
        session.catalog.refreshTable(path.stem)
    shaky = {
        q["question_id"]: (results[q["question_id"]], rows)
        for q in QUESTIONS
        if _may_depend_on_order(q["expected_sql"])
        and (rows := _rows(session, q["expected_sql"])) != results[q["question_id"]]
    }
    assert shaky == {}


def _may_depend_on_order(sql: str) -> bool:
    """Whether a tie could decide, or the order in which fractions are added."""
    return any(word in sql for word in (" LIMIT ", "ORDER BY", "AVG(", "ROUND(", "MEASURE("))
