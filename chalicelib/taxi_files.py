"""The taxi files that have landed: which months there are, and whether their columns are TLC's."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.aws.s3 import unbroken
from chalicelib.errors import InvalidBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

TRIP_COLUMNS = (
    "VendorID",
    "tpep_pickup_datetime",
    "tpep_dropoff_datetime",
    "passenger_count",
    "trip_distance",
    "RatecodeID",
    "store_and_fwd_flag",
    "PULocationID",
    "DOLocationID",
    "payment_type",
    "fare_amount",
    "extra",
    "mta_tax",
    "tip_amount",
    "tolls_amount",
    "improvement_surcharge",
    "total_amount",
    "congestion_surcharge",
    "Airport_fee",
    "cbd_congestion_fee",
)
"""TLC's columns since January 2025, in their order; TLC changes a name's case now and then."""

ZONE_COLUMNS = ("LocationID", "Borough", "Zone", "service_zone")

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

FIRST_MONTH = "2009-01"
"""TLC published no earlier one; the raw table's partitions begin here."""

NAMES_SHOWN = 5

LONGEST_HEADER = 64 * 1024
LARGEST_LOOKUP = 1024 * 1024
"""Bytes; TLC's lookup has 12,322 and 265 zones."""


def months_landed(s3: S3, bucket: str, prefix: str) -> dict[str, list[File]]:
    """Return the CSV files of each month's folder below `prefix`, oldest month first; none for an empty one.

    Raises:
        InvalidBatch: a folder's name is no month, or a file lies where it does not belong.
    """
    months: dict[str, list[File]] = {}
    for file, _ in s3.listing(bucket, prefix):
        month, _, name = file.key.removeprefix(prefix).partition("/")
        if not month:
            continue  # the marker of the folder itself
        _check_month(month, file)
        files = months.setdefault(month, [])
        if not name or name.startswith(("_", ".")):
            continue  # the folder's marker, and what Athena does not read either
        if "/" in name or not name.endswith(".csv"):
            raise InvalidBatch(f"{file.uri}: put CSV files, and nothing else, straight into {prefix}{month}/")
        files.append(file)
    return dict(sorted(months.items()))


def check_trips(s3: S3, month: str, files: Sequence[File], folder: str) -> None:
    """Check that a month has files, and that each has TLC's columns in TLC's order and a trip at least.

    Raises:
        InvalidBatch: with the file, the column and what to do.
    """
    if not files:
        raise InvalidBatch(
            f"month {month}: {folder} holds no CSV file: put the month's files there or delete the folder"
        )
    for file in files:
        header, _, rest = _beginning(s3, file, LONGEST_HEADER).partition("\n")
        _check_columns(file, header, TRIP_COLUMNS)
        if not rest.strip():
            raise InvalidBatch(
                f"{file.uri}: there is a header and no trip below it: put the whole file there"
            )


def check_zones(s3: S3, bucket: str, prefix: str) -> None:
    """Check that the zone lookup is there, alone, with its columns and every LocationID once.

    Raises:
        InvalidBatch: with what is wrong and what to do.
    """
    found = [file for file, _ in s3.listing(bucket, prefix) if not file.key.endswith("/")]
    if not found:
        raise InvalidBatch(
            f"s3://{bucket}/{prefix} holds no file: put TLC's taxi_zone_lookup.csv there; "
            "without it no trip has a borough"
        )
    if len(found) > 1:
        raise InvalidBatch(f"{found[1].uri}: keep one zone lookup only, for Athena reads every file there")
    text = _beginning(s3, found[0], LARGEST_LOOKUP + 1)
    if len(text) > LARGEST_LOOKUP:
        raise InvalidBatch(f"{found[0].uri}: {found[0].size:,} bytes are too many for a zone lookup")
    _check_columns(found[0], text.partition("\n")[0], ZONE_COLUMNS)
    _check_numbers(found[0], list(csv.reader(io.StringIO(text))))


def chosen(asked: str, landed: Mapping[str, Sequence[File]], loaded: set[str]) -> list[str]:
    """Return the months to work on, oldest first: those asked for by name, or every one that is not loaded.

    Raises:
        InvalidBatch: a month that was asked for has no folder.
    """
    if asked == "new":
        return [month for month in landed if month not in loaded]
    months = sorted(set(asked.split(",")))
    for month in months:
        if month not in landed:
            there = ", ".join(landed) or "none"
            raise InvalidBatch(f"parameter months: {month} has no folder; the landing bucket has {there}")
    return months


def _check_month(month: str, file: File) -> None:
    if not MONTH.fullmatch(month):
        raise InvalidBatch(f"{file.uri}: {month!r} is no month: write the folder's name as 2025-01")
    if not FIRST_MONTH <= month <= f"{datetime.now(UTC):%Y-%m}":
        raise InvalidBatch(f"{file.uri}: {month} is before {FIRST_MONTH} or in the future: rename the folder")


def _check_columns(file: File, header: str, columns: Sequence[str]) -> None:
    names = next(csv.reader([header.rstrip("\r").removeprefix("\ufeff")]), [])
    lower, wanted = [name.lower() for name in names], [column.lower() for column in columns]
    if lower == wanted:
        return
    missing = [column for column in columns if column.lower() not in lower]
    unknown = [name for name in names if name.lower() not in wanted]
    problems = [
        *([f"without {_some(missing)}"] if missing else []),
        *([f"with {_some(unknown)}"] if unknown else []),
    ] or ["in another order, or one of them twice"]
    raise InvalidBatch(
        f"{file.uri}: the header's columns are not the expected ones: {' and '.join(problems)}. "
        f"Write them as {','.join(columns)}"
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(name[:60] for name in names[:NAMES_SHOWN]) + more


def _check_numbers(file: File, rows: list[list[str]]) -> None:
    seen: set[str] = set()
    for line, row in enumerate(rows[1:], 2):
        number = row[0].strip() if row else ""
        if len(row) != len(ZONE_COLUMNS) or not number.isdecimal():
            raise InvalidBatch(f"{file.uri}: line {line}: write LocationID, a whole number, and three texts")
        if number in seen:
            raise InvalidBatch(
                f"{file.uri}: line {line}: LocationID {number} came before: its trips would double"
            )
        seen.add(number)
    if not seen:
        raise InvalidBatch(f"{file.uri}: there is a header and no zone below it: put the whole file there")


def _beginning(s3: S3, file: File, size: int) -> str:
    with unbroken(file), contextlib.closing(s3.open(file)) as body:
        return body.read(size).decode("utf-8", errors="replace")
