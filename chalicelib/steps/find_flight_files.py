"""Find a date's two files, and fix which content of them the run works on."""

from __future__ import annotations

from typing import Any

from chalicelib import pipelines, settings
from chalicelib.aws.s3 import S3
from chalicelib.flights import inputs


def find_flight_files(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline": "flight_metrics", "parameters": {"date": "2026-11-01"}}`; or `latest`.

    Returns:
        `{"date": "2026-11-01", "flights": {...}, "feedback": {...}, "token": "flight_metrics-..."}`.

    Raises:
        MissingInput: a file of the date is not there, or no date has both.
    """
    pipeline = pipelines.batch_pipeline(event["pipeline"])
    prefix = pipeline.reads or ""
    found = inputs.find(S3(), settings.landing_bucket(), prefix, event["parameters"]["date"], pipeline.name)
    return found.to_document()
