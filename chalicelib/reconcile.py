"""Every 15 minutes: what was lost, stuck, untold or late is healed or told."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib import approvals, metrics, pipelines, runs, sent_notices, service_levels, settings
from chalicelib.errors import DecantError, UnknownRun
from chalicelib.notices import lateness, notice
from chalicelib.notices.notice import took
from chalicelib.notices.sending import send, send_at_once, tell_of_folds
from chalicelib.pipeline import Pipeline
from chalicelib.recent_runs import RecentRuns, is_own, workflows
from chalicelib.run import RunName
from chalicelib.service_levels import LOOK_BACK

if TYPE_CHECKING:
    from chalicelib.aws.glue import StageJobs
    from chalicelib.aws.s3 import S3
    from chalicelib.aws.sns import SNS
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.run import Run

log = logging.getLogger(__name__)

UNTOLD_AFTER, UNTOLD_WITHIN = timedelta(minutes=5), timedelta(hours=6)
"""Runs that ended so long ago are asked whether people were told; a younger one may still be telling."""

MOST_UNTOLD = 200
"""Runs that one look asks about, each with one request."""

OVERTIME = timedelta(minutes=15)
"""Step Functions ends a run at its workflow's limit; one that is so far past it is stuck."""

RUNNING = 1000
"""Runs under way that one look sees of each workflow."""

FAILURES = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


@dataclass
class Reconciled:
    """What one look found and did.

    Attributes:
        files: the runs started for landed files that had none.
        ticks: the runs started for ticks that were missed.
        stuck: the runs that take longer than they may; people were told of each once.
        stopped_job_runs: the Glue job runs that were stopped because their run had ended.
        told: the runs whose end people had not been told of, and now are.
        summaries: the subjects of the summaries of folded notices.
        late, arrived: the pipelines whose data is late, or came late since the last look.
        waiting: how many runs wait for a person.
        files_late: pipelines whose data is not there although it is expected.
        oldest_unprocessed_seconds: since the oldest file without an ended run landed, or its run started.
        failed: what could not be looked at, and why; the others were.
    """

    files: list[str] = field(default_factory=list)
    ticks: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    stopped_job_runs: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    waiting: int = 0
    files_late: int = 0
    oldest_unprocessed_seconds: int = 0
    failed: list[str] = field(default_factory=list)


