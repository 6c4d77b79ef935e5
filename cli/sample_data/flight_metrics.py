"""Flights and feedback as airlines export them, dirty rows included; a date always writes the same bytes."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FLIGHT_COLUMNS = (
    "flight_id",
    "carrier",
    "flight_number",
    "origin",
    "destination",
    "scheduled_departure",
    "scheduled_arrival",
    "actual_departure",
    "actual_arrival",
    "cancelled",
)
FEEDBACK_COLUMNS = ("feedback_id", "flight_id", "score", "comment")

CARRIERS = {"BA": 14.0, "FR": 9.0, "IB": 11.0, "LH": 7.0, "TP": 19.0, "U2": 16.0}
"""Each carrier with the mean of its delays in minutes."""

ROUTES = {
    ("LIS", "LHR"): 160,
    ("LIS", "FRA"): 185,
    ("OPO", "CDG"): 135,
    ("MAD", "LIS"): 80,
    ("LHR", "JFK"): 470,
    ("MAD", "GRU"): 630,
    ("BCN", "FCO"): 110,
    ("DUB", "AMS"): 95,
}
"""Each route with its minutes in the air."""

COMMENTS = (
    "",
    "Friendly crew",
    "Late, and nobody told us why",
    'The gate said "closed"',
    "Bom voo\nObrigado",
)

DAYS = (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3))
CORRECTED = DAYS[1]
FLIGHTS = 300
"""Good flights of a day; about twenty dirty rows stand between them."""

WRONG_CLOCK = ("FR", timedelta(minutes=55))
"""In the first file of `CORRECTED` this carrier's arrivals come so much too late."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample file.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that reads it.
        rows: how many rows it holds, dirty ones included.
        key: where in the pipeline's landing folder it belongs.
        corrected: whether it takes the place of a file that was wrong.
    """

    path: Path
    pipeline: str
    rows: int
    key: str
    corrected: bool = False


def write_all(directory: Path) -> list[Sample]:
    """Write both files of three dates, and the corrected flights of one of them."""
    samples = []
    for day in DAYS:
        samples += write_day(directory, day, wrong_clock=day == CORRECTED)
    flights, _ = write_day(directory / "corrected", CORRECTED)
    (directory / "corrected" / CORRECTED.isoformat() / "feedback.csv").unlink()
    corrected = Sample(
        path=flights.path, pipeline=flights.pipeline, rows=flights.rows, key=flights.key, corrected=True
    )
    return [*samples, corrected]


def write_day(
    directory: Path, day: date, *, flights: int = FLIGHTS, wrong_clock: bool = False
) -> list[Sample]:
    """Write the two files of a date into a folder of its name."""
    chance = random.Random(day.toordinal())  # nosec B311  # noqa: S311 - samples need the same numbers every time
    good = [_flight(chance, day, number, wrong_clock=wrong_clock) for number in range(flights)]
    folder = directory / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "flights.csv": (FLIGHT_COLUMNS, dirty_flights(good, day)),
        "feedback.csv": (FEEDBACK_COLUMNS, dirty_feedback(_feedback(chance, good))),
    }
    samples = []
    for name, (columns, rows) in files.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        samples.append(
            Sample(
                path=folder / name, pipeline="flight_metrics", rows=len(rows), key=f"{day.isoformat()}/{name}"
            )
        )
    return samples


def dirty_flights(good: Sequence[list[str]], day: date) -> list[list[str]]:
    """Return the good flights with every kind of row between them that cannot be used."""
    rows = [list(row) for row in good]
    for place in (40, 90, 140):
        rows.insert(place, list(good[place // 2]))  # the same again
    twice = list(good[5])
    twice[FLIGHT_COLUMNS.index("actual_arrival")] = _text(_midnight(day) + timedelta(hours=40))
    rows.insert(60, twice)  # the same flight with another arrival: the first one counts
    for place, column, value in (
        (20, "destination", "XXX"),
        (70, "origin", "ZZZ"),
        (100, "actual_arrival", _text(_midnight(day) - timedelta(hours=2))),
        (110, "scheduled_arrival", _text(_midnight(day) - timedelta(hours=1))),
        (120, "scheduled_departure", _text(_midnight(day) - timedelta(days=1, hours=-3))),
        (130, "scheduled_departure", "2026-02-30T10:00:00Z"),
        (150, "carrier", ""),
        (160, "cancelled", "maybe"),
        (170, "actual_departure", ""),
    ):
        rows.insert(place, _spoiled(good[place], column, value, f"D{place}"))
    same = _spoiled(good[180], "destination", good[180][FLIGHT_COLUMNS.index("origin")], "D180")
    rows.insert(180, same)
    rows.insert(200, [*good[200], "one cell too many"])
    return rows


def dirty_feedback(good: Sequence[list[str]]) -> list[list[str]]:
    """Return the good answers with every kind of row between them that cannot be used."""
    rows = [list(row) for row in good]
    rows.insert(10, list(good[3]))
    for place, column, value in (
        (5, "score", "0"),
        (15, "score", "11"),
        (25, "score", "great"),
        (35, "score", ""),
        (45, "flight_id", "NO-SUCH-FLIGHT"),
        (55, "flight_id", "XX9999-20261101"),
    ):
        row = list(good[place])
        row[FEEDBACK_COLUMNS.index("feedback_id")] = f"D{place}"
        row[FEEDBACK_COLUMNS.index(column)] = value
        rows.insert(place, row)
    rows.insert(65, good[65][:2])
    return rows


def _flight(chance: random.Random, day: date, number: int, *, wrong_clock: bool) -> list[str]:
    carrier, (origin, destination) = chance.choice(list(CARRIERS)), chance.choice(list(ROUTES))
    departs = _midnight(day) + timedelta(minutes=5 * chance.randrange(288))
    arrives = departs + timedelta(minutes=ROUTES[origin, destination])
    late = round(chance.expovariate(1 / CARRIERS[carrier]) + chance.gauss(-6, 4))
    if chance.random() < 0.06:  # noqa: PLR2004 - a share of the flights has a long delay
        late += chance.randrange(45, 300)
    cancelled = chance.random() < 0.02  # noqa: PLR2004 - and a smaller one does not fly
    arrived = arrives + timedelta(minutes=late)
    if wrong_clock and carrier == WRONG_CLOCK[0]:
        arrived += WRONG_CLOCK[1]
    left = departs + timedelta(minutes=max(late - chance.randrange(8), -10))
    return [
        f"{carrier}{100 + number}-{day:%Y%m%d}",
        carrier,
        str(100 + number),
        origin,
        destination,
        _text(departs),
        _text(arrives),
        "" if cancelled else _text(left),
        "" if cancelled else _text(arrived),
        "true" if cancelled else "false",
    ]


def _feedback(chance: random.Random, flights: Sequence[list[str]]) -> list[list[str]]:
    """Return answers: the later the flight, the lower the score."""
    rows: list[list[str]] = []
    for flight in flights:
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
            late = chance.random() * 60 if not flight[8] else _minutes(flight[6], flight[8])
            score = max(1, min(5, round(4.6 - late / 45 + chance.gauss(0, 0.7))))
            rows.append([f"A{len(rows) + 1}", flight[0], str(score), chance.choice(COMMENTS)])
    return rows


def _spoiled(row: Sequence[str], column: str, value: str, name: str) -> list[str]:
    """Return a copy that would be good, were it not for one value."""
    spoiled = list(row)
    spoiled[FLIGHT_COLUMNS.index("flight_id")] = name
    spoiled[FLIGHT_COLUMNS.index("cancelled")] = "false"
    for what in ("departure", "arrival"):
        actual, scheduled = (FLIGHT_COLUMNS.index(f"{kind}_{what}") for kind in ("actual", "scheduled"))
        spoiled[actual] = spoiled[actual] or spoiled[scheduled]
    spoiled[FLIGHT_COLUMNS.index(column)] = value
    return spoiled


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _minutes(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60
