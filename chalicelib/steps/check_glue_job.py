"""Say how a Glue job run stands and how long to wait before looking again."""

from __future__ import annotations

import itertools
import logging
import time
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, sources
from chalicelib.aws.glue import Glue, JobRun
from chalicelib.aws.logs import Logs
from chalicelib.errors import AccessRefused, FileReplaced, GlueJobTimedOut, Throttled
from chalicelib.files import File
from chalicelib.upstream import last_useful_line

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.pipeline import GlueJob

log = logging.getLogger(__name__)

ERROR_LOG = "/aws-glue/jobs/error"
"""Where Glue's Spark jobs write their errors, one stream for each job run."""

LOG_SECONDS, MOST_LINES, LONGEST_LINE = 600, 5000, 500
"""How much of it is read, and how much of its line is told."""

ENDED = frozenset({"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"})
"""The states that a Glue job run does not leave."""


def check_glue_job(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline", "source": {...}, "start_glue_job": {"job", "job_run", "started_at"}}`.

    Returns:
        `{"state", "done", "succeeded", "wait_seconds", "error", "cause"}`.
    """
    pipeline = pipelines.file_pipeline(event["pipeline"])
    job = pipeline.glue_job
    if job is None:
        raise ValueError(f"pipeline {event['pipeline']} names no Glue job any more")
    file = File.from_document(event["source"])
    s3, glue = sources.storage(pipeline, event["run"]), Glue(job.access, event["run"])
    found = check(s3, glue, job, event["start_glue_job"], file, time.time())
    if found["done"] and not found["succeeded"] and job.access is None:  # another account keeps its own logs
        return with_last_line(Logs(), found, event["start_glue_job"]["job_run"], time.time())
    return found


def check(
    s3: S3, glue: Glue, job: GlueJob, started: dict[str, Any], file: File, now: float
) -> dict[str, Any]:
    """Look at the job run.

    Raises:
        GlueJobTimedOut: it lasts longer than the pipeline allows; it was asked to stop.
        FileReplaced: the key's content changed while Glue read it.
    """
    run = glue.job_run(started["job"], started["job_run"])
    elapsed = now - started["started_at"]
    if run.state not in ENDED and elapsed > job.deadline:
        glue.stop_job_run(started["job"], run.id)
        raise GlueJobTimedOut(
            f"Glue job {started['job']}, run {run.id}: still {run.state} after {elapsed:.0f} s; "
            f"the pipeline allows {job.deadline} s"
        )
    if run.state == "SUCCEEDED" and not s3.is_current(file):
        raise FileReplaced(
            f"{file.uri} was replaced while Glue read it; the newer content has a run of its own"
        )
    return _standing(job, started["job"], run, elapsed)


def with_last_line(logs: Logs, found: dict[str, Any], job_run: str, now: float) -> dict[str, Any]:
    """Add the last line of the job run's error log that says something, where it can be read."""
    since, until = round((now - LOG_SECONDS) * 1000), round(now * 1000)
    try:
        events = logs.matching(ERROR_LOG, since, until, streams=(job_run,))
        lines = [str(event["message"]) for event in itertools.islice(events, MOST_LINES)]
    except (AccessRefused, Throttled):
        log.warning("the error log of job run %s cannot be read", job_run, exc_info=True)
        return found
    line = last_useful_line(lines)
    if line is None or line in found["cause"]:
        return found
    return {**found, "cause": f"{found['cause']}\nIts log ends: {line[:LONGEST_LINE]}"}


def wait_seconds(job: GlueJob, elapsed: float) -> int:
    """Return the pause before the next check: it grows with the time that the job run has taken."""
    return round(min(max(job.first_wait, elapsed * (job.growth - 1)), job.longest_wait))


def _standing(job: GlueJob, name: str, run: JobRun, elapsed: float) -> dict[str, Any]:
    succeeded = run.state == "SUCCEEDED"
    return {
        "state": run.state,
        "done": run.state in ENDED,
        "succeeded": succeeded,
        "wait_seconds": wait_seconds(job, elapsed),
        "error": "" if succeeded else "GlueJobFailed",
        "cause": "" if succeeded else f"Glue job {name}, run {run.id}: {run.state}. {run.error}".strip(),
    }
