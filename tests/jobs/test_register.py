"""A Genie Space that is there already comes into the loop: init, register, evaluate."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from genie.local.seams import EngineAnswer
from genie.local.spark_backend import SparkBackend
from genie.local.warehouses import WAREHOUSE_ID
from genie.local.workspace import EmbeddedWorkspace
from jobs import embedded, evaluate, register
from jobs.cli import app
from jobs.context import JobContext
from jobs.register import RegisterConfig
from pipelines.load_files import read_folder
from pipelines.load_tables import prepare_tables, write_table
from pipelines.spaces import registered_spaces
from tests.genie.local.fakes import client_of
from tests.pipelines.folders import QUESTIONS, make_folder
from tests.pipelines.histories import rows, versions
from transforms.contracts import EVALUATIONS
from transforms.errors import InvalidInputError

HISTORY = ["--catalog=spark_catalog", "--schema=genie_loop"]
SQL = {question["question"]: question["expected_sql"] for question in QUESTIONS}
SPACE = {
    "version": 2,
    "data_sources": {
        "tables": [{"identifier": "shop_world.sale"}, {"identifier": "shop_world.shop"}]
    },
    "benchmarks": {
        "questions": [
            {
                "id": f"{number:032x}",
                "question": [question],
                "answer": [{"format": "SQL", "content": [sql]}],
            }
            for number, (question, sql) in enumerate(SQL.items())
        ]
    },
}


class Engine:
    """Knows every answer but the last."""

    def answer(self, config, question, history):
        if question == QUESTIONS[-1]["question"]:
            return EngineAnswer(text="Which sale do you mean?")
        return EngineAnswer(sql=SQL[question])


@pytest.fixture
def served(tables, tmp_path, monkeypatch):
    """A workspace that the environment names, over the shop's tables."""
    folder = read_folder(
        make_folder(tmp_path, answers={}), name="shop_world", history_schema="genie_loop"
    )
    tables.spark.sql("CREATE SCHEMA IF NOT EXISTS shop_world")
    for table in prepare_tables(tables.spark, "`shop_world`", folder.tables):
        write_table(table)
    backend = SparkBackend(tables.spark)
    with EmbeddedWorkspace(tmp_path / "w", Engine(), backend) as workspace:
        for name, value in embedded.environment_of(workspace).items():
            monkeypatch.setenv(name, value)
        yield workspace


def call(folder, *words):
    done = CliRunner().invoke(app, ["--home", str(folder / "home"), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_a_space_that_is_live_already_is_registered_and_evaluated(
    tables, tmp_path, served, tracking_uri, capsys
):
    space = client_of(served).genie.create_space(WAREHOUSE_ID, json.dumps(SPACE), title="Shops")
    folder = tmp_path / "projects" / "shops"
    made = call(tmp_path, "init", str(folder), "--space", space.space_id)
    deploy = f"deploy {folder} --space {space.space_id}"
    assert f"  genie-loop {deploy}\n" in made
    deployed = call(tmp_path, *deploy.split(), "--policy", "auto_low_risk", "--target", "0.7")
    assert "Nothing was new; nothing was changed." in deployed
    *_, command = deployed.splitlines()
    params = dict(one.split("=") for one in command.rpartition(" ")[2].split(","))
    given = {**params, "folder": str(folder)}  # where it is in this workspace
    capsys.readouterr()

    register.main([*HISTORY, *(f"--{name}={value}" for name, value in given.items())])
    assert capsys.readouterr().out.splitlines() == [
        "register: 2 commits",
        f"shops: answered by Genie Space {space.space_id}",
        "4 questions, 0 set aside",
        "1 evaluation asked for",
    ]
    registered = registered_spaces(tables)["shops"].space
    assert (registered.title, registered.answerer) == ("Shops", f"genie:{space.space_id}")
    assert (registered.policy, registered.target_accuracy) == ("auto_low_risk", 0.7)
    assert (registered.repo_home, registered.data_schema) == (str(folder), "shop_world")

    before = versions(tables)
    register.main([*HISTORY, f"--folder={folder}", f"--space={space.space_id}", "--policy="])
    assert capsys.readouterr().out.startswith("register: 0 commits\n")
    assert versions(tables) == before, "what was set stays, and one evaluation is enough"

    evaluate.run(JobContext(tables, tmp_path / "checkpoints", tracking_uri, tables.clock))
    (evaluation,) = rows(tables, EVALUATIONS)
    assert (evaluation["space_id"], evaluation["kind"]) == ("shops", "baseline")
    assert evaluation["outcome_counts"] == {"correct": 3, "no_sql": 1}


def test_a_space_that_is_not_there_and_a_folder_without_questions_are_refused(
    tables, tmp_path, served
):
    before = versions(tables)
    folder = tmp_path / "shops"
    folder.mkdir()
    (folder / "space.json").write_text(json.dumps({**SPACE, "benchmarks": {"questions": []}}))
    with pytest.raises(InvalidInputError, match="space nowhere cannot be read"):
        register.run(tables, RegisterConfig("c", "s", folder, "nowhere"))
    space = client_of(served).genie.create_space(WAREHOUSE_ID, json.dumps(SPACE))
    with pytest.raises(InvalidInputError, match="nothing to ask") as refused:
        register.run(tables, RegisterConfig("c", "s", folder, space.space_id))
    assert refused.value.where == str(folder / "questions.jsonl")
    assert versions(tables) == before


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "--catalog"),
        (["--folder=", "--space="], "give the parameters folder and space"),
        (["--folder=/f", "--space="], "give the parameters space"),
        (["--folder=/f", "--space=s", "--policy=yolo"], "invalid choice: 'yolo'"),
        (["--folder=/f", "--space=s", "--target=most"], "target: 'most' is no share"),
        (["--folder=/f", "--space=s", "--target=85"], "target: 85.0 is no share of 0 to 1"),
        (["--folder=/f", "--space=s", "--target=nan"], "target: nan is no share of 0 to 1"),
        (["--folder=/f", "--space=s", "--mood=good"], "--mood"),
    ],
)
def test_wrong_parameters_end_the_process(argv, told, capsys):
    with pytest.raises(SystemExit) as raised:
        RegisterConfig.parse([*HISTORY, *argv] if argv else argv)
    assert raised.value.code == 2
    assert told in capsys.readouterr().err
