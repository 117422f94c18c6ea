"""Writes the tables of the bike-share sample: the same bytes for the same seed, on any machine.

Run it with ``python samples/bike_share/generate.py [FOLDER]``; without a folder it writes
``tables/`` beside this file. Only ``random.Random.random`` is used: it is the one method whose
sequence Python keeps stable from version to version.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

SEED = 20240311
RIDER_COUNT = 600
BIKE_COUNT = 220
TRIP_COUNT = 3000
REPAIR_COUNT = 420
FIRST_DAY = date(2023, 1, 1)
DAY_COUNT = 731  # two years, 2023 and 2024

Cell = str | int | float | None
Row = tuple[Cell, ...]
Item = TypeVar("Item")

DISTRICTS = ("Downtown", "Harbour", "Old Town", "University", "Northside", "Airport")
STATIONS = {
    "Downtown": (
        "Central Station", "City Hall", "Market Square", "Opera", "Post Office", "Kings Gate",
        "Library", "Court House", "Exchange", "Main Street",
    ),
    "Harbour": (
        "Ferry Pier", "Fish Market", "Lighthouse", "Warehouse 7", "Customs House", "Dock Road",
        "Crane Yard",
    ),
    "Old Town": (
        "Castle Hill", "Cathedral", "Mill Lane", "Bakers Row", "Town Wall", "Stone Bridge", "Well",
    ),
    "University": (
        "Campus North", "Campus South", "Student Union", "Botanic Garden", "Science Park",
        "Lecture Hall",
    ),
    "Northside": (
        "Stadium", "Park Gate", "North Clinic", "Garden City", "Tram Depot", "Hill View",
    ),
    "Airport": ("Terminal 1", "Terminal 2", "Long Stay", "Air Cargo"),
}  # fmt: skip
RETIRED_STATIONS = ("Exchange", "Crane Yard", "Well", "Lecture Hall", "Tram Depot")
MODELS = (
    ("Urbano 3", "classic", 0.34),
    ("Urbano 5", "classic", 0.22),
    ("Volt S", "electric", 0.20),
    ("Volt X", "electric", 0.15),
    ("Carrio", "cargo", 0.09),
)
PLANS: tuple[Row, ...] = (
    (1, "Basic", 900, 30, "A"),
    (2, "Plus", 1490, 45, "A"),
    (3, "Student", 690, 30, "A"),
    (4, "Family", 2490, 60, "A"),
    (5, "Founders", 500, 60, "R"),
)
FIRST_NAMES = (
    "Ada", "Bela", "Cora", "Dario", "Elif", "Femi", "Gus", "Hana", "Ivo", "Jana", "Kofi", "Lena",
    "Milo", "Nora", "Otis", "Pia", "Quin", "Rosa", "Sami", "Tove", "Uma", "Vera", "Wim", "Yara",
    "Zeno",
)  # fmt: skip
LAST_NAMES = (
    "Adler", "Brandt", "Costa", "Dahl", "Eriksen", "Ferreira", "Gruber", "Horvat", "Ilic", "Jansen",
    "Keller", "Lind", "Moretti", "Novak", "Okafor", "Petrov", "Rossi", "Silva", "Toth", "Urban",
    "Vogel", "Weber", "Yilmaz", "Zeman",
)  # fmt: skip
REPAIRS = (
    ("brakes", 0.30, 2600),
    ("tyres", 0.28, 1900),
    ("chain", 0.18, 1500),
    ("lights", 0.13, 1100),
    ("battery", 0.11, 9800),
)
MECHANICS = (("JK", 0.38), ("MS", 0.27), ("TP", 0.21), ("RB", 0.14))

HEADERS: dict[str, tuple[str, ...]] = {
    "stations": (
        "station_id", "station_name", "district", "docks", "latitude", "longitude", "opened_on",
        "status",
    ),
    "plans": ("plan_id", "plan_name", "monthly_fee", "included_min", "status"),
    "bikes": (
        "bike_id", "model", "kind", "status", "purchased_on", "in_service_on", "purchase_price",
        "home_station_id",
    ),
    "riders": (
        "rider_id", "full_name", "rider_type", "plan_id", "joined_on", "birth_year",
        "home_district", "deleted_at",
    ),
    "trips": (
        "trip_id", "bike_id", "rider_id", "start_station_id", "end_station_id", "started_at",
        "ended_at", "duration", "billed_min", "fare", "status",
    ),
    "maintenance": (
        "repair_id", "bike_id", "part", "reported_on", "closed_on", "cost", "mechanic",
    ),
}  # fmt: skip

# Rows as a hand-edited export leaves them: each has one value that is not of its declared type.
# Loading puts them into quarantine. (table, row position, column, what stands there)
BAD_CELLS = (
    ("stations", 17, "docks", "twelve"),
    ("trips", 1204, "duration", "n/a"),
    ("trips", 2377, "started_at", "2024-02-30 09:12:44"),
    ("maintenance", 88, "closed_on", "soon"),
)


class Dice:
    """Draws from one seeded sequence."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def share(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def one_of(self, items: Sequence[Item]) -> Item:
        """One item, all equally likely."""
        return items[int(self.share() * len(items))]

    def weighted(self, items: Sequence[tuple[Item, float]]) -> Item:
        """One item by weight; the weights sum to 1."""
        left = self.share()
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][0]

    def skewed(self, count: int, power: float) -> int:
        """A position below count; the higher the power, the more often a low one."""
        return int(self.share() ** power * count)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _stations(dice: Dice) -> Iterator[Row]:
    number = 0
    for district, names in STATIONS.items():
        for name in names:
            number += 1
            yield (
                number,
                name,
                district,
                2 * dice.between(5, 18),
                round(52.31 + 0.09 * dice.share(), 5),
                round(4.82 + 0.13 * dice.share(), 5),
                (date(2019, 4, 1) + timedelta(days=dice.between(0, 1500))).isoformat(),
                "R" if name in RETIRED_STATIONS else "A",
            )


