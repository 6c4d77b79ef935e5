"""Where a run's Parquet files are."""

from __future__ import annotations

from datetime import date, datetime


def processing_date(started: str) -> date:
    """Return the UTC date of the file's first run: a later attempt writes to the same place.

    Args:
        started: ISO 8601 with zone, as the run's input carries it.
    """
    return datetime.fromisoformat(started).date()


def partition(token: str, started: str) -> tuple[str, str]:
    """Return the values of the partition keys `dt` and `run`.

    Every run has a partition of its own: Athena sees its files when the partition is registered, not before.
    """
    return processing_date(started).isoformat(), token


def folder(pipeline: str, token: str, started: str) -> str:
    """Return the key prefix of a run's files."""
    day, run = partition(token, started)
    return f"{pipeline}/dt={day}/run={run}/"
