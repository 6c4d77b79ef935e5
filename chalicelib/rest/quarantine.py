"""Quarantine: rejected files and rows that were set aside, and how they are put back."""

from __future__ import annotations

from typing import Any

from chalicelib import answers, errors, quarantined, requeue
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.files import File
from chalicelib.rest.registration import endpoint, number, query


@endpoint(
    "GET",
    "/quarantine",
    "List rejected files and rows that were set aside, newest first",
    answer=answers.Quarantine,
    parameters=(
        Parameter(name="pipeline", schema={"type": "string"}, description="Only of this pipeline."),
        Parameter(
            name="all",
            schema={"type": "boolean", "default": False},
            description="Also what was put back.",
        ),
        Parameter(
            name="limit",
            schema={"type": "integer", "minimum": 1, "maximum": quarantined.MOST_ENTRIES, "default": 20},
            description="At most so many.",
        ),
        Parameter(name="next", schema={"type": "string"}, description="`next` of the page before."),
    ),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def list_quarantine() -> answers.Quarantine:
    """List what is in quarantine."""
    asked, s3 = query("pipeline", "all", "limit", "next"), S3()
    if asked.get("all", "false") not in {"true", "false"}:
        raise errors.InvalidRequest(f"all {asked['all'][:40]!r}: write true or false")
    found, following = quarantined.page(
        s3,
        pipeline=asked.get("pipeline"),
        everything=asked.get("all") == "true",
        limit=number(asked, "limit", 20),
        cursor=asked.get("next"),
    )
    return answers.Quarantine(quarantine=[_held(s3, entry) for entry in found], next=following)


@endpoint(
    "GET",
    "/quarantine/{run}",
    "Show what a run put into quarantine, with its first offending rows",
    answer=answers.Quarantined,
    raises=(errors.UnknownRun, errors.UnknownPipeline, errors.NotInQuarantine),
)
def show_quarantined(run: str) -> answers.Quarantined:
    """Show what a run put into quarantine."""
    s3 = S3()
    return _held(s3, quarantined.find(s3, run), rows=True)


@endpoint(
    "POST",
    "/quarantine/{run}/requeue",
    "Start a run for what is in quarantine, corrected or as it is; 200 when that content has a run already",
    body=answers.Requeue,
    answer=answers.RunStarted,
    status=(201, 200),
    raises=(
        errors.InvalidRequest,
        errors.UnknownRun,
        errors.UnknownPipeline,
        errors.UnknownFile,
        errors.NotInQuarantine,
        errors.RunConflict,
    ),
)
def requeue_run(run: str, body: answers.Requeue) -> tuple[int, answers.RunStarted]:
    """Put back what a run put into quarantine."""
    started = requeue.requeue(StepFunctions(), S3(), run, body.key)
    return 201 if started.new else 200, answers.RunStarted(run=started.run, new=started.new)


def _held(s3: S3, entry: quarantined.Entry, *, rows: bool = False) -> answers.Quarantined:
    report = quarantined.report(s3, entry)
    return answers.Quarantined(
        run=entry.run,
        pipeline=entry.pipeline,
        kind="rows" if entry.kind == "rows" else "file",
        since=entry.since,
        file=File.from_document(report["file"]).uri,
        rows=report["rows"],
        bad_rows=report["bad_rows"],
        reason=quarantined.why(report),
        held=entry.held.uri,
        bytes=entry.held.size,
        report=f"s3://{entry.held.bucket}/{entry.folder}report.json",
        requeued=list(entry.requeued),
        offending=[_offending(row) for row in quarantined.offending(s3, entry, report)] if rows else None,
    )


def _offending(row: dict[str, Any]) -> answers.OffendingRow:
    return answers.OffendingRow(
        row=row["row"],
        line=row["line"],
        column=row["column"],
        rule=row["rule"],
        message=row["message"],
        raw=row["raw"],
    )
