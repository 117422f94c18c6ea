"""Groups: per, by, each, and units of time."""

from __future__ import annotations

from sqlglot import exp

from genie.local.engine.english import IRREGULAR, UNITS
from genie.local.engine.guessing import date_column
from genie.local.engine.model import Field
from genie.local.engine.plan import Output, Plan
from genie.local.engine.reading import Reading


def add_groups(reading: Reading, plan: Plan) -> None:
    """Turns 'per', 'by' and 'each' into groups, and uses those items up."""
    for place in reading.cue("unit"):
        _group_unit(reading, plan, place, reading.items[place].payload, place)
    for place in reading.cue("group"):
        if _is_agent(reading, place):
            continue
        at = place + 1
        while at < len(reading.items):
            while at < len(reading.items) and reading.items[at].text in ("the", "each", "their"):
                at += 1
            if at >= len(reading.items) or not _group_item(reading, plan, place, at):
                break
            reading.use(place)
            at += 1
            is_listed = at < len(reading.items) and reading.items[at].text in ("and", ",")
            if not is_listed:
                break
            at += 1
            if at < len(reading.items) and reading.items[at].text in ("and", "by", "per"):
                reading.use(at)
                at += 1


def _is_agent(reading: Reading, place: int) -> bool:
    """'covered by members': they do it, nothing is grouped by them; 'by member' does group."""
    before = reading.items[place - 1] if place else None
    if reading.items[place].text != "by" or before is None or place + 1 >= len(reading.items):
        return False
    is_passive = before.text.endswith(("ed", "en")) or before.text in IRREGULAR
    return is_passive and reading.items[place + 1].text.endswith("s")


def _group_item(reading: Reading, plan: Plan, place: int, at: int) -> bool:
    item = reading.items[at]
    if at in reading.used:
        return False
    unit = UNITS.get(item.text)
    if unit and item.field is None:
        _group_unit(reading, plan, at, unit, place)
        return True
    one = item.field
    if item.source is not None:
        one = item.source.name_field or item.source.key_field
    if item.term is not None and item.term.kind == "expression":
        plan.need(*item.term.sources)
        _add_group(plan, item.term.tree.copy(), item.term.alias)
    elif one is not None and not one.is_measure:
        plan.need(one.source)
        _add_group(plan, reading.sql_of(one), None)
    else:
        return False
    reading.use(at)
    reading.note("group", item.text, item.origin)
    return True


def _add_group(plan: Plan, tree: exp.Expr, alias: str | None) -> None:
    plan.groups.append(tree)
    shown = [output.tree for output in plan.outputs if not output.is_measure]
    if tree not in shown:
        plan.outputs.insert(len(shown), Output(tree.copy(), False, alias))


def _group_unit(reading: Reading, plan: Plan, at: int, unit: str, place: int) -> None:
    found = date_column(reading, at)
    if found is None:
        plan.problem = "I know no date to group by."
        return
    one, named_by, why = found
    own = next((f for f in reading.home.fields if _is_unit(f, unit)), None)
    if own is not None:
        reading.use(at, place)
        _add_group(plan, reading.sql_of(own), None)
        reading.note("group", unit.lower(), f"{own.source}.{own.name}")
        return
    reading.use(at, place)
    if named_by is not None:
        reading.use(named_by)
    plan.need(one.source)
    column = reading.sql_of(one)
    if one.is_temporal:
        dated = exp.cast(column, "date") if one.family == "text" else column
        kind = exp.Literal.string(unit)
        column = exp.Anonymous(this="DATE_TRUNC", expressions=[kind, dated])
        if unit == "YEAR":
            column = exp.Year(this=dated)
    _add_group(plan, column, None)
    reading.note("group", unit.lower(), f"{one.source}.{one.name}: {why}")


def _is_unit(one: Field, unit: str) -> bool:
    """Whether a dimension holds the months, years, ... themselves, as its name says."""
    is_named = unit.lower() in one.words and len(one.words) <= 3
    return not one.is_measure and is_named and (one.is_temporal or len(one.words) == 1)
