"""Files: what landed, its last run, and the lineage from a key to its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from msgspec import Struct

from chalicelib import errors, landed, sources
from chalicelib.answers import OutcomeText, RowsAnswer
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.rest.registration import endpoint, number, query

if TYPE_CHECKING:
    from chalicelib.run import Run


class FileAnswer(Struct):
    """A file and how its last run stands; `run` is null while it has none.

    `landed` is null when it is where it landed no longer, and `size` when it is nowhere; `quarantined` is
    when it went to quarantine, of a rejected file.
    """

    pipeline: str
    bucket: str
    key: str
    size: int | None
    landed: str | None
    run: str | None
    outcome: OutcomeText | None
    quarantined: str | None = None


class Files(Struct):
    """One page, newest first; `truncated` when a prefix holds more keys than are sorted."""

    files: list[FileAnswer]
    next: str | None
    truncated: bool


class ParquetAnswer(Struct):
    """A Parquet object in the curated bucket."""

    uri: str
    key: str
    size: int


class LineageRun(Struct):
    """A run of the key and what it left: Parquet, quarantined rows or file, rows in the table.

    Times are ISO 8601 in UTC; `requeued` names the runs that were started with what is in quarantine.
    """

    name: str
    pipeline: str
    outcome: OutcomeText
    started: str
    ended: str | None
    seconds: float | None
    error: str | None
    cause: str | None
    rows: RowsAnswer | None
    parquet: list[ParquetAnswer]
    quarantine: str | None
    requeued: list[str]
    table: str | None
    loaded: int | None


class LineageAnswer(Struct):
    """From key to table: the file, and every run of the key, newest first."""

    file: FileAnswer
    runs: list[LineageRun]
    catalog_table: str


@endpoint(
    "GET",
    "/files",
    "List files that landed, newest first, each with its last run; rejected ones too",
    answer=Files,
    parameters=(
        Parameter(name="pipeline", schema={"type": "string"}, description="Only of this pipeline."),
        Parameter(
            name="limit",
            schema={"type": "integer", "minimum": 1, "maximum": landed.MOST_FILES, "default": 20},
            description="At most so many files.",
        ),
        Parameter(name="next", schema={"type": "string"}, description="`next` of the page before."),
    ),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def list_files() -> Files:
    """List landed files."""
    asked = query("pipeline", "limit", "next")
    found, following, truncated = landed.page(
        StepFunctions(),
        S3(),
        pipeline=asked.get("pipeline"),
        limit=number(asked, "limit", 20),
        cursor=asked.get("next"),
    )
    return Files(files=[_file(each) for each in found], next=following, truncated=truncated)


@endpoint(
    "GET",
    "/files/lineage",
    "Show what became of a key: its runs, their Parquet, quarantine and table",
    answer=LineageAnswer,
    parameters=(
        Parameter(name="pipeline", schema={"type": "string"}, description="Whose file it is; required."),
        Parameter(
            name="key",
            schema={"type": "string", "maxLength": 1024},
            description="The key in the pipeline's bucket; required.",
        ),
    ),
    raises=(errors.InvalidRequest, errors.UnknownPipeline, errors.UnknownFile),
)
def show_lineage() -> LineageAnswer:
    """Show a key's lineage."""
    asked = query("pipeline", "key")
    for name in ("pipeline", "key"):
        if not asked.get(name):
            raise errors.InvalidRequest(f"{name}: write whose lineage is wanted, as ?pipeline=...&key=...")
    found = landed.lineage(StepFunctions(), S3(), asked["pipeline"], asked["key"])
    if not (found.contents or found.runs):
        raise errors.UnknownFile(f"{asked['key'][:200]}: no such file landed, and no run is known of it")
    file, since = found.contents[0] if found.contents else (None, None)
    last = found.runs[0] if found.runs else None
    return LineageAnswer(
        file=FileAnswer(
            pipeline=found.pipeline.name,
            bucket=sources.bucket(found.pipeline),
            key=found.key,
            size=file.size if file else None,
            landed=since,
            run=last.name if last else None,
            outcome=last.outcome if last else None,
        ),
        runs=[_run(found, run) for run in found.runs],
        catalog_table=landed.catalog_table(found.pipeline),
    )


def _file(each: landed.Landed) -> FileAnswer:
    return FileAnswer(
        pipeline=each.pipeline,
        bucket=each.file.bucket,
        key=each.key,
        size=each.file.size,
        landed=None if each.rejected else each.since,
        run=each.run.name if each.run else None,
        outcome=each.run.outcome if each.run else None,
        quarantined=each.since if each.rejected else None,
    )


def _run(found: landed.Lineage, run: Run) -> LineageRun:
    held, table = found.quarantine.get(run.name), found.pipeline.table
    copied = ((run.output or {}).get("copy_to_redshift") or {}).get("rows")
    return LineageRun(
        name=run.name,
        pipeline=run.pipeline,
        outcome=run.outcome,
        started=run.started,
        ended=run.ended,
        seconds=run.seconds,
        error=run.error,
        cause=run.cause,
        rows=RowsAnswer(**asdict(run.rows)) if run.rows else None,
        parquet=[
            ParquetAnswer(uri=file.uri, key=file.key, size=file.size)
            for file in found.parquet.get(run.name, [])
        ],
        quarantine=held.held.uri if held else None,
        requeued=list(held.requeued) if held else [],
        table=f"{table.schema}.{table.name}" if table and copied is not None else None,
        loaded=copied,
    )
