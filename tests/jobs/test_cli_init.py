"""init on the command line; the workspace is served, its catalog is played."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from genie.project import read_project
from jobs import embedded
from jobs.cli import app
from tests.genie.fake_catalog import CatalogBackend, FakeCatalog, table
from tests.genie.local.fakes import FakeEngine, client_of

SQL = [{"format": "SQL", "content": ["SELECT COUNT(*) FROM s.sales"]}]
SPACE = {
    "version": 2,
    "config": {"sample_questions": [{"id": "b" * 32, "question": ["What can I ask?"]}]},
    "data_sources": {"tables": [{"identifier": "s.gone"}, {"identifier": "s.sales"}]},
    "instructions": {
        "example_question_sqls": [
            {"id": "c" * 32, "question": ["How many sales?"], "sql": ["SELECT 1"]},
            {"id": "d" * 32, "question": ["Which shops?"], "sql": ["SELECT 2"]},
        ]
    },
    "benchmarks": {"questions": [{"id": "a" * 32, "question": ["How many sales?"], "answer": SQL}]},
}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A workspace that the environment names, over one table."""
    catalog = FakeCatalog(table("s.sales", "price", comment="what we sold"))
    with EmbeddedWorkspace(tmp_path / "w", FakeEngine(), CatalogBackend(catalog)) as workspace:
        for name, value in embedded.environment_of(workspace).items():
            monkeypatch.setenv(name, value)
        yield workspace


def call(tmp_path, *words):
    return CliRunner().invoke(app, ["--home", str(tmp_path / "home"), *words])


def test_a_space_becomes_a_folder_that_deploys_unchanged(tmp_path, served, monkeypatch):
    monkeypatch.chdir(tmp_path)
    client = client_of(served)
    made = client.genie.create_space(WAREHOUSE_ID, json.dumps(SPACE), title="Shop")
    done = call(tmp_path, "init", "shop", "--space", made.space_id)
    assert done.exit_code == 0, done.output
    assert [line.split() for line in done.stdout.splitlines()[:4]] == [
        ["file", "defines"],
        ["shop/space.json", "space"],
        ["shop/questions.jsonl", "questions"],
        ["shop/assets/tables/sales.yml", "table", "s.sales"],
    ]
    assert done.stdout.splitlines()[4:] == [
        "",
        "The space 'Shop' with 2 questions.",
        "Benchmarks that are examples too, so that it knows their answer: 1.",
        "Examples left out of the questions, as it answers from them: 1.",
        "No file: table s.gone is not there.",
        "Next:",
        "  write the expected SQL of 1 question into shop/questions.jsonl",
        f"  genie-loop check {made.space_id}",
        f"  genie-loop deploy shop --space {made.space_id}",
    ]
    again = call(tmp_path, "deploy", "shop", "--space", made.space_id)
    assert "Nothing was new; nothing was changed." in again.stdout
    refused = call(tmp_path, "init", "shop", "--space", made.space_id)
    assert refused.exit_code == 2
    assert "there already: assets, questions.jsonl, space.json" in refused.stderr


def test_tables_become_a_folder_whose_next_steps_make_the_space(tmp_path, served, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(tmp_path, "init", "my shop", "--table", "s.sales", "--title", "The shop")
    assert done.exit_code == 0, done.output
    *_, questions, deploy, check = done.stdout.splitlines()
    assert questions == "  write questions and their expected SQL into my shop/questions.jsonl"
    assert deploy == "  genie-loop deploy 'my shop' --title 'The shop'"
    assert check == "  genie-loop check"
    assert [notes.comment for notes in read_project(tmp_path / "my shop").tables] == [
        "what we sold"
    ]
    call(tmp_path, "deploy", "my shop", "--title", "The shop")
    (space,) = client_of(served).genie.list_spaces().spaces
    assert space.title == "The shop"


def test_the_files_are_listed_as_json(tmp_path, served):
    done = call(tmp_path, "init", str(tmp_path / "p"), "--table", "s.sales", "--json")
    assert json.loads(done.stdout)[2] == {
        "file": str(tmp_path / "p" / "assets" / "tables" / "sales.yml"),
        "defines": "table s.sales",
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "either --space ID or --table NAME"),
        (("--space", "x", "--table", "s.sales"), "either --space ID or --table NAME"),
        (("--space", "x", "--title", "y"), "--title: a space that is there keeps its title"),
        (("--space", "nowhere"), "space nowhere cannot be read"),
        (("--table", "s.gone"), "table s.gone is not there"),
    ],
)
def test_what_cannot_become_a_project_ends_with_2_and_leaves_nothing(tmp_path, served, words, told):
    done = call(tmp_path, "init", str(tmp_path / "p"), *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not (tmp_path / "p").exists()
