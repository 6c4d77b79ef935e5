"""Things that tests need, filled in; a test names only what matters to it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from chalicelib.files import File
from chalicelib.pipeline import (
    CSV,
    BatchPipeline,
    Column,
    GlueJob,
    Parameter,
    Pipeline,
    Schedule,
    Table,
)

_numbers = itertools.count(1)

STARTED = "2026-11-20T23:59:59.000Z"


def a_file(**changes: Any) -> File:
    """A file of its own: no two have the same content."""
    number = next(_numbers)
    given = {
        "bucket": "landing",
        "key": f"incoming/orders/{number}.csv",
        "etag": f"{number:032x}",
        "version": None,
        "size": 120,
    }
    return File(**{**given, **changes})


def a_pipeline(**changes: Any) -> Pipeline:
    """A CSV pipeline with an integer key and a text."""
    given: dict[str, Any] = {
        "name": "things",
        "description": "Things.",
        "landing_prefix": "incoming/things/",
        "source": CSV(),
        "columns": (
            Column(name="id", type="integer", required=True, unique=True),
            Column(name="label", type="text", longest=20),
        ),
        "glue_job": GlueJob(name="process_csv"),
        "table": Table(name="things", mode="upsert", keys=("id",)),
    }
    return Pipeline(**{**given, **changes})


def a_batch_pipeline(**changes: Any) -> BatchPipeline:
    """A nightly batch with a date and a limit."""
    given: dict[str, Any] = {
        "name": "nightly",
        "description": "What gathered since yesterday.",
        "workflow": "nightly",
        "parameters": (
            Parameter(name="day", type="date", description="The day.", default="latest"),
            Parameter(name="most", type="integer", description="At most so many.", default="10"),
        ),
        "schedule": Schedule(hour=2, minute=30),
    }
    return BatchPipeline(**{**given, **changes})


def an_s3_record(file: File) -> dict[str, Any]:
    """One record of an S3 event, with the key encoded as S3 encodes it."""
    found: dict[str, Any] = {"key": quote_plus(file.key), "eTag": file.etag, "size": file.size}
    if file.version:
        found["versionId"] = file.version
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": file.bucket}, "object": found},
    }


def an_s3_event(*files: File) -> dict[str, Any]:
    """An S3 event with one record for each file."""
    return {"Records": [an_s3_record(file) for file in files]}


def an_execution(name: str, status: str = "SUCCEEDED", **changes: Any) -> dict[str, Any]:
    """Step Functions' description of an execution."""
    started = datetime(2026, 11, 20, 12, 0, next(_numbers) % 60, tzinfo=UTC)
    given: dict[str, Any] = {
        "name": name,
        "status": status,
        "startDate": started,
        "stopDate": None if status == "RUNNING" else started,
        "input": "{}",
    }
    return {**given, **changes}
