"""Every Delta table of the optimization history, declared once.

DDL, MERGE conditions, the documentation in ``docs/tables.md`` and the fixtures of the tests derive
from these declarations. This module imports neither Spark nor Delta, so that listing commands can
read tables without starting a JVM: types are Spark DDL strings, which ``createDataFrame`` takes as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

ASI_DDL = (
    "STRUCT<failure_type: STRING, severity: STRING, confidence: DOUBLE, wrong_clause: STRING, "
    "blame_set: ARRAY<STRING>, quoted_metadata_text: STRING, missing_metadata: STRING, "
    "ambiguity_detected: BOOLEAN, expected_value: STRING, actual_value: STRING, "
    "counterfactual_fix: STRING, affected_question_pattern: STRING>"
)

POLICIES = ("manual", "auto_low_risk")
SPLITS = ("train", "held_out", "sealed")
REQUEST_KINDS = ("baseline", "repeat", "canary", "final")
LEVERS = (1, 2, 3, 4, 5, 6)
JUDGES = (
    "syntax_validity",
    "schema_accuracy",
    "logical_accuracy",
    "semantic_equivalence",
    "completeness",
    "result_correctness",
    "asset_routing",
    "repeatability",
    "arbiter",
)
# The share of answers that each judge should pass; where results differ, the arbiter has none.
JUDGE_TARGETS = {
    "syntax_validity": 0.98,
    "schema_accuracy": 0.95,
    "logical_accuracy": 0.90,
    "semantic_equivalence": 0.90,
    "completeness": 0.90,
    "result_correctness": 0.85,
    "asset_routing": 0.95,
    "repeatability": 0.90,
}
FAILURE_TYPES = (
    "wrong_table",
    "wrong_column",
    "wrong_join",
    "missing_filter",
    "wrong_aggregation",
    "wrong_measure",
    "missing_instruction",
    "ambiguous_question",
    "asset_routing_error",
    "tvf_parameter_error",
    "compliance_violation",
    "performance_issue",
    "repeatability_issue",
    "missing_synonym",
    "description_mismatch",
    "other",
    "missing_temporal_filter",
    "monitoring_gap",
    "stale_data",
    "data_freshness",
    "ml_feature_missing",
    "model_scoring_error",
    "feature_store_mismatch",
)
ARBITER_VERDICTS = (
    "genie_correct",
    "ground_truth_correct",
    "both_correct",
    "neither_correct",
    "skipped",
)
# How asking ended. Everything but `answered` and `no_sql` is a fault of the platform and is asked
# again by a later request (rule 2); none of them leaves the denominator.
ANSWER_OUTCOMES = ("answered", "no_sql", "timed_out", "failed")
# How the question ended once the answer was executed and compared.
OUTCOMES = (
    "correct",
    "incorrect",
    "no_sql",
    "refused",
    "sql_error",
    "expected_sql_error",
    "not_comparable",
    "infrastructure",
)
CONFIRMATIONS = ("confirmed", "suspect", "unarbitrated", "infrastructure")


@dataclass(frozen=True, slots=True)
class Field:
    """A column: name, Spark DDL type, what it means (with its unit), and whether it may be NULL.

    One that ``is_added`` may be missing in a table that an earlier version made, and is added then.
    """

    name: str
    data_type: str
    comment: str
    is_nullable: bool = True
    is_added: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The contract of one table.

    ``key`` is the natural key: two rows with the same key are the same fact. ``checks`` are named
    CHECK constraints that Delta enforces at every commit, whoever writes; ``former_checks`` are
    what some of them were in an earlier version, which allowed less. ``cluster_by`` is liquid
    clustering; a table that people's tools write without Spark (approvals) has none, because other
    Delta writers refuse clustered tables.
    """

    name: str
    comment: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    checks: dict[str, str] = field(default_factory=dict)
    former_checks: dict[str, str] = field(default_factory=dict)
    cluster_by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in the contract's order: the order of every final ``select``."""
        return tuple(f.name for f in self.fields)

    @property
    def added(self) -> tuple[Field, ...]:
        """The columns that a table made by an earlier version may lack."""
        return tuple(f for f in self.fields if f.is_added)

    @property
    def ddl_schema(self) -> str:
        """The schema as a Spark DDL string, without comments, for ``createDataFrame``."""
        return ", ".join(
            f"{f.name} {f.data_type}{'' if f.is_nullable else ' NOT NULL'}" for f in self.fields
        )


def _one_of(column: str, values: Iterable[object]) -> str:
    listed = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in values)
    return f"{column} IN ({listed})"


def _need(name: str, data_type: str, comment: str) -> Field:
    return Field(name, data_type, comment, is_nullable=False)


def _add(name: str, data_type: str, comment: str) -> Field:
    return Field(name, data_type, comment, is_added=True)


_SPACE = _need("space_id", "STRING", "The space this row is about")
_MODEL = _add(
    "model", "STRING", "Model that said it and version of its prompt; NULL: a rule, or nobody"
)
_RECORDED = _need("recorded_at", "TIMESTAMP", "When this row was committed, UTC")
_SHARE = "{0} IS NULL OR ({0} >= 0 AND {0} <= 1)"

