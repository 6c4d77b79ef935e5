"""A day's flights with what was said of each: delay, on time or not, answers and their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from chalicelib.flights.bands import BANDS, CANCELLED, LONGEST, ON_TIME_BELOW
from chalicelib.flights.tables import FLIGHTS
from chalicelib.validation.typed import declared_schema

if TYPE_CHECKING:
    from datetime import date

BATCH = 65_536
"""Rows in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Combined:
    """What was written: flights, answers that belong to them, and answers to flights that are not there."""

    flights: int
    answers: int
    unknown: int


def combine(flights: BinaryIO, feedback: BinaryIO, day: date, sink: BinaryIO) -> Combined:
    """Write the table `flights` of a date.

    In memory at once: a block of flights, and the count and sum of the scores by flight.

    Args:
        flights: the cleaned Parquet file, which can seek.
        feedback: likewise.
        day: the value of `flight_date`.
        sink: where the Parquet file goes.
    """
    scores = _scores(feedback)
    given = sum(count for count, _ in scores.values())
    rows = 0
    schema = declared_schema(FLIGHTS.columns)
    with parquet.ParquetWriter(sink, schema, compression="snappy") as writer:
        for batch in parquet.ParquetFile(flights).iter_batches(batch_size=BATCH):
            writer.write_batch(_combined(batch, day, scores, schema))
            rows += batch.num_rows
    unknown = sum(count for count, _ in scores.values())  # what no flight has taken
    return Combined(flights=rows, answers=given - unknown, unknown=unknown)


def _scores(feedback: BinaryIO) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for batch in parquet.ParquetFile(feedback).iter_batches(batch_size=BATCH):
        grouped = pa.table(batch).group_by("flight_id").aggregate([("score", "count"), ("score", "sum")])
        for row in grouped.to_pylist():
            count, total = found.get(row["flight_id"], (0, 0))
            found[row["flight_id"]] = count + row["score_count"], total + row["score_sum"]
    return found


def _combined(
    batch: pa.RecordBatch, day: date, scores: dict[str, tuple[int, int]], schema: pa.Schema
) -> pa.RecordBatch:
    told = [scores.pop(flight, (0, 0)) for flight in batch.column("flight_id").to_pylist()]
    delay = _delay(batch)
    made: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names}
    made["flight_date"] = pa.repeat(pa.scalar(day, pa.date32()), batch.num_rows)
    made["route"] = pc.binary_join_element_wise(made["origin"], made["destination"], "-")
    made["delay_minutes"] = delay
    made["on_time"] = pc.fill_null(pc.less(delay, ON_TIME_BELOW), fill_value=False)
    made["delay_band"] = _band(delay)
    made["answers"] = pa.array([count for count, _ in told], pa.int64())
    made["mean_score"] = pa.array([total / count if count else None for count, total in told], pa.float64())
    return pa.RecordBatch.from_arrays([made[name] for name in schema.names], schema=schema)


def _delay(batch: pa.RecordBatch) -> pa.Array:
    """Minutes from scheduled to actual arrival, less than zero when early; null when cancelled."""
    late = pc.subtract(batch.column("actual_arrival"), batch.column("scheduled_arrival"))
    return pc.divide(pc.cast(pc.cast(late, pa.int64()), pa.float64()), 60e6)


def _band(delay: pa.Array) -> pa.Array:
    below = pc.make_struct(*(pc.less(delay, limit) for limit, _ in BANDS))
    named = pc.case_when(below, *(name for _, name in BANDS), LONGEST)
    return pc.if_else(pc.is_null(delay), CANCELLED, named)
