"""The MLflow traces of an evaluation: one per answer, with an assessment by each judge.

A trace has an id of its own, made of what it is about, so that it is logged once however often this
is tried; what a try left undone is found by reading back, and completed. One thread writes: a
SQLite store loses rows to several (docs/mlflow.md has the figures).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genie.mlflow_store import EVALUATION_TAG, MlflowStore
from transforms.errors import TrackingError
from transforms.identity import content_hash

if TYPE_CHECKING:
    from mlflow.entities import Assessment, Span, TraceInfo
    from mlflow.tracing.client import TracingClient

SPAN_NAME = "ask"
_SOURCE = "genie-loop"
_SPANS_TAG = "genie_loop.has_spans"  # where spans are artifacts, whose presence nothing tells
_PREVIEW = 1000  # characters; MLflow keeps no more
_PAGE = 500
_TRIES = 3


@dataclass(frozen=True, slots=True)
class JudgeFeedback:
    """What one judge says of an answer; ``metadata`` holds the ASI of its failures, as texts.

    ``model`` is the model that said it; None: a rule.
    """

    judge: str
    value: str
    rationale: str
    metadata: Mapping[str, str]
    model: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerTrace:
    """One answer: what was asked, what came of it, and what the judges say.

    ``inputs`` and ``outputs`` are JSON values; ``expectations`` are shown beside them, by name.
    ``started_ms`` is milliseconds since 1970, UTC.
    """

    evaluation_id: str
    question_id: str
    attempt: int
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    preview: str
    is_fault: bool
    tags: Mapping[str, str]
    feedback: tuple[JudgeFeedback, ...]
    expectations: Mapping[str, str]
    started_ms: int
    duration_ms: int

    @property
    def trace_id(self) -> str:
        """The id that this answer's trace has in every store."""
        return f"tr-{self._hash('trace')[:32]}"

    @property
    def span_id(self) -> str:
        """Id of its one span."""
        return self._hash("span")[:16]

    def assessment_id(self, name: str) -> str:
        """The id of its assessment of that name."""
        return f"a-{self._hash('assessment', name)[:32]}"

    @property
    def assessment_names(self) -> set[str]:
        """Names of all assessments that the trace carries."""
        return {feedback.judge for feedback in self.feedback} | set(self.expectations)

    def _hash(self, *parts: str) -> str:
        return content_hash(*parts, self.evaluation_id, self.question_id, self.attempt)


@dataclass(frozen=True, slots=True)
class TraceLinks:
    """What the traces of one evaluation hang on; ``model_id`` is None where it is not there."""

    experiment_id: str
    evaluation_id: str
    run_id: str
    model_id: str | None


def log_traces(store: MlflowStore, links: TraceLinks, traces: Sequence[AnswerTrace]) -> int:
    """Log the traces that are missing or incomplete; how many those were.

    Raises TrackingError when some are not in the store after repeated tries.
    """
    from mlflow.tracing.client import TracingClient

    tracing = TracingClient(store.tracking_uri)
    missing = _incomplete(tracing, links, traces, _search(tracing, links))
    left = missing
    for _ in range(_TRIES):
        if not left:
            return len(missing)
        for trace in left:
            tracing.start_trace(_info(links, trace))
        _log_spans(tracing, links, left)
        left = _incomplete(tracing, links, left, _search(tracing, links))
    if left:
        raise TrackingError(
            f"MLflow took {len(left)} of {len(missing)} traces and does not have them",
            where=links.evaluation_id,
            remedy="log what is missing: genie-loop mlflow sync",
        )
    return len(missing)


def _search(tracing: TracingClient, links: TraceLinks) -> dict[str, TraceInfo]:
    """The traces of the evaluation that the store finds."""
    found: dict[str, TraceInfo] = {}
    token: str | None = None
    while True:
        page = tracing.search_traces(
            locations=[links.experiment_id],
            filter_string=f"tags.`{EVALUATION_TAG}` = '{links.evaluation_id}'",
            max_results=_PAGE,
            page_token=token,
            include_spans=False,
        )
        found |= {trace.info.trace_id: trace.info for trace in page}
        token = page.token
        if not token:
            return found


def _incomplete(
    tracing: TracingClient,
    links: TraceLinks,
    traces: Iterable[AnswerTrace],
    found: Mapping[str, TraceInfo],
) -> list[AnswerTrace]:
    return [
        trace
        for trace in traces
        if not _is_complete(tracing, links, trace, found.get(trace.trace_id))
    ]


