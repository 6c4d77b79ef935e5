"""A month's figures, computed in the warehouse from all of its flights."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib.flights.tables import DELAYS_BY_MONTH, FEEDBACK_BY_MONTH, FLIGHTS
from chalicelib.loading import quoted, shape_table
from chalicelib.sql import identifiers, queries

if TYPE_CHECKING:
    from chalicelib.aws.redshift import Transaction
    from chalicelib.flights.tables import FlightTable

QUERIES = ((DELAYS_BY_MONTH, "insert_delays"), (FEEDBACK_BY_MONTH, "insert_feedback"))


def month_of(day: date) -> date:
    """Return the first day of a date's month."""
    return day.replace(day=1)


def recompute(transaction: Transaction, day: date) -> None:
    """Compute the figures of a date's month anew.

    Percentiles of days do not add up to those of a month, and dates are loaded in any order and at the same
    time. Under the lock of the load that calls this, the last one to change a month sees all of its flights.
    """
    first, following = month_of(day), _next(month_of(day))
    for table, insert in QUERIES:
        shape_table(transaction, table.table, table.redshift)
        names = _names(table)
        transaction.run(_query("delete_month", **names), first)
        transaction.run(_query(insert, **names), first, following)


def rows(transaction: Transaction, table: FlightTable, day: date) -> list[dict[str, Any]]:
    """Return the rows that a table holds of a date's month."""
    found = transaction.rows(_query("select_month", **_names(table)), month_of(day))
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in found]


def _names(table: FlightTable) -> dict[str, str]:
    return {
        "target": quoted(table.table),
        "flights": quoted(FLIGHTS.table),
        "columns": identifiers([column.name for column in table.columns]),
    }


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _query(name: str, **names: str) -> str:
    return queries("flights")[name].safe_substitute(names)
