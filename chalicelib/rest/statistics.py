"""Statistics: how runs ended, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from chalicelib import errors, pipelines, statistics
from chalicelib.answers import OutcomeText  # noqa: TC001 - msgspec reads it for the document
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.rest.registration import endpoint, number, query

if TYPE_CHECKING:
    from chalicelib.statistics import Hour

HOURS = Parameter(
    name="hours",
    schema={"type": "integer", "minimum": 1, "maximum": statistics.MOST_HOURS, "default": 24},
    description="The last so many hours, the one that goes on among them.",
)


class HourAnswer(Struct):
    """The runs that began in one hour; `seconds_median` is that of the runs that have ended."""

    start: str
    running: int
    succeeded: int
    rejected: int
    failed: int
    expired: int
    stopped: int
    timed_out: int
    rows: int
    seconds_median: float | None


class LastRun(Struct):
    """The newest run of a pipeline within these hours."""

    run: str
    outcome: OutcomeText
    started: str


class PipelineStatistics(Struct):
    """The hours of one pipeline, oldest first; `truncated` when there were more runs than are counted."""

    pipeline: str
    hours: list[HourAnswer]
    last: LastRun | None
    truncated: bool


class Statistics(Struct):
    """The hours of every pipeline."""

    pipelines: list[PipelineStatistics]
    truncated: bool


@endpoint(
    "GET",
    "/statistics",
    "Tell how the runs of every pipeline ended, hour by hour",
    answer=Statistics,
    parameters=(HOURS,),
    raises=(errors.InvalidRequest,),
)
def show_statistics() -> Statistics:
    """Tell how runs ended."""
    counted = statistics.count(StepFunctions(), None, number(query("hours"), "hours", 24))
    found = [_answer(counted, name) for name in pipelines.every()]
    return Statistics(pipelines=found, truncated=counted.truncated)


@endpoint(
    "GET",
    "/pipelines/{pipeline}/statistics",
    "Tell how the runs of a pipeline ended, hour by hour",
    answer=PipelineStatistics,
    parameters=(HOURS,),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def show_pipeline_statistics(pipeline: str) -> PipelineStatistics:
    """Tell how a pipeline's runs ended."""
    name = pipelines.named(pipeline).name
    return _answer(statistics.count(StepFunctions(), name, number(query("hours"), "hours", 24)), name)


def _answer(counted: statistics.Counted, pipeline: str) -> PipelineStatistics:
    last = counted.last.get(pipeline)
    return PipelineStatistics(
        pipeline=pipeline,
        hours=[_hour(hour) for hour in counted.pipelines.get(pipeline, [])],
        last=LastRun(run=last.name, outcome=last.outcome, started=last.started) if last else None,
        truncated=counted.truncated,
    )


def _hour(hour: Hour) -> HourAnswer:
    outcomes = ("running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out")
    return HourAnswer(
        start=hour.start,
        rows=hour.rows,
        seconds_median=hour.median,
        **{outcome: hour.outcomes.get(outcome, 0) for outcome in outcomes},
    )
