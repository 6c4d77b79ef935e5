"""The REST endpoint for a run's log lines."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct

from chalicelib import errors, run_logs
from chalicelib.aws.logs import Logs
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.history import iso
from chalicelib.log_line import LEVELS, Line
from chalicelib.rest.registration import endpoint, query


class LogLine(Struct):
    """One line; `document` is the JSON that a function or a job logged. The time is ISO 8601 in UTC."""

    id: str
    time: str
    source: Literal["workflow", "function", "glue"]
    step: str
    level: str
    message: str
    document: dict[str, Any] | None = None


class LogLines(Struct):
    """A run's lines in time order.

    `more` says that there are more of them now, after `next`. While lines may still arrive, `next` goes back
    a little, so that none is missed: leave out those whose id was seen.
    """

    lines: list[LogLine]
    next: str | None
    more: bool


@endpoint(
    "GET",
    "/runs/{run}/logs",
    "Show what a run's steps logged, oldest line first",
    answer=LogLines,
    parameters=(
        Parameter(
            name="step",
            schema={"type": "string"},
            description="Only this step's lines, such as validate_file; `glue` for those of its Glue jobs.",
        ),
        Parameter(
            name="level",
            schema={"enum": list(LEVELS), "default": "INFO"},
            description="Only lines that are at least so urgent.",
        ),
        Parameter(name="next", schema={"type": "string"}, description="`next` of the page before."),
    ),
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline),
)
def show_logs(run: str) -> LogLines:
    """Show a run's lines."""
    asked = query("step", "level", "next")
    wanted = run_logs.Wanted(
        step=asked.get("step"), level=asked.get("level", "INFO"), cursor=asked.get("next")
    )
    found = run_logs.page(StepFunctions(), Logs(), run, wanted)
    return LogLines(lines=[_line(line) for line in found.lines], next=found.next, more=found.more)


def _line(line: Line) -> LogLine:
    told = {name: value for name, value in asdict(line).items() if name in LogLine.__struct_fields__}
    return LogLine(**{**told, "time": iso(datetime.fromtimestamp(line.time / 1000, UTC))})
