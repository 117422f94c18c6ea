"""What a command gives its jobs of the environment."""

from __future__ import annotations

import pytest

from jobs.cli_session import settling_seconds
from transforms.errors import InvalidInputError

REAL = {"DATABRICKS_HOST": "https://example.org"}
SETTING = "GENIE_LOOP_SETTLING_SECONDS"


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0),
        (REAL, 90),
        ({"DATABRICKS_CONFIG_PROFILE": "work"}, 90),
        ({**REAL, SETTING: ""}, 90),
        ({**REAL, SETTING: "0"}, 0),
        ({**REAL, SETTING: "12.5"}, 12.5),
        ({SETTING: "5"}, 5),
    ],
)
def test_a_real_workspace_is_waited_for_and_the_homes_own_is_not(environ, seconds):
    assert settling_seconds(environ) == seconds


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf"])
def test_what_is_no_number_of_seconds_is_refused(given):
    with pytest.raises(InvalidInputError, match=f"not a number of seconds: '{given}'"):
        settling_seconds({SETTING: given})
