"""Which model is asked: none, unless somebody says so."""

from __future__ import annotations

import pytest

from genie.chat_endpoint import WORKSPACE, ChatModel
from jobs.entry_point import JobConfig
from jobs.model_judge import ModelJudgeConfig
from pipelines.opinion_budget import OpinionPolicy
from transforms.errors import InvalidInputError

URL, MODEL, TOKEN = (f"GENIE_LOOP_JUDGE_{name}" for name in ("URL", "MODEL", "TOKEN"))
HERE = {URL: "http://localhost:8000/v1", MODEL: "m"}
DEPLOYED = ["--catalog=c", "--schema=s", "--checkpoints=/Volumes/c/s/v"]


@pytest.mark.parametrize("environ", [{}, {URL: "", MODEL: ""}, {TOKEN: "secret"}])
def test_nothing_said_nobody_asked(environ):
    assert ModelJudgeConfig.from_environment(environ) is None


def test_a_model_its_address_and_its_bounds_come_from_the_environment():
    config = ModelJudgeConfig.from_environment(
        {
            **HERE,
            TOKEN: "secret",
            "GENIE_LOOP_JUDGE_MAX_CALLS": "7",
            "GENIE_LOOP_JUDGE_MAX_TOKENS": "8",
            "GENIE_LOOP_JUDGE_MAX_SECONDS": "9",
            "GENIE_LOOP_JUDGE_MAX_ROWS": "0",
        }
    )
    assert config.model == ChatModel("m", HERE[URL], "secret")
    assert config.policy == OpinionPolicy(7, 8, 9, 0)


def test_a_model_without_an_address_has_said_what_it_has_said():
    assert ModelJudgeConfig.from_environment({MODEL: "m"}).model == ChatModel("m")


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({URL: "https://example.org"}, URL),
        ({**HERE, "GENIE_LOOP_JUDGE_MAX_CALLS": "many"}, "GENIE_LOOP_JUDGE_MAX_CALLS"),
        ({**HERE, "GENIE_LOOP_JUDGE_MAX_ROWS": "-1"}, "GENIE_LOOP_JUDGE_MAX_ROWS"),
        ({MODEL: "m", URL: "example"}, "URL"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_its_name(environ, where):
    with pytest.raises(InvalidInputError, match=where):
        ModelJudgeConfig.from_environment(environ)


def test_a_deployed_job_asks_a_model_only_if_one_is_named():
    assert JobConfig.parse("evaluate", [*DEPLOYED, "--judge_model="]).model_judge is None
    named = JobConfig.parse("evaluate", [*DEPLOYED, "--judge_model=an-endpoint"]).model_judge
    assert named == ModelJudgeConfig(ChatModel("an-endpoint", WORKSPACE))
