"""The leakage firewall (rule 9): which proposals reproduce a benchmark, of whatever split.

A text reproduces a question or its expected SQL when it shares a run of eight tokens with it, or
holds all of a shorter one; it reproduces a question also when it has most of its rare phrases of
three words, so that one swapped word does not help. A whole statement reproduces expected SQL when
the masked trees are alike, whatever the names and literals. A run of SQL tokens that two or more
train groups of a space share is a fragment and may be proposed; the whole of a statement never.

Everything is joined as hashes: no text of a benchmark is in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from transforms.contracts import LEAK_REFUSALS
from transforms.embedded_sql import statements_in
from transforms.fingerprints import (
    SHINGLE_TOKENS,
    masked_subtree_hashes,
    shingle_hashes,
    tokens,
)
from transforms.identity import content_hash
from transforms.patches import parse_patch

REFUSAL_COLUMNS = tuple(name for name in LEAK_REFUSALS.columns if name != "recorded_at")
MIN_TREE_SIMILARITY = 0.9
SHARED_GROUPS = 2  # train groups that make a run of SQL tokens a fragment of nobody's

PHRASE_TOKENS = 3
MIN_PHRASE_SHARE = 0.6  # of a question's rare phrases
MIN_PHRASES = 5  # rare phrases that a question needs before their share says something
COMMON_PHRASE = 50  # questions; a phrase of more than these is how people ask, not what they ask

# A text of fewer tokens is reproduced only by a text that is the same.
_SHORTEST_RUN = 4
_MOST_PAIRED = 12  # fields of one patch; more than that are a list of synonyms


def leaks(proposals: DataFrame, benchmarks: DataFrame, *, has_statements: bool) -> DataFrame:
    """Refusals of the proposals that reproduce a benchmark: ``REFUSAL_COLUMNS``.

    ``proposals`` have ``space_id``, ``proposal_id``, ``patch`` and ``data_schema``; ``benchmarks``
    are rows of that contract with ``data_schema``: all versions, of all spaces over the schema,
    because all of them see a change in the catalog. One row per proposal and fingerprint.
    ``has_statements``: whether any patch may hold a whole statement; only then is all expected SQL
    parsed.
    """
    found = _text_leaks(proposals, benchmarks)
    if has_statements:
        found = found.unionByName(_statement_leaks(proposals, benchmarks))
    return (
        found.groupBy("space_id", "proposal_id", "fingerprint")
        .agg(
            F.min("split").alias("split"),
            F.max_by("overlap_kind", F.struct("overlap", "overlap_kind")).alias("overlap_kind"),
            F.max("overlap").alias("overlap"),
        )
        .select(*REFUSAL_COLUMNS)
    )


def _text_leaks(proposals: DataFrame, benchmarks: DataFrame) -> DataFrame:
    texts = proposals.select("space_id", "proposal_id", "data_schema", "patch").mapInArrow(
        _text_probes, _PROBE_DDL
    )
    marks = benchmarks.select(*_BENCHMARK).mapInArrow(_text_marks, _MARK_DDL)
    return _run_leaks(texts, marks).unionByName(_phrase_leaks(texts, marks))


def _statement_leaks(proposals: DataFrame, benchmarks: DataFrame) -> DataFrame:
    """Proposals with a whole statement whose tree is like that of expected SQL."""
    trees = proposals.select("space_id", "proposal_id", "data_schema", "patch").mapInArrow(
        _tree_probes, _TREE_PROBE_DDL
    )
    # Spaces over the same data hold the same benchmarks.
    marks = benchmarks.select(*_BENCHMARK).mapInArrow(_tree_marks, _TREE_MARK_DDL).distinct()
    common = (
        trees.join(marks, ["data_schema", "hash"], "inner")
        .groupBy(
            "space_id", "proposal_id", "statement", "total", "fingerprint", "split", "mark_total"
        )
        .agg(F.sum(F.least("count", "mark_count")).alias("common"))
    )
    similarity = 2 * F.col("common") / (F.col("total") + F.col("mark_total"))
    return (
        common.withColumn("overlap", similarity)
        .where(F.col("overlap") >= MIN_TREE_SIMILARITY)
        .withColumn("overlap_kind", F.lit("sql_tree"))
        .select(*_FOUND)
    )


def _run_leaks(probes: DataFrame, marks: DataFrame) -> DataFrame:
    """Shared runs of tokens: of a question any; of SQL one that is no shared fragment, or all."""
    runs = marks.where("kind <> 'phrase'")
    is_train_sql = (F.col("kind") == "sql_text") & (F.col("split") == "train")
    fragments = (
        runs.where(is_train_sql)
        .groupBy("data_schema", "space_of_mark", "hash")
        .agg(F.count_distinct("group_id").alias("group_count"))
        .where(F.col("group_count") >= SHARED_GROUPS)
        .select("data_schema", "hash", F.lit(True).alias("is_fragment"))
        .distinct()
    )
    hits = (
        probes.where("kind = 'run'")
        .drop("kind")
        .join(
            runs.select("data_schema", "hash", "kind", "fingerprint", "split", "total").distinct(),
            ["data_schema", "hash"],
            "inner",
        )
        .join(fragments, ["data_schema", "hash"], "left")
    )
    is_own = (F.col("kind") == "question_text") | F.col("is_fragment").isNull()
    return (
        hits.groupBy("space_id", "proposal_id", "kind", "fingerprint", "split", "total")
        .agg(F.count_distinct("hash").alias("found"), F.max(is_own).alias("has_own"))
        .where(F.col("has_own") | (F.col("found") == F.col("total")))
        .withColumn("overlap", F.col("found") / F.col("total"))
        .withColumnRenamed("kind", "overlap_kind")
        .select(*_FOUND)
    )


def _phrase_leaks(probes: DataFrame, marks: DataFrame) -> DataFrame:
    """Questions most of whose rare phrases stand in one proposal."""
    phrases = (
        marks.where("kind = 'phrase'")
        .select("data_schema", "hash", "fingerprint", "split")
        .distinct()
    )
    of_phrase = Window.partitionBy("data_schema", "hash")
    of_question = Window.partitionBy("data_schema", "fingerprint")
    rare = (
        phrases.withColumn("questions", F.count("*").over(of_phrase))
        .where(F.col("questions") <= COMMON_PHRASE)
        .withColumn("total", F.count("*").over(of_question))
        .where(F.col("total") >= MIN_PHRASES)
    )
    return (
        probes.where("kind = 'phrase'")
        .drop("kind")
        .join(rare, ["data_schema", "hash"], "inner")
        .groupBy("space_id", "proposal_id", "fingerprint", "split", "total")
        .agg(F.count_distinct("hash").alias("found"))
        .withColumn("overlap", F.col("found") / F.col("total"))
        .where(F.col("overlap") >= MIN_PHRASE_SHARE)
        .withColumn("overlap_kind", F.lit("question_text"))
        .select(*_FOUND)
    )


_FOUND = ("space_id", "proposal_id", "fingerprint", "split", "overlap_kind", "overlap")
_BENCHMARK = ("space_id", "data_schema", "group_id", "split", "question", "expected_sql")
_PROBE_DDL = "space_id STRING, proposal_id STRING, data_schema STRING, kind STRING, hash STRING"
_PROBES = pa.schema(
    [(n, pa.string()) for n in ("space_id", "proposal_id", "data_schema", "kind", "hash")]
)
_MARK_DDL = (
    "data_schema STRING, space_of_mark STRING, group_id STRING, split STRING, kind STRING, "
    "fingerprint STRING, total INT, hash STRING"
)
_MARKS = pa.schema(
    [
        *((n, pa.string()) for n in ("data_schema", "space_of_mark", "group_id", "split")),
        ("kind", pa.string()),
        ("fingerprint", pa.string()),
        ("total", pa.int32()),
        ("hash", pa.string()),
    ]
)
_TREE_PROBE_DDL = (
    "space_id STRING, proposal_id STRING, data_schema STRING, statement INT, total INT, "
    "hash STRING, count INT"
)
_TREE_PROBES = pa.schema(
    [
        *((n, pa.string()) for n in ("space_id", "proposal_id", "data_schema")),
        ("statement", pa.int32()),
        ("total", pa.int32()),
        ("hash", pa.string()),
        ("count", pa.int32()),
    ]
)
_TREE_MARK_DDL = (
    "data_schema STRING, split STRING, fingerprint STRING, mark_total INT, hash STRING, "
    "mark_count INT"
)
_TREE_MARKS = pa.schema(
    [
        *((n, pa.string()) for n in ("data_schema", "split", "fingerprint")),
        ("mark_total", pa.int32()),
        ("hash", pa.string()),
        ("mark_count", pa.int32()),
    ]
)


def texts_of(patch_text: str) -> tuple[str, ...]:
    """Everything a patch would write: field by field, and every two fields one after the other.

    What is cut in two and spread over fields is whole again in one of these.
    """
    patch = parse_patch(patch_text)
    fields = [*patch.texts, *patch.sql_texts]
    few = fields[:_MOST_PAIRED]
    pairs = (" ".join(pair) for pair in permutations(few, 2))
    return tuple(dict.fromkeys([*fields, *pairs, " ".join(fields)]))


def run_hashes(texts: Iterable[str]) -> frozenset[str]:
    """Hashes of the runs by which a text may reproduce a question or SQL: of 4 to 8 tokens."""
    found: set[str] = set()
    for text in texts:
        for size in range(_SHORTEST_RUN, SHINGLE_TOKENS + 1):
            found |= shingle_hashes(text, size)
    return frozenset(found)


def _text_probes(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for raw in batch.to_pylist():
            texts = texts_of(raw["patch"])
            phrases = frozenset[str]().union(*(shingle_hashes(t, PHRASE_TOKENS) for t in texts))
            place = {name: raw[name] for name in ("space_id", "proposal_id", "data_schema")}
            rows += [{**place, "kind": "run", "hash": one} for one in sorted(run_hashes(texts))]
            rows += [{**place, "kind": "phrase", "hash": one} for one in sorted(phrases)]
        yield pa.RecordBatch.from_pylist(rows, schema=_PROBES)


def _text_marks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for raw in batch.to_pylist():
            question, sql = raw["question"], raw["expected_sql"]
            for kind, text, hashes in (
                ("question_text", question, shingle_hashes(question)),
                ("sql_text", sql, shingle_hashes(sql)),
                ("phrase", question, shingle_hashes(question, PHRASE_TOKENS)),
            ):
                mark = {
                    "data_schema": raw["data_schema"],
                    "space_of_mark": raw["space_id"],
                    "group_id": raw["group_id"],
                    "split": raw["split"],
                    "kind": kind,
                    "fingerprint": _fingerprint(text, is_sql=kind == "sql_text"),
                    "total": len(hashes),
                }
                rows += [{**mark, "hash": one} for one in sorted(hashes)]
        yield pa.RecordBatch.from_pylist(rows, schema=_MARKS)


def _tree_probes(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for raw in batch.to_pylist():
            place = {name: raw[name] for name in ("space_id", "proposal_id", "data_schema")}
            texts = texts_of(raw["patch"])
            statements = dict.fromkeys(s for text in texts for s in statements_in(text))
            for position, statement in enumerate(statements):
                parts = masked_subtree_hashes(statement)
                rows += [
                    {
                        **place,
                        "statement": position,
                        "total": parts.total(),
                        "hash": one,
                        "count": count,
                    }
                    for one, count in sorted(parts.items())
                ]
        yield pa.RecordBatch.from_pylist(rows, schema=_TREE_PROBES)


def _tree_marks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = []
        for raw in batch.to_pylist():
            parts = masked_subtree_hashes(raw["expected_sql"])
            mark = {
                "data_schema": raw["data_schema"],
                "split": raw["split"],
                "fingerprint": _fingerprint(raw["expected_sql"], is_sql=True),
                "mark_total": parts.total(),
            }
            rows += [
                {**mark, "hash": one, "mark_count": count} for one, count in sorted(parts.items())
            ]
        yield pa.RecordBatch.from_pylist(rows, schema=_TREE_MARKS)


def _fingerprint(text: str, *, is_sql: bool) -> str:
    """Names a benchmark's question or SQL without showing it."""
    return content_hash("sql" if is_sql else "question", tokens(text))[:32]