SPACES = Table(
    name="spaces",
    comment="One row per registration of a space; the one with the highest ordinal counts",
    fields=(
        _SPACE,
        _need("registration_id", "STRING", "Hash of everything registered here but the time"),
        _need("ordinal", "INT", "Counts the registrations of one space, from 1"),
        _need("title", "STRING", "What people call the space"),
        _need("domain", "STRING", "Business domain; names the model versions of the space"),
        _need("data_schema", "STRING", "Schema that unqualified tables in SQL refer to"),
        Field("warehouse_id", "STRING", "SQL warehouse that answers; NULL on a laptop"),
        Field("repo_home", "STRING", "Folder of the files that define the space; NULL if none"),
        _need("policy", "STRING", "Approval policy: manual, auto_low_risk"),
        Field("answerer", "STRING", "Where answers come from, as kind:argument; NULL: nowhere yet"),
        Field("answerer_hash", "STRING", "Hash of recorded answers; NULL for a live answerer"),
        _need("comparison_policy", "STRING", "Policy that decides result_correctness"),
        _need("config", "STRING", "Join specs, snippets, instructions of the space, as JSON"),
        _need("target_accuracy", "DOUBLE", "Stop when train and held-out reach this share (0-1)"),
        _need("max_applied_batches", "INT", "Stop after this many applied batches"),
        _RECORDED,
    ),
    key=("registration_id",),
    checks={
        "policy_known": _one_of("policy", POLICIES),
        "target_accuracy_share": _SHARE.format("target_accuracy"),
    },
)

BENCHMARKS = Table(
    name="benchmarks",
    comment="Questions with their expected SQL, one row per version of a question",
    fields=(
        _SPACE,
        _need("question_id", "STRING", "Stable id of the question, unique in its space"),
        _need("benchmark_version", "INT", "1 for the first version, rising by one"),
        _need("benchmark_hash", "STRING", "Hash of question, expected SQL and expected asset"),
        _need("group_id", "STRING", "Questions of one group ask the same: they share a split"),
        _need("question", "STRING", "The question, as a person asks it"),
        _need("expected_sql", "STRING", "A single read-only query whose result is right"),
        Field("expected_asset", "STRING", "Kind of asset that should answer; NULL: not stated"),
        Field("category", "STRING", "Free label, for example the difficulty"),
        _need("split", "STRING", "train, held_out or sealed; frozen once recorded"),
        _need("source", "STRING", "Where the question came from: imported, corrected"),
        _need("status", "STRING", "active or quarantined, as of this version"),
        Field("source_path", "STRING", "File the question was read from"),
        Field("source_line", "INT", "Line in that file, counted from 1"),
        _RECORDED,
    ),
    key=("space_id", "question_id", "benchmark_version"),
    checks={
        "split_known": _one_of("split", SPLITS),
        "source_known": _one_of("source", ("imported", "corrected")),
        "status_known": _one_of("status", ("active", "quarantined")),
        "version_positive": "benchmark_version >= 1",
    },
    cluster_by=("space_id",),
)

EVALUATION_REQUESTS = Table(
    name="evaluation_requests",
    comment="Asks for an evaluation; a new row starts the evaluate job",
    fields=(
        _SPACE,
        _need("request_id", "STRING", "Hash of space, kind and ordinal (or application)"),
        _need("kind", "STRING", "baseline, repeat, canary or final"),
        _need("ordinal", "INT", "Counts the requests of one kind for one space; rises, from 1"),
        Field("application_id", "STRING", "The application whose effect is to be measured"),
        _need("splits", "ARRAY<STRING>", "Splits whose questions are asked"),
        _need("requested_by", "STRING", "Person or job that asked"),
        _RECORDED,
    ),
    key=("request_id",),
    checks={"kind_known": _one_of("kind", REQUEST_KINDS)},
)

