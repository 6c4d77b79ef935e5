"""Runs: name, start, find, describe, stop and redrive them."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from chalicelib import pipelines, settings, sources
from chalicelib.errors import AccessRefused, DecantError, InvalidEvent, InvalidPipeline, RunConflict
from chalicelib.files import File
from chalicelib.history import iso, readable_cause, steps
from chalicelib.run import ERRORS, OUTCOMES, Run, RunName, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.pipeline import Pipeline

log = logging.getLogger(__name__)

RECONCILE_AFTER = timedelta(minutes=5)
"""S3 usually delivers an event within seconds; a younger file is left to its event."""

RECONCILE_WITHIN = timedelta(days=14)
"""Files older than this are left alone: Step Functions forgets a name after 90 days."""

CATCH_UP_AFTER = timedelta(minutes=10)
"""A tick this old without a run was missed; EventBridge delivers within a minute."""

MOST_ATTEMPTS = 9999

WORK = ("file", "receipt_to", "parameters", "tick")
"""What a run's input says about its work; every attempt has the same."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A run's name, and whether this call is what started it."""

    run: str
    new: bool


def files_of_event(event: dict[str, Any]) -> Iterator[File]:
    """Yield the files of an S3 event: every record, keys decoded. A folder's own marker is no file.

    Raises:
        InvalidEvent: a record lacks what names a file.
    """
    for record in event.get("Records", []):
        try:
            bucket, found = record["s3"]["bucket"]["name"], record["s3"]["object"]
            file = File(
                bucket=bucket,
                key=unquote_plus(found["key"]),
                etag=found["eTag"],
                version=found.get("versionId") or None,
                size=found["size"],
            )
        except (KeyError, TypeError) as error:
            raise InvalidEvent(f"S3 event record lacks {error}: {json.dumps(record)[:500]}") from error
        if not (file.key.endswith("/") and file.size == 0):
            yield file


def start_for_event(states: StepFunctions, event: dict[str, Any]) -> list[Started]:
    """Start a run for every file of an S3 event. Safe to repeat.

    Raises:
        DecantError: the first failure, after every other record was handled; S3's delivery is then repeated.
    """
    started, failures = [], []
    for file in files_of_event(event):
        try:
            started.append(start_for_file(states, file))
        except DecantError as error:
            log.exception("no run for %s", file.uri)
            failures.append(error)
    if failures:
        raise failures[0]
    return started


def start_for_file(states: StepFunctions, file: File, *, pipeline: str | None = None) -> Started:
    """Start the run of a file, unless it exists: one run for each pipeline and content.

    Raises:
        UnknownPipeline: the key is under no landing prefix, or no pipeline has the given name.
    """
    chosen = pipelines.file_pipeline(pipeline) if pipeline else _pipeline_of(file)
    work: dict[str, Any] = {"file": file.to_document()}
    if chosen.receipt_role:
        work["receipt_to"] = {"role": chosen.receipt_role, "bucket": chosen.source_bucket}
    return _start(states, RunName.of(chosen.name, file), work)


def start_again(states: StepFunctions, name: RunName, file: File) -> Started:
    """Start a run for a file unless it goes on or succeeded, as the next attempt that does not exist.

    Raises:
        RunConflict: a later attempt goes on or succeeded.
    """
    work = {"file": file.to_document()}
    started = _start(states, name, work)
    if started.new:
        return started
    _, found = _find(states, started.run)
    if from_execution(found).outcome in {"running", "succeeded"}:
        return started
    return _start_again(states, name, found, work)


def start_batch(
    states: StepFunctions, pipeline: str, given: Mapping[str, str], *, key: str | None = None
) -> Started:
    """Start a run of a batch pipeline by hand.

    Args:
        states: Step Functions.
        pipeline: its name.
        given: its parameters; the others take their defaults.
        key: the same key and parameters always mean the same run; without it every call starts a new one.

    Raises:
        UnknownPipeline: no batch pipeline has this name.
        InvalidRequest: a parameter is unknown, missing or not of its type.
    """
    chosen = pipelines.batch_pipeline(pipeline)
    parameters = chosen.read_parameters(given)
    identity = (key or uuid.uuid4().hex, json.dumps(parameters, sort_keys=True))
    return _start(states, RunName.of_identity(chosen.name, "by hand", *identity), {"parameters": parameters})


def start_for_tick(states: StepFunctions, pipeline: str, moment: datetime) -> Started:
    """Start the run of a batch pipeline's last tick at or before a moment, unless it exists.

    Raises:
        UnknownPipeline: no batch pipeline has this name.
        InvalidPipeline: it has no schedule, or a parameter without a default.
    """
    chosen = pipelines.batch_pipeline(pipeline)
    if chosen.schedule is None:
        raise InvalidPipeline(f"{pipeline}: schedule: fill it in, or start the pipeline by hand")
    tick = iso(chosen.schedule.latest(moment))
    document = {"parameters": chosen.read_parameters({}), "tick": tick}
    return _start(states, RunName.of_identity(chosen.name, "tick", tick), document)


def describe(states: StepFunctions, name: str, *, with_steps: bool = True) -> Run:
    """Return a run with its input, output, error and steps.

    Raises:
        UnknownRun: there is none of this name.
    """
    machine, found = _find(states, name)
    run = from_execution(found)
    return replace(run, steps=steps(states.history(machine, name))) if with_steps else run


def found(states: StepFunctions, name: str) -> Run:
    """Return a run with its input, output and error, without its steps.

    Raises:
        UnknownRun: there is none of this name.
    """
    return from_execution(_find(states, name)[1])


def events(states: StepFunctions, name: str) -> Iterator[dict[str, Any]]:
    """Yield a run's history, oldest event first.

    Raises:
        UnknownRun: there is none of this name.
    """
    machine, _ = _find(states, name)
    yield from states.history(machine, name)


def execution(states: StepFunctions, name: str) -> tuple[str, dict[str, Any]]:
    """Return the state machine that a run is of, and AWS's description of its execution.

    Raises:
        UnknownRun: there is none of this name.
    """
    return _find(states, name)


def workflow_of(name: str) -> str:
    """Return the workflow that a run of this name is of.

    Raises:
        UnknownRun, UnknownPipeline: no run can be called that.
    """
    return pipelines.named(RunName.parse(name).pipeline).workflow


def stop(states: StepFunctions, name: str, cause: str) -> None:
    """Stop a run that is under way.

    Raises:
        UnknownRun: there is none of this name.
        RunConflict: it has ended.
    """
    machine, found = _find(states, name)
    if found["status"] != "RUNNING":
        raise RunConflict(
            f"run {name!r} has ended ({from_execution(found).outcome}): there is nothing to stop"
        )
    states.stop(machine, name, cause)


def redrive(states: StepFunctions, name: str) -> Started:
    """Let a run that did not succeed go on, or start it again.

    A run that was stopped or timed out goes on where it was. One that failed told people so and then ended
    in a Fail state, where Step Functions would only fail it again: it gets a new attempt from the start,
    which is harmless, because every step may be repeated and all attempts share one token in the warehouse.

    Raises:
        UnknownRun: there is none of this name.
        RunConflict: it is under way, succeeded, or its file was rejected.
    """
    machine, found = _find(states, name)
    outcome = from_execution(found).outcome
    if outcome in {"running", "succeeded"}:
        raise RunConflict(f"run {name!r} is {outcome}: only a run that did not succeed can be redriven")
    if outcome == "rejected":
        raise RunConflict(
            f"run {name!r}: its file was rejected; put it back, corrected or as it is: "
            f"decant quarantine requeue {name}"
        )
    if outcome in {"stopped", "timed_out"}:
        states.redrive(machine, name)
        return Started(run=name, new=False)
    return _start_again(states, RunName.parse(name), found)


def missing(states: StepFunctions, s3: S3, now: datetime) -> Iterator[tuple[File, datetime]]:
    """Yield the files that should have a run by now and have none, each with the time that it landed.

    A bucket of another account that refuses is passed over, with a warning in the log, while none of the
    newest 1,000 runs of its workflow is its pipeline's: that account is not connected yet.

    Raises:
        AccessRefused: another account no longer lets its bucket be listed; told after all other files.
    """
    refused: list[AccessRefused] = []
    for pipeline in pipelines.of_files():
        if not sources.is_within_reach(pipeline):
            continue
        storage = sources.storage(pipeline, "reconcile") if pipeline.source_bucket else s3
        try:
            yield from _missing_of(pipeline, states, storage, now)
        except AccessRefused as error:
            if _has_had_runs(states, pipeline):
                log.exception("the files of %s cannot be listed", pipeline.name)
                refused.append(error)
            else:
                log.warning("%s is not connected yet: %s", pipeline.name, error)
    if refused:
        raise refused[0]


def _missing_of(
    pipeline: Pipeline, states: StepFunctions, s3: S3, now: datetime
) -> Iterator[tuple[File, datetime]]:
    known: set[str] | None = None
    for file, landed in s3.listing(sources.bucket(pipeline), pipeline.landing_prefix):
        if file.key.endswith("/") or not RECONCILE_AFTER < now - landed < RECONCILE_WITHIN:
            continue
        if known is None:
            known = _names_since(states, pipeline.workflow, now - RECONCILE_WITHIN)
        if str(RunName.of(pipeline.name, file)) not in known:
            yield file, landed


def catch_up(states: StepFunctions, now: datetime) -> list[Started]:
    """Start the last tick of every scheduled pipeline that has no run of it.

    However many ticks were missed, only the last one is caught up: a batch works on all that has gathered.
    Ticks from before the workflow was deployed are nobody's.
    """
    started = []
    for pipeline in pipelines.of_batches():
        if pipeline.schedule is None:
            continue
        tick = pipeline.schedule.latest(now - CATCH_UP_AFTER)
        if tick >= states.created(settings.state_machine(pipeline.workflow)):
            started.append(start_for_tick(states, pipeline.name, tick))
    return [found for found in started if found.new]


def from_execution(found: dict[str, Any]) -> Run:
    """Read a run from Step Functions' description of an execution, or from its row in a list."""
    outcome = OUTCOMES[found["status"]]
    if outcome == "failed":
        outcome = ERRORS.get(found.get("error", ""), outcome)
    started, ended = found["startDate"], found.get("stopDate")
    given, output = _document(found.get("input")), _document(found.get("output"))
    return Run(
        name=found["name"],
        pipeline=found["name"].partition("-")[0],
        outcome=outcome,
        started=iso(started),
        ended=iso(ended) if ended else None,
        seconds=round((ended - started).total_seconds(), 3) if ended else None,
        error=found.get("error"),
        cause=readable_cause(found["cause"]) if found.get("cause") else None,
        input=given,
        output=output,
        redrives=found.get("redriveCount", 0),
        file=((given or {}).get("file") or {}).get("key"),
        rows=rows_of(output),
    )


