"""Move a rejected file out of the landing bucket, with the report beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, settings, sources
from chalicelib.files import File
from chalicelib.quarantine import folder as folder_of
from chalicelib.quarantine import name_of

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3


def quarantine_file(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "pipeline": ..., "file": {...}, "report": {...}}`.

    Returns:
        `{"file": "s3://...", "report": "s3://..."}`: where both are now.
    """
    s3 = sources.storage(pipelines.file_pipeline(event["pipeline"]), event["run"])
    return quarantine(s3, event["run"], event["pipeline"], File.from_document(event["file"]), event["report"])


def quarantine(s3: S3, run: str, pipeline: str, file: File, report: dict[str, Any]) -> dict[str, Any]:
    """Write the report first, so that a file is never in quarantine without its reasons."""
    bucket = settings.quarantine_bucket()
    folder, name = folder_of(pipeline, run), name_of(file.key)
    s3.put_json(bucket, f"{folder}report.json", {"run": run, "file": file.to_document(), **report})
    s3.move(file, bucket, f"{folder}file/{name}")
    return {
        "file": f"s3://{bucket}/{folder}file/{name}",
        "report": f"s3://{bucket}/{folder}report.json",
    }
