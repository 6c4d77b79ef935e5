"""How the runs of the last hours ended, by pipeline and hour."""

from __future__ import annotations

import statistics
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib import listing, pipelines
from chalicelib.errors import InvalidRequest
from chalicelib.history import iso
from chalicelib.run_book import Book, newest_first
from chalicelib.run_details import detailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.run import Outcome, Run
    from chalicelib.run_book import Kept

MOST_HOURS = 168

MOST_RUNS = 10_000
"""Runs that are counted, the newest of each workflow: about ten requests to Step Functions, and 4 MB."""

KEPT_SECONDS = 10
"""Charts of many viewers are drawn from one count."""

KEPT_PER_SECOND = 10
"""Seconds that a count is kept for each that it took: what takes long is counted more seldom."""

MOST_KEPT = 50
"""Counts that are kept: somebody may ask for every number of hours."""


@dataclass
class Hour:
    """One hour of a pipeline.

    Attributes:
        start: ISO 8601 in UTC.
        outcomes: how many runs that began in it stand how.
        rows: that were loaded, of the runs that were described.
        median: of the seconds of those that have ended, or None.
    """

    start: str
    outcomes: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    median: float | None = None


@dataclass(frozen=True)
class Counted:
    """Hours of each pipeline, oldest first; `truncated` when there were more runs than were looked at."""

    pipelines: dict[str, list[Hour]]
    last: dict[str, Run]
    truncated: bool


@dataclass(frozen=True)
class _Told:
    """What is counted of a run."""

    began: datetime
    pipeline: str
    outcome: Outcome
    rows: int
    seconds: float | None


_kept: OrderedDict[tuple[str | None, int], tuple[float, Counted]] = OrderedDict()
_books: dict[str, Book] = {}
_lock = threading.Lock()


def count(states: StepFunctions, pipeline: str | None, hours: int) -> Counted:
    """Count the runs of one pipeline or of all, of the last hours.

    Rows, and whether a run failed or its file was rejected, are told by a description of the run: the newest
    `listing.MOST_DESCRIBED` are described.

    Raises:
        InvalidRequest: so many hours are not counted.
        UnknownPipeline: no pipeline has this name.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidRequest(f"hours {hours}: ask for 1 to {MOST_HOURS}")
    with _lock:
        until, found = _kept.pop((pipeline, hours), (0.0, None))
        if found is None or until < time.monotonic():
            began = time.monotonic()
            found = _count(states, pipeline, hours, datetime.now(UTC))
            ended = time.monotonic()
            until = ended + kept_seconds(ended - began)
        _kept[pipeline, hours] = (until, found)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def forget() -> None:
    """Count from nothing the next time."""
    with _lock:
        _kept.clear()
        _books.clear()


def kept_seconds(took: float) -> float:
    """Return how long a count is kept that took so many seconds."""
    return max(KEPT_SECONDS, KEPT_PER_SECOND * took)


def _count(states: StepFunctions, pipeline: str | None, hours: int, now: datetime) -> Counted:
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    runs, truncated = _newest(states, pipeline, first)
    # A failed run is described first: without that nobody knows whether its file was rejected.
    told = sorted(runs, key=lambda run: run.outcome != "failed" and pipeline is None)
    described = detailed(states, [(run.workflow, run.run()) for run in told[: listing.MOST_DESCRIBED]])
    rest = told[listing.MOST_DESCRIBED :]
    failed = any(run.outcome == "failed" for run in rest)
    counted = _by_pipeline(
        [
            *(
                _Told(
                    kept.began,
                    run.pipeline,
                    run.outcome,
                    (run.rows.loaded or 0) if run.rows else 0,
                    run.seconds,
                )
                for kept, run in zip(told, described, strict=False)
            ),
            *(_Told(run.began, run.pipeline, run.outcome, 0, run.seconds) for run in rest),
        ]
    )
    names = counted.keys() | ({pipeline} if pipeline else set())
    newest: dict[str, Kept] = {}
    for each in runs:
        newest.setdefault(each.pipeline, each)
    last = {name: run.run() for name, run in newest.items()}
    last |= {run.pipeline: run for run in described if run.name == newest[run.pipeline].name}
    return Counted(
        {name: _hours(counted.get(name, []), first, hours) for name in sorted(names)},
        last,
        truncated or failed,
    )


def _newest(states: StepFunctions, pipeline: str | None, since: datetime) -> tuple[list[Kept], bool]:
    """Return the newest runs, newest first, and whether there are more."""
    workflows = (
        [pipelines.named(pipeline).workflow]
        if pipeline
        else sorted({each.workflow for each in pipelines.every().values()})
    )
    looks = [_book(workflow).look(states, since) for workflow in workflows]
    runs = newest_first(run for found, _ in looks for run in found if pipeline in (None, run.pipeline))
    return runs[:MOST_RUNS], len(runs) > MOST_RUNS or any(more for _, more in looks)


def _book(workflow: str) -> Book:
    if workflow not in _books:
        _books[workflow] = Book(workflow, MOST_RUNS, lambda name: listing.is_of(name, workflow))
    return _books[workflow]


def _by_pipeline(runs: Iterable[_Told]) -> dict[str, list[_Told]]:
    found: dict[str, list[_Told]] = {}
    for run in runs:
        found.setdefault(run.pipeline, []).append(run)
    return found


def _hours(runs: Iterable[_Told], first: datetime, hours: int) -> list[Hour]:
    made = [Hour(iso(first + timedelta(hours=number))) for number in range(hours)]
    seconds: list[list[float]] = [[] for _ in made]
    for run in runs:
        number = min(int((run.began - first) / timedelta(hours=1)), hours - 1)
        hour = made[number]
        hour.outcomes[run.outcome] = hour.outcomes.get(run.outcome, 0) + 1
        hour.rows += run.rows
        if run.seconds is not None:
            seconds[number].append(run.seconds)
    for hour, each in zip(made, seconds, strict=True):
        hour.median = round(statistics.median(each), 3) if each else None
    return made
