"""Which rows of flights.csv can be used, and what they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.flights.airports import AIRPORTS
from chalicelib.flights.cleaning import Recipe, any_of, missing, times, unlike, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from chalicelib.flights.cleaning import Columns

TIMES = ("scheduled_departure", "scheduled_arrival", "actual_departure", "actual_arrival")

COLUMNS = ("flight_id", "carrier", "flight_number", "origin", "destination", *TIMES, "cancelled")

REQUIRED = ("flight_id", "carrier", "flight_number", "origin", "destination", *TIMES[:2], "cancelled")

LONGEST_FLIGHT = 24 * 3600
"""Seconds; the longest scheduled flight takes 19 hours."""

EARLIEST, LATEST = -6 * 3600, 72 * 3600
"""Seconds from the schedule between which a departure or arrival is believed."""

SCHEMA = pa.schema(
    [
        ("flight_id", pa.string()),
        ("carrier", pa.string()),
        ("flight_number", pa.string()),
        ("origin", pa.string()),
        ("destination", pa.string()),
        *((name, pa.timestamp("us")) for name in TIMES),
        ("cancelled", pa.bool_()),
    ]
)


def recipe(day: date) -> Recipe:
    """Return how the flights of a date are cleaned; the date is that of the scheduled departure, in UTC."""
    return Recipe(
        columns=COLUMNS,
        key="flight_id",
        reasons=lambda columns: _reasons(columns, day),
        typed=_typed,
        schema=SCHEMA,
    )


def _reasons(columns: Columns, day: date) -> Iterator[tuple[str, pa.Array]]:
    yield "a value is missing", missing(columns, REQUIRED)
    parsed = {name: times(columns[name]) for name in TIMES}
    yield (
        "unreadable value",
        any_of(
            [
                unlike(columns["flight_id"], "[A-Za-z0-9_-]{1,40}"),
                unlike(columns["carrier"], "[A-Z0-9]{2}"),
                unlike(columns["flight_number"], "[0-9A-Z]{1,8}"),
                unlike(columns["cancelled"], "true|false"),
                *(unreadable(columns[name], parsed[name]) for name in TIMES),
            ]
        ),
    )
    known = pa.array(sorted(AIRPORTS))
    yield (
        "unknown airport",
        any_of([pc.invert(pc.is_in(columns[end], known)) for end in ("origin", "destination")]),
    )
    yield "origin is the destination", pc.equal(columns["origin"], columns["destination"])
    yield (
        "scheduled for another date",
        pc.not_equal(pc.cast(parsed["scheduled_departure"], pa.date32()), pa.scalar(day, pa.date32())),
    )
    yield "impossible times", _impossible(parsed, pc.equal(columns["cancelled"], "true"))


def _impossible(parsed: Columns, cancelled: pa.Array) -> pa.Array:
    departs, arrives, departed, arrived = (parsed[name] for name in TIMES)
    planned = _seconds(departs, arrives)
    flown = _seconds(departed, arrived)
    off = [_seconds(departs, departed), _seconds(arrives, arrived)]
    return any_of(
        [
            pc.less_equal(planned, 0),
            pc.greater(planned, LONGEST_FLIGHT),
            pc.less_equal(flown, 0),
            *(pc.or_(pc.less(each, EARLIEST), pc.greater(each, LATEST)) for each in off),
            pc.and_(pc.invert(cancelled), pc.or_(pc.is_null(departed), pc.is_null(arrived))),
            pc.and_(cancelled, pc.is_valid(arrived)),
        ]
    )


def _seconds(start: pa.Array, end: pa.Array) -> pa.Array:
    return pc.cast(pc.subtract(end, start), pa.int64())  # between times in whole seconds


def _typed(columns: Columns) -> list[pa.Array]:
    made = {name: pc.cast(times(columns[name]), pa.timestamp("us")) for name in TIMES}
    made["cancelled"] = pc.equal(columns["cancelled"], "true")
    return [made.get(name, columns[name]) for name in SCHEMA.names]
