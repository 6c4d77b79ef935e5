"""Pages of runs, newest first, over every workflow."""

from __future__ import annotations

import base64
import heapq
import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import pipelines, settings
from chalicelib.errors import InvalidRequest
from chalicelib.run import ERRORS, OUTCOMES
from chalicelib.run_details import detailed
from chalicelib.runs import from_execution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.run import Run
    from chalicelib.run_details import Price

MOST_RUNS = 100
"""Runs on one page."""

PAGE = 100
"""Executions that a first request to Step Functions returns; a later one returns `LATER_PAGE`."""

LATER_PAGE = 1000

MOST_LOOKED_AT = 10_000
"""Executions that one page of runs looks through: a rare run gives short pages, not a slow answer."""

MOST_DESCRIBED = 300
"""Runs that one page describes, by AWS's burst: a list tells neither the file nor why a run failed."""

LONGEST_SEARCH = 200


NO_CURSOR = "next: this is no cursor of an earlier answer; start again without it"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs to list: any of these may be None.

    `since` is the earliest and `until` the latest start; `search` is a part of the run's or the file's name.
    """

    pipeline: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None

    def may_be(self, row: dict[str, Any], workflow: str) -> bool:
        """Tell whether what a list says of an execution fits.

        What a workflow started, under the run's own name, as a part of that run, is left out.
        """
        pipeline = row["name"].partition("-")[0]
        return (
            self.pipeline in (None, pipeline)
            and is_of(row["name"], workflow)
            and (self.until is None or row["startDate"] <= self.until)
        )

    def fits(self, run: Run) -> bool:
        """Tell whether a run with its details fits."""
        if self.outcome not in (None, run.outcome):
            return False
        words = (self.search or "").casefold()
        return words in run.name.casefold() or words in (run.file or "").casefold()


def is_of(name: str, workflow: str) -> bool:
    """Tell whether an execution of a workflow is a run, and no part that a run of another one started."""
    known = pipelines.every().get(name.partition("-")[0])
    return known is None or known.workflow == workflow


@dataclass(frozen=True)
class _Place:
    """How far a workflow has been read: AWS's token of the page, the last run taken, and when it began."""

    token: str | None = None
    name: str | None = None
    started: float = float("inf")


class _Row(NamedTuple):
    order: float
    workflow: str
    place: _Place
    run: Run | None


def page(
    states: StepFunctions,
    wanted: Wanted,
    limit: int,
    cursor: str | None = None,
    price: Price | None = None,
) -> tuple[list[Run], str | None]:
    """Return at most `limit` runs with their details, and the cursor of the next page, or None at the end.

    Args:
        states: Step Functions.
        wanted: which runs.
        limit: how many.
        cursor: what an earlier page returned.
        price: what a run of a workflow cost, in US dollars.

    Raises:
        InvalidRequest: the cursor, the limit, the outcome or the search cannot be.
        UnknownPipeline: no pipeline has the wanted name.
    """
    _check(wanted, limit)
    places = _read_cursor(cursor)
    streams = [_stream(states, name, wanted, places.get(name, _Place())) for name in _workflows(wanted)]
    rows = heapq.merge(*streams, key=lambda row: row.order)
    found: list[Run] = []
    looked_at = described = 0
    while len(found) < limit and looked_at < MOST_LOOKED_AT and described < MOST_DESCRIBED:
        taken = []
        for row in rows:
            looked_at += 1
            places[row.workflow] = row.place
            if row.run:
                taken.append((row.workflow, row.run))
            if len(taken) == limit - len(found) or looked_at >= MOST_LOOKED_AT:
                break
        else:
            return found + _fitting(states, wanted, taken, price), None
        described += len(taken)
        found += _fitting(states, wanted, taken, price)
    return found, _write_cursor(places) if next(rows, None) else None


def _fitting(
    states: StepFunctions, wanted: Wanted, taken: list[tuple[str, Run]], price: Price | None
) -> list[Run]:
    return [run for run in detailed(states, taken, price) if wanted.fits(run)]


def _stream(states: StepFunctions, workflow: str, wanted: Wanted, place: _Place) -> Iterator[_Row]:
    """Yield a row for each execution of a workflow, newest first; one that is not wanted has no run."""
    token, last, size = place.token, place, PAGE
    while True:
        rows, following = states.page(
            settings.state_machine(workflow), status=_status(wanted), limit=size, token=token
        )
        for row in _after(rows, last):
            started = row["startDate"].timestamp()
            if wanted.since and row["startDate"] < wanted.since:
                return
            run = from_execution(row) if wanted.may_be(row, workflow) else None
            yield _Row(-started, workflow, _Place(token, row["name"], started), run)
        if not following:
            return
        token, size = following, LATER_PAGE


def _after(rows: list[dict[str, Any]], last: _Place) -> Iterator[dict[str, Any]]:
    """Skip what an earlier page showed, and what came since: that is before it."""
    older = [row for row in rows if row["startDate"].timestamp() <= last.started]
    if last.name not in {row["name"] for row in older}:
        return iter(older)
    rest = itertools.dropwhile(lambda row: row["name"] != last.name, older)
    next(rest)
    return rest


def _check(wanted: Wanted, limit: int) -> None:
    if not 1 <= limit <= MOST_RUNS:
        raise InvalidRequest(f"limit {limit}: ask for 1 to {MOST_RUNS} runs")
    if wanted.outcome and wanted.outcome not in _outcomes():
        raise InvalidRequest(f"outcome {wanted.outcome[:40]!r}: there are {', '.join(_outcomes())}")
    if wanted.search and len(wanted.search) > LONGEST_SEARCH:
        raise InvalidRequest(f"search: write at most {LONGEST_SEARCH} characters")


def _workflows(wanted: Wanted) -> list[str]:
    if wanted.pipeline:
        return [pipelines.named(wanted.pipeline).workflow]
    return sorted({pipeline.workflow for pipeline in pipelines.every().values()})


def _status(wanted: Wanted) -> str | None:
    outcome = "failed" if wanted.outcome in ERRORS.values() else wanted.outcome
    return next((status for status, word in OUTCOMES.items() if word == outcome), None)


def _outcomes() -> list[str]:
    return sorted({*OUTCOMES.values(), *ERRORS.values()})


def _read_cursor(cursor: str | None) -> dict[str, _Place]:
    if not cursor:
        return {}
    try:
        places = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        found = {
            workflow: _Place(token, name, float(started))
            for workflow, (token, name, started) in places.items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # base64, UTF-8, JSON, its shape
        raise InvalidRequest(NO_CURSOR) from error
    if not all(
        isinstance(text, str | None) for place in found.values() for text in (place.token, place.name)
    ):
        raise InvalidRequest(NO_CURSOR)
    return found


def _write_cursor(places: dict[str, _Place]) -> str:
    plain = {workflow: [place.token, place.name, place.started] for workflow, place in places.items()}
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def moment(text: str, name: str = "since") -> datetime:
    """Read a time of the API: ISO 8601; without a zone it is UTC.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{name} {text[:40]!r}: write a time as 2026-01-31T06:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
