"""Turn a small file into typed Parquet in the curated bucket."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import curated, pipelines, quarantine, settings, sources
from chalicelib.aws.s3 import unbroken
from chalicelib.files import File

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.pipeline import Pipeline


def transform_file(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"token", "pipeline", "file": {...}, "source": {...}, "started"}`; `source` is what is read.

    Returns:
        `{"rows": 5, "bytes": 1234}`: what was written.
    """
    file = File.from_document(event["source"])
    folder = curated.folder(event["pipeline"], event["token"], event["started"])
    pipeline = quarantine.rules(pipelines.file_pipeline(event["pipeline"]), event["file"]["key"])
    return transform(sources.storage(pipeline, event["run"]), pipeline, file, folder, event["started"])


def transform(s3: S3, pipeline: Pipeline, file: File, folder: str, started: str) -> dict[str, Any]:
    """Write one Parquet file; another attempt writes the same name again."""
    from chalicelib.transform import write_parquet  # noqa: PLC0415 - only this step needs pyarrow here

    stream = s3.open_seekable(file) if pipeline.format == "parquet" else s3.open(file)
    with tempfile.TemporaryDirectory() as scratch, stream, unbroken(file):
        path = Path(scratch) / "part-0.parquet"
        with path.open("wb") as sink:
            written = write_parquet(
                stream, pipeline, sink, key=file.key, processing_date=curated.processing_date(started)
            )
        s3.put_file(settings.curated_bucket(), f"{folder}part-0.parquet", path)
    return {"rows": written.rows, "bytes": written.bytes}