class Look:
    """One look at everything.

    Args:
        states: Step Functions.
        s3: the buckets.
        sns: the topic.
        jobs: the stage's own jobs.
        now: the moment of the look.
    """

    def __init__(self, states: StepFunctions, s3: S3, sns: SNS, jobs: StageJobs, now: datetime) -> None:
        self._states, self._s3, self._sns, self._jobs, self._now = states, s3, sns, jobs, now
        self._recent = RecentRuns(states, now - LOOK_BACK)
        self.found = Reconciled()

    def all(self) -> Reconciled:
        """Look at each thing, whatever becomes of the others.

        Raises:
            DecantError: the first failure, after everything else was looked at.
        """
        failures: list[DecantError] = []
        for look in (
            self._ticks,
            self._files,
            self._approvals,
            self._running,
            self._job_runs,
            self._untold,
            self._levels,
            self._folds,
        ):
            try:
                look()
            except DecantError as error:
                log.exception("%s: not looked at", look.__name__.strip("_"))
                self.found.failed.append(f"{look.__name__.strip('_')}: {error}")
                failures.append(error)
        log.info("reconciled: %s", self.found)
        metrics.service_levels(  # also after a failure: without these figures an alarm says that nobody looks
            oldest_unprocessed=self.found.oldest_unprocessed_seconds,
            late=self.found.late,
            missed_ticks=[RunName.parse(run).pipeline for run in self.found.ticks],
        )
        if failures:
            raise failures[0]
        return self.found

    def _ticks(self) -> None:
        self.found.ticks = [started.run for started in runs.catch_up(self._states, self._now)]

    def _files(self) -> None:
        for file, landed in runs.missing(self._states, self._s3, self._now):
            self._seen_unprocessed(landed)
            self.found.files.append(runs.start_for_file(self._states, file).run)

    def _approvals(self) -> None:
        self.found.waiting = approvals.look_after(self._s3, self._states)

    def _running(self) -> None:
        """Tell of each run that takes too long, once."""
        waits = {asked.run for asked in approvals.waiting(self._s3)}
        for workflow in workflows():
            machine = settings.state_machine(workflow)
            rows, _ = self._states.page(machine, status="RUNNING", limit=RUNNING, token=None)
            limit = self._states.time_limit(machine)
            for row in rows:
                if is_own(row["name"], workflow):
                    self._look_at(row, limit, waits=row["name"] in waits)

    def _look_at(self, row: dict[str, Any], limit: int | None, *, waits: bool) -> None:
        pipeline = pipelines.named(row["name"].partition("-")[0])
        since = row.get("redriveDate") or row["startDate"]
        if isinstance(pipeline, Pipeline) and not waits:
            self._seen_unprocessed(since)
        declared = None if waits else pipeline.longest_run
        allowed = timedelta(seconds=declared) if declared else timedelta(seconds=limit or 0) + OVERTIME
        if self._now - since < allowed or not (declared or limit):
            return
        self.found.stuck.append(row["name"])
        if not sent_notices.exists(self._s3, row["name"], "stuck"):
            lasted = (self._now - since).total_seconds()
            self._tell(row["name"], "stuck", {"for": took(lasted), "limit": took(declared or limit or 0)})

    def _job_runs(self) -> None:
        """Stop the Glue job runs of runs that have ended: they would write beside the next attempt."""
        jobs = {found.glue_job.name for found in pipelines.of_files() if found.glue_job}
        for job in sorted(settings.glue_job(name) for name in jobs):
            for job_run, run in self._jobs.live(job, "--run"):
                try:
                    ended = runs.found(self._states, run).outcome != "running"
                except UnknownRun:
                    continue  # somebody tries the job by hand
                if ended:
                    self._jobs.stop(job, job_run)
                    self.found.stopped_job_runs.append(job_run)

    def _untold(self) -> None:
        """Tell of each run that ended badly without anybody being told."""
        first, last = self._now - UNTOLD_WITHIN, self._now - UNTOLD_AFTER
        rows = [
            row
            for workflow in workflows()
            for row in self._recent.of_workflow(workflow)
            if row["status"] in FAILURES and first < row["stopDate"] < last
        ]
        for row in sorted(rows, key=lambda row: row["stopDate"], reverse=True)[:MOST_UNTOLD]:
            known = {told.outcome for told in sent_notices.of_run(self._s3, row["name"])}
            if not known - {"waiting", "stuck"}:
                self._tell(row["name"])
                self.found.told.append(row["name"])

    def _levels(self) -> None:
        """Tell of late data once, and once more when it has come."""
        for standing in service_levels.standings(self._states, self._s3, self._now, self._recent):
            if standing.standing == "late":
                self.found.late.append(standing.pipeline)
                if not sent_notices.exists(self._s3, standing.name, "late"):
                    send_at_once(self._s3, self._sns, lateness.late(standing), self._now)
            elif (
                standing.standing == "arrived"
                and sent_notices.exists(self._s3, standing.name, "late")
                and not sent_notices.exists(self._s3, standing.name, "arrived")
            ):
                self.found.arrived.append(standing.pipeline)
                send_at_once(self._s3, self._sns, lateness.arrived(standing), self._now)
        self.found.files_late = len(self.found.late)

    def _folds(self) -> None:
        self.found.summaries = tell_of_folds(self._s3, self._sns, self._now)

    def _tell(self, run: str, outcome: str | None = None, details: dict[str, Any] | None = None) -> None:
        found = runs.found(self._states, run)
        given = found.input or {}
        event: dict[str, Any] = {
            "run": run,
            "pipeline": found.pipeline,
            "started": given.get("started", found.started),
            "outcome": outcome or found.outcome,
            "details": details or _details(found),
        }
        event |= {name: given[name] for name in ("file", "parameters") if name in given}
        ended = datetime.fromisoformat(found.ended) if found.ended else self._now
        send(self._s3, self._sns, notice(event, ended), self._now)

    def _seen_unprocessed(self, since: datetime) -> None:
        age = round((self._now - since).total_seconds())
        self.found.oldest_unprocessed_seconds = max(self.found.oldest_unprocessed_seconds, age)


def reconcile(
    states: StepFunctions, s3: S3, sns: SNS, jobs: StageJobs, now: datetime | None = None
) -> Reconciled:
    """Look at everything once."""
    return Look(states, s3, sns, jobs, now or datetime.now(UTC)).all()


def _details(found: Run) -> dict[str, Any]:
    """Return what is known of a run's end without its own notice step."""
    if found.outcome == "rejected":
        report: dict[str, Any] = {"reason": found.cause or "see the report", "defects": []}
        return {"validate_file": report}
    return {"error": {"Error": found.error or found.outcome, "Cause": found.cause or ""}}