def _pipeline_of(file: File) -> Pipeline:
    """Return the pipeline that a landed file belongs to; a bucket that no pipeline names is refused."""
    landing = file.bucket == settings.landing_bucket()
    return pipelines.of_key(file.key, None if landing else file.bucket)


def _start(states: StepFunctions, name: RunName, work: dict[str, Any], started: str | None = None) -> Started:
    """Start an execution; `work` says on what: a file, or a batch's parameters."""
    document = {
        "run": str(name),
        "token": name.token,
        "pipeline": name.pipeline,
        **work,
        "started": started or iso(datetime.now(UTC)),
    }
    machine = settings.state_machine(pipelines.named(name.pipeline).workflow)
    new = states.start(machine, str(name), document)
    about = {"run": str(name), "pipeline": name.pipeline, "file": work.get("file", {}).get("key")}
    log.info("run %s %s for %s", name, "started" if new else "existed", json.dumps(work), extra=about)
    return Started(run=str(name), new=new)


def _start_again(
    states: StepFunctions, name: RunName, found: dict[str, Any], instead: dict[str, Any] | None = None
) -> Started:
    """Start the next attempt that does not exist; `instead` says on what, if not on the same as before."""
    document = json.loads(found["input"])
    work = {key: value for key, value in document.items() if key in WORK}
    attempt = name.next
    while attempt.attempt <= MOST_ATTEMPTS:
        started = _start(states, attempt, instead or work, document["started"])
        if started.new:
            return started
        if OUTCOMES[_find(states, started.run)[1]["status"]] in {"running", "succeeded"}:
            raise RunConflict(f"run {name}: a later attempt exists already: {started.run}")
        attempt = attempt.next
    raise RunConflict(f"run {name}: it was tried {MOST_ATTEMPTS} times")


def _find(states: StepFunctions, name: str) -> tuple[str, dict[str, Any]]:
    pipeline = RunName.parse(name).pipeline
    machine = settings.state_machine(pipelines.named(pipeline).workflow)
    return machine, states.describe(machine, name)


def _has_had_runs(states: StepFunctions, pipeline: Pipeline) -> bool:
    """Tell whether a run of the pipeline is among the newest of its workflow."""
    machine = settings.state_machine(pipeline.workflow)
    page, _ = states.page(machine, status=None, limit=1000, token=None)
    return any(found["name"].partition("-")[0] == pipeline.name for found in page)


def _names_since(states: StepFunctions, workflow: str, since: datetime) -> set[str]:
    names: set[str] = set()
    token: str | None = None
    while True:
        page, token = states.page(settings.state_machine(workflow), status=None, limit=1000, token=token)
        names.update(found["name"] for found in page)
        if not token or page[-1]["startDate"] < since:
            return names


def _document(text: str | None) -> dict[str, Any] | None:
    return json.loads(text) if text else None
