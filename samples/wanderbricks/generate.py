"""Makes the rows of the Wanderbricks sample: the same bytes for the same seed and size.

``python samples/wanderbricks/generate.py FOLDER [--bookings 100000] [--seed N]`` writes a folder
for ``genie-loop load``: ``tables/*.parquet``, ``schema.json`` (put together from
``assets/tables/*.yml``, which stay the only place where comments are kept) and the questions.

Only ``Generator.random`` is drawn from, one stream per table: NumPy keeps the sequence of its bit
generator, and does not promise that of its distributions. For the same reason shares are squared by
multiplication and seasons come from a list of weights: powers and sines differ between processors.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

HERE = Path(__file__).parent
SEED = 20250731
BOOKINGS = 100_000

Ints = NDArray[np.int64]
Shares = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY_S = 86_400


def _day(text: str) -> int:
    """A date as the number of days since 1970."""
    return int(np.datetime64(text, "D").astype(np.int64))


FIRST_DAY = _day("2022-12-08")  # the first booking
TODAY = _day("2025-07-31")  # nothing is known of this day or later, but for stays to come
OLD_APP_UNTIL = _day("2023-07-01")  # the old app spelled 'canceled'
OLD_PROVIDER_UNTIL = _day("2023-10-01")  # the old payment provider named its methods otherwise
UPDATES_KEPT_FROM = _day("2025-03-01")  # older changes of bookings were cleaned up
LONG_FORM_FROM = _day("2024-03-01")  # since then the sign-up form has a list of countries

# How busy the months are, January first, and how busy the years.
SEASONS = (6, 6, 8, 9, 10, 13, 16, 16, 10, 8, 6, 10)
GROWTH = {2023: 1.0, 2024: 1.4, 2025: 1.7}
NIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 21, 28)
NIGHTS_WEIGHTS = (8, 19, 20, 14, 10, 6, 13, 2, 1.5, 2, 3, 0.8, 0.7)


@dataclass(frozen=True)
class Sizes:
    """How many rows there are of everything, by the number of bookings."""

    bookings: int

    @property
    def users(self) -> int:
        return max(self.bookings // 2, 60)

    @property
    def properties(self) -> int:
        return max(self.bookings // 12, 60)

    @property
    def hosts(self) -> int:
        return max(self.bookings // 40, 20)

    @property
    def employees(self) -> int:
        return max(self.bookings // 30, 30)

    @property
    def page_views(self) -> int:
        return self.bookings // 2

    @property
    def events(self) -> int:
        return self.bookings // 4

    @property
    def tickets(self) -> int:
        return max(self.bookings // 25, 40)


class Dice:
    """Draws of one table: a change of one table leaves the others as they were."""

    def __init__(self, seed: int, table: str) -> None:
        self._stream = np.random.Generator(np.random.PCG64([seed, *table.encode()]))

    def share(self, count: int) -> Shares:
        """Numbers in [0, 1)."""
        return self._stream.random(count)

    def chance(self, count: int, share: float | Shares) -> Flags:
        """Whether it happens, with that probability."""
        return np.asarray(self.share(count) < share)

    def below(self, count: int, bound: int | Ints) -> Ints:
        """Whole numbers from 0 to below the bound."""
        return (self.share(count) * bound).astype(np.int64)

    def low_below(self, count: int, bound: int | Ints) -> Ints:
        """Whole numbers from 0 to below the bound; low ones are up to four times as frequent."""
        share = self.share(count)
        return (share * (0.3 + 0.7 * share) * bound).astype(np.int64)

    def weighted(self, count: int, weights: Sequence[float]) -> Ints:
        """Positions in the list of weights."""
        steps = np.cumsum(np.asarray(weights, dtype=np.float64))
        found = np.searchsorted(steps / steps[-1], self.share(count), side="right")
        return np.minimum(found, len(weights) - 1).astype(np.int64)


def _texts(words: Sequence[str], positions: Ints) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(positions))


def _joined(*parts: pa.Array | str | Ints) -> pa.Array:
    """Texts and numbers one behind the other, row by row."""
    columns = [pc.cast(pa.array(p), pa.string()) if isinstance(p, np.ndarray) else p for p in parts]
    return pc.binary_join_element_wise(*columns, "")


def _where(condition: Flags, then: Any, otherwise: Any) -> pa.Array:
    return pc.if_else(pa.array(condition), then, otherwise)


def _nullable(values: Any, is_null: Flags) -> pa.Array:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return pc.if_else(pa.array(is_null), pa.scalar(None, array.type), array)


def _dates(days: Ints, is_null: Flags | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=is_null).cast(pa.date32())


def _stamps(seconds: Ints, is_null: Flags | None = None) -> pa.Array:
    return pa.array(seconds * 1_000_000, mask=is_null).cast(pa.timestamp("us", tz="UTC"))


def _floats(values: Shares) -> pa.Array:
    return pa.array(np.round(values, 2).astype(np.float32))


def _ids(count: int, first: int) -> Ints:
    return np.arange(first, first + count, dtype=np.int64)


def _positions(flags: Flags) -> Ints:
    """Where it is true."""
    return np.nonzero(flags)[0].astype(np.int64)


def _years(days: Ints) -> Ints:
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _months(days: Ints) -> Ints:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12


class Business:
    """Everything that happened; every table is made once, from those it refers to."""

    def __init__(self, bookings: int, seed: int) -> None:
        self._sizes = Sizes(bookings)
        self._seed = seed
        self._words: dict[str, Any] = yaml.safe_load(
            (HERE / "vocabulary.yml").read_text(encoding="utf-8")
        )

    def tables(self) -> dict[str, pa.Table]:
        """Every table by its name; the columns and types are those of the declarations."""
        made = {
            "amenities": self._amenities(),
            "booking_cancellation_scores": self._cancellation_scores(),
            "booking_updates": self._booking_updates(),
            "bookings": self._bookings_table(),
            "clickstream": self._clickstream(),
            "countries": self._countries(),
            "customer_support_logs": self._support_logs(),
            "destinations": self._destinations(),
            "employees": self._employees(),
            "guest_churn_scores": self._churn_scores(),
            "hosts": self._hosts_table,
            "page_views": self._page_views(),
            "payments": self._payments,
            "properties": self._properties_table,
            "property_amenities": self._property_amenities(),
            "property_images": self._property_images(),
            "reviews": self._reviews(),
            "users": self._users_table,
        }
        made["data_quality_daily"] = self._data_quality(made)
        return dict(sorted(made.items()))

    def _dice(self, table: str) -> Dice:
        return Dice(self._seed, table)

    def _names(self, dice: Dice, count: int) -> tuple[pa.Array, pa.Array]:
        """Full names, and the beginnings of their addresses."""
        first = self._any("first_names", dice, count)
        last = self._any("last_names", dice, count)
        local = _joined(pc.utf8_lower(first), ".", pc.utf8_lower(last))
        return _joined(first, " ", last), local

    def _any(self, words: str, dice: Dice, count: int) -> pa.Array:
        """Words of a plain list, all equally likely."""
        known = self._words[words]
        return _texts(known, dice.below(count, len(known)))

    def _column(self, words: str, position: int) -> list[Any]:
        return [row[position] for row in self._words[words]]

    def _country_names(self, dice: Dice, count: int, weight: int) -> pa.Array:
        weights = self._column("countries", weight)
        return _texts(self._column("countries", 0), dice.weighted(count, weights))

    def _amenities(self) -> pa.Table:
        count = len(self._words["amenities"])
        return pa.table(
            {
                "amenity_id": _ids(count, 1),
                "name": self._column("amenities", 0),
                "category": self._column("amenities", 1),
                "icon": self._column("amenities", 2),
            }
        )

    def _countries(self) -> pa.Table:
        keys = ("country", "country_code", "continent")
        return pa.table({key: self._column("countries", i) for i, key in enumerate(keys)})

    def _destinations(self) -> pa.Table:
        names = self._column("destinations", 0)
        states = self._column("destinations", 2)
        # Every fifth was never described.
        described = [
            None if position % 5 == 3 else f"{name} and its surroundings, {state}"
            for position, (name, state) in enumerate(zip(names, states, strict=True))
        ]
        return pa.table(
            {
                "destination_id": _ids(len(names), 1),
                "destination": names,
                "country": self._column("destinations", 1),
                "state_or_province": states,
                "state_or_province_code": self._column("destinations", 3),
                "description": pa.array(described, pa.string()),
            }
        )

    @cached_property
    def _hosts_table(self) -> pa.Table:
        dice, count = self._dice("hosts"), self._sizes.hosts
        ids = _ids(count, 101)
        name, local = self._names(dice, count)
        is_verified = dice.chance(count, 0.71)
        is_active = dice.chance(count, 0.86)
        rating = 5 - 1.9 * dice.share(count) * dice.share(count) - 0.4 * ~is_verified
        return pa.table(
            {
                "host_id": ids,
                "name": name,
                "email": _joined(local, ids, "@hosts.example"),
                "phone": _nullable(
                    _joined("+", 100 + dice.below(count, 899), " 555 ", ids),
                    dice.chance(count, 0.1),
                ),
                "is_verified": is_verified,
                "is_active": is_active,
                "rating": _nullable(
                    np.round(rating, 1).astype(np.float32), dice.chance(count, 0.07)
                ),
                "country": self._country_names(dice, count, 4),
                "joined_at": _dates(_day("2019-03-01") + dice.below(count, 2250)),
            }
        )

    def _employees(self) -> pa.Table:
        dice, count = self._dice("employees"), self._sizes.employees
        ids = _ids(count, 40_001)
        name, local = self._names(dice, count)
        joined = _day("2019-06-01") + dice.below(count, TODAY - _day("2019-06-01"))
        has_left = dice.chance(count, 0.27)
        left = joined + 1 + dice.below(count, TODAY - joined)
        # People who gave notice still work: their last day is known and lies ahead.
        gave_notice = ~has_left & dice.chance(count, 0.05)
        last_day = np.where(gave_notice, TODAY + 5 + dice.below(count, 85), left)
        host = dice.low_below(count, self._sizes.hosts)
        # Most work where their host lives.
        elsewhere = self._country_names(dice, count, 4)
        home = self._hosts_table["country"].combine_chunks().take(pa.array(host))
        return pa.table(
            {
                "employee_id": ids,
                "host_id": 101 + host,
                "name": name,
                "role": _texts(
                    self._column("roles", 0), dice.weighted(count, self._column("roles", 1))
                ),
                "email": _joined(local, ids, "@staff.example"),
                "phone": _nullable(_joined("+1 555 ", ids), dice.chance(count, 0.2)),
                "country": _where(dice.chance(count, 0.12), elsewhere, home),
                "joined_at": _dates(joined),
                "end_service_date": _dates(last_day, ~(has_left | gave_notice)),
                "is_currently_employed": ~has_left,
            }
        )

    @cached_property
    def _user_created(self) -> Ints:
        """Seconds, ascending: ids were given in this order."""
        dice, count = self._dice("users created"), self._sizes.users
        span = (TODAY - _day("2021-05-01")) * DAY_S - 1
        created = _day("2021-05-01") * DAY_S + (dice.share(count) * span).astype(np.int64)
        return np.sort(created)

    @cached_property
    def _is_business(self) -> Flags:
        return self._dice("users business").chance(self._sizes.users, 0.17)

    @cached_property
    def _is_internal(self) -> Flags:
        return self._dice("users internal").chance(self._sizes.users, 0.008)

    @cached_property
    def _users_table(self) -> pa.Table:
        dice, count = self._dice("users"), self._sizes.users
        ids = _ids(count, 500_001)
        name, local = self._names(dice, count)
        created = self._user_created
        country = self._country_names(dice, count, 3)
        # The old form had a free text.
        is_free_text = (created < LONG_FORM_FROM * DAY_S) & dice.chance(count, 0.35)
        for official, typed in (("United States", "USA"), ("United Kingdom", "UK")):
            is_typed = is_free_text & np.asarray(pc.equal(country, official))
            country = _where(is_typed, typed, country)
        is_business, is_internal = self._is_business, self._is_internal
        # What people say they are, and what was checked, are not always the same.
        says_business = np.where(is_business, dice.chance(count, 0.86), dice.chance(count, 0.04))
        domain = _where(is_internal, "@test.wanderbricks.example", "@mail.example")
        user_type = _where(says_business, "business", "individual")
        company = self._any("companies", dice, count)
        return pa.table(
            {
                "user_id": ids,
                "email": _joined(local, ids, domain),
                "name": _where(is_internal, _joined("QA ", name), name),
                "country": _nullable(country, dice.chance(count, 0.03)),
                "user_type": _where(is_internal, "internal", user_type),
                "created_at": _stamps(created),
                "is_business": is_business,
                "company_name": _nullable(company, ~is_business | dice.chance(count, 0.09)),
            }
        )

    @cached_property
    def _property_created(self) -> Ints:
        """Days, ascending."""
        dice, count = self._dice("properties created"), self._sizes.properties
        return np.sort(_day("2020-01-15") + dice.below(count, TODAY - _day("2020-01-15") - 20))

    @cached_property
    def _quality(self) -> Shares:
        """How good a property is, in [0, 1): guests see it, no column says it."""
        return self._dice("quality").share(self._sizes.properties)

    @cached_property
    def _properties_table(self) -> pa.Table:
        dice, count = self._dice("properties"), self._sizes.properties
        ids = _ids(count, 20_001)
        place = dice.weighted(count, self._column("destinations", 4))
        kind = dice.weighted(count, self._column("property_types", 1))
        kinds = self._column("property_types", 0)
        fewest = np.asarray(self._column("property_types", 3), dtype=np.int64)[kind]
        most = np.asarray(self._column("property_types", 4), dtype=np.int64)[kind]
        bedrooms = fewest + dice.below(count, most - fewest + 1)
        place_level = np.asarray(self._column("destinations", 5), dtype=np.float64)[place]
        kind_level = np.asarray(self._column("property_types", 2), dtype=np.float64)[kind]
        price = 62 * place_level * kind_level * (0.7 + 0.25 * bedrooms + 0.8 * self._quality)
        type_name = _texts(kinds, kind)
        title = _joined(
            self._any("adjectives", dice, count),
            " ",
            type_name,
            " in ",
            _texts(self._column("destinations", 0), place),
        )
        # Listings that a partner sends write the kind with a capital.
        is_partner = dice.chance(count, 0.07)
        latitude = -40 + 100 * (place % 17) / 17 + 0.2 * dice.share(count)
        longitude = -120 + 290 * (place % 23) / 23 + 0.2 * dice.share(count)
        return pa.table(
            {
                "property_id": ids,
                "host_id": 101 + dice.low_below(count, self._sizes.hosts),
                "destination_id": 1 + place,
                "title": title,
                "description": _nullable(_joined(title, ". Self check-in."), is_partner),
                "base_price": _floats(price),
                "property_type": _where(is_partner, pc.utf8_capitalize(type_name), type_name),
                "max_guests": (2 + 2 * bedrooms - (bedrooms > 4)).astype(np.int32),
                "bedrooms": _nullable(bedrooms.astype(np.int32), dice.chance(count, 0.02)),
                "bathrooms": (1 + bedrooms // 2).astype(np.int32),
                "property_latitude": latitude.astype(np.float32),
                "property_longitude": longitude.astype(np.float32),
                "created_at": _dates(self._property_created),
            }
        )

    def _property_amenities(self) -> pa.Table:
        dice, count = self._dice("property_amenities"), self._sizes.properties
        having = np.asarray(self._column("amenities", 3))
        has = dice.share(count * len(having)).reshape(count, len(having)) < having
        properties, amenities = np.nonzero(has)
        return pa.table(
            {
                "property_id": 20_001 + properties.astype(np.int64),
                "amenity_id": 1 + amenities.astype(np.int64),
            }
        )

    def _property_images(self) -> pa.Table:
        dice, count = self._dice("property_images"), self._sizes.properties
        pictures = dice.weighted(count, (4, 8, 20, 30, 22, 16))  # some have none
        owner = np.repeat(np.arange(count, dtype=np.int64), pictures)
        sequence = np.arange(len(owner), dtype=np.int64) - np.repeat(
            np.cumsum(pictures) - pictures, pictures
        )
        ids = _ids(len(owner), 900_001)
        uploaded = self._property_created[owner] + dice.below(len(owner), 18)
        return pa.table(
            {
                "image_id": ids,
                "property_id": 20_001 + owner,
                "url": _joined("https://img.wanderbricks.example/", ids, ".jpg"),
                "sequence": (1 + sequence).astype(np.int32),
                "is_primary": sequence == 0,
                "uploaded_at": _dates(uploaded),
            }
        )

    @cached_property
    def _bookings(self) -> Mapping[str, Any]:
        """What every other event refers to, as arrays by name; ordered by time of booking."""
        wanted = self._sizes.bookings
        dice, count = self._dice("bookings"), wanted * 2
        days = np.arange(_day("2022-12-20"), _day("2026-01-01"), dtype=np.int64)
        busy = np.asarray(SEASONS)[_months(days)].astype(np.float64)
        for year, growth in GROWTH.items():
            busy[_years(days) == year] *= growth
        check_in = days[dice.weighted(count, list(busy))]
        reach = np.asarray((4, 27, 60, 150))[dice.weighted(count, (16, 36, 33, 15))]
        at_least = np.where(reach == 4, 0, np.where(reach == 27, 4, np.where(reach == 60, 31, 91)))
        booked_on = check_in - at_least - dice.below(count, reach)
        was_made = (booked_on >= FIRST_DAY) & (booked_on < TODAY)
        was_made &= np.cumsum(was_made) <= wanted
        check_in, booked_on = check_in[was_made], booked_on[was_made]
        order = np.argsort(booked_on, kind="stable")
        check_in, booked_on = check_in[order], booked_on[order]
        count = len(booked_on)
        created = np.sort(booked_on * DAY_S + 6 * 3600 + dice.below(count, 17 * 3600))

        known = np.maximum(np.searchsorted(self._user_created, created), 1)
        user = dice.low_below(count, known)
        is_regular = dice.chance(count, 0.04)  # every four-hundredth guest comes all the time
        user = np.where(is_regular, dice.below(count, np.maximum(known // 400, 1)) * 400, user)
        listed = np.maximum(np.searchsorted(self._property_created, booked_on), 1)
        place = dice.low_below(count, listed)
        nights = np.asarray(NIGHTS, dtype=np.int64)[dice.weighted(count, NIGHTS_WEIGHTS)]
        is_work_trip = self._is_business[user] & dice.chance(count, 0.6)
        nights = np.where(is_work_trip, 1 + dice.below(count, 4), nights)
        room = self._properties_table["max_guests"].to_numpy().astype(np.int64)[place]
        price = self._properties_table["base_price"].to_numpy().astype(np.float64)[place]
        is_high_season = np.isin(_months(check_in), (5, 6, 7, 11))
        amount = price * nights * np.where(is_high_season, 1.2, 1.0)
        lead = check_in - booked_on
        risk = 0.05 + 0.0011 * np.minimum(lead, 180) + 0.05 * (1 - self._quality[place])
        risk -= 0.03 * self._is_business[user]
        is_cancelled = dice.chance(count, risk)
        called_off = created + (dice.share(count) * (check_in * DAY_S - created)).astype(np.int64)
        # Not yet: the cancellation would come after today.
        is_cancelled &= (called_off < TODAY * DAY_S) & (called_off > created)
        is_over = check_in + nights < TODAY
        never_confirmed = dice.chance(count, np.where(is_over, 0.012, 0.13))
        # The nightly job that closes stays misses some.
        never_closed = dice.chance(count, 0.015)
        stage = np.where(never_confirmed, 0, np.where(is_over & ~never_closed, 2, 1))
        return {
            "check_in": check_in,
            "check_out": check_in + nights,
            "created": created,
            "user": user,
            "place": place,
            "guests": 1 + dice.below(count, room),
            "amount": np.round(amount, 2),
            "lead": lead,
            "risk": risk,
            "called_off": called_off,
            "is_cancelled": is_cancelled,
            "was_confirmed": ~never_confirmed,
            "confirmed_at": created + 120 + dice.below(count, 5 * 3600),
            "is_completed": ~is_cancelled & (stage == 2),
            "stage": stage,
            "id": _ids(count, 1_000_001),
        }

    def _status(self) -> pa.Array:
        b = self._bookings
        reached = _texts(("pending", "confirmed", "completed"), b["stage"])
        spelled = _where(b["called_off"] < OLD_APP_UNTIL * DAY_S, "canceled", "cancelled")
        return _where(b["is_cancelled"], spelled, reached)

    @cached_property
    def _last_change(self) -> Ints:
        b = self._bookings
        closed = b["check_out"] * DAY_S + 11 * 3600
        reached = np.choose(b["stage"], (b["created"], b["confirmed_at"], closed))
        return np.asarray(np.where(b["is_cancelled"], b["called_off"], reached))

    def _bookings_table(self) -> pa.Table:
        b = self._bookings
        return pa.table(
            {
                "booking_id": b["id"],
                "user_id": 500_001 + b["user"],
                "property_id": 20_001 + b["place"],
                "check_in": _dates(b["check_in"]),
                "check_out": _dates(b["check_out"]),
                "guests_count": b["guests"].astype(np.int32),
                "total_amount": _floats(b["amount"]),
                "status": self._status(),
                "created_at": _stamps(b["created"]),
                "updated_at": _stamps(self._last_change),
            }
        )

    def _booking_updates(self) -> pa.Table:
        """The last states a booking was in: made, confirmed, changed by the guest, closed."""
        dice, b = self._dice("booking_updates"), self._bookings
        count = len(b["id"])
        was_confirmed = b["was_confirmed"] & (
            ~b["is_cancelled"] | (b["confirmed_at"] < b["called_off"])
        )
        was_changed = was_confirmed & ~b["is_cancelled"] & dice.chance(count, 0.08)
        is_closed = b["is_cancelled"] | b["is_completed"]
        before = np.maximum(b["guests"] + dice.below(count, 3) - 1, 1)
        guests_first = np.where(was_changed, before, b["guests"])
        changed_at = b["confirmed_at"] + 3600 + dice.below(count, 20 * 3600)
        everything = np.arange(count, dtype=np.int64)
        confirmed, changed, closed = map(_positions, (was_confirmed, was_changed, is_closed))
        row = np.concatenate([everything, confirmed, changed, closed])
        updated = np.concatenate(
            [
                b["created"],
                b["confirmed_at"][confirmed],
                changed_at[changed],
                self._last_change[closed],
            ]
        )
        guests = np.concatenate(
            [guests_first, guests_first[confirmed], b["guests"][changed], b["guests"][closed]]
        )
        status = pa.concat_arrays(
            [
                pa.repeat("pending", count),
                pa.repeat("confirmed", len(confirmed)),
                pa.repeat("confirmed", len(changed)),
                self._status().take(pa.array(closed)),
            ]
        )
        order = np.lexsort((row, updated))
        ids = _ids(len(row), 3_000_001)
        is_kept = updated[order] >= UPDATES_KEPT_FROM * DAY_S
        order, ids = order[is_kept], ids[is_kept]
        row = row[order]
        return pa.table(
            {
                "booking_id": b["id"][row],
                "booking_update_id": ids,
                "check_in": _dates(b["check_in"][row]),
                "check_out": _dates(b["check_out"][row]),
                "created_at": _stamps(b["created"][row]),
                "guests_count": guests[order].astype(np.int32),
                "property_id": 20_001 + b["place"][row],
                "status": status.take(pa.array(order)),
                "total_amount": _floats(b["amount"][row]),
                "updated_at": _stamps(updated[order]),
                "user_id": 500_001 + b["user"][row],
            }
        )

    @cached_property
    def _payments(self) -> pa.Table:
        """What was charged: with coupons, in parts, in vain, given back, and sometimes twice."""
        dice, b = self._dice("payments"), self._bookings
        count = len(b["id"])
        was_charged = b["was_confirmed"] & (
            ~b["is_cancelled"] | (b["confirmed_at"] < b["called_off"])
        )
        cents = np.round(b["amount"] * 100).astype(np.int64)
        cents = np.where(dice.chance(count, 0.06), cents * 9 // 10, cents)  # a coupon
        in_parts = was_charged & dice.chance(count, 0.15) & (b["lead"] > 21)
        deposit = np.where(in_parts, cents * 3 // 10, cents)
        second_at = (b["check_in"] - 14) * DAY_S + 9 * 3600
        has_second = in_parts & ((b["called_off"] > second_at) | ~b["is_cancelled"])
        failed_first = was_charged & dice.chance(count, 0.07)
        never_paid = failed_first & dice.chance(count, 0.12)
        charged_twice = was_charged & ~never_paid & dice.chance(count, 0.004)
        # Who cancels early gets the money back.
        is_early = b["called_off"] < (b["check_in"] - 5) * DAY_S
        is_given_back = b["is_cancelled"] & (is_early | dice.chance(count, 0.12))
        method = dice.weighted(count, self._column("payment_methods", 2))
        # A failed card is often followed by another method.
        other = dice.weighted(count, self._column("payment_methods", 2))

        good = was_charged & ~never_paid
        parts = [
            (failed_first, deposit, b["confirmed_at"], "failed", method),
            (good & ~is_given_back, deposit, b["confirmed_at"] + 240, "completed", other),
            (good & is_given_back, deposit, b["confirmed_at"] + 240, "refunded", other),
            (charged_twice, deposit, b["confirmed_at"] + 300, "refunded", other),
            (good & has_second & ~is_given_back, cents - deposit, second_at, "completed", other),
            (good & has_second & is_given_back, cents - deposit, second_at, "refunded", other),
        ]
        row = np.concatenate([_positions(p[0]) for p in parts])
        amount = np.concatenate([p[1][p[0]] for p in parts])
        paid = np.concatenate([p[2][p[0]] for p in parts])
        methods = np.concatenate([p[4][p[0]] for p in parts])
        status = pa.concat_arrays([pa.repeat(p[3], int(p[0].sum())) for p in parts])
        is_due = paid >= TODAY * DAY_S
        status = _where(is_due, "pending", status)
        order = np.lexsort((row, paid))
        row, amount, paid = row[order], amount[order], paid[order]
        is_due, methods = is_due[order], methods[order]
        names = _texts(self._column("payment_methods", 0), methods)
        old_names = _texts(self._column("payment_methods", 1), methods)
        return pa.table(
            {
                "payment_id": _ids(len(row), 7_000_001),
                "booking_id": b["id"][row],
                # As text and back: a decimal without a detour over binary fractions.
                "amount": _joined(amount // 100, ".", _padded(amount % 100)).cast(
                    pa.decimal128(15, 4)
                ),
                "payment_method": _where(paid < OLD_PROVIDER_UNTIL * DAY_S, old_names, names),
                "status": status.take(pa.array(order)),
                "payment_date": _stamps(paid, is_due),
            }
        )

    def _reviews(self) -> pa.Table:
        dice, b = self._dice("reviews"), self._bookings
        written = b["check_out"] * DAY_S + 14 * 3600 + dice.below(len(b["id"]), 21 * DAY_S)
        has_review = b["is_completed"] & dice.chance(len(b["id"]), 0.46) & (written < TODAY * DAY_S)
        row = _positions(has_review)
        row = row[np.argsort(written[row], kind="stable")]
        count = len(row)
        felt = 2.9 + 2.1 * self._quality[b["place"][row]] + 1.4 * (dice.share(count) - 0.5)
        rating = np.clip(np.round(felt * 2) / 2, 1, 5)
        is_deleted = dice.chance(count, 0.06)
        is_spam = is_deleted & dice.chance(count, 0.6)
        rating = np.where(is_spam, 1.0, rating)
        kind_words = self._any("praise", dice, count)
        harsh_words = self._any("grumbles", dice, count)
        spam = self._any("spam", dice, count)
        comment = _where(rating >= 3.5, kind_words, harsh_words)
        comment = _nullable(comment, dice.chance(count, 0.31))
        was_edited = is_deleted | dice.chance(count, 0.05)
        edited = written[row] + 600 + dice.below(count, 9 * DAY_S)
        return pa.table(
            {
                "booking_id": b["id"][row],
                "comment": _where(is_spam, spam, comment),
                "created_at": _stamps(written[row]),
                "is_deleted": is_deleted,
                "property_id": 20_001 + b["place"][row],
                "rating": rating,
                "review_id": _ids(count, 5_000_001),
                "updated_at": _stamps(edited, ~was_edited),
                "user_id": 500_001 + b["user"][row],
            }
        )

    def _visits(self, dice: Dice, count: int) -> tuple[Ints, Ints, pa.Array]:
        """When, to which property and by whom; many visitors are not signed in."""
        span = (TODAY - FIRST_DAY) * DAY_S
        # More visits from year to year: late moments are more frequent.
        at = np.sort(TODAY * DAY_S - 1 - dice.low_below(count, span))
        listed = np.maximum(np.searchsorted(self._property_created, at // DAY_S), 1)
        known = np.maximum(np.searchsorted(self._user_created, at), 1)
        user = 500_001 + dice.low_below(count, known)
        return (
            at,
            20_001 + dice.low_below(count, listed),
            _nullable(user, dice.chance(count, 0.38)),
        )

    def _referrers(self, dice: Dice, count: int) -> pa.Array:
        positions = dice.weighted(count, self._column("referrers", 1))
        names = _texts(self._column("referrers", 0), positions)
        return _nullable(names, np.asarray(pc.equal(names, "")))

    def _devices(self, dice: Dice, count: int) -> pa.Array:
        positions = dice.weighted(count, self._column("devices", 1))
        return _texts(self._column("devices", 0), positions)

    def _clickstream(self) -> pa.Table:
        dice, count = self._dice("clickstream"), self._sizes.events
        at, place, user = self._visits(dice, count)
        event = dice.weighted(count, self._column("events", 1))
        metadata = pa.StructArray.from_arrays(
            [self._devices(dice, count), self._referrers(dice, count)], ["device", "referrer"]
        )
        return pa.table(
            {
                "event": _texts(self._column("events", 0), event),
                "metadata": metadata,
                "property_id": _nullable(place, event == 0),  # a search is of no property
                "timestamp": _stamps(at),
                "user_id": user,
            }
        )

    def _page_views(self) -> pa.Table:
        dice, count = self._dice("page_views"), self._sizes.page_views
        at, place, user = self._visits(dice, count)
        return pa.table(
            {
                "device_type": self._devices(dice, count),
                "page_url": _joined("/stays/", place),
                "property_id": place,
                "referrer": self._referrers(dice, count),
                "timestamp": _stamps(at),
                "user_id": user,
                "view_id": _ids(count, 8_000_001),
            }
        )

    def _support_logs(self) -> pa.Table:
        """Tickets as the help desk exports them: dates are texts, messages are nested."""
        dice, count = self._dice("customer_support_logs"), self._sizes.tickets
        span = (TODAY - FIRST_DAY) * DAY_S - 3 * DAY_S
        opened = np.sort(TODAY * DAY_S - 3 * DAY_S - dice.low_below(count, span))
        known = np.maximum(np.searchsorted(self._user_created, opened), 1)
        lengths = 2 + dice.weighted(count, (30, 10, 24, 6, 14, 3, 8, 5))
        ends = np.cumsum(lengths)
        total = int(ends[-1])
        ticket = np.repeat(np.arange(count, dtype=np.int64), lengths)
        turn = np.arange(total, dtype=np.int64) - np.repeat(ends - lengths, lengths)
        is_guest = turn % 2 == 0
        asked = dice.below(total, len(self._words["complaints"]))
        replied = dice.below(total, len(self._words["replies"]))
        said = opened[ticket] + turn * 1500 + dice.below(total, 1400) * (turn > 0)
        messages = pa.StructArray.from_arrays(
            [
                _where(
                    is_guest,
                    _texts(self._column("complaints", 0), asked),
                    _texts(self._column("replies", 0), replied),
                ),
                _where(is_guest, "customer", "agent"),
                _where(
                    is_guest,
                    _texts(self._column("complaints", 1), asked),
                    _texts(self._column("replies", 1), replied),
                ),
                _iso_texts(said),
            ],
            ["message", "sender", "sentiment", "timestamp"],
        )
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        agent = 1 + dice.low_below(count, 24)
        return pa.table(
            {
                "created_at": _iso_texts(opened),
                "messages": pa.ListArray.from_arrays(pa.array(offsets), messages),
                "support_agent_id": _nullable(
                    _joined("AG-", _padded(agent)), dice.chance(count, 0.04)
                ),
                "ticket_id": _joined("T", _ids(count, 60_001)),
                "user_id": 500_001 + dice.low_below(count, known),
            }
        )

    def _cancellation_scores(self) -> pa.Table:
        """What two versions of the model said of bookings, the day after they were made."""
        dice, b = self._dice("booking_cancellation_scores"), self._bookings
        booked = b["created"] // DAY_S
        of_v2 = _positions((booked >= _day("2024-07-01")) & (booked < _day("2025-04-01")))
        of_v3 = _positions(booked >= _day("2025-01-01"))
        row = np.concatenate([of_v2, of_v3])
        is_new = np.arange(len(row)) >= len(of_v2)
        noise = dice.share(len(row)) - 0.5
        # The old version scored high; the new one follows what happens more closely.
        outcome = b["is_cancelled"][row].astype(np.float64)
        raw = 1.6 * b["risk"][row] + np.where(
            is_new, 0.34 * outcome + 0.3 * noise, 0.2 + 0.15 * outcome + 0.6 * noise
        )
        probability = np.round(np.clip(raw, 0.01, 0.99), 4)
        band = np.searchsorted((0.25, 0.5), probability, side="right").astype(np.int64)
        scored = (booked[row] + 1) * DAY_S + 3 * 3600
        return pa.table(
            {
                "booking_id": b["id"][row],
                "model_version": _where(is_new, "v3", "v2"),
                "scored_at": _stamps(scored),
                "cancellation_probability": probability,
                "risk_band": _texts(("low", "medium", "high"), band),
                "top_factor": self._any("top_factors", dice, len(row)),
            }
        )

    def _churn_scores(self) -> pa.Table:
        """Three monthly snapshots; each scores everybody who had booked by then."""
        dice, b = self._dice("guest_churn_scores"), self._bookings
        parts = []
        for snapshot in ("2025-05-31", "2025-06-30", "2025-07-30"):
            day = _day(snapshot)
            user, position = np.unique(
                b["user"][b["created"] < day * DAY_S][::-1], return_index=True
            )
            booked = (b["created"][b["created"] < day * DAY_S][::-1] // DAY_S)[position]
            quiet = np.minimum((day - booked) / 900, 1.0)
            score = np.round(np.clip(0.85 * quiet + 0.3 * dice.share(len(user)), 0, 1), 4)
            segment = np.searchsorted((0.3, 0.6, 0.85), score, side="right").astype(np.int64)
            parts.append(
                pa.table(
                    {
                        "user_id": 500_001 + user,
                        "scored_on": _dates(np.full(len(user), day)),
                        "churn_score": score,
                        "segment": _texts(("loyal", "cooling", "at_risk", "lost"), segment),
                    }
                )
            )
        return pa.concat_tables(parts).combine_chunks()

    def _data_quality(self, tables: Mapping[str, pa.Table]) -> pa.Table:
        """What the nightly checks found, per table and day of the last half year."""
        dice, days = self._dice("data_quality_daily"), 180
        names = sorted(tables)
        count = days * len(names)
        table = np.tile(np.arange(len(names), dtype=np.int64), days)
        day = np.repeat(np.arange(TODAY - days, TODAY, dtype=np.int64), len(names))
        final = np.asarray([tables[name].num_rows for name in names], dtype=np.int64)[table]
        rows = final - final * (TODAY - 1 - day) // (days * 4)
        new_rows = np.where(day == TODAY - days, 0, rows - np.roll(rows, len(names)))
        hours = np.round((1 + 7 * dice.share(count)) * 4) / 4
        is_late = dice.chance(count, np.where(table % 5 == 1, 0.11, 0.025))
        hours = np.where(is_late, hours + 24 + np.round(dice.share(count) * 160) / 4, hours)
        nulls = np.round(0.03 * dice.share(count) + 0.01 * (table % 4), 4)
        has_gap = dice.chance(count, 0.02)
        nulls = np.where(has_gap, np.round(nulls + 0.1 + 0.2 * dice.share(count), 4), nulls)
        status = np.where(is_late & (hours > 60) | has_gap & (nulls > 0.2), 2, is_late | has_gap)
        late_text = _where(is_late, "late load", pa.scalar(None, pa.string()))
        return pa.table(
            {
                "table_name": _texts(names, table),
                "checked_on": _dates(day),
                "row_count": rows,
                "new_rows": new_rows,
                "null_share": nulls,
                "hours_since_load": hours,
                "status": _texts(("ok", "warn", "fail"), status.astype(np.int64)),
                "note": _where(has_gap, "nulls above limit", late_text),
            }
        )


def _padded(numbers: Ints) -> pa.Array:
    """Numbers as texts of at least two digits."""
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 2, "0")


def _iso_texts(seconds: Ints) -> pa.Array:
    """Moments as the help desk's export writes them: a text with T and Z."""
    return pc.strftime(_stamps(seconds).cast(pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ")


def schema() -> dict[str, Any]:
    """``schema.json``: what the files in ``assets/tables`` declare, in the words of the loader."""
    tables: dict[str, Any] = {}
    for path in sorted((HERE / "assets" / "tables").glob("*.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        tables[declared["table"].rpartition(".")[2]] = {
            "comment": declared.get("comment"),
            "kind": declared["kind"],
            "columns": [
                {
                    "name": column["name"],
                    "spark_type": column["type"],
                    "comment": column.get("comment"),
                    "primary_key": column.get("primary_key", False),
                    "foreign_keys": [column["references"]] if "references" in column else [],
                }
                for column in declared["columns"]
            ],
        }
    space = {"title": "Wanderbricks Bookings & Payments", "domain": "vacation rentals"}
    return {"space": space, "tables": tables}


def write(folder: Path, bookings: int = BOOKINGS, seed: int = SEED) -> None:
    """Write everything that ``genie-loop load`` needs into the folder."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, table in Business(bookings, seed).tables().items():
        pq.write_table(table, folder / "tables" / f"{name}.parquet", compression="zstd")
    text = json.dumps(schema(), indent=1, ensure_ascii=False)
    (folder / "schema.json").write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(HERE / "questions.jsonl", folder / "questions.jsonl")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the rows of the Wanderbricks sample.")
    parser.add_argument("folder", type=Path, help="where tables/, schema.json and questions go")
    parser.add_argument("--bookings", type=int, default=BOOKINGS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    write(options.folder, options.bookings, options.seed)


if __name__ == "__main__":
    main()
