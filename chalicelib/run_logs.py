"""One run's lines across its steps: its functions', its Glue jobs' and Step Functions' own, in time order."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, run_events, runs, settings
from chalicelib.errors import InvalidRequest
from chalicelib.log_line import LEVELS, Line
from chalicelib.run import RunName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.aws.logs import Logs
    from chalicelib.aws.step_functions import StepFunctions

MOST_LINES = 500
"""Lines on one page."""

MARGIN = 60_000
"""Milliseconds around a run in which its lines are looked for: what starts it logs before it begins."""

LATE = 15_000
"""Milliseconds after which a line that was written can be read, with room to spare."""

AT_ONCE = 4
"""Log groups read at the same time; AWS allows 5 requests a second in the smallest regions."""

STARTERS = ("file_landed", "reconcile_due", "{pipeline}_due")
"""The functions that may have started a run, beside the REST handler."""

JOB_GROUPS = ("/aws-glue/jobs", "/aws-glue/python-jobs")
"""Where Glue writes what jobs print: under `/output`, and under `/error` with Spark's own chatter."""

CURSOR = re.compile(r"([0-9]{1,15})-([0-9]{1,6})")
FUNCTION = re.compile(r":function:([A-Za-z0-9_-]+)")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines: of one step, from one level up, from a place on."""

    step: str | None = None
    level: str = "INFO"
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Lines in time order; `next` continues after them, `more` says that there are some now."""

    lines: list[Line]
    next: str | None
    more: bool


def page(states: StepFunctions, logs: Logs, run: str, wanted: Wanted, now: int | None = None) -> Page:
    """Return one page of a run's lines.

    While lines may still arrive, `next` goes back a little: leave out those whose id was seen already.

    Raises:
        UnknownRun: there is none of this name.
        InvalidRequest: the level or the cursor is none.
    """
    if wanted.level not in LEVELS:
        raise InvalidRequest(f"level {wanted.level[:20]!r}: write one of {', '.join(LEVELS)}")
    found = runs.describe(states, run, with_steps=False)
    began, ended = _moment(found.started), _moment(found.ended) if found.ended else None
    now = now or int(datetime.now(UTC).timestamp() * 1000)
    since, skip = _place(wanted.cursor, began - MARGIN)
    lines = sorted(
        _every(states, logs, run, wanted, (since, (ended or now) + MARGIN)), key=lambda line: line.place
    )
    lines = lines[_skipped(lines, since, skip) :]
    if len(lines) > MOST_LINES:
        shown = lines[:MOST_LINES]
        return Page(lines=shown, next=_after(shown, since, skip), more=True)
    settled = ended is not None and now - ended > LATE
    return Page(lines=lines, next=None if settled else f"{max(since, now - LATE)}-0", more=False)


def functions_of(definition: dict[str, Any], pipeline: str) -> list[str]:
    """Return the functions that a workflow's definition names, and those that start its runs."""
    prefix = settings.functions()
    named = {
        name.removeprefix(prefix)
        for name in FUNCTION.findall(json.dumps(definition))
        if name.startswith(prefix)
    }
    return sorted(named | {starter.format(pipeline=pipeline) for starter in STARTERS} | {"api"})


def _every(
    states: StepFunctions, logs: Logs, run: str, wanted: Wanted, window: tuple[int, int]
) -> Iterator[Line]:
    """Yield the lines of a window of time, from each place that may hold some; at most a page of each."""
    name = RunName.parse(run)
    machine = settings.state_machine(pipelines.named(name.pipeline).workflow)
    history = list(states.history(machine, run))
    steps = functions_of(states.definition_of_run(machine, run), name.pipeline)
    asked = run_events.snake_case(wanted.step) if wanted.step else None
    reads = [partial(_of_function, logs, step, run, window) for step in steps if asked in (None, step)]
    jobs = sorted(run_events.job_runs(history))
    if jobs and asked in (None, "glue"):
        reads += [partial(_of_jobs, logs, jobs, group, window) for group in _job_groups(wanted.level)]
    told = (
        line for line in run_events.lines(history) if line.time >= window[0] and asked in (None, line.step)
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for part in [told, *pool.map(partial(_first, wanted=wanted), reads)]:
            yield from (line for line in part if line.at_least(wanted.level))


def _first(read: partial[Iterator[Line]], wanted: Wanted) -> list[Line]:
    most = 2 * MOST_LINES + _place(wanted.cursor, 0)[1]  # a page beside what the page before had shown
    return list(islice((line for line in read() if line.at_least(wanted.level)), most))


def _of_function(logs: Logs, step: str, run: str, window: tuple[int, int]) -> Iterator[Line]:
    group = settings.log_groups() + ("" if step == "api" else f"-{step}")
    for event in logs.matching(group, *window, pattern=f'{{ $.run = "{run}" }}'):
        document = json.loads(event["message"])
        if "_aws" in document:  # numbers for CloudWatch, which the lines tell in words
            continue
        written = document.get("timestamp")
        yield Line(
            time=_moment(written) if written else event["timestamp"],
            number=event["timestamp"],
            id=event["eventId"],
            source="function",
            step=document.get("step", step),
            level=document.get("level", "INFO"),
            message=str(document.get("message", "")),
            document=document,
        )


def _job_groups(level: str) -> list[tuple[str, str]]:
    kinds = [("output", "INFO"), *([("error", "DEBUG")] if level == "DEBUG" else [])]
    return [(f"{group}/{kind}", told) for group in JOB_GROUPS for kind, told in kinds]


def _of_jobs(
    logs: Logs, jobs: Iterable[str], group: tuple[str, str], window: tuple[int, int]
) -> Iterator[Line]:
    name, level = group
    for job in jobs:  # one stream at a time: AWS refuses a request that names one which does not exist
        for number, event in enumerate(logs.matching(name, *window, streams=[job])):
            document = _document(event["message"])
            yield Line(
                time=event["timestamp"],
                number=number,
                id=event["eventId"],
                source="glue",
                step="glue",
                level=document.get("level", level) if document else level,
                message=str(document["message"] if document and "message" in document else event["message"]),
                document=document,
            )


def _document(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _moment(text: str) -> int:
    return run_events.milliseconds(datetime.fromisoformat(text))


def _place(cursor: str | None, first: int) -> tuple[int, int]:
    if cursor is None:
        return first, 0
    found = CURSOR.fullmatch(cursor)
    if not found:
        raise InvalidRequest(f"next {cursor[:40]!r}: send back the `next` of the page before")
    return int(found[1]), int(found[2])


def _skipped(lines: list[Line], since: int, skip: int) -> int:
    """Return how many of the lines the page before had shown: all before its place, `skip` at its time."""
    before = sum(line.time < since for line in lines)
    return before + min(skip, sum(line.time == since for line in lines))


def _after(shown: list[Line], since: int, skip: int) -> str:
    last = shown[-1].time
    return f"{last}-{sum(line.time == last for line in shown) + (skip if last == since else 0)}"
