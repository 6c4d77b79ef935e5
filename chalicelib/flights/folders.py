"""Where a run's Parquet files are: by table, date and content."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3

FILE = "part-0.parquet"

CLEAN_FLIGHTS = "clean_flights"
CLEAN_FEEDBACK = "clean_feedback"


def folder(pipeline: str, table: str, day: str, token: str) -> str:
    """Return the key prefix of a table's files for a date and content: other content never writes there."""
    return f"{pipeline}/{table}/dt={day}/content={token.rpartition('-')[2]}/"


def month_folder(pipeline: str, table: str, month: str) -> str:
    """Return the key prefix of a month's figures, which are written anew when one of its dates changes."""
    return f"{pipeline}/{table}/month={month}/"


@contextlib.contextmanager
def written(s3: S3, bucket: str, key: str) -> Iterator[BinaryIO]:
    """Give a local file to write, and upload it when nothing was raised: nobody sees half of it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / FILE
        with path.open("wb") as sink:
            yield sink
        s3.put_file(bucket, key, path)


@contextlib.contextmanager
def opened(s3: S3, bucket: str, key: str) -> Iterator[BinaryIO]:
    """Give a file of an earlier step to read, by ranged requests.

    Raises:
        UnknownFile: it is not there.
        StorageIsUnreachable: S3 broke off.
    """
    from chalicelib.aws.s3 import unbroken  # noqa: PLC0415 - beside its only use

    file = s3.find(bucket, key)
    with s3.open_seekable(file) as stream, unbroken(file):
        yield stream
