"""Rows of samples belong together: what they refer to is there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.copy_references import fitted, key_of, references
from transforms.space_state import ColumnState, TableState

HERO = TableState("s.hero", (ColumnState("id", "int", is_primary_key=True),))
POWER = TableState("s.power", (ColumnState("id", "int", is_primary_key=True),))
HAS = TableState(
    "s.has",
    (
        ColumnState("hero_id", "int", references="s.hero.ID"),
        ColumnState("power_id", "int", references="s.power.id"),
    ),
)
SIDEKICK = TableState(
    "s.sidekick",
    (
        ColumnState("id", "int", is_primary_key=True),
        ColumnState("hero_id", "int", references="s.hero.id"),
    ),
)
TABLES = [HERO, POWER, HAS, SIDEKICK]


def rows(**tables):
    empty = dict.fromkeys((table.name for table in TABLES), ())
    return empty | {f"s.{name}": tuple(of) for name, of in tables.items()}


def test_references_are_found_whatever_their_case_and_only_among_the_tables():
    assert [(one.table, one.at, one.to_table, one.to) for one in references([HERO, HAS])] == [
        ("s.has", 0, "s.hero", 0)
    ]


def test_a_table_that_only_relates_others_has_a_key_as_long_as_no_two_are_related_twice():
    assert key_of(HERO, ()) == (0,)
    assert key_of(HAS, ((1, 1), (1, 2))) == (0, 1)
    assert key_of(HAS, ((1, 1), (1, 1))) == ()


def test_a_row_whose_partner_was_left_out_gets_another_one():
    found = fitted(
        rows(hero=[(1,), (2,)], sidekick=[(7, 2), (8, 99), (9, None)]), TABLES, ["s.hero"], {}
    )
    sidekicks = dict(found["s.sidekick"])
    assert sidekicks[7] == 2
    assert sidekicks[8] in (1, 2)
    assert sidekicks[9] is None


def test_what_whole_tables_hold_is_left_as_it_is():
    odd = rows(hero=[(1,)], sidekick=[(7, 99)])
    assert fitted(odd, TABLES, [], {}) == odd


def test_without_any_partner_no_row_is_left():
    found = fitted(rows(sidekick=[(7, 2)], has=[(2, 1)]), TABLES, ["s.hero"], {})
    assert found == rows()


def test_a_key_that_is_looked_for_is_in_the_sample_and_keeps_its_partners():
    sample = rows(hero=[(1,), (2,)], sidekick=[(7, 1), (8, 2)])
    found = fitted(sample, TABLES, ["s.hero"], {"s.hero.id": (38, 2)})
    assert found["s.hero"] == ((38,), (2,))
    assert found["s.sidekick"] == ((7, 38), (8, 2))


@given(
    heroes=st.sets(st.integers(0, 6)),
    powers=st.sets(st.integers(0, 6)),
    has=st.sets(st.tuples(st.integers(0, 9) | st.none(), st.integers(0, 9))),
    wanted=st.lists(st.integers(0, 12), max_size=2),
)
@settings(deadline=None)
def test_in_samples_every_reference_is_there_and_no_key_is_there_twice(heroes, powers, has, wanted):
    sample = rows(hero=[(n,) for n in heroes], power=[(n,) for n in powers], has=has)
    found = fitted(sample, TABLES, ["s.hero", "s.power", "s.has"], {"s.hero.id": wanted})
    partners = {name: {row[0] for row in found[name]} for name in ("s.hero", "s.power")}
    assert {row[0] for row in found["s.has"]} <= partners["s.hero"] | {None}
    assert {row[1] for row in found["s.has"]} <= partners["s.power"]
    assert len(set(found["s.has"])) == len(found["s.has"])
    assert len(partners["s.hero"]) == len(heroes)
