"""The tables that a run fills: their columns, in the order of the Parquet files."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.column_types import hive_type, redshift_type
from chalicelib.pipeline import Column, Table


@dataclass(frozen=True, kw_only=True)
class FlightTable:
    """One table: in the warehouse, in the Data Catalog and as Parquet under the same name.

    Attributes:
        name: the table's.
        slice: the column whose value a load replaces: a date, or the first day of a month.
        columns: all of them, `slice` first.
    """

    name: str
    slice: str
    columns: tuple[Column, ...]

    @property
    def table(self) -> Table:
        """The table as a load needs it."""
        return Table(name=self.name)

    @property
    def redshift(self) -> tuple[tuple[str, str], ...]:
        """(name, Redshift type) of each column."""
        return tuple((column.name, redshift_type(column)) for column in self.columns)

    @property
    def hive(self) -> tuple[tuple[str, str], ...]:
        """(name, Hive type) of each column."""
        return tuple((column.name, hive_type(column)) for column in self.columns)


def _delays(period: str) -> tuple[Column, ...]:
    return (
        Column(name=period, type="date"),
        Column(name="grain", type="text", longest=13),
        Column(name="carrier", type="text", longest=2),
        Column(name="route", type="text", longest=7),
        Column(name="flights", type="integer"),
        Column(name="cancelled", type="integer"),
        Column(name="on_time", type="integer"),
        Column(name="on_time_rate", type="float"),
        Column(name="mean_delay", type="float"),
        Column(name="p95_delay", type="float"),
    )


def _feedback(period: str) -> tuple[Column, ...]:
    return (
        Column(name=period, type="date"),
        Column(name="delay_band", type="text", longest=15),
        Column(name="flights", type="integer"),
        Column(name="answers", type="integer"),
        Column(name="mean_score", type="float"),
        Column(name="correlation", type="float"),
    )


FLIGHTS = FlightTable(
    name="flights",
    slice="flight_date",
    columns=(
        Column(name="flight_date", type="date"),
        Column(name="flight_id", type="text", longest=40),
        Column(name="carrier", type="text", longest=2),
        Column(name="flight_number", type="text", longest=8),
        Column(name="origin", type="text", longest=3),
        Column(name="destination", type="text", longest=3),
        Column(name="route", type="text", longest=7),
        Column(name="scheduled_departure", type="timestamp"),
        Column(name="scheduled_arrival", type="timestamp"),
        Column(name="actual_departure", type="timestamp"),
        Column(name="actual_arrival", type="timestamp"),
        Column(name="cancelled", type="boolean"),
        Column(name="delay_minutes", type="float"),
        Column(name="on_time", type="boolean"),
        Column(name="delay_band", type="text", longest=15),
        Column(name="answers", type="integer"),
        Column(name="mean_score", type="float"),
    ),
)

DELAYS = FlightTable(name="flight_delays", slice="flight_date", columns=_delays("flight_date"))
FEEDBACK = FlightTable(name="flight_feedback", slice="flight_date", columns=_feedback("flight_date"))

DELAYS_BY_MONTH = FlightTable(
    name="flight_delays_by_month", slice="flight_month", columns=_delays("flight_month")
)
FEEDBACK_BY_MONTH = FlightTable(
    name="flight_feedback_by_month", slice="flight_month", columns=_feedback("flight_month")
)

OF_A_DATE = (FLIGHTS, DELAYS, FEEDBACK)
"""Written as Parquet by a run, and loaded."""

OF_A_MONTH = (DELAYS_BY_MONTH, FEEDBACK_BY_MONTH)
"""Computed in the warehouse from all of the month's flights, in the transaction that changes them."""
