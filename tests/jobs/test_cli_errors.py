"""What a person is told about an error that is none of ours."""

from __future__ import annotations

import pytest

from jobs.cli_errors import UNEXPECTED, tell
from jobs.home import Home

FROM_JAVA = """An error occurred while calling o78.sql.
: org.apache.spark.SparkException: Job aborted due to stage failure
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2)
Caused by: java.io.IOException: No space left on device
\tat java.base/java.io.FileOutputStream.write(FileOutputStream.java:349)
"""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("it broke\nand here is more", "it broke"),
        ("", "no message"),
        (FROM_JAVA, "Caused by: java.io.IOException: No space left on device"),
        (
            FROM_JAVA.split("Caused")[0],
            "org.apache.spark.SparkException: Job aborted due to stage failure",
        ),
    ],
)
def test_an_unexpected_error_is_told_in_one_line_with_its_cause(tmp_path, capsys, message, told):
    assert tell(RuntimeError(message), Home(tmp_path), is_verbose=False) == UNEXPECTED
    log = tmp_path / "logs" / "genie-loop.log"
    assert capsys.readouterr().err == f"Error: RuntimeError: {told} (see {log})\n"
    assert message in log.read_text()
