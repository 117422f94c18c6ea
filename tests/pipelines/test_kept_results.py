"""Results that are kept from one evaluation to the next."""

from __future__ import annotations

import os

from pipelines.kept_results import KeptResults
from transforms.judgement import Execution

ROWS = Execution("ok", ("n",), ("int",), ((1,), (None,)))


def test_what_was_kept_is_found_by_whoever_opens_the_folder(tmp_path):
    assert KeptResults(tmp_path).find("a") is None
    KeptResults(tmp_path).keep("a", ROWS)
    assert KeptResults(tmp_path).find("a") == ROWS
    assert KeptResults(tmp_path).find("b") is None


def test_failures_and_large_results_are_not_kept(tmp_path):
    kept = KeptResults(tmp_path)
    kept.keep("failed", Execution("timed_out", error="no result within 60 s"))
    kept.keep("large", Execution("ok", ("t",), ("string",), (("x" * 4_000_000,),)))
    assert kept.find("failed") is None
    assert kept.find("large") is None


def test_a_torn_file_is_a_result_to_compute_again(tmp_path):
    kept = KeptResults(tmp_path)
    kept.keep("a", ROWS)
    [path] = tmp_path.glob("*/*.json")
    path.write_text(path.read_text()[:-5])
    assert kept.find("a") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    kept = KeptResults(tmp_path, max_files=2)
    kept.forget_oldest()  # there is no folder yet
    for age, key in enumerate("abc"):
        kept.keep(key, ROWS)
        [path] = tmp_path.glob(f"*/{key}.json")
        os.utime(path, (1_000 + age, 1_000 + age))
    assert kept.find("a") == ROWS
    kept.forget_oldest()
    assert [key for key in "abc" if kept.find(key)] == ["a", "c"]