def _is_complete(
    tracing: TracingClient, links: TraceLinks, trace: AnswerTrace, info: TraceInfo | None
) -> bool:
    from mlflow.tracing.constant import TraceMetadataKey, TraceTagKey

    if info is None:
        return False
    spans_tag = TraceTagKey.SPANS_LOCATION if _keeps_spans(tracing) else _SPANS_TAG
    return (
        info.trace_metadata.get(TraceMetadataKey.SOURCE_RUN) == links.run_id
        and trace.assessment_names <= {assessment.name for assessment in info.assessments}
        and spans_tag in info.tags
    )


def _keeps_spans(tracing: TracingClient) -> bool:
    """Whether the store keeps spans itself; Databricks keeps those of experiments as artifacts."""
    return str(tracing.tracking_uri).partition(":")[0] != "databricks"


def _log_spans(tracing: TracingClient, links: TraceLinks, traces: Sequence[AnswerTrace]) -> None:
    from mlflow.entities import TraceData

    if _keeps_spans(tracing):
        tracing.log_spans(links.experiment_id, [_span(trace) for trace in traces])
        return
    for trace in traces:
        info = tracing.get_trace_info(trace.trace_id)  # it says where its artifacts go
        tracing._upload_trace_data(info, TraceData(spans=[_span(trace)]))
        tracing.set_trace_tag(trace.trace_id, _SPANS_TAG, "true")


def _info(links: TraceLinks, trace: AnswerTrace) -> TraceInfo:
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    from mlflow.tracing.constant import TraceMetadataKey, TraceTagKey

    metadata = {TraceMetadataKey.SOURCE_RUN: links.run_id}
    if links.model_id is not None:
        metadata[TraceMetadataKey.MODEL_ID] = links.model_id
    return TraceInfo(
        trace_id=trace.trace_id,
        trace_location=TraceLocation.from_experiment_id(links.experiment_id),
        request_time=trace.started_ms,
        execution_duration=trace.duration_ms,
        state=TraceState.ERROR if trace.is_fault else TraceState.OK,
        request_preview=str(trace.inputs["question"])[:_PREVIEW],
        response_preview=trace.preview[:_PREVIEW],
        trace_metadata=metadata,
        tags={
            **trace.tags,
            EVALUATION_TAG: trace.evaluation_id,
            TraceTagKey.TRACE_NAME: SPAN_NAME,
        },
        assessments=_assessments(links, trace),
    )


def _assessments(links: TraceLinks, trace: AnswerTrace) -> list[Assessment]:
    from mlflow.entities import AssessmentSource, Expectation, Feedback
    from mlflow.tracing.constant import AssessmentMetadataKey

    of_run = {AssessmentMetadataKey.SOURCE_RUN_ID: links.run_id}
    source = AssessmentSource("CODE", _SOURCE)
    at = trace.started_ms
    made: list[Assessment] = [
        Feedback(name=said.judge, value=said.value, rationale=said.rationale,
                 source=AssessmentSource("LLM_JUDGE", said.model) if said.model else source,
                 metadata={**said.metadata, **of_run}, trace_id=trace.trace_id,
                 create_time_ms=at, last_update_time_ms=at)
        for said in trace.feedback
    ]  # fmt: skip
    made += [
        Expectation(name=name, value=value, source=source, metadata=of_run,
                    trace_id=trace.trace_id, create_time_ms=at, last_update_time_ms=at)
        for name, value in trace.expectations.items()
    ]  # fmt: skip
    for assessment in made:
        assessment.assessment_id = trace.assessment_id(assessment.name)
    return made


def _span(trace: AnswerTrace) -> Span:
    from mlflow.entities import Span, SpanType
    from mlflow.tracing.constant import SpanAttributeKey

    attributes = {
        SpanAttributeKey.REQUEST_ID: trace.trace_id,
        SpanAttributeKey.SPAN_TYPE: SpanType.AGENT,
        SpanAttributeKey.INPUTS: trace.inputs,
        SpanAttributeKey.OUTPUTS: trace.outputs,
    }
    started_ns = trace.started_ms * 1_000_000
    return Span.from_dict(
        {
            "name": SPAN_NAME,
            "trace_id": trace.trace_id,
            "span_id": trace.span_id,
            "parent_span_id": None,
            "start_time_unix_nano": started_ns,
            "end_time_unix_nano": started_ns + trace.duration_ms * 1_000_000,
            "status": {"code": "ERROR" if trace.is_fault else "OK", "message": ""},
            "attributes": {
                key: json.dumps(value, ensure_ascii=False) for key, value in attributes.items()
            },
            "events": [],
        }
    )