EVALUATIONS = Table(
    name="evaluations",
    comment="Finished evaluations; committed last, so that everything it counts is already there",
    fields=(
        _SPACE,
        _need("evaluation_id", "STRING", "Hash of the request or application it answers"),
        _need("request_id", "STRING", "The request or application it answers"),
        Field("application_id", "STRING", "The application it measures; NULL for a baseline"),
        Field("batch_id", "STRING", "The batch that was applied before it"),
        Field("cycle", "INT", "Walk over levers 1-6 it belongs to, from 1"),
        _need("iteration", "INT", "0 for the baseline, then rising by one in a space"),
        _need("kind", "STRING", "baseline, repeat, canary or final; application: of a new batch"),
        _need("answerer", "STRING", "Where the answers came from"),
        _need("state_hash", "STRING", "Hash of the metadata that was evaluated"),
        _need("benchmark_set_hash", "STRING", "Hash of the benchmark versions asked"),
        _need("judge_version", "STRING", "Version of the judge code and its thresholds"),
        _need("comparison_policy", "STRING", "Policy that decided result_correctness"),
        _need("model_id", "STRING", "MLflow LoggedModel of the evaluated state"),
        _need("mlflow_run_id", "STRING", "MLflow run with metrics and the three artifacts"),
        _need("data_versions", "MAP<STRING, BIGINT>", "Delta version of each table evaluated"),
        _need("question_count", "INT", "Questions asked: the denominator of accuracy"),
        _need("correct_count", "INT", "Questions whose result was right"),
        Field("accuracy", "DOUBLE", "correct_count / question_count; NULL when nothing was asked"),
        _need("outcome_counts", "MAP<STRING, INT>", "Questions by outcome; sums to the questions"),
        _need("arbiter_counts", "MAP<STRING, INT>", "Arbiter verdicts by value"),
        _need("failure_count", "INT", "Rows of this evaluation in failures"),
        _need(
            "splits",
            "ARRAY<STRUCT<split: STRING, question_count: INT, correct_count: INT, "
            "accuracy: DOUBLE>>",
            "The same counts per split, side by side",
        ),
        _need("started_at", "TIMESTAMP", "When asking began, UTC"),
        _need("finished_at", "TIMESTAMP", "When judging ended, UTC"),
        _RECORDED,
    ),
    key=("evaluation_id",),
    checks={
        "accuracy_share": _SHARE.format("accuracy"),
        "correct_within_questions": "correct_count >= 0 AND correct_count <= question_count",
        "kind_known": _one_of("kind", (*REQUEST_KINDS, "application")),
        "has_a_version": "length(model_id) > 0 AND length(state_hash) > 0",
    },
    cluster_by=("space_id",),
)

VERSIONS = Table(
    name="versions",
    comment="The states of each space that were evaluated; as a version each is in MLflow too",
    fields=(
        _SPACE,
        _need("state_hash", "STRING", "Hash of the state"),
        _need("state", "STRING", "The whole state as JSON: tables, functions, configuration"),
        _RECORDED,
    ),
    key=("space_id", "state_hash"),
    cluster_by=("space_id",),
)

EVAL_RESULTS = Table(
    name="eval_results",
    comment=(
        "One row per question asked. The answer is committed first; the columns from outcome on "
        "are filled exactly once, after the answer was read back and executed"
    ),
    fields=(
        _SPACE,
        _need("evaluation_id", "STRING", "The evaluation that asked"),
        _need("question_id", "STRING", "The question"),
        _need("attempt", "INT", "1 unless the question is asked again, for repeatability"),
        _need("benchmark_version", "INT", "Version of the benchmark that was asked"),
        _need("group_id", "STRING", "Group of the question"),
        _need("split", "STRING", "Split of the question"),
        _need("question", "STRING", "The question as asked"),
        _need("expected_sql", "STRING", "Expected SQL of that benchmark version"),
        Field("expected_asset", "STRING", "Kind of asset that should answer; NULL: not stated"),
        Field("genie_sql", "STRING", "SQL the answerer produced; NULL: none"),
        Field("answer_text", "STRING", "Prose of the answer, when there was any"),
        _need("answer_outcome", "STRING", "How asking ended"),
        Field("answer_error", "STRING", "Why asking failed"),
        Field("latency_ms", "BIGINT", "From asking to the answer, in milliseconds"),
        _need("ask_count", "INT", "How often the question was sent, retries included"),
        Field("conversation_id", "STRING", "Conversation at the answerer"),
        Field("message_id", "STRING", "Message at the answerer"),
        Field("outcome", "STRING", "How the question ended; NULL until the answer was executed"),
        Field("match_step", "STRING", "Step of the comparison ladder that decided"),
        Field("is_correct", "BOOLEAN", "Whether the result is right under the space's policy"),
        Field("expected_row_count", "BIGINT", "Rows of the expected result"),
        Field("genie_row_count", "BIGINT", "Rows of the produced result"),
        Field("expected_result_hash", "STRING", "Hash of the expected result, order left out"),
        Field("genie_result_hash", "STRING", "Hash of the produced result, order left out"),
        Field("execution_error", "STRING", "Why a query could not be executed, or was refused"),
        _add(
            "is_coincidental",
            "BOOLEAN",
            "Whether a right result is right by luck: perturbed copies of the tables tell the "
            "queries apart; NULL: not checked",
        ),
        _add("coincidence_detail", "STRING", "What the check found, or why it could not check"),
        _RECORDED,
    ),
    key=("evaluation_id", "question_id", "attempt"),
    checks={
        "split_known": _one_of("split", SPLITS),
        "answer_outcome_known": _one_of("answer_outcome", ANSWER_OUTCOMES),
        "outcome_known": f"outcome IS NULL OR {_one_of('outcome', OUTCOMES)}",
        "correct_has_a_match": "is_correct IS NULL OR NOT is_correct OR match_step IS NOT NULL",
    },
    cluster_by=("evaluation_id",),
)

