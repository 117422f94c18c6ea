"""Proposers run in Spark's workers, each cluster with what is known of the tables it is about."""

from __future__ import annotations

import json

from tests.transforms.contract_frames import frame
from transforms.contracts import CLUSTERS, PROFILES, VERSIONS
from transforms.drafting import drafts
from transforms.patches import AddInstruction
from transforms.proposal_values import DraftProposal
from transforms.proposing import propose

TABLE = {"name": "shop.orders", "kind": "table"}
VIEW = {"name": "shop.sums", "kind": "metric_view", "definition": "measures: []"}
CHECKS = {"name": "shop.Checks", "kind": "monitoring_table"}
STATE = {"tables": [TABLE, VIEW, CHECKS], "instructions": ["be kind"]}


def profile(table, version, column, **changed):
    return {
        "space_id": "shop",
        "table_name": table,
        "table_version": version,
        "column_name": column,
        "data_type": column and "string",
        "is_primary_key": False,
        "row_count": 10,
        "is_sample_complete": False,
        **changed,
    }


def cluster(name, blame, *, fragments=(), space="shop"):
    return {
        "space_id": space,
        "cluster_id": name,
        "cause": "wrong_column",
        "failure_type": "wrong_column",
        "blame_set": blame,
        "question_ids": ["q1", "q2"],
        "group_ids": ["g1"],
        "impact": 1.5,
        "evidence": {
            "fragments": [
                {"expected": expected, "actual": actual, "group_count": 2}
                for expected, actual in fragments
            ],
            "terms": [{"term": "word", "group_count": 1}],
            "fixes": ["say so"],
        },
        "evidence_hash": f"hash of {name}",
        "last_evaluation_id": "e1",
    }


def drafted(spark, propose, clusters, profiles, states=()):
    made = drafts(
        frame(spark, CLUSTERS, clusters),
        frame(spark, PROFILES, profiles),
        frame(spark, VERSIONS, list(states)),
        propose,
    )
    return {row["cluster_id"]: row for row in made.collect()}


def what_is_known(cluster, facts):
    """Drafts that tell what the proposer was given."""
    told = {
        "rule": cluster.rule,
        "fragments": [(one.expected, one.actual, one.group_count) for one in cluster.fragments],
        "terms": [(one.term, one.group_count) for one in cluster.terms],
        "fixes": cluster.fixes,
        "columns": {name: fact.row_count for name, fact in facts.columns.items()},
        "tables": {name: fact.primary_key for name, fact in facts.tables.items()},
        "config": facts.config,
    }
    patch = AddInstruction(space_id=cluster.space_id, topic="told", text=json.dumps(told))
    yield DraftProposal(
        rule="tell",
        patch=patch,
        before=None,
        summary="tell",
        evidence="as given",
        confidence=0.5,
        risk="low",
    )


def test_a_proposer_is_given_the_newest_facts_of_the_tables_that_are_blamed_or_mentioned(spark):
    def propose(cluster, facts):
        return tuple(what_is_known(cluster, facts))

    rows = drafted(
        spark,
        propose,
        [
            cluster("by column", ["column:shop.Orders.Status"]),
            cluster("by join", ["join:shop.orders.id=shop.items.order_id"]),
            cluster("by table", ["table:shop.items"]),
            cluster("by fragment", ["space:shop"], fragments=[("`shop`.`items`.id = 3", None)]),
            cluster("of nothing known", ["function:shop.top"]),
        ],
        [
            profile("shop.orders", 1, "status", row_count=1),
            profile("shop.orders", 2, "status", row_count=2),
            profile("shop.orders", 2, "id", row_count=2, is_primary_key=True),
            profile("shop.orders", 2, None, row_count=2),
            profile("shop.items", 0, "order_id", row_count=5),
            profile("shop.items", 0, "order_id", row_count=6, space_id="bank"),
        ],
        [{"space_id": "shop", "state": json.dumps(STATE)}],
    )
    told = {name: json.loads(json.loads(row["patch"])["text"]) for name, row in rows.items()}
    of_orders = {"shop.orders.status": 2, "shop.orders.id": 2}
    assert {name: one["columns"] for name, one in told.items()} == {
        "by column": of_orders,
        "by join": of_orders | {"shop.items.order_id": 5},
        "by table": {"shop.items.order_id": 5},
        "by fragment": {"shop.items.order_id": 5},
        "of nothing known": {},
    }
    assert told["by column"]["tables"] == {"shop.orders": ["id"]}
    assert all(
        one["config"]
        == {
            "metric_views": [VIEW],
            "kinds": {"shop.checks": "monitoring_table"},
            "instructions": ["be kind"],
        }
        for one in told.values()
    )
    assert told["by fragment"]["fragments"] == [["`shop`.`items`.id = 3", None, 2]]
    assert told["by column"]["terms"] == [["word", 1]]
    assert told["by column"]["fixes"] == ["say so"]
    row = rows["by column"]
    assert (row["space_id"], row["lever"], row["evaluation_id"]) == ("shop", 6, "e1")
    assert (row["evidence_hash"], row["question_ids"]) == ("hash of by column", ["q1", "q2"])


def test_a_comment_goes_to_the_lever_of_the_kind_that_its_table_is_declared_to_be(spark):
    blamed = {
        "shop.Checks": "column:shop.Checks.status",
        "shop.orders": "column:shop.orders.status",
    }
    values = {"sample_values": ["fail", "ok"], "is_sample_complete": True, "distinct_count": 2}
    profiles = [
        profile(table, 0, column, comment="status", null_count=0, **values)
        for table in blamed
        for column in (None, "status")
    ]
    rows = drafted(
        spark,
        propose,
        [{**cluster(name, [one]), "cause": "filter_missing"} for name, one in blamed.items()],
        profiles,
        [{"space_id": "shop", "state": json.dumps(STATE)}],
    )
    assert {name: (row["lever"], row["patch_type"]) for name, row in rows.items()} == {
        "shop.Checks": (4, "set_monitoring_comment"),
        "shop.orders": (1, "set_column_comment"),
    }
    assert {row["target"] for row in rows.values()} == set(blamed.values())
    assert {(row["before"], row["after"]) for row in rows.values()} == {
        ("status", "status. Values: 'fail', 'ok'.")
    }


def test_a_proposer_without_an_idea_makes_no_rows(spark):
    def propose(cluster, facts):
        return ()

    assert drafted(spark, propose, [cluster("c", ["table:shop.items"])], []) == {}


def test_every_cluster_is_drafted_once_however_many_share_their_tables(spark):
    def propose(cluster, facts):
        return tuple(what_is_known(cluster, facts))

    names = [f"c{number}" for number in range(1_203)]
    rows = drafted(
        spark,
        propose,
        [cluster(name, ["table:shop.items"]) for name in names],
        [profile("shop.items", 0, "order_id")],
    )
    assert rows.keys() == set(names)
    texts = {json.loads(row["patch"])["text"] for row in rows.values()}
    assert len(texts) == 1, "all are given the same facts"
