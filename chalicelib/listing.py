"""Pages of runs, newest first, over every workflow."""

from __future__ import annotations

import base64
import heapq
import itertools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, settings
from chalicelib.errors import InvalidRequest
from chalicelib.run import ERRORS, OUTCOMES, Run
from chalicelib.runs import from_execution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.step_functions import StepFunctions

MOST_RUNS = 100
"""Runs on one page."""

PAGE = 100
"""Executions that one request to Step Functions returns."""

MOST_LOOKED_AT = 2000
"""Executions that one page of runs looks through: a rare outcome gives short pages, not a slow answer."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs to list: any of these may be None."""

    pipeline: str | None = None
    outcome: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class _Place:
    """How far one workflow has been read: AWS's token of the page, and the last name taken from it."""

    token: str | None = None
    name: str | None = None


def page(
    states: StepFunctions, wanted: Wanted, limit: int, cursor: str | None = None
) -> tuple[list[Run], str | None]:
    """Return at most `limit` runs and the cursor of the next page, or None at the end.

    Raises:
        InvalidRequest: the cursor, the limit or the outcome cannot be.
        UnknownPipeline: no pipeline has the wanted name.
    """
    if not 1 <= limit <= MOST_RUNS:
        raise InvalidRequest(f"limit {limit}: ask for 1 to {MOST_RUNS} runs")
    if wanted.outcome and wanted.outcome not in _outcomes():
        raise InvalidRequest(f"outcome {wanted.outcome[:40]!r}: there are {', '.join(_outcomes())}")
    places = _read_cursor(cursor)
    streams = [_stream(states, name, wanted, places.get(name, _Place())) for name in _workflows(wanted)]
    found: list[Run] = []
    for looked_at, (_, workflow, place, run) in enumerate(heapq.merge(*streams, key=lambda row: row[0])):
        if len(found) == limit or looked_at == MOST_LOOKED_AT:
            return found, _write_cursor(places)
        places[workflow] = place
        run = _with_error(states, workflow, run)  # noqa: PLW2901 - a list row lacks the error
        if wanted.outcome in (None, run.outcome):
            found.append(run)
    return found, None


def _stream(
    states: StepFunctions, workflow: str, wanted: Wanted, place: _Place
) -> Iterator[tuple[float, str, _Place, Run]]:
    token, last = place.token, place.name
    while True:
        rows, following = states.page(
            settings.state_machine(workflow), status=_status(wanted), limit=PAGE, token=token
        )
        for row in _after(rows, last):
            if wanted.since and row["startDate"] < wanted.since:
                return
            if _is_wanted(row["name"].partition("-")[0], workflow, wanted):
                yield -row["startDate"].timestamp(), workflow, _Place(token, row["name"]), from_execution(row)
        if not following:
            return
        token, last = following, None


def _is_wanted(pipeline: str, workflow: str, wanted: Wanted) -> bool:
    """Leave out what a workflow started, under the run's own name, as a part of that run."""
    known = pipelines.every().get(pipeline)
    return wanted.pipeline in (None, pipeline) and (known is None or known.workflow == workflow)


def _after(rows: list[dict[str, Any]], name: str | None) -> Iterator[dict[str, Any]]:
    """Skip what an earlier page showed; rows that came since are before it and skipped with it."""
    if name not in {row["name"] for row in rows}:
        return iter(rows)
    rest = itertools.dropwhile(lambda row: row["name"] != name, rows)
    next(rest)
    return rest


def _with_error(states: StepFunctions, workflow: str, run: Run) -> Run:
    if run.outcome != "failed":
        return run
    described = states.describe(settings.state_machine(workflow), run.name)
    full = from_execution(described)
    return replace(run, outcome=full.outcome, error=full.error, cause=full.cause)


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
        return {workflow: _Place(token, name) for workflow, (token, name) in places.items()}
    except (ValueError, TypeError, AttributeError) as error:  # base64, UTF-8, JSON, and its shape
        raise InvalidRequest(
            "next: this is no cursor of an earlier answer; start again without it"
        ) from error


def _write_cursor(places: dict[str, _Place]) -> str:
    plain = {workflow: [place.token, place.name] for workflow, place in places.items()}
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def moment(text: str) -> datetime:
    """Read a time of the API: ISO 8601; without a zone it is UTC.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"since {text[:40]!r}: write a time as 2026-01-31T06:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
