"""Give every flight its delay and what was said of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from chalicelib import settings
from chalicelib.aws.s3 import S3
from chalicelib.flights.folders import FILE, folder, opened, written


def combine_flights(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline", "found": {...}, "flights": {"key", ...}, "feedback": {"key", ...}}`.

    `found` is what find_flight_files returned, `flights` and `feedback` what the cleaning steps did.

    Returns:
        `{"key": ..., "flights": 388, "answers": 280, "unknown": 10}`; `unknown` are answers without a flight.
    """
    found = event["found"]
    key = folder(event["pipeline"], "flights", found["date"], found["token"]) + FILE
    return combine_files(S3(), event["flights"]["key"], event["feedback"]["key"], found["date"], key)


def combine_files(s3: S3, flights: str, feedback: str, day: str, key: str) -> dict[str, Any]:
    """Write one Parquet file from the two; all are in the curated bucket."""
    from chalicelib.flights.combining import combine  # noqa: PLC0415 - pyarrow, which only this step needs

    bucket = settings.curated_bucket()
    with (
        written(s3, bucket, key) as sink,
        opened(s3, bucket, flights) as flown,
        opened(s3, bucket, feedback) as said,
    ):
        done = combine(flown, said, date.fromisoformat(day), sink)
    return {"key": key, **asdict(done)}
