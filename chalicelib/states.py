"""What became of each state of a run, read from its history and its definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.definition import levels
from chalicelib.history import FAILURES, SCHEDULED, iso, readable_cause
from chalicelib.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Status = Literal[
    "ahead", "waiting", "running", "retrying", "done", "failed", "stopped", "not_taken", "elsewhere"
]

MOST_TRIES = 20
"""Attempts of one visit that are told of, the last ones: GlueIsBusy alone may make 120."""

CONTAINERS = ("Map", "Parallel")

ITERATIONS = {
    "MapIterationStarted": "running",
    "MapIterationSucceeded": "done",
    "MapIterationFailed": "failed",
    "MapIterationAborted": "failed",
}


@dataclass
class _Try:
    started: datetime
    ended: datetime | None = None
    error: str | None = None
    cause: str | None = None


@dataclass
class _Visit:
    entered: datetime
    given: str | None
    left: datetime | None = None
    output: str | None = None
    tries: list[_Try] = field(default_factory=list)
    map_run: str | None = None
    iterations: dict[int, str] = field(default_factory=dict)
    size: int | None = None

    @property
    def failure(self) -> _Try | None:
        """The last attempt, when it failed."""
        return self.tries[-1] if self.tries and self.tries[-1].error else None


@dataclass(frozen=True, kw_only=True)
class Try:
    """One attempt of a visit; times are ISO 8601 in UTC, `error` None unless it failed."""

    started: str
    ended: str | None
    seconds: float | None
    error: str | None
    cause: str | None


@dataclass(frozen=True, kw_only=True)
class Iterations:
    """How the items of a Map stand."""

    total: int
    running: int
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class State:
    """What became of one state.

    Attributes:
        name, type: as the definition has them.
        inside: the Map or Parallel state that it is inside, or None.
        status: `ahead` while the run may still come to it, `not_taken` when it has ended without it;
            `waiting` for a time or a person; `stopped` when the run was stopped in it; `elsewhere` inside a
            Distributed Map, whose items have runs of their own.
        visits: how often it was entered: more than once in a loop, and for each item inside a Map.
        attempts: of its last visit.
        entered, left: of its first and its last visit, ISO 8601 in UTC; `seconds` are those of all visits.
        input, output: of its last visit; long ones are cut.
        error, cause: of the last attempt, when that failed.
        tries: the last attempts of the last visit.
        iterations: of a Map's last visit.
        map_run: the ARN of a Distributed Map's run.
    """

    name: str
    type: str
    inside: str | None
    status: Status
    visits: int = 0
    attempts: int = 0
    entered: str | None = None
    left: str | None = None
    seconds: float | None = None
    input: Any = None
    output: Any = None
    error: str | None = None
    cause: str | None = None
    tries: tuple[Try, ...] = ()
    iterations: Iterations | None = None
    map_run: str | None = None


def read(
    definition: dict[str, Any],
    events: Iterable[dict[str, Any]],
    *,
    ended: datetime | None,
    brief: bool = False,
) -> list[State]:
    """Return the states in the order of first entry, then those never entered in the definition's order.

    Args:
        definition: the one that the run was started with.
        events: the run's history, oldest first.
        ended: when the run ended, or None.
        brief: leave inputs and outputs out.
    """
    found = _Visits()
    for event in events:
        found.note(event)
    states = {name: (state, inside) for name, state, inside in levels(definition)}
    away = {name for name, visits in found.visits.items() if any(visit.map_run for visit in visits)}
    entered = [name for name in found.visits if name in states]
    order = [*entered, *(name for name in states if name not in found.visits)]
    return [
        State(name=name, type=states[name][0]["Type"], inside=states[name][1], status="elsewhere")
        if _is_within(states[name][1], away, states)
        else _state(name, *states[name], found, ended, brief=brief)
        for name in order
    ]


def _is_within(inside: str | None, away: set[str], states: dict[str, Any]) -> bool:
    while inside is not None:
        if inside in away:
            return True
        inside = states[inside][1]
    return False


class _Visits:
    """The visits of each state, as the events tell them one after another."""

    def __init__(self) -> None:
        self.visits: dict[str, list[_Visit]] = {}
        self._place: dict[int, _Visit] = {}
        self._open: dict[str, list[_Visit]] = {}
        self.stopped = False

    def note(self, event: dict[str, Any]) -> None:
        kind, at = event["type"], event["timestamp"]
        visit = self._place.get(event["previousEventId"])
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            visit = _Visit(entered=at, given=details.get("input"))
            self.visits.setdefault(details["name"], []).append(visit)
            self._open.setdefault(details["name"], []).append(visit)
        elif kind.endswith("StateExited"):
            visit = self._leave(kind, event["stateExitedEventDetails"], visit, at)
        elif kind in ITERATIONS:
            visit = self._iterate(kind, event)
        elif kind == "ExecutionAborted":
            self.stopped = True
        elif kind == "ExecutionRedriven":
            self.stopped = False
            visit = self._last_open()
        elif visit is not None:
            _note_attempt(visit, kind, event)
        if visit is not None:
            self._place[event["id"]] = visit

    def _leave(self, kind: str, details: dict[str, Any], last: _Visit | None, at: datetime) -> _Visit | None:
        opened = self._open.get(details["name"], [])
        # What leads to a container's exit are the events inside it; any other state's are its own.
        visit = last if last in opened and not kind.startswith(CONTAINERS) else next(iter(opened[::-1]), None)
        if visit is not None:
            visit.left, visit.output = at, details.get("output")
            opened.remove(visit)
        return visit

    def _last_open(self) -> _Visit | None:
        """Return the visit that a redriven run goes on with: its next attempt enters no state again."""
        opened = [visit for visits in self._open.values() for visit in visits]
        return max(opened, key=lambda visit: visit.entered, default=None)

    def _iterate(self, kind: str, event: dict[str, Any]) -> _Visit | None:
        details: dict[str, Any] = next(
            (value for name, value in event.items() if name.endswith("EventDetails")), {}
        )
        opened = self._open.get(details.get("name", ""), [])
        if not opened:
            return None
        opened[-1].iterations[details["index"]] = ITERATIONS[kind]
        return opened[-1]


def _note_attempt(visit: _Visit, kind: str, event: dict[str, Any]) -> None:
    details: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    at = event["timestamp"]
    if kind in SCHEDULED:
        visit.tries.append(_Try(started=at))
    elif kind in FAILURES or kind in {"MapStateFailed", "ParallelStateFailed", "MapRunFailed"}:
        if not visit.tries or visit.tries[-1].ended:
            visit.tries.append(_Try(started=visit.entered))
        last = visit.tries[-1]
        last.ended = at
        last.error, last.cause = details.get("error") or "States.Runtime", details.get("cause")
    elif kind in {"TaskSucceeded", "LambdaFunctionSucceeded"} and visit.tries:
        visit.tries[-1].ended = at
    elif kind == "MapStateStarted":
        visit.size = details.get("length")
    elif kind == "MapRunStarted":
        visit.map_run = details.get("mapRunArn")


def _state(
    name: str,
    state: dict[str, Any],
    inside: str | None,
    found: _Visits,
    ended: datetime | None,
    *,
    brief: bool,
) -> State:
    visits = found.visits.get(name, [])
    if not visits:
        return State(name=name, type=state["Type"], inside=inside, status="not_taken" if ended else "ahead")
    last, failure = visits[-1], visits[-1].failure
    left = None if any(visit.left is None for visit in visits) and not ended else _last_moment(visits, ended)
    return State(
        name=name,
        type=state["Type"],
        inside=inside,
        status=_status(state, visits, ended, stopped=found.stopped),
        visits=len(visits),
        attempts=max(len(last.tries), 1),
        entered=iso(visits[0].entered),
        left=iso(left) if left else None,
        seconds=_seconds(visits, ended) if left else None,
        input=None if brief else shown(last.given),
        output=None if brief else shown(last.output),
        error=failure.error if failure else None,
        cause=readable_cause(failure.cause) if failure and failure.cause else None,
        tries=tuple(_try(each) for each in last.tries[-MOST_TRIES:]),
        iterations=_iterations(last) if state["Type"] == "Map" else None,
        map_run=last.map_run,
    )


def _status(state: dict[str, Any], visits: list[_Visit], ended: datetime | None, *, stopped: bool) -> Status:
    opened = [visit for visit in visits if visit.left is None]
    if state["Type"] == "Fail":
        return "failed"
    if not opened:
        return "failed" if visits[-1].failure else "done"
    if ended:
        return "stopped" if stopped else "failed"  # the run ended in it
    if any(visit.failure for visit in opened):
        return "retrying"
    if state["Type"] == "Wait" or str(state.get("Resource", "")).endswith(".waitForTaskToken"):
        return "waiting"
    return "running"


def _last_moment(visits: list[_Visit], ended: datetime | None) -> datetime | None:
    moments = [visit.left or ended for visit in visits]
    return max((moment for moment in moments if moment), default=None)


def _seconds(visits: list[_Visit], ended: datetime | None) -> float:
    spans = [((visit.left or ended or visit.entered) - visit.entered).total_seconds() for visit in visits]
    return round(sum(spans), 3)


def _iterations(visit: _Visit) -> Iterations:
    standing = list(visit.iterations.values())
    return Iterations(
        total=visit.size if visit.size is not None else len(standing),
        running=standing.count("running"),
        done=standing.count("done"),
        failed=standing.count("failed"),
    )


def _try(each: _Try) -> Try:
    return Try(
        started=iso(each.started),
        ended=iso(each.ended) if each.ended else None,
        seconds=round((each.ended - each.started).total_seconds(), 3) if each.ended else None,
        error=each.error,
        cause=readable_cause(each.cause) if each.cause else None,
    )