REJUDGED_RESULTS = Table(
    name="rejudged_results",
    comment=(
        "Stored answers judged again, so that evaluations are compared on one set of benchmarks "
        "and by one version of the judges; the space was not asked again"
    ),
    fields=(
        _SPACE,
        _need("evaluation_id", "STRING", "The evaluation that asked"),
        _need("question_id", "STRING", "The question"),
        _need("attempt", "INT", "Attempt of the question"),
        _need("benchmark_hash", "STRING", "What it was judged on: question, SQL and asset"),
        _need("judge_version", "STRING", "Version of the judges that judged now"),
        _need("comparison_policy", "STRING", "Policy that decided result_correctness now"),
        Field("benchmark_version", "INT", "Version of that benchmark; NULL: of another space"),
        _need("benchmark_set_hash", "STRING", "The set of benchmarks it was judged for"),
        _need("group_id", "STRING", "Group of the question"),
        _need("split", "STRING", "Split of the question"),
        _need("expected_sql", "STRING", "Expected SQL of that benchmark"),
        Field("expected_asset", "STRING", "Kind of asset that should answer; NULL: not stated"),
        _need("outcome", "STRING", "How the question ends"),
        Field("match_step", "STRING", "Step of the comparison ladder that decided"),
        Field("is_correct", "BOOLEAN", "Whether the result is right"),
        _need("verdicts", "MAP<STRING, STRING>", "What each judge says: yes, no, skipped, or who"),
        _RECORDED,
    ),
    key=(
        "evaluation_id",
        "question_id",
        "attempt",
        "benchmark_hash",
        "judge_version",
        "comparison_policy",
    ),
    checks={
        "split_known": _one_of("split", SPLITS),
        "outcome_known": _one_of("outcome", OUTCOMES),
        "correct_has_a_match": "is_correct IS NULL OR NOT is_correct OR match_step IS NOT NULL",
    },
    cluster_by=("evaluation_id",),
)

JUDGE_VERDICTS = Table(
    name="judge_verdicts",
    comment="One row per judge and answer",
    fields=(
        _SPACE,
        _need("verdict_id", "STRING", "Hash of the key"),
        _need("evaluation_id", "STRING", "The evaluation"),
        _need("question_id", "STRING", "The question"),
        _need("attempt", "INT", "Attempt of the question"),
        _need("split", "STRING", "Split of the question"),
        _need("judge", "STRING", "The judge"),
        _need("value", "STRING", "yes, no or skipped; for the arbiter its verdict"),
        Field("confidence", "DOUBLE", "Confidence of the rule that decided (0-1); NULL: skipped"),
        _need("rationale", "STRING", "Why, in words a person can check"),
        _MODEL,
        _RECORDED,
    ),
    key=("evaluation_id", "question_id", "attempt", "judge"),
    checks={
        "judge_known": _one_of("judge", JUDGES),
        "value_known": _one_of("value", ("yes", "no", *ARBITER_VERDICTS)),
        "confidence_share": _SHARE.format("confidence"),
    },
    former_checks={
        "judge_known": _one_of(
            "judge",
            (
                "syntax_validity",
                "schema_accuracy",
                "logical_accuracy",
                "asset_routing",
                "result_correctness",
                "arbiter",
            ),
        ),
    },
    cluster_by=("evaluation_id",),
)

FAILURES = Table(
    name="failures",
    comment="What was wrong, one row per verdict that says no and thing that explains it",
    fields=(
        _SPACE,
        _need("failure_id", "STRING", "Hash of the key"),
        _need("verdict_id", "STRING", "The verdict this explains"),
        _need("ordinal", "INT", "Counts the failures of one verdict, from 1"),
        _need("evaluation_id", "STRING", "The evaluation"),
        _need("question_id", "STRING", "The question"),
        _need("attempt", "INT", "Attempt of the question"),
        _need("group_id", "STRING", "Group of the question"),
        _need("split", "STRING", "Split of the question; only train is clustered"),
        _need("judge", "STRING", "The judge that said no"),
        _need("rule", "STRING", "Rule that found it; fixes cause, type and confidence"),
        _need("question", "STRING", "The question as asked"),
        _need("expected_sql", "STRING", "Expected SQL"),
        Field("genie_sql", "STRING", "SQL the answerer produced; NULL: none"),
        _need("asi", ASI_DDL, "Actionable side information, 12 fields"),
        Field("expected_fragment", "STRING", "Canonical SQL of what was expected, smallest part"),
        Field("actual_fragment", "STRING", "Canonical SQL of what stood there instead"),
        _need(
            "unexplained_terms",
            "ARRAY<STRING>",
            "Words of the question that no metadata of the blamed objects explains",
        ),
        _need("confirmation", "STRING", "confirmed, suspect, unarbitrated or infrastructure"),
        _RECORDED,
    ),
    key=("verdict_id", "ordinal"),
    checks={
        "failure_type_known": _one_of("asi.failure_type", FAILURE_TYPES),
        "severity_known": _one_of("asi.severity", ("critical", "major", "minor")),
        "confidence_share": "asi.confidence >= 0 AND asi.confidence <= 1",
        "names_a_blame": "size(asi.blame_set) > 0",
        "confirmation_known": _one_of("confirmation", CONFIRMATIONS),
    },
    cluster_by=("evaluation_id",),
)

