"""Read the file once and say whether it is valid and which way it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import pipelines
from chalicelib.aws.s3 import S3, unbroken
from chalicelib.files import File

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


def validate_file(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline": "orders", "file": {...}}`.

    Returns:
        The report's document (`valid`, `rows`, `bad_rows`, `reason`, `defects`, ...) with `route`:
        `lambda` or `glue`, the way of a valid file.
    """
    return check(S3(), pipelines.file_pipeline(event["pipeline"]), File.from_document(event["file"]))


def check(s3: S3, pipeline: Pipeline, file: File) -> dict[str, Any]:
    """Validate the file and choose its route by size."""
    from chalicelib.validation import validate  # noqa: PLC0415 - only this step needs the readers

    route = "lambda" if file.size <= pipeline.largest_for_lambda else "glue"
    if route == "glue" and pipeline.glue_job is None:
        reason = (
            f"{file.uri} has {file.size:,} bytes; pipeline {pipeline.name} takes at most "
            f"{pipeline.largest_for_lambda:,} and names no Glue job: split the file or set glue_job"
        )
        return {"valid": False, "rows": 0, "bad_rows": 0, "reason": reason, "defects": [], "route": route}
    stream = s3.open_seekable(file) if pipeline.format == "parquet" else s3.open(file)
    with stream, unbroken(file):
        report = validate(stream, pipeline, key=file.key, size=file.size)
    return {**report.to_document(), "route": route}
