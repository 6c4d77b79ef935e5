"""How the runs of the last hours ended, by pipeline and hour."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib import listing
from chalicelib.errors import InvalidRequest
from chalicelib.history import iso
from chalicelib.listing import Wanted
from chalicelib.run_details import detailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.run import Run

MOST_HOURS = 168

MOST_RUNS = 10_000
"""Runs that are counted, the newest: about ten requests to Step Functions."""

KEPT_SECONDS = 10
"""Charts of many viewers are drawn from one count."""

KEPT_PER_SECOND = 10
"""Seconds that a count is kept for each that it took: many runs are counted more seldom."""


@dataclass
class Hour:
    """One hour of a pipeline.

    Attributes:
        start: ISO 8601 in UTC.
        outcomes: how many runs that began in it stand how.
        rows: that were loaded, of the runs that were described.
        seconds: of each run that has ended.
    """

    start: str
    outcomes: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        """The median of the runs' seconds, or None."""
        return round(statistics.median(self.seconds), 3) if self.seconds else None


@dataclass(frozen=True)
class Counted:
    """Hours of each pipeline, oldest first; `truncated` when there were more runs than were looked at."""

    pipelines: dict[str, list[Hour]]
    last: dict[str, Run]
    truncated: bool


_kept: dict[tuple[str | None, int], tuple[float, Counted]] = {}
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
        until, found = _kept.get((pipeline, hours), (0.0, None))
    if found is None or until < time.monotonic():
        began = time.monotonic()
        found = _count(states, pipeline, hours, datetime.now(UTC))
        ended = time.monotonic()
        with _lock:
            _kept[pipeline, hours] = (ended + kept_seconds(ended - began), found)
    return found


def kept_seconds(took: float) -> float:
    """Return how long a count is kept that took so many seconds."""
    return max(KEPT_SECONDS, KEPT_PER_SECOND * took)


def _count(states: StepFunctions, pipeline: str | None, hours: int, now: datetime) -> Counted:
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    listed, truncated = listing.newest(states, Wanted(pipeline=pipeline, since=first), MOST_RUNS)
    # A failed run is described first: without that nobody knows whether its file was rejected.
    told = sorted(listed, key=lambda pair: pair[1].outcome != "failed" and pipeline is None)
    described = detailed(states, told[: listing.MOST_DESCRIBED])
    rest = [run for _, run in told[listing.MOST_DESCRIBED :]]
    failed = any(run.outcome == "failed" for run in rest)
    runs = [*described, *rest]
    names = {run.pipeline for run in runs} | ({pipeline} if pipeline else set())
    counted = {
        name: _hours([run for run in runs if run.pipeline == name], first, hours) for name in sorted(names)
    }
    last: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.started):
        last[run.pipeline] = run
    return Counted(counted, last, truncated or failed)


def _hours(runs: Iterable[Run], first: datetime, hours: int) -> list[Hour]:
    made = [Hour(iso(first + timedelta(hours=number))) for number in range(hours)]
    for run in runs:
        began = datetime.fromisoformat(run.started)
        hour = made[min(int((began - first) / timedelta(hours=1)), hours - 1)]
        hour.outcomes[run.outcome] = hour.outcomes.get(run.outcome, 0) + 1
        hour.rows += (run.rows.loaded or 0) if run.rows else 0
        if run.seconds is not None:
            hour.seconds.append(run.seconds)
    return made
