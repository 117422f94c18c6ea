"""Examples that ask the same with other literals: their SQL is reused with the literals of now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from genie.local.engine.cues import find_cues
from genie.local.engine.dates import DateSpan, find_dates
from genie.local.engine.lexicon import KnownValue, Lexicon
from genie.local.engine.linking import Candidate, candidates, is_content
from genie.local.engine.prose import evidence_stems
from genie.local.engine.visible import VisibleExample
from genie.local.engine.words import Token, tokenise

_WORDLESS = frozenset(("group", "unit"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its literals taken out, in the order of their kinds and places."""

    words: frozenset[str]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    spans: tuple[DateSpan, ...]


def masked(
    tokens: Sequence[Token],
    dates: Sequence[DateSpan],
    found: Sequence[Candidate],
    lexicon: Lexicon,
) -> Asked:
    """The content words of a question, and what it says to do with them, without literals."""
    covered = {i for span in dates for i in range(span.start, span.end)}
    texts: list[str] = []
    for one in sorted(found, key=lambda c: (c.start, -c.end, c.entry is None)):
        places = set(range(one.start, one.end))
        is_value = one.entry is None or isinstance(one.entry.target, KnownValue)
        is_name = one.entry is None and one.origin == "capitalized" and any(
            other.start == one.start and other.end == one.end and other.entry is not None
            and other.entry.kind in ("source", "field") for other in found
        )  # fmt: skip
        if is_value and not is_name and not places & covered:
            covered |= places
            target = one.entry.target if one.entry else None
            texts.append(target.value if isinstance(target, KnownValue) else one.text)
    numbers: list[str] = []
    words: set[str] = set()
    for place, token in enumerate(tokens):
        if place in covered:
            continue
        if token.number is not None:
            numbers.append(token.number)
        elif is_content(token):
            words.add(lexicon.known(token)[0])
    for cue in find_cues(tokens, covered):
        if cue.kind not in _WORDLESS:
            payload = cue.payload.split()[1:] if cue.kind == "top" else [cue.payload]
            words.add(f"<{cue.kind} {' '.join(payload)}>")
    return Asked(frozenset(words), tuple(texts), tuple(numbers), tuple(dates))


def fitting_example(
    examples: Sequence[VisibleExample],
    asked: Asked,
    lexicon: Lexicon,
    fiscal_start: int,
    today: date | None,
) -> tuple[exp.Query, VisibleExample] | None:
    """The first example that asks the same, with its literals replaced.

    Words of the usage guidance may be said or not. An example whose literals do not all turn up in
    its SQL fits only a question with the same literals.
    """
    for example in examples:
        tokens = tokenise(example.question[:2_000])[:150]
        dates = find_dates(tokens, fiscal_start, today)
        own = masked(tokens, dates, candidates(tokens, dates, lexicon), lexicon)
        optional = {*evidence_stems(example.usage_guidance or "")}
        is_same = own.words == asked.words or (
            bool(own.words) and own.words <= asked.words and asked.words - own.words <= optional
        )
        if not is_same or not own.words:
            continue
        query = _adapted(example, own, asked)
        if query is not None:
            return query, example
    return None


def _adapted(example: VisibleExample, own: Asked, asked: Asked) -> exp.Query | None:
    try:
        trees = sqlglot.parse(example.sql[:25_000], dialect="spark")
    except (SqlglotError, RecursionError, IndexError, ValueError):
        return None
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Query):
        return None
    is_alike = (
        len(own.texts) == len(asked.texts)
        and len(own.numbers) == len(asked.numbers)
        and len(own.spans) == len(asked.spans)
    )
    if not is_alike or not _fill_parameters(tree, example, own, asked):
        return None
    pairs: list[tuple[dict[str, str], bool]] = []
    for old, new in zip(own.texts, asked.texts, strict=True):
        pairs.append(({old.lower(): new}, old.lower() != new.lower()))
    for old, new in zip(own.numbers, asked.numbers, strict=True):
        pairs.append(({old: new}, old != new))
    for old_span, new_span in zip(own.spans, asked.spans, strict=True):
        same = (old_span.first, old_span.behind) == (new_span.first, new_span.behind)
        pairs.append((_dates(old_span, new_span), not same))
    literals = list(tree.find_all(exp.Literal))
    changed: set[int] = set()
    for mapping, must_change in pairs:
        hits = [one for one in literals if id(one) not in changed and one.name.lower() in mapping]
        if must_change and not hits and not _is_filled(tree, mapping):
            return None
        for one in hits:
            one.set("this", mapping[one.name.lower()])
            changed.add(id(one))
    return tree


def _is_filled(tree: exp.Query, mapping: dict[str, str]) -> bool:
    """Whether a parameter already brought the new literal in."""
    return any(one.name in mapping.values() for one in tree.find_all(exp.Literal))


def _dates(old: DateSpan, new: DateSpan) -> dict[str, str]:
    mapping: dict[str, str] = {}
    if old.first and new.first:
        mapping[str(old.first.year)] = str(new.first.year)
        mapping[old.first.isoformat()] = new.first.isoformat()
        mapping[old.first.strftime("%Y-%m")] = new.first.strftime("%Y-%m")
    if old.behind and new.behind:
        last, new_last = old.behind - timedelta(days=1), new.behind - timedelta(days=1)
        mapping.setdefault(str(old.behind.year), str(new.behind.year))
        mapping[last.isoformat()] = new_last.isoformat()
        mapping.setdefault(old.behind.isoformat(), new.behind.isoformat())
    return mapping


def _fill_parameters(tree: exp.Query, example: VisibleExample, own: Asked, asked: Asked) -> bool:
    """Puts values in the place of ``:name`` markers: the literal that the default stands for."""
    known = {one.name.lower(): one for one in example.parameters}
    for marker in list(tree.find_all(exp.Placeholder)):
        parameter = known.get(marker.name.lower())
        if parameter is None:
            return False
        value = parameter.default
        for olds, news in ((own.texts, asked.texts), (own.numbers, asked.numbers)):
            for old, new in zip(olds, news, strict=True):
                if value is not None and old.lower() == value.lower():
                    value = new
        if value is None:
            return False
        is_number = parameter.type_hint.upper() in ("INTEGER", "INT", "NUMBER", "DOUBLE", "DECIMAL")
        is_number = is_number and value.replace(".", "", 1).isdigit()
        literal = exp.Literal.number(value) if is_number else exp.Literal.string(value)
        marker.replace(literal)
    return True
