"""Job files become triggers, or say what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from jobs.triggers import Trigger, read_job_file, read_triggers, table_of, watched_tables
from transforms.errors import InvalidInputError

GOOD = """
resources:
  jobs:
    optimize:
      name: genie-loop optimize
      max_concurrent_runs: 1
      queue:
        enabled: true
      trigger:
        table_update:
          table_names:
            - ${var.catalog}.${resources.schemas.genie_loop.name}.evaluations
            - ${var.catalog}.${resources.schemas.genie_loop.name}.approvals
          condition: ANY_UPDATED
          min_time_between_triggers_seconds: 60
          wait_after_last_change_seconds: 90
"""


def written(folder: Path, text: str, name: str = "optimize.job.yml") -> Path:
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


def test_a_job_file_becomes_a_trigger(tmp_path):
    assert read_job_file(written(tmp_path, GOOD)) == (
        Trigger("optimize", ("evaluations", "approvals"), "ANY_UPDATED", 60, 90),
    )


def test_what_a_file_leaves_out_is_no_waiting_and_any_table(tmp_path):
    text = GOOD.split("          condition")[0]
    (trigger,) = read_job_file(written(tmp_path, text))
    assert (trigger.condition, trigger.min_time_between_triggers_seconds) == ("ANY_UPDATED", 0)
    assert trigger.wait_after_last_change_seconds == 0


def test_a_job_without_a_table_trigger_is_left_out(tmp_path):
    text = "resources: {jobs: {nightly: {name: nightly, schedule: {}}}}"
    assert read_job_file(written(tmp_path, text)) == ()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("main.genie_loop.evaluations", "evaluations"),
        ("evaluations", "evaluations"),
        ("${var.catalog}.${resources.schemas.genie_loop.name}.evaluations", "evaluations"),
        ("${resources.schemas.genie_loop.id}.evaluations", "evaluations"),
        ("`main`.`genie_loop`.`evaluations`", "evaluations"),
    ],
)
def test_the_last_part_of_a_name_is_the_table(name, table):
    assert table_of(name) == table


@pytest.mark.parametrize("name", ["main.genie_loop.${var.table}", "main.", "", "a.b.x_${var.y}"])
def test_a_name_that_does_not_end_in_a_table_is_refused(name):
    with pytest.raises(ValueError, match="does not end in the name of a table"):
        table_of(name)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (".evaluations", ".evaluation", "there is no table evaluation;"),
        ("ANY_UPDATED", "SOME_UPDATED", "condition 'SOME_UPDATED' is none of"),
        ("seconds: 60", "seconds: soon", "min_time_between_triggers_seconds is 'soon'"),
        ("seconds: 90", "seconds: -1", "wait_after_last_change_seconds is -1"),
        ("seconds: 90", "seconds: true", "wait_after_last_change_seconds is True"),
        ("max_concurrent_runs: 1", "max_concurrent_runs: 2", "max_concurrent_runs must be"),
        ("enabled: true", "enabled: false", "an update during a run is lost"),
        ("table_names:", "tables:", "lists no table"),
        ("table_update:\n", "table_update: []\n      x:\n", "is not a mapping"),
        ("jobs:", "job:", "no job under resources.jobs"),
        ("resources:", "resources: [", "cannot be read"),
    ],
)
def test_a_job_file_that_is_wrong_says_what_and_where(tmp_path, old, new, problem):
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InvalidInputError) as caught:
        read_job_file(path)
    assert problem in str(caught.value)
    assert "optimize.job.yml" in str(caught.value)
    assert caught.value.remedy


def test_all_files_are_read_and_all_problems_are_shown(tmp_path):
    written(tmp_path, GOOD, "b.job.yml")
    written(tmp_path, GOOD.replace("optimize:", "approve:"), "a.job.yml")
    written(tmp_path, "not: a bundle", "ignored.yml")
    assert [t.job for t in read_triggers(tmp_path)] == ["approve", "optimize"]

    written(tmp_path, GOOD.replace(".approvals", ".nothing"), "c.job.yml")
    written(tmp_path, GOOD, "d.job.yml")
    with pytest.raises(InvalidInputError) as caught:
        read_triggers(tmp_path)
    assert len(caught.value.problems) == 2
    assert "there is no table nothing" in caught.value.problems[0]
    assert "declared twice" in caught.value.problems[1]


def test_watched_tables_are_listed_once():
    triggers = (Trigger("a", ("batches", "approvals")), Trigger("b", ("approvals",)))
    assert watched_tables(triggers) == ("approvals", "batches")
