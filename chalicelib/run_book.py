"""The newest runs of a workflow, kept from one look to the next: a look lists only what can have changed."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import settings
from chalicelib.errors import UnknownRun
from chalicelib.history import iso
from chalicelib.run import OUTCOMES, Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.aws.step_functions import StepFunctions

FIRST_PAGE = 100
"""Executions that a look's first request returns; a later one returns `PAGE`."""

PAGE = 1000

OVERLAP = timedelta(minutes=1)
"""Listed again at each look: AWS's lists are eventually consistent, and may lack the last moments."""

MOST_DESCRIBED = 50
"""Changed runs that a look describes one by one; when there are more it reads everything anew."""

ANEW_SECONDS = 600
"""After so long everything is read anew, in case a change went unseen."""

MAY_CHANGE = ("FAILED", "ABORTED", "TIMED_OUT")
"""How an execution that ended stands when it may be redriven; then it goes on with the date it began at."""


class Kept(NamedTuple):
    """What a list tells of a run, about 400 bytes with its name and dates."""

    began: datetime
    name: str
    workflow: str
    status: str
    ended: datetime | None

    @property
    def pipeline(self) -> str:
        """The run's pipeline."""
        return self.name.partition("-")[0]

    @property
    def outcome(self) -> Outcome:
        """How it stands; `failed` may turn out to be more, see `run.ERRORS`."""
        return OUTCOMES[self.status]

    @property
    def seconds(self) -> float | None:
        """How long it took, or None while it goes on."""
        return round((self.ended - self.began).total_seconds(), 3) if self.ended else None

    def run(self) -> Run:
        """Return the run without its details."""
        return Run(
            name=self.name,
            pipeline=self.pipeline,
            outcome=self.outcome,
            started=iso(self.began),
            ended=iso(self.ended) if self.ended else None,
            seconds=self.seconds,
        )


class Book:
    """A workflow's newest runs, at most `most`.

    A run that ended stays as it is unless it is redriven, so a look lists the runs that are new, and of the
    older ones those that were going on or may have been redriven. Not safe to share between threads.

    Args:
        workflow: its name.
        most: how many runs are kept.
        own: tells whether an execution of this name is a run of this workflow, and no part of another run.
    """

    def __init__(self, workflow: str, most: int, own: Callable[[str], bool]) -> None:
        self._workflow, self._most, self._own = workflow, most, own
        self._machine = settings.state_machine(workflow)
        self._runs: dict[str, Kept] = {}
        self._since: datetime | None = None
        self._left_out: datetime | None = None
        self._again = 0.0

    def look(self, states: StepFunctions, since: datetime) -> tuple[list[Kept], bool]:
        """Return the runs that began at `since` or later, newest first, and whether there are more."""
        if not self._brought_up_to_date(states, since):
            self._read_anew(states, since)
        found = [run for run in self._runs.values() if run.began >= since]
        return newest_first(found), self._left_out is not None and self._left_out >= since

    def _read_anew(self, states: StepFunctions, since: datetime) -> None:
        rows = self._listed(states, since)
        found: dict[str, Kept] = {}
        self._left_out = None
        for row in rows:
            if len(found) == self._most:
                self._left_out = row.began
                break
            found[row.name] = row
        self._runs, self._since = found, since
        self._again = time.monotonic() + ANEW_SECONDS

    def _brought_up_to_date(self, states: StepFunctions, since: datetime) -> bool:
        """Return False when everything has to be read anew."""
        if not self._runs or self._since is None or since < self._since or time.monotonic() > self._again:
            return False
        newest = max(self._runs.values())
        seen = {row.name: row for row in self._listed(states, newest.began - OVERLAP)}
        if newest.name not in seen:
            return False  # the state machine was deleted and made again
        rest = [run for run in self._runs.values() if run.name not in seen and run.began >= since]
        changed = self._changes(states, rest)
        if changed is None:
            return False
        self._keep(seen | changed)
        return True

    def _changes(self, states: StepFunctions, rest: Iterable[Kept]) -> dict[str, Kept] | None:
        """Return those of the older runs that stand otherwise now, or None when they are too many."""
        by_status: dict[str, list[Kept]] = {}
        for run in rest:
            by_status.setdefault(run.status, []).append(run)
        changed: dict[str, Kept] = {}
        unclear: list[Kept] = []
        for status in ("RUNNING", "PENDING_REDRIVE", *MAY_CHANGE):
            known = by_status.get(status, [])
            if not known:
                continue
            oldest = min(known).began
            same = {row.name: row for row in self._listed(states, oldest, status)}
            changed |= {run.name: same[run.name] for run in known if run.name in same}
            unclear += [run for run in known if run.name not in same]
        if len(unclear) > MOST_DESCRIBED:
            return None
        try:
            told = [self._row(states.describe(self._machine, run.name)) for run in unclear]
        except UnknownRun:
            return None
        return changed | {run.name: run for run in told}

    def _keep(self, news: dict[str, Kept]) -> None:
        self._runs |= news
        if len(self._runs) > self._most:
            ordered = newest_first(self._runs.values())
            self._runs = {run.name: run for run in ordered[: self._most]}
            self._left_out = max(ordered[self._most].began, self._left_out or ordered[self._most].began)

    def _listed(self, states: StepFunctions, since: datetime, status: str | None = None) -> Iterator[Kept]:
        token, size = None, FIRST_PAGE
        while True:
            rows, token = states.page(self._machine, status=status, limit=size, token=token)
            for row in rows:
                if row["startDate"] < since:
                    return
                if self._own(row["name"]):
                    yield self._row(row)
            if not token:
                return
            size = PAGE

    def _row(self, row: dict[str, Any]) -> Kept:
        return Kept(row["startDate"], row["name"], self._workflow, row["status"], row.get("stopDate"))


def newest_first(runs: Iterable[Kept]) -> list[Kept]:
    """Return runs in the order of a list; those that began at the same moment by their names."""
    return sorted(runs, key=attrgetter("began", "name"), reverse=True)
