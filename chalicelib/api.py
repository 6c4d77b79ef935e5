"""The REST API: pipelines and runs as resources."""

from __future__ import annotations

import functools
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import (
    answers,
    approvals,
    auth,
    errors,
    listing,
    openapi,
    pipelines,
    quarantined,
    requeue,
    runs,
    settings,
    sources,
    workflow_reports,
)
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.files import File
from chalicelib.history import iso, readable_cause
from chalicelib.pipeline import BatchPipeline
from chalicelib.rest import (
    console,
    files,
    logs,
    notices,
    service_levels,
    states,
    statistics,
    uploads,
    workflows,
)
from chalicelib.rest.registration import ENDPOINTS, api, caller, endpoint, number, query

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline

__all__ = [
    "ENDPOINTS",
    "api",
    "console",
    "files",
    "logs",
    "notices",
    "service_levels",
    "states",
    "statistics",
    "uploads",
    "workflows",
]

EVENTS = 500
"""Events of a run's history on one page."""

HIDDEN = frozenset({"taskToken", "parameters"})
"""Details of an event that stay inside: parameters may carry a task token."""


@endpoint("GET", "/health", "Tell that the service answers", opened=True, answer=answers.Health)
def health() -> answers.Health:
    """Tell that the service answers."""
    return answers.Health(status="ok", stage=settings.stage())


@endpoint("GET", "/openapi.json", "This document", opened=True)
def show_openapi() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return openapi.document(ENDPOINTS)


@endpoint("GET", "/me", "Tell whom the token belongs to and what it may do", answer=answers.Me)
def show_me() -> answers.Me:
    """Tell whom the token belongs to."""
    role = api.current_request.context["authorizer"]["role"]
    return answers.Me(name=caller(), role=role, may=auth.may(role))


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


@endpoint(
    "GET",
    "/runs",
    "List runs, newest first",
    answer=answers.Runs,
    parameters=(
        Parameter(name="pipeline", schema={"type": "string"}, description="Only this pipeline's runs."),
        Parameter(
            name="outcome",
            schema={
                "enum": ["running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out"]
            },
            description="Only runs that stand so.",
        ),
        Parameter(
            name="since",
            schema={"type": "string", "format": "date-time"},
            description="Only runs started at or after this time; without a zone it is UTC.",
        ),
        Parameter(
            name="until",
            schema={"type": "string", "format": "date-time"},
            description="Only runs started at or before this time; without a zone it is UTC.",
        ),
        Parameter(
            name="search",
            schema={"type": "string", "maxLength": listing.LONGEST_SEARCH},
            description="Only runs with these characters in their own or their file's name, in any case.",
        ),
        Parameter(
            name="limit",
            schema={"type": "integer", "minimum": 1, "maximum": listing.MOST_RUNS, "default": 20},
            description="At most so many runs.",
        ),
        Parameter(name="next", schema={"type": "string"}, description="`next` of the page before."),
    ),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def list_runs() -> answers.Runs:
    """List runs."""
    asked = query("pipeline", "outcome", "since", "until", "search", "limit", "next")
    wanted = listing.Wanted(
        pipeline=asked.get("pipeline"),
        outcome=asked.get("outcome"),
        since=listing.moment(asked["since"], "since") if "since" in asked else None,
        until=listing.moment(asked["until"], "until") if "until" in asked else None,
        search=asked.get("search"),
    )
    price = functools.partial(workflow_reports.cost_of, workflow_reports.reports(S3()))
    found, following = listing.page(
        StepFunctions(), wanted, number(asked, "limit", 20), asked.get("next"), price
    )
    return answers.Runs(runs=[answers.RunAnswer(**asdict(run)) for run in found], next=following)


@endpoint(
    "GET",
    "/runs/{run}",
    "Show a run with its input, output, error and steps",
    answer=answers.RunAnswer,
    raises=(errors.UnknownRun, errors.UnknownPipeline),
)
def show_run(run: str) -> answers.RunAnswer:
    """Show a run."""
    found = runs.describe(StepFunctions(), run)
    price = workflow_reports.cost_of(workflow_reports.reports(S3()), runs.workflow_of(run), found)
    return answers.RunAnswer(**asdict(replace(found, cost=price if found.ended else None)))


@endpoint(
    "GET",
    "/runs/{run}/events",
    "Show a run's history of events, oldest first",
    answer=answers.Events,
    parameters=(
        Parameter(
            name="after",
            schema={"type": "integer", "minimum": 0, "default": 0},
            description="Only events with a higher id: `next` of the page before.",
        ),
    ),
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline),
)
def show_events(run: str) -> answers.Events:
    """Show a run's history."""
    after = number(query("after"), "after", 0)
    found = [_event(event) for event in runs.events(StepFunctions(), run) if event["id"] > after]
    more = len(found) > EVENTS
    return answers.Events(events=found[:EVENTS], next=found[EVENTS - 1].id if more else None)


@endpoint(
    "POST",
    "/runs/{run}/stop",
    "Stop a run that is under way",
    body=answers.StopRun,
    answer=answers.RunAnswer,
    raises=(errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def stop_run(run: str, body: answers.StopRun) -> answers.RunAnswer:
    """Stop a run."""
    runs.stop(StepFunctions(), run, body.reason)
    return answers.RunAnswer(**asdict(runs.describe(StepFunctions(), run)))


@endpoint(
    "POST",
    "/runs/{run}/redrive",
    "Let a run that did not succeed go on, or start it again; the answer names the run that does the work",
    answer=answers.RunStarted,
    raises=(errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def redrive_run(run: str) -> answers.RunStarted:
    """Redrive a run."""
    started = runs.redrive(StepFunctions(), run)
    return answers.RunStarted(run=started.run, new=started.new)


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


@endpoint("GET", "/approvals", "List the runs that wait for a person's approval", answer=answers.Approvals)
def list_approvals() -> answers.Approvals:
    """List the runs that wait."""
    return answers.Approvals(waiting=[answers.Waiting(**asdict(asked)) for asked in approvals.waiting(S3())])


@endpoint(
    "POST",
    "/runs/{run}/approve",
    "Let a run that waits for approval go on",
    body=answers.Decision,
    answer=answers.RunAnswer,
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def approve_run(run: str, body: answers.Decision) -> answers.RunAnswer:
    """Approve a run."""
    found = runs.describe(StepFunctions(), run)
    approvals.approve(S3(), StepFunctions(), found.name, by=caller(), reason=body.reason)
    return answers.RunAnswer(**asdict(found))


@endpoint(
    "POST",
    "/runs/{run}/refuse",
    "End a run that waits for approval; its file goes to quarantine",
    body=answers.Decision,
    answer=answers.RunAnswer,
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def refuse_run(run: str, body: answers.Decision) -> answers.RunAnswer:
    """Refuse a run."""
    found = runs.describe(StepFunctions(), run)
    approvals.refuse(S3(), StepFunctions(), found.name, by=caller(), reason=body.reason)
    return answers.RunAnswer(**asdict(found))


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


def _event(event: dict[str, Any]) -> answers.Event:
    found: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    details = {name: value for name, value in found.items() if name not in HIDDEN}
    if "cause" in details:
        details["cause"] = readable_cause(details["cause"])
    return answers.Event(
        id=event["id"],
        previous=event["previousEventId"],
        type=event["type"],
        time=iso(event["timestamp"]),
        details=details,
    )
