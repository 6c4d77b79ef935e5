"""Where rejected files and rows are, and how a reject file is written and read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File
    from chalicelib.pipeline import Pipeline

REJECT_FILE = "rows.ndjson"
"""One JSON object for each bad row; lines are easily cut and counted, and a row may hold any character."""

GOOD_ROWS = "good_rows/"
"""Prefix in the landing bucket of files without their bad rows; nothing that is written there is an event."""


CORRECTIONS = "corrections/"
"""Prefix in the landing bucket of what goes back to work; nothing that is written there is an event."""

REQUEUED = "requeued/"
"""Below an entry's folder: one object for each run that was started with it, called like the run."""


def folder(pipeline: str, run: str) -> str:
    """Return the key prefix of what one run put into quarantine."""
    return f"{pipeline}/{run}/"


def name_of(key: str) -> str:
    """Return a key's last part: the file's own name."""
    return key.rsplit("/", 1)[-1]


def corrections(pipeline: str, run: str) -> str:
    """Return the key prefix, in the landing bucket, of corrections of what a run put into quarantine."""
    return f"{CORRECTIONS}{pipeline}/{run}/"


def rules(pipeline: Pipeline, key: str) -> Pipeline:
    """Return the pipeline as it holds for a key: a correction may have as few rows as were corrected."""
    if not key.startswith(CORRECTIONS):
        return pipeline
    return replace(pipeline, fewest_rows=min(pipeline.fewest_rows, 1), usual_rows=None)


def good_rows_key(pipeline: str, token: str, key: str) -> str:
    """Return where a file's good rows are; the copy is not compressed."""
    name = name_of(key)
    return f"{GOOD_ROWS}{pipeline}/{token}/{name[:-3] if name.lower().endswith('.gz') else name}"


def write_rows(s3: S3, key: str, file: File, documents: Iterable[dict[str, Any]]) -> str:
    """Write a reject file from the bad rows and return its address."""
    bucket = settings.quarantine_bucket()
    with s3.writing(bucket, key) as sink:
        for document in documents:
            sink.write(json.dumps({"file": file.uri, **document}, ensure_ascii=False).encode() + b"\n")
    return f"s3://{bucket}/{key}"


def rows(s3: S3, address: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a reject file."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    with s3.open(s3.find(bucket, key)) as stream:
        for line in lines(stream):
            yield json.loads(line)


def lines(stream: Any) -> Iterator[bytes]:
    """Yield the lines of a stream that has `read(n)`, without holding all of it."""
    rest = b""
    while chunk := stream.read(1 << 20):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
