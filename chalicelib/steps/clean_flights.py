"""Write the flights of a date that can be used as Parquet, and say why the others cannot."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.aws.s3 import S3, unbroken
from chalicelib.files import File
from chalicelib.flights.folders import CLEAN_FLIGHTS, FILE, folder, written

if TYPE_CHECKING:
    from chalicelib.flights.cleaning import Recipe


def clean_flights(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline": ..., "found": {"date", "flights", "token"}}`: what find_flight_files returned.

    Returns:
        `{"key": ..., "read": 400, "kept": 388, "dropped": {"unknown airport": 3, ...}}`.

    Raises:
        WrongColumns, InvalidFile, TooFewRows: the file is not what it should be.
    """
    from chalicelib.flights.flight_rules import recipe  # noqa: PLC0415 - pyarrow, which only this step needs

    found = event["found"]
    key = folder(event["pipeline"], CLEAN_FLIGHTS, found["date"], found["token"]) + FILE
    day = date.fromisoformat(found["date"])
    return clean_file(S3(), File.from_document(found["flights"]), recipe(day), key, fewest=1)


def clean_file(s3: S3, file: File, recipe: Recipe, key: str, *, fewest: int) -> dict[str, Any]:
    """Clean one file of the landing bucket into one of the curated bucket."""
    from chalicelib.flights.cleaning import clean  # noqa: PLC0415 - as above

    with (
        written(s3, settings.curated_bucket(), key) as sink,
        s3.open_seekable(file) as stream,
        unbroken(file),
    ):
        done = clean(stream, file.uri, recipe, sink, fewest=fewest)
    return {"key": key, "read": done.read, "kept": done.kept, "dropped": done.dropped}