ARBITER_VERDICTS_TABLE = Table(
    name="arbiter_verdicts",
    comment="Who is right where the results differ",
    fields=(
        _SPACE,
        _need("evaluation_id", "STRING", "The evaluation"),
        _need("question_id", "STRING", "The question"),
        _need("attempt", "INT", "Attempt of the question"),
        _need("split", "STRING", "Split of the question"),
        _need("question", "STRING", "The question as asked"),
        _need("expected_sql", "STRING", "Expected SQL"),
        _need("genie_sql", "STRING", "SQL the answerer produced"),
        _need("verdict", "STRING", "The verdict"),
        Field("confidence", "DOUBLE", "Confidence of the rule that decided (0-1); NULL: skipped"),
        _need("rule", "STRING", "Rule that decided, or why none did"),
        _need("evidence", "STRING", "The evidence, in words a person can check"),
        _need("action", "STRING", "What follows: cluster, correct, review, none"),
        _MODEL,
        _RECORDED,
    ),
    key=("evaluation_id", "question_id", "attempt"),
    checks={
        "verdict_known": _one_of("verdict", ARBITER_VERDICTS),
        "action_known": _one_of("action", ("cluster", "correct", "review", "none")),
        "confidence_share": _SHARE.format("confidence"),
    },
    cluster_by=("evaluation_id",),
)

REPEATED_QUESTIONS = Table(
    name="repeated_questions",
    comment=(
        "One row per question whose answer was not the first one that a live space gave to it in "
        "one state: how many askings gave the same, in this evaluation and in those before it"
    ),
    fields=(
        _SPACE,
        _need("evaluation_id", "STRING", "The evaluation that asked last"),
        _need("question_id", "STRING", "The question"),
        _need("split", "STRING", "Split of the question"),
        _need("question", "STRING", "The question as asked"),
        _need("answerer", "STRING", "Where the answers came from"),
        _need("state_hash", "STRING", "Hash of the metadata that was asked each time"),
        _need("asked_count", "INT", "Askings that the platform answered, in all evaluations"),
        _need(
            "answers",
            "ARRAY<STRUCT<asked_count: INT, genie_sql: STRING, result_hash: STRING>>",
            "The different answers, the dominant one first: how often, canonical SQL, result",
        ),
        _need("result_share", "DOUBLE", "Share of the dominant answer (0-1), by result, then SQL"),
        _need("sql_count", "INT", "Different canonical SQL"),
        _need("sql_share", "DOUBLE", "Share of the most frequent canonical SQL (0-1)"),
        _need("is_unstable", "BOOLEAN", "Whether result_share is below 0.9"),
        _RECORDED,
    ),
    key=("evaluation_id", "question_id"),
    checks={
        "split_known": _one_of("split", SPLITS),
        "asked_again": "asked_count >= 2",
        "result_share_is_share": "result_share > 0 AND result_share <= 1",
        "sql_share_is_share": "sql_share > 0 AND sql_share <= 1",
    },
    cluster_by=("evaluation_id",),
)

CLUSTERS = Table(
    name="clusters",
    comment="What goes wrong in a space for one cause, over all evaluations",
    fields=(
        _SPACE,
        _need("cluster_id", "STRING", "Hash of space, cause and canonical blame"),
        _need("cause", "STRING", "The rule that found the failures"),
        _need("failure_type", "STRING", "Type of the failures"),
        _need("blame", "STRING", "Canonical blame: sorted objects, joined by ' + '"),
        _need("blame_set", "ARRAY<STRING>", "The blamed objects"),
        _need("lever", "INT", "Lever that the blamed objects point to (1-6)"),
        _need("question_ids", "ARRAY<STRING>", "Train questions seen with it, sorted"),
        _need("group_ids", "ARRAY<STRING>", "Their groups, sorted"),
        _need("question_count", "INT", "Size of question_ids"),
        _need("evaluation_count", "INT", "Evaluations it was seen in"),
        _need("failure_count", "BIGINT", "Failures, all evaluations"),
        _need("impact", "DOUBLE", "Questions in the last evaluation times mean confidence"),
        _need("first_evaluation_id", "STRING", "Evaluation it was first seen in"),
        _need("last_evaluation_id", "STRING", "Evaluation it was last seen in"),
        _need("first_seen_at", "TIMESTAMP", "Start of that first evaluation, UTC"),
        _need("last_seen_at", "TIMESTAMP", "Start of that last evaluation, UTC"),
        _need(
            "evidence",
            "STRUCT<fragments: ARRAY<STRUCT<expected: STRING, actual: STRING, group_count: INT>>, "
            "terms: ARRAY<STRUCT<term: STRING, group_count: INT>>, "
            "fixes: ARRAY<STRING>>",
            "What its last evaluation shows: most frequent fragments, words and fixes",
        ),
        _need("evidence_hash", "STRING", "Hash of cause, blame, groups and evidence"),
        _need("updated_by", "STRING", "Stream batch that wrote this row last: exactly once"),
        _RECORDED,
    ),
    key=("cluster_id",),
    checks={
        "lever_known": _one_of("lever", LEVERS),
        "failure_type_known": _one_of("failure_type", FAILURE_TYPES),
        "has_questions": "question_count > 0",
    },
    cluster_by=("space_id",),
)

