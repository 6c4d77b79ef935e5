"""Write a file again without the bad rows that went to quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, quarantine, settings, sources
from chalicelib.aws.s3 import unbroken
from chalicelib.errors import RowsLost
from chalicelib.files import File

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.pipeline import Pipeline


def keep_good_rows(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"token", "pipeline", "file": {...}, "validate_file": {"rows", "good_rows", "reject_file"}}`.

    Returns:
        `{"file": {...}, "rows": 995}`: the copy, which the next steps read in place of the file.
    """
    file = File.from_document(event["file"])
    pipeline = pipelines.file_pipeline(event["pipeline"])
    return keep(
        sources.storage(pipeline, event["run"]), pipeline, file, event["token"], event["validate_file"]
    )


def keep(s3: S3, pipeline: Pipeline, file: File, token: str, found: dict[str, Any]) -> dict[str, Any]:
    """Copy the good rows; another attempt writes the same key again.

    Raises:
        RowsLost: the rows kept and the rows set aside are not all the rows of the file.
    """
    from chalicelib.good_rows import write_good_rows  # noqa: PLC0415 - only this step needs the readers here

    bad = frozenset(row["row"] for row in quarantine.rows(s3, found["reject_file"]))
    bucket, key = settings.landing_bucket(), quarantine.good_rows_key(pipeline.name, token, file.key)
    stream = s3.open_seekable(file) if pipeline.format == "parquet" else s3.open(file)
    with stream, unbroken(file), s3.writing(bucket, key) as sink:
        kept = write_good_rows(stream, pipeline, sink, key=file.key, without=bad)
        if kept != found["good_rows"] or kept + len(bad) != found["rows"]:
            raise RowsLost(
                f"{file.uri} has {found['rows']} rows, but {kept} were kept and {len(bad)} set aside"
            )
    return {"file": s3.find(bucket, key).to_document(), "rows": kept}
