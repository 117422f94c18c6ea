"""The bundle is one that Databricks accepts, and its triggers fit the tables."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.bundles.dashboards import Dashboard
from databricks.bundles.jobs import Job
from databricks.bundles.schemas import Schema
from databricks.bundles.volumes import Volume

from jobs.context import SETTLING_S
from jobs.entry_point import JobConfig
from jobs.register import RegisterConfig
from jobs.triggers import read_triggers
from transforms.contracts import BY_NAME

ROOT = Path(__file__).parents[2]
BUNDLE: dict[str, Any] = yaml.safe_load((ROOT / "databricks.yml").read_text())
VARIABLES: dict[str, Any] = BUNDLE["variables"]
JOB_FILES = sorted((ROOT / "jobs").glob("*.job.yml"))
JOBS: dict[str, Any] = {
    key: job
    for path in JOB_FILES
    for key, job in yaml.safe_load(path.read_text())["resources"]["jobs"].items()
}

WATCHES = {
    "evaluate": {"applications", "evaluation_requests"},
    "optimize": {"evaluations", "approvals", "applications"},
    "approve": {"batches"},
    "apply": {"approvals", "gate_decisions"},
}
WRITES = {
    "evaluate": {
        "eval_results",
        "judge_verdicts",
        "failures",
        "arbiter_verdicts",
        "evaluations",
        "profiles",
    },
    "optimize": {
        "gate_decisions",
        "clusters",
        "cluster_members",
        "proposals",
        "leak_refusals",
        "batches",
        "lever_audit",
        "benchmark_corrections",
        "evaluation_requests",
        "proposal_effects",
    },
    "approve": {"approvals"},
    # spaces and benchmarks are homes of what is changed
    "apply": {"application_intents", "applications", "spaces", "benchmarks"},
}

# What a person starts: that a project was deployed is in no table.
BY_HAND = {"register"}

each_job = pytest.mark.parametrize("key", JOBS)
each_triggered_job = pytest.mark.parametrize("key", WATCHES)


def test_every_job_lies_in_the_file_of_its_name():
    assert {path.name.removesuffix(".job.yml") for path in JOB_FILES} == set(JOBS)
    assert set(JOBS) == {*WATCHES, *BY_HAND}
    assert BUNDLE["include"] == ["jobs/*.job.yml"]


@each_job
def test_databricks_knows_every_field_of_a_job(key: str):
    job = Job.from_dict(JOBS[key])
    assert job.name == f"genie-loop-{key}"


def test_a_field_that_databricks_does_not_know_would_be_refused():
    unknown: Any = {**JOBS["evaluate"], "max_runs": 1}
    with pytest.raises(Exception, match="max_runs"):
        Job.from_dict(unknown)


def test_databricks_knows_every_field_of_the_other_resources():
    resources = BUNDLE["resources"]
    assert set(resources) == {"schemas", "volumes", "dashboards"}
    assert Schema.from_dict(resources["schemas"]["genie_loop"]).name == "genie_loop"
    assert Volume.from_dict(resources["volumes"]["checkpoints"]).name == "checkpoints"
    dashboard = resources["dashboards"]["optimization_history"]
    assert Dashboard.from_dict(dashboard).display_name == "Genie optimization history"
    assert (ROOT / dashboard["file_path"]).is_file()


@each_job
def test_one_run_at_a_time_and_the_next_one_waits(key: str):
    assert JOBS[key]["max_concurrent_runs"] == 1
    assert JOBS[key]["queue"] == {"enabled": True}
    assert "pause_status" not in JOBS[key].get("trigger", {})


@each_triggered_job
def test_a_job_watches_tables_of_the_history_by_their_full_names(key: str):
    update = JOBS[key]["trigger"]["table_update"]
    prefix = "${var.catalog}.${resources.schemas.genie_loop.name}."
    assert {name.removeprefix(prefix) for name in update["table_names"]} == WATCHES[key]
    assert all(name.startswith(prefix) for name in update["table_names"])
    assert set(BY_NAME) >= WATCHES[key]
    assert update["condition"] == "ANY_UPDATED"


def test_no_job_watches_a_table_that_it_writes():
    assert set(BY_NAME) >= set.union(*WRITES.values())
    assert {key: WATCHES[key] & WRITES[key] for key in WATCHES} == {key: set() for key in WATCHES}


def test_only_optimize_waits_between_two_runs():
    waits = {
        key: {name for name in job["trigger"]["table_update"] if name.endswith("_seconds")}
        for key, job in JOBS.items()
        if key not in BY_HAND
    }
    assert waits == {
        "evaluate": set(),
        "optimize": {"min_time_between_triggers_seconds"},
        "approve": set(),
        "apply": set(),
    }


def test_the_local_runner_reads_the_same_triggers():
    assert {trigger.job: set(trigger.tables) for trigger in read_triggers()} == WATCHES


def arguments(key: str, **given: str) -> list[str]:
    """What a job's task is started with, for a run that was given these parameters."""
    (task,) = JOBS[key]["tasks"]
    parameters = {one["name"]: one["default"] for one in JOBS[key]["parameters"]} | given
    filled = {f"{{{{job.parameters.{name}}}}}": value for name, value in parameters.items()}
    filled |= {f"${{var.{name}}}": str(one.get("default")) for name, one in VARIABLES.items()}
    named = task["python_wheel_task"]["named_parameters"]
    return [f"--{name}={filled.get(value, value)}" for name, value in named.items()]


@each_job
def test_a_job_s_task_starts_the_entry_point_of_the_wheel(key: str):
    (task,) = JOBS[key]["tasks"]
    wheel = task["python_wheel_task"]
    (found,) = entry_points(group="console_scripts", name=wheel["entry_point"])
    assert found.dist is not None
    assert found.dist.name.replace("-", "_") == wheel["package_name"]
    assert found.value == f"jobs.{key}:main"
    assert callable(found.load())


@each_triggered_job
def test_a_triggered_job_knows_the_arguments_of_its_task(key: str):
    config = JobConfig.parse(key, arguments(key))
    assert config.catalog == VARIABLES["catalog"]["default"]
    assert config.settling_seconds == SETTLING_S
    assert config.check_coincidences is False
    assert config.updated_tables == "{{job.trigger.table_update.updated_tables}}"


def test_the_register_job_is_given_its_parameters_and_only_two_of_them_have_to_be():
    argv = arguments("register", folder="/Workspace/shop", space="01ef")
    config = RegisterConfig.parse(argv)
    assert (config.catalog, config.folder, config.space) == (
        "main",
        Path("/Workspace/shop"),
        "01ef",
    )
    assert (config.policy, config.target) == (None, None)
    argv = arguments("register", folder="/f", space="01ef", policy="auto_low_risk", target="0.7")
    config = RegisterConfig.parse(argv)
    assert (config.policy, config.target) == ("auto_low_risk", 0.7)


@each_job
def test_a_job_runs_on_serverless_with_the_wheel_of_the_bundle(key: str):
    (environment,) = JOBS[key]["environments"]
    (task,) = JOBS[key]["tasks"]
    assert task["environment_key"] == environment["environment_key"]
    assert environment["spec"]["dependencies"] == ["../dist/*.whl"]
    assert BUNDLE["artifacts"]["wheel"]["type"] == "whl"