CLUSTER_MEMBERS = Table(
    name="cluster_members",
    comment="Which failure belongs to which cluster",
    fields=(
        _SPACE,
        _need("cluster_id", "STRING", "The cluster"),
        _need("failure_id", "STRING", "The failure"),
        _need("evaluation_id", "STRING", "The failure's evaluation"),
        _need("question_id", "STRING", "The failure's question"),
        _RECORDED,
    ),
    key=("failure_id", "cluster_id"),
    cluster_by=("cluster_id",),
)

PROPOSALS = Table(
    name="proposals",
    comment="Changes to metadata that a cluster's evidence asks for",
    fields=(
        _SPACE,
        _need("proposal_id", "STRING", "Hash of space, patch and evidence_hash"),
        Field("cluster_id", "STRING", "The cluster it is to resolve; NULL for a correction"),
        _need("evaluation_id", "STRING", "The evaluation whose evidence it rests on"),
        _need("lever", "INT", "Lever of the patch (1-6); 0 for a correction"),
        _need("patch_type", "STRING", "One of the closed set of patch types"),
        _need("patch", "STRING", "The patch, as JSON of that type"),
        _need("target", "STRING", "Object it changes, canonical"),
        _need("target_field", "STRING", "What of the object it changes"),
        Field("before", "STRING", "What stands there now; NULL: nothing"),
        _need("after", "STRING", "What would stand there"),
        _need("summary", "STRING", "The change in one sentence"),
        _need("evidence", "STRING", "Why, in words a person can check"),
        _need("evidence_hash", "STRING", "Hash of the cluster's evidence"),
        _need("question_ids", "ARRAY<STRING>", "Train questions it is to fix"),
        _need("questions_at_risk", "INT", "Train questions now right that touch the target"),
        _need("impact", "DOUBLE", "Impact of the cluster"),
        _need("confidence", "DOUBLE", "Confidence fixed per proposal rule (0-1)"),
        _need("risk", "STRING", "low, medium or high"),
        Field("repo_path", "STRING", "File that defines the target; NULL without a repo home"),
        _RECORDED,
    ),
    key=("proposal_id",),
    checks={
        "lever_known": (
            f"{_one_of('lever', LEVERS)} OR (lever = 0 AND "
            f"{_one_of('patch_type', ('correct_benchmark', 'quarantine_benchmark'))})"
        ),
        "has_a_cluster": "cluster_id IS NOT NULL OR lever = 0",
        "risk_known": _one_of("risk", ("low", "medium", "high")),
        "confidence_share": "confidence >= 0 AND confidence <= 1",
    },
    former_checks={
        "lever_known": (
            f"{_one_of('lever', LEVERS)} OR (lever = 0 AND patch_type = 'correct_benchmark')"
        ),
    },
    cluster_by=("space_id",),
)

BATCHES = Table(
    name="batches",
    comment="Proposals of one lever that are approved, applied and gated together",
    fields=(
        _SPACE,
        _need("batch_id", "STRING", "Hash of space, cycle, lever and content"),
        _need("kind", "STRING", "lever, correction or bisect"),
        _need("cycle", "INT", "Walk over levers 1-6, from 1"),
        _need("lever", "INT", "Lever of all its patches; 0 for corrections"),
        Field("parent_batch_id", "STRING", "Batch that this one bisects"),
        _need("content_hash", "STRING", "Hash of the patches in order: what an approval covers"),
        _need("proposal_ids", "ARRAY<STRING>", "The proposals, in order of application"),
        _need("question_ids", "ARRAY<STRING>", "Train questions it is to fix"),
        _need("targets", "ARRAY<STRING>", "Objects it changes: one batch in flight for each"),
        _need("risk", "STRING", "Highest risk of its proposals"),
        Field("waiting_for", "STRING", "Batch in flight when it was formed, that goes before it"),
        Field("waiting_reason", "STRING", "Why it waits"),
        _RECORDED,
    ),
    key=("batch_id",),
    checks={
        "kind_known": _one_of("kind", ("lever", "correction", "bisect")),
        "one_lever": "lever BETWEEN 1 AND 6 OR (lever = 0 AND kind = 'correction')",
        "has_proposals": "size(proposal_ids) > 0",
        "risk_known": _one_of("risk", ("low", "medium", "high")),
    },
)

