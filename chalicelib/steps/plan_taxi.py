"""Say which months of taxi trips to load, and with which statements of Athena."""

from __future__ import annotations

from typing import Any

from chalicelib import settings
from chalicelib.aws.s3 import S3
from chalicelib.errors import InvalidBatch
from chalicelib.pipeline import IDENTIFIER
from chalicelib.sql import queries
from chalicelib.taxi_files import FIRST_MONTH, check_trips, check_zones, chosen, months_landed

FOLDER = "batch/nyc_taxi"

MOST_MONTHS = 100
"""Athena's CREATE TABLE AS writes at most 100 partitions."""


def plan_taxi(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"token": ..., "parameters": {"months": "new"}, "loaded": ["month=2025-01"]}`.

    `loaded` are the lines of SHOW PARTITIONS, or None when there is no table yet.

    Returns:
        `{"months", "statements", "items"}`: the months to load; the statements by name; and for each month of
        a later run its `month`, its `table` to write to and the statement to `publish` it. Statements hold
        `{}` where the workflow fills in the month, the table or the location.
    """
    loaded = event["loaded"]
    return plan(
        S3(),
        asked=event["parameters"]["months"],
        token=event["token"],
        loaded=None if loaded is None else {line.partition("=")[2] for line in loaded},
    )


def plan(s3: S3, *, asked: str, token: str, loaded: set[str] | None) -> dict[str, Any]:
    """Choose the months, check their files and the zone lookup, and write the statements.

    Raises:
        InvalidBatch: nothing has landed, the zone lookup is missing, a month is empty or of other columns.
    """
    bucket = settings.landing_bucket()
    landed = months_landed(s3, bucket, f"{FOLDER}/yellow/")
    if not landed:
        raise InvalidBatch(
            f"s3://{bucket}/{FOLDER}/yellow/ holds no month: put CSV files into {FOLDER}/yellow/<yyyy-mm>/"
        )
    check_zones(s3, bucket, f"{FOLDER}/zones/")
    months = chosen(asked, landed, loaded or set())
    if len(months) > MOST_MONTHS:
        raise InvalidBatch(f"{len(months)} months at once: ask for {MOST_MONTHS} at most by parameter months")
    for month in months:
        check_trips(s3, month, landed[month], f"s3://{bucket}/{FOLDER}/yellow/{month}/")
    statements = _first(months, f"s3://{bucket}/{FOLDER}") if loaded is None else _later()
    return {
        "months": months,
        "statements": statements | _both(),
        "items": [_item(month, token, loaded) for month in months] if loaded is not None else [],
    }


def _first(months: list[str], landing: str) -> dict[str, str]:
    query = queries("nyc_taxi")
    listed = ", ".join(f"'{month}'" for month in months)
    trips = query["typed_trips"].substitute(months=listed, more=",\n    month")
    return {
        "create_raw_trips": query["create_raw_trips"].substitute(landing=landing, first_month=FIRST_MONTH),
        "create_zones": query["create_zones"].substitute(landing=landing),
        "convert": query["convert"].substitute(trips=trips),
    }


def _later() -> dict[str, str]:
    query = queries("nyc_taxi")
    trips = query["typed_trips"].substitute(months="'{}'", more="")
    return {
        "drop_loading": query["drop_loading"].substitute(),
        "write_month": query["write_month"].substitute(trips=trips),
    }


def _both() -> dict[str, str]:
    query = queries("nyc_taxi")
    return {name: query[name].substitute() for name in ("create_view", "count_trips")}


def _item(month: str, token: str, loaded: set[str]) -> dict[str, str]:
    # The run's own digits are in the name: two runs at once never write to, or drop, each other's table.
    table = f"loading_{month.replace('-', '_')}_{token[-8:]}"
    if not IDENTIFIER.fullmatch(table):
        raise InvalidBatch(f"{table!r} cannot be a table's name")
    publish = "replace_month" if month in loaded else "add_month"
    return {"month": month, "table": table, "publish": queries("nyc_taxi")[publish].substitute()}
