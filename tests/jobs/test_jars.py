"""Which Java runs Spark, and where Delta's jars come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.jars import cached_jars, delta_package, find_java
from jobs.session import SessionSettings
from transforms.errors import MissingRuntimeError


def java_that_says(folder: Path, said: str) -> dict[str, str]:
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    program.chmod(0o755)
    return {"JAVA_HOME": str(folder)}


@pytest.mark.parametrize(
    "said",
    ['openjdk version "17.0.15" 2025-04-15', 'java version "21" 2023-09-19 LTS'],
    ids=["17", "21"],
)
def test_a_java_that_spark_runs_on_is_found(tmp_path: Path, said: str):
    assert find_java(java_that_says(tmp_path, said)) == tmp_path / "bin" / "java"


@pytest.mark.parametrize(
    "said",
    ['java version "1.8.0_392"', 'openjdk version "11.0.21" 2023-10-17', "what?", ""],
    ids=["8", "11", "no version", "silence"],
)
def test_another_java_is_refused_with_what_it_says(tmp_path: Path, said: str):
    with pytest.raises(MissingRuntimeError) as raised:
        find_java(java_that_says(tmp_path, said))
    assert (said or "no version") in str(raised.value)
    assert "install Java 17 or newer" in str(raised.value)


def test_a_wrong_java_home_is_named():
    with pytest.raises(MissingRuntimeError, match="JAVA_HOME=/nowhere: no Java found"):
        find_java({"JAVA_HOME": "/nowhere"})


def test_no_java_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingRuntimeError, match=r"(?s)PATH: no Java found.*install Java 17"):
        find_java({})


def test_jars_that_are_cached_are_used_without_a_word(tmp_path: Path, spark: object):
    del spark  # its start has filled the user's cache
    cache = SessionSettings.from_environment({}).cache
    said: list[str] = []
    jars = cached_jars(cache, said.append)
    assert said == []
    names = [jar.name for jar in jars]
    assert any("delta-spark_4.2_2.13-4.4.0" in name for name in names)
    assert not any("hadoop-client" in name for name in names), "Spark brings these along"
    assert delta_package() == "io.delta:delta-spark_4.2_2.13:4.4.0"


@pytest.mark.slow
def test_without_the_network_the_error_says_so_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"-Duser.home={tmp_path}")  # no Ivy cache either
    monkeypatch.setenv("DEFAULT_ARTIFACT_REPOSITORY", "http://127.0.0.1:1/")
    said: list[str] = []
    with pytest.raises(MissingRuntimeError) as raised:
        cached_jars(tmp_path / "cache", said.append)
    assert "Connection refused" in str(raised.value)
    assert "connect to the network once" in str(raised.value)
    assert len(said) == 1
    assert not (tmp_path / "cache").exists()


def test_a_java_that_does_not_start_is_named_with_what_it_said(tmp_path: Path):
    environ = java_that_says(tmp_path, "Picked up JAVA_TOOL_OPTIONS: -XX:+Odd")
    program = tmp_path / "bin" / "java"
    program.write_text(program.read_text() + "echo 'Error: no such option' >&2\nexit 1\n")
    with pytest.raises(MissingRuntimeError, match="Java does not start: Error: no such option"):
        find_java(environ)