def _bikes(dice: Dice, station_count: int) -> Iterator[Row]:
    prices = {"classic": 42_000, "electric": 189_000, "cargo": 315_000}
    kinds = {model: kind for model, kind, _ in MODELS}
    for number in range(BIKE_COUNT):
        model = dice.weighted([(model, weight) for model, _, weight in MODELS])
        bought = date(2020, 2, 1) + timedelta(days=dice.between(0, 1600))
        yield (
            1001 + number,
            model,
            kinds[model],
            dice.weighted((("A", 0.76), ("W", 0.09), ("R", 0.15))),
            bought.isoformat(),
            (bought + timedelta(days=dice.between(6, 75))).isoformat(),
            prices[kinds[model]] + 100 * dice.between(0, 90),
            dice.between(1, station_count),
        )


def _riders(dice: Dice) -> Iterator[Row]:
    for number in range(RIDER_COUNT):
        rider_type = dice.weighted((("subscriber", 0.52), ("casual", 0.43), ("staff", 0.05)))
        joined = date(2022, 3, 1) + timedelta(days=dice.between(0, 990))
        is_deleted = dice.share() < 0.14
        left = datetime(2024, 12, 1, 4, tzinfo=UTC) - timedelta(hours=dice.between(0, 500))
        yield (
            5001 + number,
            f"{dice.one_of(FIRST_NAMES)} {dice.one_of(LAST_NAMES)}",
            rider_type,
            dice.weighted(((1, 0.37), (2, 0.26), (3, 0.24), (4, 0.09), (5, 0.04)))
            if rider_type == "subscriber"
            else None,
            joined.isoformat(),
            None if dice.share() < 0.08 else dice.between(1948, 2007),
            None if dice.share() < 0.05 else dice.one_of(DISTRICTS),
            _stamp(left) if is_deleted else None,
        )


def _trips(dice: Dice, riders: Sequence[Row], stations: Sequence[Row]) -> Iterator[Row]:
    pace = {"subscriber": 100, "casual": 145, "staff": 60}
    arrivals = [s[0] for s in stations if s[2] in ("Downtown", "Airport", "University")]
    for number in range(TRIP_COUNT):
        rider = riders[dice.skewed(RIDER_COUNT, 2.9)]
        begun = datetime(FIRST_DAY.year, 1, 1, 5, tzinfo=UTC) + timedelta(
            days=dice.between(0, DAY_COUNT - 1), seconds=dice.between(0, 18 * 3600)
        )
        status = dice.weighted((("completed", 0.84), ("cancelled", 0.11), ("fault", 0.05)))
        is_finished = status == "completed"
        seconds = (
            int((150 + 2600 * dice.share() ** 1.8) * pace[str(rider[2])] / 100)
            if is_finished
            else dice.between(15, 170)
        )
        minutes = 5 * -(-seconds // 300)  # begun blocks of five minutes
        start = stations[dice.skewed(len(stations), 1.7)][0]
        end = dice.one_of(arrivals) if dice.share() < 0.6 else dice.one_of(stations)[0]
        yield (
            100_001 + number,
            1001 + dice.skewed(BIKE_COUNT, 2.2),
            rider[0],
            start,
            end if is_finished else (start if status == "fault" else None),
            _stamp(begun),
            _stamp(begun + timedelta(seconds=seconds)),
            seconds,
            minutes,
            # What was reserved on the card; it is captured only when the ride is completed.
            100 + (12 if rider[2] == "subscriber" else 25) * minutes,
            status,
        )


def _maintenance(dice: Dice) -> Iterator[Row]:
    costs = {part: cost for part, _, cost in REPAIRS}
    for number in range(REPAIR_COUNT):
        part = dice.weighted([(part, weight) for part, weight, _ in REPAIRS])
        reported = FIRST_DAY + timedelta(days=dice.between(-40, DAY_COUNT - 12))
        closed = reported + timedelta(days=dice.between(1, 45))
        is_open = closed > date(2024, 12, 31) or dice.share() < 0.04
        yield (
            7001 + number,
            1001 + dice.skewed(BIKE_COUNT, 2.2),
            part,
            reported.isoformat(),
            None if is_open else closed.isoformat(),
            costs[part] + 10 * dice.between(0, 140),
            dice.weighted(MECHANICS),
        )


def generate(seed: int = SEED) -> dict[str, str]:
    """The text of every CSV file by table name: header row, comma, ``\\n``, NULL as nothing."""
    dice = Dice(seed)
    stations = list(_stations(dice))
    bikes = list(_bikes(dice, len(stations)))
    riders = list(_riders(dice))
    rows: dict[str, list[Row]] = {
        "stations": stations,
        "plans": list(PLANS),
        "bikes": bikes,
        "riders": riders,
        "trips": list(_trips(dice, riders, stations)),
        "maintenance": list(_maintenance(dice)),
    }
    for table, position, column, text in BAD_CELLS:
        index = HEADERS[table].index(column)
        row = rows[table][position]
        rows[table][position] = (*row[:index], text, *row[index + 1 :])
    return {table: _csv_text(HEADERS[table], rows[table]) for table in HEADERS}


def _csv_text(header: Sequence[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Writes ``<table>.csv`` into the folder that is named, or into ``tables/`` beside this."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for table, text in generate().items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
