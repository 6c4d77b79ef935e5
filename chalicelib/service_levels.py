"""Whether each pipeline's data was there when it is expected, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from chalicelib import pipelines, sent_notices, settings
from chalicelib.history import iso
from chalicelib.pipeline import BatchPipeline
from chalicelib.recent_runs import RecentRuns
from chalicelib.run import OUTCOMES

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.expected_by import ExpectedBy
    from chalicelib.pipeline import Pipeline

Word = Literal["met", "late", "arrived", "not_yet"]

LOOK_BACK = timedelta(days=3)
"""How far runs are looked through: the day before the last deadline, and a run that took a day."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a pipeline stands to its last deadline; times are ISO 8601 in UTC.

    Attributes:
        pipeline: its name.
        expected_by: when its data is expected every day.
        deadline: the last deadline.
        following: the deadline after that.
        standing: `met` in time, `late` and not there, `arrived` late, or `not_yet` expected because the
            workflow was not deployed a day before the deadline.
        run: the run that brought the data, or None.
        at: when that run had succeeded, or None.
        why: why it is late, or None.
        seconds_late: from the deadline to the arrival, or to now.
    """

    pipeline: str
    expected_by: str
    deadline: str
    following: str
    standing: Word
    run: str | None = None
    at: str | None = None
    why: str | None = None
    seconds_late: int = 0

    @property
    def name(self) -> str:
        """What its notices are kept under."""
        return notice_name(self.pipeline, self.deadline)


def notice_name(pipeline: str, deadline: str) -> str:
    """Return what the notices about one deadline are kept under."""
    return f"late-{pipeline}-{deadline[:10]}"


def standings(
    states: StepFunctions, s3: S3, now: datetime, recent: RecentRuns | None = None
) -> list[Standing]:
    """Return the standing of every pipeline that declares `expected_by`, in the order of their names."""
    runs = recent or RecentRuns(states, now - LOOK_BACK)
    return [
        standing(states, s3, pipeline, pipeline.expected_by, runs.of_pipeline(pipeline.name), now)
        for pipeline in pipelines.every().values()
        if pipeline.expected_by
    ]


def standing(
    states: StepFunctions,
    s3: S3,
    pipeline: Pipeline | BatchPipeline,
    expected: ExpectedBy,
    rows: list[dict[str, Any]],
    now: datetime,
) -> Standing:
    """Return how a pipeline stands; `rows` are its executions since two days before its last deadline."""
    deadline = expected.latest(now)
    before = expected.before(deadline)
    given: dict[str, Any] = {
        "pipeline": pipeline.name,
        "expected_by": str(expected),
        "deadline": iso(deadline),
        "following": iso(expected.following(deadline)),
    }
    if states.created(settings.state_machine(pipeline.workflow)) > before:
        return Standing(**given, standing="not_yet")
    counted = _arrival(s3, pipeline.name, before)  # it came late for the day before, and is that day's
    came = sorted(
        (row["stopDate"], row["name"])
        for row in rows
        if row["status"] == "SUCCEEDED" and before < row["stopDate"] <= now and row["name"] != counted
    )
    if came:
        at, run = came[0]
        late = max(0, round((at - deadline).total_seconds()))
        word: Word = "arrived" if at > deadline else "met"
        return Standing(**given, standing=word, run=run, at=iso(at), seconds_late=late)
    seconds = round((now - deadline).total_seconds())
    return Standing(**given, standing="late", why=_why(pipeline, rows, before), seconds_late=seconds)


def _arrival(s3: S3, pipeline: str, deadline: datetime) -> str | None:
    """Return the run that people were told of as the late arrival for a deadline."""
    for told in sent_notices.of_run(s3, notice_name(pipeline, iso(deadline))):
        if told.outcome == "arrived":
            return str(told.facts["run"])
    return None


def _why(pipeline: Pipeline | BatchPipeline, rows: list[dict[str, Any]], before: datetime) -> str:
    since = [row for row in rows if row["startDate"] > before and row["status"] != "SUCCEEDED"]
    if not since:
        what = "no run was started" if isinstance(pipeline, BatchPipeline) else "no file has landed"
        return f"{what} since {iso(before)[:16].replace('T', ' ')} UTC"
    newest = since[0]
    outcome = OUTCOMES[newest["status"]]
    if outcome == "running":
        return (
            f"run {newest['name']} is under way since {iso(newest['startDate'])[:16].replace('T', ' ')} UTC"
        )
    return f"the last run, {newest['name']}, did not succeed: {outcome.replace('_', ' ')}"
