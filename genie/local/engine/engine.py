"""The metadata engine: reads a question from every asset that could answer it, takes the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlglot import exp
from sqlglot.errors import SqlglotError

from genie.local.engine.answer import EngineAnswer, TraceEntry
from genie.local.engine.cues import find_cues
from genie.local.engine.dates import DateSpan, find_dates
from genie.local.engine.examples import fitting_example, masked
from genie.local.engine.functions import Call, call_of
from genie.local.engine.joins import join_graph
from genie.local.engine.lessons import taught
from genie.local.engine.lexicon import lexicon_of
from genie.local.engine.linking import Candidate, Part, candidates, is_content, link
from genie.local.engine.model import Field, Source, sources_of
from genie.local.engine.planning import Planned, plan_query
from genie.local.engine.preferring import narrowed, preference_for
from genie.local.engine.rules import Rules, read_rules
from genie.local.engine.terms import standing_filters_of
from genie.local.engine.visible import VisibleSpace
from genie.local.engine.words import Token, tokenise
from transforms.errors import GenieLoopError
from transforms.read_only import parse_query

MAX_QUESTION = 2_000  # characters
MAX_TOKENS = 150
MIN_COVERAGE = 0.6  # of the content words; below it the engine says that it does not know
_TRIED = 3  # assets whose query is worked out
_WRONG_AGGREGATE = 0.8
_LEFT_OVER = 0.4
_AGGREGATES: dict[str, type[exp.Expr]] = {
    "sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max,
}  # fmt: skip


@dataclass(frozen=True)
class _Option:
    """An asset from which the question was read."""

    score: float
    order: tuple[int, str]
    source: Source | None
    parts: tuple[Part, ...]
    call: Call | None
    coverage: float


class MetadataEngine:
    """Translates questions by the metadata alone: no model, no data, no knowledge of a business.

    The same space and question always have the same answer. Equal scores are decided in this order:
    an example before anything else; metric views, then tables, then functions; then the
    identifier. The first question to a space builds its lexicon, which takes some seconds at the
    platform's limits (120 columns of 1,024 values); it is kept for the last few spaces.
    ``today`` is the day that "last month" is relative to; without it such words are
    not understood.
    """

    def __init__(self, *, today: date | None = None) -> None:
        self._today = today

    def answer(self, space: VisibleSpace, question: str) -> EngineAnswer:
        """The answer to a question; see ``Engine``."""
        rules = read_rules(space.instructions)
        asked = tokenise(question[:MAX_QUESTION])
        if len(question) > MAX_QUESTION or len(asked) > MAX_TOKENS:
            return EngineAnswer(text="The question is too long for me to understand.")
        if not any(token.kind in ("word", "quoted") for token in asked):
            return EngineAnswer(text="I do not see a question.")
        space = taught(space)
        lexicon = lexicon_of(space)
        dates = find_dates(asked, rules.fiscal_start_month, self._today)
        found = candidates(asked, dates, lexicon)
        same = fitting_example(
            space.examples,
            masked(asked, dates, found, lexicon),
            lexicon,
            rules.fiscal_start_month,
            self._today,
        )
        if same is not None:
            query, example = same
            trace = (TraceEntry("example", example.question, "asks the same"),)
            answer = _checked(query, trace)
            if answer is not None:
                return answer
        tokens = narrowed(asked, rules)
        if len(tokens) > len(asked):
            dates = find_dates(tokens, rules.fiscal_start_month, self._today)
            found = candidates(tokens, dates, lexicon)
        return self._from_assets(space, rules, tokens, dates, found)

    def _from_assets(
        self,
        space: VisibleSpace,
        rules: Rules,
        tokens: Sequence[Token],
        dates: Sequence[DateSpan],
        found: Sequence[Candidate],
    ) -> EngineAnswer:
        options = _options(space, rules, tokens, dates, found)
        understood = [one for one in options if one.coverage >= MIN_COVERAGE and one.score > 0]
        reason = None
        best: tuple[float, EngineAnswer] | None = None
        for option in understood[:_TRIED]:
            if best is not None and best[0] >= option.score:
                break
            worked = _work_out(space, option, tokens, dates)
            if isinstance(worked, str):
                reason = reason or worked
                continue
            score, answer = worked
            if best is None or score > best[0] + 1e-6:
                best = (score, answer)
        if best is not None:
            return best[1]
        return EngineAnswer(text=_not_understood(tokens, options, reason))


def _options(
    space: VisibleSpace,
    rules: Rules,
    tokens: Sequence[Token],
    dates: Sequence[DateSpan],
    found: Sequence[Candidate],
) -> list[_Option]:
    """Every asset with how much of the question it explains, best first."""
    lexicon, graph = lexicon_of(space), join_graph(space)
    options: list[_Option] = []
    for source in sources_of(space):
        distances = graph.distances(source.identifier)
        parts = link(tokens, found, distances, lexicon)
        preference = preference_for(rules, source.identifier, tokens)
        score = sum(part.score for part in parts) + preference
        if source.is_metric_view:
            score += _metric_view_worth(tokens, parts, dates)
        order = (0 if source.is_metric_view else 1, source.identifier)
        options.append(
            _Option(score, order, source, tuple(parts), None, _coverage(tokens, parts, dates))
        )
    for function in space.functions:
        call = call_of(function, tokens, dates, found)
        if call is not None:
            explained = call.explained
            score = call.score + preference_for(rules, function.identifier, tokens)
            coverage = _share_of(tokens, explained, dates)
            options.append(_Option(score, (2, function.identifier), None, (), call, coverage))
    return sorted(options, key=lambda one: (-round(one.score, 4), one.order))


def _metric_view_worth(
    tokens: Sequence[Token], parts: Sequence[Part], dates: Sequence[DateSpan]
) -> float:
    """What speaks against a metric view: an aggregate that none of its measures is."""
    blocked = {i for span in dates for i in range(span.start, span.end)}
    cues = find_cues(tokens, blocked)
    measures = [p for p in parts if isinstance(p.target, Field) and p.target.is_measure]
    worth = 0.0
    for part in measures:
        assert isinstance(part.target, Field)
        aggregate = part.target.aggregate
        for cue in cues:
            wanted = _AGGREGATES.get(cue.kind)
            is_about = cue.end in range(part.start - 1, part.end + 1) or cue.start == part.start
            if wanted and is_about and aggregate is not None and not isinstance(aggregate, wanted):
                worth -= _WRONG_AGGREGATE
    if not measures:
        worth -= 0.5
    return worth


def _coverage(tokens: Sequence[Token], parts: Sequence[Part], dates: Sequence[DateSpan]) -> float:
    return _share_of(tokens, {i for part in parts for i in range(part.start, part.end)}, dates)


def _share_of(
    tokens: Sequence[Token], explained: set[int] | frozenset[int], dates: Sequence[DateSpan]
) -> float:
    """The share of content words that are explained; a word in front of one counts half.

    Such a word may be a value that nobody listed, which the plan will guess.
    """
    in_dates = {i for span in dates for i in range(span.start, span.end)}
    places = [
        i
        for i, token in enumerate(tokens)
        if is_content(token)
        and i not in in_dates
        and (i in explained or not _is_our_doing(tokens, i))
    ]
    if not places:
        return 1.0 if explained else 0.0
    worth = 0.0
    for place in places:
        if place in explained:
            worth += 1.0
        elif place + 1 in explained or place - 1 in explained:
            worth += 0.5 if len(places) <= 3 else 0.25
    return worth / len(places)


def _is_our_doing(tokens: Sequence[Token], place: int) -> bool:
    """'carry' in 'the books that we carry' says nothing about the books."""
    return place > 0 and tokens[place - 1].lower in ("we", "they", "you", "i")


def _work_out(
    space: VisibleSpace, option: _Option, tokens: Sequence[Token], dates: Sequence[DateSpan]
) -> tuple[float, EngineAnswer] | str:
    """The query over an asset and its final score, or why there is none."""
    if option.call is not None:
        trace = (TraceEntry("asset", option.order[1], "table function"), *option.call.trace)
        answer = _checked(option.call.query, trace)
        return (option.score, answer) if answer else "The function cannot be called safely."
    assert option.source is not None
    planned = plan_query(
        tokens,
        option.parts,
        dates,
        option.source,
        {source.identifier: source for source in sources_of(space)},
        join_graph(space),
        standing_filters_of(space),
    )
    if not isinstance(planned, Planned):
        return planned
    kind = "metric view" if option.source.is_metric_view else "table"
    trace = (TraceEntry("asset", option.source.identifier, kind), *_linked(option), *planned.trace)
    answer = _checked(planned.query, trace)
    if answer is None:
        return "What the metadata says is no query that may be run."
    return option.score - _LEFT_OVER * planned.leftovers, answer


def _linked(option: _Option) -> list[TraceEntry]:
    found = []
    for part in option.parts:
        target = part.target
        name = target if isinstance(target, str) else getattr(target, "name", None)
        name = name or getattr(target, "identifier", None) or getattr(target, "value", "a term")
        found.append(TraceEntry("link", str(name), f"{part.origin}, {part.score:.2f}"))
    return found


def _checked(query: exp.Expr, trace: tuple[TraceEntry, ...]) -> EngineAnswer | None:
    """The query as SQL; None for what is not one read-only query: metadata may be hostile."""
    try:
        sql = query.sql(dialect="spark", normalize_functions=False)
        parse_query(sql)
    except (GenieLoopError, SqlglotError, RecursionError, ValueError):
        return None
    return EngineAnswer(sql=sql, trace=trace)


def _not_understood(tokens: Sequence[Token], options: Sequence[_Option], reason: str | None) -> str:
    if reason:
        return reason
    best = options[0].parts if options else ()
    explained = {i for part in best for i in range(part.start, part.end)}
    words = [
        token.text for i, token in enumerate(tokens) if is_content(token) and i not in explained
    ]
    if not words:
        return "I do not know which table or view this is about."
    return "I do not know what this means here: " + ", ".join(words[:6]) + "."
