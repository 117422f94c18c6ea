"""The demo as a person starts it, on a sample of one table: the whole loop, once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from jobs import screens
from jobs.delta_log import latest_version
from jobs.home import Home
from jobs.reading import History
from tests.jobs.commands import call
from transforms.contracts import TABLES
from transforms.statistics import wilson

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STATUSES = {"A": "paid", "B": "refunded", "C": "cancelled"}
MEASURES = {
    "How many {0} orders are there?": "COUNT(*)",
    "What is the total amount of {0} orders?": "SUM(amount)",
    "What is the average amount of {0} orders?": "AVG(amount)",
    "What is the highest amount of {0} orders?": "MAX(amount)",
    "What is the lowest amount of {0} orders?": "MIN(amount)",
}
GENERATOR = """
import json
import shutil
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = {"order_id": "BIGINT", "status": "STRING", "amount": "DOUBLE", "city": "STRING"}


def write(folder, bookings=1000):
    (folder / "tables").mkdir(parents=True)
    rows = [f"{n},{'ABC'[n % 3]},{n * 1.5},{('Lima', 'Cusco')[n % 2]}" for n in range(bookings)]
    lines = [",".join(COLUMNS), *rows]
    (folder / "tables" / "orders.csv").write_text("\\n".join(lines) + "\\n")
    columns = [{"name": name, "spark_type": type_} for name, type_ in COLUMNS.items()]
    columns[1]["comment"] = "Values: 'A', 'B', 'C'."
    schema = {"tables": {"orders": {"comment": "orders", "columns": columns}}}
    (folder / "schema.json").write_text(json.dumps(schema))
    shutil.copy(HERE / "questions.jsonl", folder)
"""
NOTES = """
table: corner_shop.orders
comment: orders
columns:
  - {name: order_id, type: BIGINT}
  - {name: status, type: STRING, comment: "Values: 'A', 'B', 'C'."}
  - {name: amount, type: DOUBLE}
  - {name: city, type: STRING}
"""
STATUS = {
    "column_name": "status",
    "enable_entity_matching": True,
    "enable_format_assistance": True,
}
SPACE = {
    "version": 2,
    "data_sources": {"tables": [{"identifier": "corner_shop.orders", "column_configs": [STATUS]}]},
}
TARGET = 0.25  # what one good batch reaches here
# Nobody is there: a demo leaves the workspace of a business alone.
BUSINESS = {"DATABRICKS_HOST": "http://127.0.0.1:9", "DATABRICKS_TOKEN": "secret"}


def questions():
    """Every measure, of all orders and of those of each status by the name that people use."""
    for asked, measure in MEASURES.items():
        yield asked.format("").replace("  ", " "), f"SELECT {measure} FROM orders"
        for code, name in STATUSES.items():
            yield asked.format(name), f"SELECT {measure} FROM orders WHERE status = '{code}'"


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A shop that writes statuses as letters, which nothing explains."""
    folder = tmp_path_factory.mktemp("samples") / "corner_shop"
    (folder / "assets" / "tables").mkdir(parents=True)
    (folder / "assets" / "tables" / "orders.yml").write_text(NOTES.lstrip())
    (folder / "generate.py").write_text(GENERATOR.lstrip())
    (folder / "space.json").write_text(json.dumps(SPACE, indent=2) + "\n")
    lines = [
        json.dumps({"question_id": f"q{n:02}", "question": question, "expected_sql": sql})
        for n, (question, sql) in enumerate(questions())
    ]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    return Home(tmp_path_factory.mktemp("demo") / "home")


def demo(home, sample):
    options = {"--sample": str(sample), "--bookings": "600", "--target": str(TARGET)}
    return call(home, "demo", *(word for option in options.items() for word in option), **BUSINESS)


@pytest.fixture(scope="module")
def shown(home, sample) -> str:
    """What the first demo printed."""
    return demo(home, sample)


def versions(home):
    names = [home.table_path("corner_shop", "orders")]
    names += [home.table_path("genie_loop", table.name) for table in TABLES]
    return {str(path): latest_version(path) for path in names}


def line_under(heading: str, shown: str, *words: str) -> str:
    """The one line of the table below a heading that says all of it."""
    table = re.split(r"^\s*$", shown.partition(f"\n{heading}\n")[2], flags=re.MULTILINE)[0]
    (found,) = [line for line in table.splitlines() if all(word in line for word in words)]
    return found


