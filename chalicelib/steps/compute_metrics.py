"""Compute a date's figures and write what COPY needs to load them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.aws.s3 import S3
from chalicelib.flights.folders import FILE, folder, opened, written
from chalicelib.flights.tables import DELAYS, FEEDBACK, FLIGHTS

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CARRIERS = 20
"""Carriers that are told of in a notice; the tables hold all."""


def compute_metrics(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline", "found": {"date", "token"}, "flights": {"key": ...}}`.

    Returns:
        `{"tables": [{"name", "rows", "folder", "manifest"}, ...], "delays": [...], "feedback": [...]}`: the
        tables of the date, and the rows of `flight_delays` about all flights and about each carrier, of which
        at most 20, and those of `flight_feedback`.
    """
    found = event["found"]
    return compute(S3(), event["pipeline"], found["date"], found["token"], event["flights"]["key"])


def compute(s3: S3, pipeline: str, day: str, token: str, flights_key: str) -> dict[str, Any]:
    """Compute the figures from the table `flights` of a date."""
    from chalicelib.flights import metrics  # noqa: PLC0415 - pyarrow, which only this step needs

    bucket = settings.curated_bucket()
    with opened(s3, bucket, flights_key) as stream:
        flights = metrics.read(stream)
    on = date.fromisoformat(day)
    made = {DELAYS.name: metrics.delays(flights, on), FEEDBACK.name: metrics.feedback(flights, on)}
    rows = {FLIGHTS.name: flights.num_rows, **{name: table.num_rows for name, table in made.items()}}
    for name, table in made.items():
        _write(s3, bucket, folder(pipeline, name, day, token) + FILE, table)
    tables = [
        _described(s3, bucket, name, count, folder(pipeline, name, day, token), f"{token}-{name}")
        for name, count in rows.items()
    ]
    told = [row for row in made[DELAYS.name].to_pylist() if row["grain"] in {"all", "carrier"}]
    return {
        "tables": tables,
        "delays": [_without_date(row) for row in told[: MOST_CARRIERS + 1]],
        "feedback": [_without_date(row) for row in made[FEEDBACK.name].to_pylist()],
    }


def _write(s3: S3, bucket: str, key: str, table: pa.Table) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - as above

    with written(s3, bucket, key) as sink:
        parquet.write_table(table, sink, compression="snappy")


def _described(s3: S3, bucket: str, name: str, rows: int, place: str, load: str) -> dict[str, Any]:
    """Write the manifest of a table's file; Redshift asks for its size when it is Parquet."""
    file = s3.find(bucket, place + FILE)
    entry = {"url": file.uri, "mandatory": True, "meta": {"content_length": file.size}}
    manifest = f"_manifests/flight_metrics/{load}.json"
    s3.put_json(bucket, manifest, {"entries": [entry]})
    return {"name": name, "rows": rows, "folder": place, "manifest": f"s3://{bucket}/{manifest}"}


def _without_date(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "flight_date"}
