"""A day's figures: delays by carrier and route, and scores by delay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from chalicelib.flights.bands import EVERY, ORDER
from chalicelib.flights.tables import DELAYS, FEEDBACK
from chalicelib.validation.typed import declared_schema

if TYPE_CHECKING:
    from datetime import date

GRAINS = {"all": (), "carrier": ("carrier",), "route": ("route",), "carrier_route": ("carrier", "route")}
"""Every flight is counted once in each grain."""

HIGH = 0.95

COLUMNS = ("carrier", "route", "cancelled", "on_time", "delay_minutes", "delay_band", "answers", "mean_score")
"""What the figures are made of: narrow columns, about 60 bytes a flight in memory."""


def read(flights: BinaryIO) -> pa.Table:
    """Return the columns of the table `flights` that the figures are made of."""
    return parquet.read_table(flights, columns=list(COLUMNS))


def delays(flights: pa.Table, day: date) -> pa.Table:
    """Return the rows of `flight_delays`: one for each group of each grain.

    Cancelled flights count as flights that were not on time; they have no delay. The 95th percentile is
    interpolated linearly between the two nearest flights, as SQL's PERCENTILE_CONT does.
    """
    rows = [row for grain, keys in GRAINS.items() for row in _grouped(flights, grain, keys)]
    rows.sort(key=lambda row: (row["grain"], row["carrier"] or "", row["route"] or ""))
    return _table([{"flight_date": day, **row} for row in rows], DELAYS.columns)


def feedback(flights: pa.Table, day: date) -> pa.Table:
    """Return the rows of `flight_feedback`: one for each band of delay, and one for all of them.

    `correlation` is Pearson's, between the delay of a flight and the mean of its scores, over the flights
    that have both; it is in the row of all bands.
    """
    total = pc.multiply(flights["mean_score"], flights["answers"])
    table = pa.table({"band": flights["delay_band"], "answers": flights["answers"], "total": total})
    sums = [("answers", "sum"), ("total", "sum"), ([], "count_all")]
    grouped = table.group_by("band").aggregate(sums).to_pylist()
    every = {
        "band": EVERY,
        **{
            name: sum(row[name] or 0 for row in grouped) for name in ("answers_sum", "total_sum", "count_all")
        },
    }
    rows = [
        {
            "flight_date": day,
            "delay_band": row["band"],
            "flights": row["count_all"],
            "answers": row["answers_sum"],
            "mean_score": row["total_sum"] / row["answers_sum"] if row["answers_sum"] else None,
            "correlation": correlation(flights) if row is every else None,
        }
        for row in [*sorted(grouped, key=lambda row: ORDER.index(row["band"])), every]
    ]
    return _table(rows, FEEDBACK.columns)


def correlation(flights: pa.Table) -> float | None:
    """Return Pearson's correlation of delay and mean score, or None where it is not defined."""
    both = flights.select(["delay_minutes", "mean_score"]).drop_null()
    spread = [pc.stddev(both[name]).as_py() for name in both.column_names]
    if not all(spread):
        return None
    mean_of_products = pc.mean(pc.multiply(*both.columns)).as_py()
    means = [pc.mean(column).as_py() for column in both.columns]
    return float((mean_of_products - means[0] * means[1]) / (spread[0] * spread[1]))


def _grouped(flights: pa.Table, grain: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    nobody = pa.nulls(flights.num_rows, pa.string())
    table = pa.table(
        {
            "carrier": flights["carrier"] if "carrier" in keys else nobody,
            "route": flights["route"] if "route" in keys else nobody,
            **{name: flights[name] for name in ("cancelled", "on_time", "delay_minutes")},
        }
    )
    wanted = [
        ([], "count_all"),
        ("cancelled", "sum"),
        ("on_time", "sum"),
        ("delay_minutes", "mean"),
        ("delay_minutes", "list"),
    ]
    grouped = table.group_by(["carrier", "route"]).aggregate(wanted)
    return [
        {
            "grain": grain,
            "carrier": row["carrier"],
            "route": row["route"],
            "flights": row["count_all"],
            "cancelled": row["cancelled_sum"],
            "on_time": row["on_time_sum"],
            "on_time_rate": row["on_time_sum"] / row["count_all"],
            "mean_delay": row["delay_minutes_mean"],
            "p95_delay": pc.quantile(values.values, q=HIGH, interpolation="linear")[0].as_py(),
        }
        for row, values in zip(
            grouped.drop_columns("delay_minutes_list").to_pylist(), grouped["delay_minutes_list"], strict=True
        )
    ]


def _table(rows: list[dict[str, Any]], columns: Any) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=declared_schema(columns))
