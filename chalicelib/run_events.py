"""What Step Functions did in a run, as log lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chalicelib.history import readable_cause
from chalicelib.log_line import Line
from chalicelib.run import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

TOLD = {
    "ExecutionStarted": ("INFO", "the run began"),
    "ExecutionSucceeded": ("INFO", "the run succeeded"),
    "ExecutionFailed": ("ERROR", "the run failed"),
    "ExecutionTimedOut": ("ERROR", "the run reached its time limit"),
    "ExecutionAborted": ("WARNING", "the run was stopped"),
    "ExecutionRedriven": ("INFO", "the run goes on"),
}
"""What happens to a run as a whole: how urgent it is, and in words."""

ATTEMPT = re.compile(r"(Task|LambdaFunction)(Failed|TimedOut|StartFailed|ScheduleFailed|SubmitFailed)")
JOB_RUN = re.compile(r"\bjr_[0-9a-f]{8,64}\b")


def lines(events: Iterable[dict[str, Any]]) -> Iterator[Line]:
    """Yield a line for each event that says how the run goes on; tasks carry the name of their state."""
    states: dict[int, str] = {}
    attempts: dict[int, int] = {}
    for event in events:
        number, before, kind = event["id"], event.get("previousEventId", 0), event["type"]
        details = _details(event)
        entered = kind.endswith("StateEntered")
        states[number] = details["name"] if entered else states.get(before, "")
        attempts[number] = 0 if entered else attempts.get(before, 0) + kind.endswith("Scheduled")
        level, message = _told(kind, details, attempts[number])
        if message:
            yield Line(
                time=milliseconds(event["timestamp"]),
                number=number,
                id=f"event-{number}",
                source="workflow",
                step=snake_case(states[number]),
                level=level,
                message=message,
            )


def job_runs(events: Iterable[dict[str, Any]]) -> set[str]:
    """Return the ids of the Glue job runs that the events tell of."""
    texts = (
        str(details.get("output", ""))
        for event in events
        for name, details in event.items()
        if name.endswith("EventDetails")
    )
    return {found for text in texts for found in JOB_RUN.findall(text)}


def snake_case(state: str) -> str:
    """Return `ValidateFile` as `validate_file`, the name of the step that the state calls."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", state).lower()


def milliseconds(moment: datetime) -> int:
    """Return a time as CloudWatch Logs counts: milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _details(event: dict[str, Any]) -> dict[str, Any]:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {}) or {}


def _told(kind: str, details: dict[str, Any], attempt: int) -> tuple[str, str]:
    """Return the level and the words of an event; no words for one that says nothing new."""
    error, cause = details.get("error"), readable_cause(details.get("cause") or "")
    why = f": {error}: {cause}" if error and cause else f": {error}" if error else ""
    state = kind.removesuffix("StateEntered").removesuffix("StateExited")
    if error in ERRORS:
        return "WARNING", f"the run ended as {ERRORS[error]}{why}"
    if kind in TOLD:
        level, words = TOLD[kind]
        return level, words + why
    if ATTEMPT.fullmatch(kind):
        return "WARNING", f"attempt {attempt} failed{why}"
    if state != kind:
        entered = kind.endswith("Entered")
        return "INFO" if entered and state == "Task" else "DEBUG", f"state {'entered' if entered else 'left'}"
    return "INFO", f"attempt {attempt}" if kind.endswith("Scheduled") and attempt > 1 else ""
