"""A run's steps, read from Step Functions' history of events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.run import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILURES = (
    "TaskFailed",
    "TaskTimedOut",
    "LambdaFunctionFailed",
    "LambdaFunctionTimedOut",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "TaskStartFailed",
    "TaskSubmitFailed",
)
SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled")


@dataclass
class _Visit:
    state: str
    entered: datetime
    exited: datetime | None = None
    attempts: int = 0
    failure: dict[str, Any] = field(default_factory=dict)


def steps(events: Iterable[dict[str, Any]]) -> tuple[Step, ...]:
    """Return one `Step` for each visit of a Task state, in the order in which they were entered."""
    visits: list[_Visit] = []
    place: dict[int, _Visit] = {}
    for event in events:
        visit = place.get(event["previousEventId"])
        kind = event["type"]
        if kind == "TaskStateEntered":
            visit = _Visit(state=event["stateEnteredEventDetails"]["name"], entered=event["timestamp"])
            visits.append(visit)
        elif visit is not None:
            _note(visit, kind, event)
        if visit is not None and not kind.endswith("StateExited"):
            place[event["id"]] = visit
    return tuple(_step(visit) for visit in visits)


def _note(visit: _Visit, kind: str, event: dict[str, Any]) -> None:
    if kind in SCHEDULED:
        visit.attempts += 1
    elif kind in FAILURES:
        visit.failure = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
        visit.exited = event["timestamp"]
    elif kind == "TaskStateExited":
        visit.exited = event["timestamp"]
    elif kind in {"TaskSucceeded", "LambdaFunctionSucceeded"}:
        visit.failure = {}


def _step(visit: _Visit) -> Step:
    return Step(
        state=visit.state,
        started=iso(visit.entered),
        ended=iso(visit.exited) if visit.exited else None,
        seconds=round((visit.exited - visit.entered).total_seconds(), 3) if visit.exited else None,
        attempts=visit.attempts,
        error=visit.failure.get("error"),
        cause=readable_cause(visit.failure["cause"]) if visit.failure.get("cause") else None,
    )


def iso(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def readable_cause(cause: str) -> str:
    """Return the message inside a JSON cause, or the cause as it is.

    That of a Lambda comes without its stack trace, that of a Glue job run is its error; of a query of Athena
    it is the reason and how the query begins.
    """
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(document, dict):
        return cause
    query = document.get("QueryExecution")
    if isinstance(query, dict):
        reason = query.get("Status", {}).get("StateChangeReason", "it was cancelled")
        return f"{reason} (Athena, {str(query.get('Query', '')).strip().partition(chr(10))[0][:100]} ...)"
    return str(document.get("errorMessage") or document.get("ErrorMessage") or cause)
