"""What counts as an update of a table."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from jobs.delta_log import BEFORE_ANY_VERSION, Updates, data_id, latest_version, updates_after
from tests.jobs.delta_folders import commit, create
from transforms.errors import ContractDriftError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


def test_a_folder_without_a_log_has_no_version_and_no_update(tmp_path):
    assert latest_version(tmp_path / "nothing") == BEFORE_ANY_VERSION
    assert updates_after(tmp_path / "nothing", BEFORE_ANY_VERSION) == Updates(BEFORE_ANY_VERSION)


def test_creating_a_table_is_no_update(tmp_path):
    create(tmp_path, at=NOON)
    assert updates_after(tmp_path, BEFORE_ANY_VERSION) == Updates(version=0)


@pytest.mark.parametrize("action", ["add", "remove"])
def test_a_commit_that_changes_data_is_an_update_at_its_own_time(tmp_path, action):
    create(tmp_path, at=NOON)
    commit(tmp_path, at=minutes(1), action=action)
    assert updates_after(tmp_path, 0) == Updates(version=1, changed_at=minutes(1))


def test_compacting_files_is_no_update(tmp_path):
    commit(tmp_path, at=NOON)
    commit(tmp_path, at=minutes(1), changes_data=False)
    assert updates_after(tmp_path, 0) == Updates(version=1)
    assert updates_after(tmp_path, BEFORE_ANY_VERSION) == Updates(version=1, changed_at=NOON)


def test_only_commits_after_the_version_count_and_the_newest_change_gives_the_time(tmp_path):
    for minute in range(4):
        commit(tmp_path, at=minutes(minute))
    assert updates_after(tmp_path, 1) == Updates(version=3, changed_at=minutes(3))
    assert updates_after(tmp_path, 3) == Updates(version=3)


def test_commits_that_were_cleaned_up_behind_a_checkpoint_count_as_an_update(tmp_path):
    for minute in range(3):
        commit(tmp_path, at=minutes(minute), changes_data=False)
    log = tmp_path / "_delta_log"
    (log / f"{2:020}.checkpoint.parquet").write_bytes(b"")
    for version in (0, 1):
        (log / f"{version:020}.json").unlink()
    assert updates_after(tmp_path, 1) == Updates(version=2)
    assert updates_after(tmp_path, 0).changed_at is not None


@pytest.mark.parametrize(
    "name",
    [
        f"{7:020}.checkpoint.parquet",
        f"{7:020}.checkpoint.0000000001.0000000002.parquet",
        f"{7:020}.checkpoint.5e0c7a1c-2f0e-4b7e-9d5a-0f0f0f0f0f0f.json",
    ],
    ids=["classic", "multi-part", "v2"],
)
def test_a_table_known_only_by_its_checkpoint_has_that_version(tmp_path, name):
    log = tmp_path / "_delta_log"
    log.mkdir()
    checkpoint = log / name
    checkpoint.write_bytes(b"")
    os.utime(checkpoint, (NOON.timestamp(), NOON.timestamp()))
    assert latest_version(tmp_path) == 7
    assert updates_after(tmp_path, 3) == Updates(version=7, changed_at=NOON)
    assert updates_after(tmp_path, 7) == Updates(version=7)


def test_files_that_are_no_commits_are_passed_over(tmp_path):
    commit(tmp_path, at=NOON)
    log = tmp_path / "_delta_log"
    for name in (
        "_last_checkpoint",
        f".{1:020}.json.crc",
        f"{1:020}.json.tmp",
        f"{1:020}.crc",
        f"{0:020}.{5:020}.compacted.json",
    ):
        (log / name).write_text("{}")
    assert latest_version(tmp_path) == 0


def test_a_table_made_anew_counts_as_updated(tmp_path):
    commit(tmp_path, at=NOON)
    assert updates_after(tmp_path, 40) == Updates(version=0, changed_at=NOON)


def test_an_in_commit_timestamp_goes_before_the_writers_clock(tmp_path):
    log = tmp_path / "_delta_log"
    log.mkdir()
    info = {
        "timestamp": int(minutes(9).timestamp() * 1000),
        "inCommitTimestamp": int(NOON.timestamp() * 1000),
    }
    lines = [{"commitInfo": info}, {"add": {"path": "a", "dataChange": True}}]
    (log / f"{0:020}.json").write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    assert updates_after(tmp_path, BEFORE_ANY_VERSION).changed_at == NOON


def test_a_commit_without_a_time_is_as_old_as_its_file(tmp_path):
    log = tmp_path / "_delta_log"
    log.mkdir()
    path = log / f"{0:020}.json"
    path.write_text('{"add": {"path": "a", "dataChange": true}}')
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert updates_after(tmp_path, BEFORE_ANY_VERSION).changed_at == NOON


@pytest.mark.parametrize("text", ["{", "[]", "not json"], ids=["cut off", "a list", "prose"])
def test_a_log_that_is_not_deltas_is_named_in_the_error(tmp_path, text):
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / f"{0:020}.json").write_text(text)
    with pytest.raises(ContractDriftError, match=f"{0:020}.json"):
        updates_after(tmp_path, BEFORE_ANY_VERSION)


def test_logs_that_delta_writes_are_understood(tmp_path):
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    before = datetime.now(UTC) - timedelta(seconds=5)
    rows = pa.table({"a": [1, 2]})
    for _ in range(2):
        write_deltalake(tmp_path, rows, mode="append")
    found = updates_after(tmp_path, 0)
    assert found.version == 1
    assert found.changed_at is not None
    assert before < found.changed_at < datetime.now(UTC) + timedelta(seconds=5)
    DeltaTable(tmp_path).optimize.compact()
    assert latest_version(tmp_path) == 2
    assert updates_after(tmp_path, 1) == Updates(version=2)
    DeltaTable(tmp_path).delete("a = 1")
    assert updates_after(tmp_path, 2).changed_at is not None


def set_schema(table, name, comment, table_id="t"):
    """One more commit, as ALTER TABLE makes it."""
    version = latest_version(table) + 1
    fields = [{"name": name, "type": "long", "nullable": True, "metadata": {"comment": comment}}]
    schema = json.dumps({"type": "struct", "fields": fields})
    action = {"metaData": {"id": table_id, "schemaString": schema}}
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{version:020}.json").write_text(json.dumps(action) + "\n")


def test_the_data_of_a_table_is_the_same_until_its_rows_or_columns_change(tmp_path):
    assert data_id(tmp_path) is None
    set_schema(tmp_path, "id", "before")
    commit(tmp_path, at=NOON)
    first = data_id(tmp_path)
    set_schema(tmp_path, "id", "after")
    commit(tmp_path, at=minutes(1), changes_data=False)
    assert data_id(tmp_path) == first is not None
    commit(tmp_path, at=minutes(2))
    second = data_id(tmp_path)
    set_schema(tmp_path, "name", "after")
    third = data_id(tmp_path)
    set_schema(tmp_path, "name", "after", table_id="made anew")
    assert len({first, second, third, data_id(tmp_path)}) == 4


def test_the_data_of_a_table_is_not_known_once_its_log_was_cleaned_up(tmp_path):
    set_schema(tmp_path, "id", "comment")
    commit(tmp_path, at=NOON)
    set_schema(tmp_path, "id", "another comment")
    (tmp_path / "_delta_log" / f"{1:020}.json").unlink()
    assert data_id(tmp_path) is None