def test_the_demo_goes_from_the_baseline_over_a_change_that_helped_to_its_end(home, shown):
    history = History(home)
    evaluations = history.select(
        "SELECT evaluation_id, kind, state FROM evaluation_states ORDER BY started_at"
    )
    assert evaluations[0]["kind"] == "baseline"
    assert evaluations[-1]["kind"] == "final"
    assert "application" in {one["kind"] for one in evaluations}
    accepted = history.select("SELECT * FROM batch_states WHERE state = 'accepted'")
    assert accepted
    assert {batch["decided_by"] for batch in accepted} == {"policy:auto_low_risk"}
    (space,) = history.select("SELECT state, policy, target_accuracy FROM space_states")
    assert (space["state"], space["policy"], space["target_accuracy"]) == (
        "target", "auto_low_risk", TARGET,
    )  # fmt: skip


def test_sealed_questions_are_asked_at_the_baseline_and_at_the_end_only(home, shown):
    asked = History(home).select(
        "SELECT e.kind, r.split, COUNT(*) AS answers FROM eval_results r "
        "JOIN evaluations e ON e.evaluation_id = r.evaluation_id GROUP BY e.kind, r.split"
    )
    splits = {kind: {one["split"] for one in asked if one["kind"] == kind}
              for kind in ("baseline", "application", "final")}  # fmt: skip
    assert splits == {
        "baseline": {"train", "held_out", "sealed"},
        "application": {"train", "held_out"},
        "final": {"sealed"},
    }
    sealed = {one["kind"]: one["answers"] for one in asked if one["split"] == "sealed"}
    assert sealed["baseline"] == sealed["final"] > 0


def in_words(correct: int, count: int) -> str:
    interval = wilson(correct, count)
    assert interval is not None
    low, high = (f"{100 * bound:.0f}" for bound in (interval.low, interval.high))
    return f"{correct}/{count} {correct / count:4.0%} {low}-{high}"


def test_what_is_printed_is_what_the_tables_say(home, sample, shown):
    history = History(home)
    for row in history.select("SELECT * FROM evaluation_summary"):
        evaluation_id = screens.short(row["evaluation_id"])
        line = line_under("Evaluations", shown, evaluation_id, row["kind"], row["state"])
        wanted = [
            in_words(row[f"{split}_correct"], row[f"{split}_count"])
            for split in ("train", "held_out", "sealed")
            if row[f"{split}_count"]
        ]
        assert re.findall(r"\d+/\d+ +\d+% \d+-\d+", line) == wanted
    for row in history.select("SELECT * FROM batch_states"):
        batch_id = screens.short(row["batch_id"])
        line = line_under("Batches", shown, batch_id, row["state"], row["risk"])
        assert f" {len(row['proposal_ids'])} " in line
    for row in history.select("SELECT * FROM lever_audit"):
        line = line_under("Levers", shown, f" {screens.lever(row['lever'])} ")
        numbers = f"{row['proposals_generated']} +{row['proposals_applied']}"
        assert re.search(rf"{'yes' if row['is_attempted'] else 'no'} +{numbers}", line), line
    project = home.root / "demo" / "project" / "corner_shop"
    assert f"git diff --no-index {sample} {project}" in shown


def test_what_helped_is_in_the_repository_s_copy_and_the_sample_is_as_it_was(home, sample, shown):
    (helped,) = History(home).select("SELECT after FROM proposal_states WHERE state = 'accepted'")
    notes = Path("assets") / "tables" / "orders.yml"
    copied = yaml.safe_load((home.root / "demo" / "project" / sample.name / notes).read_text())
    comments = {column["name"]: column.get("comment") for column in copied["columns"]}
    assert re.fullmatch(r"Values: 'A', 'B', 'C'\. '[ABC]' means \w+ orders\.", helped["after"])
    assert comments["status"] == helped["after"]
    assert (sample / notes).read_text() == NOTES.lstrip()


def test_a_second_demo_does_nothing_again_and_shows_the_same(home, sample, shown):
    before = versions(home)
    assert min(before.values()) >= 0
    again = demo(home, sample)
    assert versions(home) == before
    tables = "\nEvaluations\n"
    assert again.partition(tables)[2] == shown.partition(tables)[2]
    assert not re.search("^(evaluate|optimize|approve|apply):", again, re.MULTILINE)