LEVER_AUDIT = Table(
    name="lever_audit",
    comment="What was tried with each lever in each cycle, and why not",
    fields=(
        _SPACE,
        _need("cycle", "INT", "Walk over levers 1-6, from 1"),
        _need("lever", "INT", "Lever (1-6)"),
        _need("is_attempted", "BOOLEAN", "Whether a batch of this lever was formed"),
        _need("proposals_generated", "INT", "Proposals for this lever"),
        _need("proposals_applied", "INT", "Proposals of this lever that were applied"),
        Field("skip_reason", "STRING", "Why nothing was tried, or what it waits for"),
        _need("is_final", "BOOLEAN", "Whether the lever is closed in this cycle"),
        _need("evaluation_id", "STRING", "Evaluation the row rests on"),
        _RECORDED,
    ),
    key=("space_id", "cycle", "lever"),
    checks={
        "lever_known": _one_of("lever", LEVERS),
        "attempted_or_reason": "is_attempted OR length(skip_reason) > 0",
        "applied_within_generated": (
            "proposals_applied >= 0 AND proposals_applied <= proposals_generated"
        ),
    },
)

BENCHMARK_CORRECTIONS = Table(
    name="benchmark_corrections",
    comment="Benchmarks whose expected SQL the arbiter found wrong, and what it should be",
    fields=(
        _SPACE,
        _need("correction_id", "STRING", "Hash of the key"),
        _need("question_id", "STRING", "The question"),
        _need("question", "STRING", "The question as asked"),
        _need("old_gt", "STRING", "Expected SQL as it is"),
        _need("genie_sql", "STRING", "Proposed expected SQL"),
        _need("evidence", "STRING", "Why, from the arbiter"),
        _need("times_seen", "INT", "Evaluations that said so"),
        _need("evaluation_ids", "ARRAY<STRING>", "Those evaluations, sorted"),
        _RECORDED,
    ),
    key=("space_id", "question_id", "genie_sql"),
    checks={"seen_once": "times_seen >= 1"},
)

APPROVALS = Table(
    name="approvals",
    comment="Decisions on batches, by people or a named policy",
    fields=(
        _SPACE,
        _need("decision_id", "STRING", "Hash of batch, content, decision and who decided"),
        _need("batch_id", "STRING", "The batch"),
        _need("content_hash", "STRING", "What was approved: the batch's content hash"),
        _need("decision", "STRING", "approved, declined, or rolled_back: to be undone again"),
        _need("decided_by", "STRING", "Person, or policy:<name>"),
        Field("reason", "STRING", "Why"),
        _RECORDED,
    ),
    key=("decision_id",),
    checks={
        "decision_known": _one_of("decision", ("approved", "declined", "rolled_back")),
        "someone_decided": "length(decided_by) > 0",
    },
)

APPLICATION_INTENTS = Table(
    name="application_intents",
    comment="What is about to be changed, recorded before anything is touched",
    fields=(
        _SPACE,
        _need("intent_id", "STRING", "Hash of the key"),
        _need("batch_id", "STRING", "The batch"),
        _need("proposal_id", "STRING", "The proposal whose patch it is"),
        _need("direction", "STRING", "apply or undo"),
        _need("position", "INT", "Order of the patches of a batch in this direction, from 1"),
        _need("target", "STRING", "Object to be changed, canonical"),
        _need("pre_hash", "STRING", "Hash of the object before"),
        _need("post_hash", "STRING", "Hash of the object after"),
        _need("inverse", "STRING", "Patch that restores the object exactly, as JSON"),
        _RECORDED,
    ),
    key=("batch_id", "proposal_id", "direction"),
    checks={"direction_known": _one_of("direction", ("apply", "undo"))},
)

APPLICATIONS = Table(
    name="applications",
    comment="Batches that were applied or undone, read back and verified",
    fields=(
        _SPACE,
        _need("application_id", "STRING", "Hash of batch and direction"),
        _need("batch_id", "STRING", "The batch"),
        _need("direction", "STRING", "apply or undo"),
        _need("state_hash", "STRING", "Hash of the space's state afterwards"),
        Field("repo_commit", "STRING", "Commit in the repo home, or the diff"),
        Field("proposal_ids", "ARRAY<STRING>", "Proposals that were applied"),
        _need("verified_at", "TIMESTAMP", "When the state was read back, UTC"),
        _RECORDED,
    ),
    key=("batch_id", "direction"),
    checks={"direction_known": _one_of("direction", ("apply", "undo"))},
)

GATE_DECISIONS = Table(
    name="gate_decisions",
    comment="Whether an applied batch made the space better",
    fields=(
        _SPACE,
        _need("gate_decision_id", "STRING", "Hash of the key"),
        _need("batch_id", "STRING", "The batch"),
        _need("number", "INT", "Counts the decisions on one batch, from 1"),
        _need("evaluation_ids", "ARRAY<STRING>", "Evaluations after the batch was applied"),
        Field("baseline_evaluation_id", "STRING", "Last accepted evaluation, compared with"),
        _need("decision", "STRING", "accepted, rejected or undecided"),
        _need("train_net", "INT", "Train questions gained minus lost"),
        _need("held_out_net", "INT", "Held-out questions gained minus lost"),
        Field("statistics", "STRING", "The numbers the decision rests on, as JSON"),
        _need("rationale", "STRING", "Why, in one sentence"),
        Field("stop_reason", "STRING", "target, plateau or maximum when the loop ends here"),
        _RECORDED,
    ),
    key=("batch_id", "number"),
    checks={
        "decision_known": _one_of("decision", ("accepted", "rejected", "undecided")),
        "stop_reason_known": (
            "stop_reason IS NULL OR " + _one_of("stop_reason", ("target", "plateau", "maximum"))
        ),
    },
)

