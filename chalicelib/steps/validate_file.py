"""Read the file once and say whether it is valid, what is unusual about it, and which way it goes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from chalicelib import approvals, pipelines, quarantine, settings, sources
from chalicelib.aws.s3 import unbroken
from chalicelib.files import File

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.pipeline import Pipeline
    from chalicelib.validation import BadRows, Report


def validate_file(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "pipeline": "orders", "file": {...}}`.

    Returns:
        The report's document (`valid`, `tolerated`, `rows`, `good_rows`, `bad_rows`, `reason`, ...) with
        `route`, the way of a valid file: `lambda` or `glue`;
        `flags`, what is unusual about a valid file (docs/validation.md lists them);
        `approval`, whether a person is asked (`needed`), `why`, and for how long;
        `reject_file`, the address of the bad rows that were set aside, or None;
        `source`, the file that the next steps read: the file itself.
    """
    file = File.from_document(event["file"])
    pipeline = quarantine.rules(pipelines.file_pipeline(event["pipeline"]), file.key)
    return check(sources.storage(pipeline, event["run"]), pipeline, file, event["run"])


def check(s3: S3, pipeline: Pipeline, file: File, run: str) -> dict[str, Any]:
    """Validate the file, set aside the bad rows that the pipeline tolerates, and choose the route by size."""
    from chalicelib.validation import BadRows, validate  # noqa: PLC0415 - only this step needs the readers

    route = "lambda" if file.size <= pipeline.largest_for_lambda else "glue"
    way: dict[str, Any] = {"route": route, "flags": [], "reject_file": None, "source": file.to_document()}
    if route == "glue" and pipeline.glue_job is None:
        reason = (
            f"{file.uri} has {file.size:,} bytes; pipeline {pipeline.name} takes at most "
            f"{pipeline.largest_for_lambda:,} and names no Glue job: split the file or set glue_job"
        )
        nothing = {"tolerated": False, "rows": 0, "good_rows": 0, "bad_rows": 0, "defects": []}
        return {"valid": False, "reason": reason, **nothing, **way, "approval": {"needed": False}}
    stream = s3.open_seekable(file) if pipeline.format == "parquet" else s3.open(file)
    bad_rows = BadRows(pipeline.tolerate.rows) if pipeline.tolerate else None
    with contextlib.closing(bad_rows) if bad_rows else contextlib.nullcontext():
        with stream, unbroken(file):
            report = validate(stream, pipeline, key=file.key, size=file.size, bad_rows=bad_rows)
        if bad_rows and report.tolerated:
            way["reject_file"] = _set_aside(s3, pipeline, file, run, report, bad_rows)
    raised = flags(pipeline, report)
    approval = approvals.needed(pipeline, report, raised)
    return {**report.to_document(), **way, "flags": raised, "approval": approval}


def flags(pipeline: Pipeline, report: Report) -> list[str]:
    """Return what is unusual about a valid file, in words that a workflow can branch on."""
    declared = {column.name for column in pipeline.columns}
    fewest, most = pipeline.usual_rows or (report.rows, report.rows)
    found = {
        "rows_quarantined": report.tolerated,
        "schema_evolved": not declared.issuperset(report.columns),
        "unusual_row_count": not fewest <= report.rows <= most,
    }
    return [flag for flag, stands in found.items() if stands and report.valid]


def _set_aside(s3: S3, pipeline: Pipeline, file: File, run: str, report: Report, bad_rows: BadRows) -> str:
    """Write the report, then the reject file: bad rows are never in quarantine without their reasons."""
    folder = quarantine.folder(pipeline.name, run)
    about = {"run": run, "file": file.to_document(), **report.to_document()}
    s3.put_json(settings.quarantine_bucket(), f"{folder}report.json", about)
    return quarantine.write_rows(s3, f"{folder}{quarantine.REJECT_FILE}", file, bad_rows.documents())
