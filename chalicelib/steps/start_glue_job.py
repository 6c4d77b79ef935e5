"""Start the Glue job for a large file, once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib import curated, pipelines, settings, sources
from chalicelib.aws.glue import Glue
from chalicelib.errors import FileReplaced
from chalicelib.files import File
from chalicelib.pipeline import CSV, Column, GlueJob, Pipeline

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3


def start_glue_job(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "token", "pipeline", "source": {...}, "started"}`; `source` is the file to read.

    Returns:
        `{"job": ..., "job_run": ..., "started_at": seconds since 1970}`.
    """
    pipeline, file = pipelines.file_pipeline(event["pipeline"]), File.from_document(event["source"])
    folder = curated.folder(pipeline.name, event["token"], event["started"])
    arguments = job_arguments(pipeline, file, folder, event["started"], event["run"])
    access = pipeline.glue_job.access if pipeline.glue_job else None
    glue = Glue(access, event["run"])
    return start(sources.storage(pipeline, event["run"]), glue, pipeline.glue_job, file, arguments)


def start(s3: S3, glue: Glue, job: GlueJob | None, file: File, arguments: dict[str, str]) -> dict[str, Any]:
    """Find the job run that carries this run's name, or else start it.

    Raises:
        GlueIsBusy: try again when another run of the job has ended.
        FileReplaced: Glue reads by key, and the key now holds other content.
    """
    if job is None:
        raise ValueError("the file was routed to Glue, but its pipeline names no Glue job")
    if not s3.is_current(file):
        raise FileReplaced(f"{file.uri} was replaced after it landed; the newer content has a run of its own")
    name = job.name if job.access else settings.glue_job(job.name)
    run = glue.find_job_run(name, "--run", arguments["--run"]) or glue.start_job_run(name, arguments)
    return {"job": name, "job_run": run.id, "started_at": run.started_at}


def job_arguments(pipeline: Pipeline, file: File, folder: str, started: str, run: str) -> dict[str, str]:
    """Return the arguments that the Glue script reads."""
    arguments = {
        "--source_bucket": file.bucket,
        "--source_key": file.key,
        "--target_path": f"s3://{settings.curated_bucket()}/{folder}",
        "--processing_date": curated.processing_date(started).isoformat(),
        "--columns": json.dumps([_column(column) for column in pipeline.columns]),
        "--extra_columns": pipeline.extra_columns,
        "--run": run,
    }
    if isinstance(pipeline.source, CSV):
        arguments |= {"--delimiter": pipeline.source.delimiter, "--quote": pipeline.source.quote}
    return arguments


def _column(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"name": column.name, "type": column.type, "required": column.required}
    if column.type == "decimal":
        described |= {"precision": column.precision, "scale": column.scale}
    return described