PROFILES = Table(
    name="profiles",
    comment="What is known of a column at one version of its table; a NULL column is the table",
    fields=(
        _SPACE,
        _need("profile_id", "STRING", "Hash of the key"),
        _need("table_name", "STRING", "schema.table"),
        _need("table_version", "BIGINT", "Delta version of the table"),
        Field("column_name", "STRING", "Column; NULL: the table itself"),
        Field("data_type", "STRING", "Spark type of the column"),
        Field("comment", "STRING", "Comment of the column or table"),
        _need("is_primary_key", "BOOLEAN", "Whether the column is part of the primary key"),
        Field("references_column", "STRING", "schema.table.column that a foreign key names"),
        _need("row_count", "BIGINT", "Rows of the table"),
        Field("distinct_count", "BIGINT", "Distinct values that are not NULL"),
        Field("null_count", "BIGINT", "Rows where the column is NULL"),
        Field("min_value", "STRING", "Smallest value, as text"),
        Field("max_value", "STRING", "Largest value, as text"),
        Field("sample_values", "ARRAY<STRING>", "Most frequent values, at most 200, as text"),
        _need("is_sample_complete", "BOOLEAN", "Whether sample_values holds every value"),
        Field("value_format", "STRING", "Pattern that most values follow, as a regular expression"),
        _RECORDED,
    ),
    key=("space_id", "table_name", "table_version", "column_name"),
    checks={"counts_positive": "row_count >= 0"},
    cluster_by=("space_id",),
)

PROPOSAL_EFFECTS = Table(
    name="proposal_effects",
    comment="What became of the questions a proposal was to fix",
    fields=(
        _SPACE,
        _need("proposal_id", "STRING", "The proposal"),
        _need("evaluation_id", "STRING", "The evaluation after it was applied"),
        _need("fixed", "ARRAY<STRING>", "Questions wrong before and right now"),
        _need("broken", "ARRAY<STRING>", "Questions right before and wrong now"),
        _need("unchanged", "ARRAY<STRING>", "Questions it was to fix that are as before"),
        _RECORDED,
    ),
    key=("proposal_id", "evaluation_id"),
)

LEAK_REFUSALS = Table(
    name="leak_refusals",
    comment="Proposals that reproduce a benchmark, and were refused; never the benchmark's text",
    fields=(
        _SPACE,
        _need("proposal_id", "STRING", "The refused proposal"),
        _need("fingerprint", "STRING", "Fingerprint of what it reproduces"),
        _need("split", "STRING", "Split of the benchmark it reproduces"),
        _need("overlap_kind", "STRING", "question_text, sql_text or sql_tree"),
        _need("overlap", "DOUBLE", "Share of overlap (0-1), or tokens in a row"),
        _RECORDED,
    ),
    key=("proposal_id", "fingerprint"),
    checks={
        "split_known": _one_of("split", SPLITS),
        "kind_known": _one_of("overlap_kind", ("question_text", "sql_text", "sql_tree")),
    },
)

QUARANTINE = Table(
    name="quarantine",
    comment="Rows that could not be taken in, whole, with the reason",
    fields=(
        _SPACE,
        _need("quarantine_id", "STRING", "Hash of the key"),
        _need("intended_table", "STRING", "Where the row was going"),
        _need("source_path", "STRING", "File the row came from"),
        Field("source_line", "BIGINT", "Line or row in that file, counted from 1"),
        _need("raw_row", "STRING", "The row as it was, as JSON or text"),
        _need("reason", "STRING", "What was wrong and what to do"),
        _RECORDED,
    ),
    key=("intended_table", "source_path", "source_line", "raw_row"),
)

TABLES: tuple[Table, ...] = (
    SPACES,
    BENCHMARKS,
    EVALUATION_REQUESTS,
    EVALUATIONS,
    VERSIONS,
    EVAL_RESULTS,
    REJUDGED_RESULTS,
    JUDGE_VERDICTS,
    FAILURES,
    ARBITER_VERDICTS_TABLE,
    REPEATED_QUESTIONS,
    CLUSTERS,
    CLUSTER_MEMBERS,
    PROPOSALS,
    BATCHES,
    LEVER_AUDIT,
    BENCHMARK_CORRECTIONS,
    APPROVALS,
    APPLICATION_INTENTS,
    APPLICATIONS,
    GATE_DECISIONS,
    PROFILES,
    PROPOSAL_EFFECTS,
    LEAK_REFUSALS,
    QUARANTINE,
)
BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
