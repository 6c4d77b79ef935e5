"""Pipelines: what there is, and a run started by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib import answers, errors, pipelines, runs, sources
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.history import iso
from chalicelib.pipeline import BatchPipeline
from chalicelib.rest.registration import endpoint

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


@endpoint("GET", "/pipelines", "List the pipelines", answer=answers.Pipelines)
def list_pipelines() -> answers.Pipelines:
    """List the pipelines."""
    return answers.Pipelines(pipelines=[_described(found) for found in pipelines.every().values()])


@endpoint(
    "GET",
    "/pipelines/{pipeline}",
    "Show a pipeline with its columns and rules",
    answer=answers.PipelineAnswer,
    raises=(errors.UnknownPipeline,),
)
def show_pipeline(pipeline: str) -> answers.PipelineAnswer:
    """Show a pipeline."""
    return _described(pipelines.named(pipeline))


@endpoint(
    "POST",
    "/pipelines/{pipeline}/runs",
    "Start a run for a file of the pipeline's bucket, or of a batch pipeline; 200 when that run exists",
    body=answers.StartRun,
    answer=answers.RunStarted,
    status=(201, 200),
    raises=(errors.InvalidRequest, errors.UnknownPipeline, errors.UnknownFile),
)
def start_run(pipeline: str, body: answers.StartRun) -> tuple[int, answers.RunStarted]:
    """Start a run."""
    chosen, states = pipelines.named(pipeline), StepFunctions()
    if isinstance(chosen, BatchPipeline):
        if body.key or body.version:
            raise errors.InvalidRequest(f"key: {pipeline} works on no single file: send its parameters")
        started = runs.start_batch(states, pipeline, body.parameters or {}, key=body.request)
    else:
        if body.key is None or body.parameters is not None or body.request:
            raise errors.InvalidRequest(f"key: {pipeline} works on a file: send its key, and no parameters")
        storage = sources.storage(chosen, "start-run")
        file = storage.find(_bucket(chosen, body.bucket), body.key, body.version)
        started = runs.start_for_file(states, file, pipeline=pipeline)
    return 201 if started.new else 200, answers.RunStarted(run=started.run, new=started.new)


def _bucket(pipeline: Pipeline, asked: str | None) -> str:
    """Return the bucket to look in: the one that the pipeline's files are in, and no other."""
    own = sources.bucket(pipeline)
    if asked not in (None, own):
        raise errors.InvalidRequest(f"bucket {asked[:80]!r}: the files of {pipeline.name} are in {own}")
    return own


def _described(pipeline: Pipeline | BatchPipeline) -> answers.PipelineAnswer:
    if isinstance(pipeline, BatchPipeline):
        return answers.PipelineAnswer(
            name=pipeline.name,
            kind="batch",
            description=pipeline.description,
            workflow=pipeline.workflow,
            parameters=[asdict(parameter) for parameter in pipeline.parameters],
            schedule=pipeline.schedule.expression if pipeline.schedule else None,
            next_tick=iso(pipeline.schedule.next(datetime.now(UTC))) if pipeline.schedule else None,
            reads=pipeline.reads,
        )
    return answers.PipelineAnswer(
        name=pipeline.name,
        kind="file",
        description=pipeline.description,
        workflow=pipeline.workflow,
        landing_prefix=pipeline.landing_prefix,
        format=pipeline.format,
        columns=[asdict(column) for column in pipeline.columns],
        table=f"{pipeline.table.schema}.{pipeline.table.name}" if pipeline.table else None,
        bucket=sources.bucket(pipeline),
        glue_job=pipeline.glue_job.name if pipeline.glue_job else None,
        largest_for_lambda=pipeline.largest_for_lambda,
        tolerate=asdict(pipeline.tolerate) if pipeline.tolerate else None,
        usual_rows=list(pipeline.usual_rows) if pipeline.usual_rows else None,
    )
