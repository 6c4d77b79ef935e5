"""Run a batch pipeline for every date of a range."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from cli.errors import Failure, Refused
from cli.output import console, json_option, outcome, print_json, print_table
from cli.service import service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.service import Service

POLL_SECONDS = 0.5

MOST_DATES = 1_000

MISSING = "MissingInput"
"""The error of a run whose date has nothing to work on."""


@dataclass(kw_only=True)
class Dated:
    """The run of one date; `earlier` when a backfill before this one has done it."""

    date: str
    run: str
    outcome: str = "running"
    earlier: bool = False
    seconds: float | None = None
    error: str | None = None
    cause: str | None = None


@dataclass(kw_only=True)
class Backfill:
    """A pipeline, run for one date after the other, some at the same time.

    Attributes:
        api: the REST API.
        pipeline: its name.
        parameter: the name of its parameter that takes the date.
        request: the same request makes the same runs, so a backfill that was cut short can be given again.
        at_once: how many runs may be under way.
        tell: is given each run when it has ended.
    """

    api: Service
    pipeline: str
    parameter: str
    request: str
    at_once: int
    tell: Callable[[Dated], None] = field(default=lambda _: None)

    def run(self, days: list[date]) -> list[Dated]:
        """Start a run for each date, wait for all of them, and return them in the order of the dates."""
        waiting = list(reversed(days))
        under_way: list[Dated] = []
        ended: list[Dated] = []
        while waiting or under_way:
            while waiting and len(under_way) < self.at_once:
                under_way.append(self._start(waiting.pop().isoformat()))
            for each in under_way:
                self._look(each)
            for each in [each for each in under_way if each.outcome != "running"]:
                under_way.remove(each)
                ended.append(each)
                self.tell(each)
            if under_way:
                time.sleep(POLL_SECONDS)
        return sorted(ended, key=lambda each: each.date)

    def _start(self, day: str) -> Dated:
        """Start the run of a date, go on with the one that there is, or try again one that failed."""
        body = {"parameters": {self.parameter: day}, "request": self.request}
        started = self.api.post(f"/pipelines/{self.pipeline}/runs", body)
        if started["new"]:
            return Dated(date=day, run=started["run"])
        run = self._newest_attempt(started["run"])
        if run["outcome"] in {"running", "succeeded"}:
            return Dated(date=day, run=run["name"], earlier=run["outcome"] == "succeeded")
        return Dated(date=day, run=self.api.post(f"/runs/{run['name']}/redrive")["run"])

    def _newest_attempt(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/runs/{name}")
        attempt = 2
        while True:
            try:
                found = self.api.get(f"/runs/{name}-{attempt}")
            except Refused as error:
                if error.code != "UnknownRun":
                    raise
                return found
            attempt += 1

    def _look(self, each: Dated) -> None:
        found = self.api.get(f"/runs/{each.run}")
        each.outcome, each.seconds = found["outcome"], found["seconds"]
        each.error, each.cause = found["error"], found["cause"]


@click.command()
@click.argument("pipeline")
@click.option("--from", "first", required=True, metavar="DATE", help="The first date (2026-11-01).")
@click.option("--to", "last", required=True, metavar="DATE", help="The last date, which is run too.")
@click.option("--parameter", help="The parameter that takes the date; needed when the pipeline has several.")
@click.option(
    "--at-once", type=click.IntRange(1, 20), default=4, show_default=True, help="Runs at the same time."
)
@click.option(
    "--again",
    is_flag=True,
    help="Run dates anew that an earlier backfill has done; what has not changed is not loaded again.",
)
@json_option
def backfill(
    pipeline: str,
    first: str,
    last: str,
    parameter: str | None,
    at_once: int,
    *,
    again: bool,
    as_json: bool,
) -> None:
    """Run a batch pipeline for every date of a range.

    It is safe to give again: a date that is done is left alone, one under way is waited for, one that failed
    is tried again. Exit code 1 unless every date succeeds; dates without input are listed.
    """
    days = dates(first, last)
    api = service()
    chosen = date_parameter(api.get(f"/pipelines/{pipeline}"), parameter)
    request = f"backfill {uuid.uuid4().hex}" if again else "backfill"
    work = Backfill(api=api, pipeline=pipeline, parameter=chosen, request=request, at_once=at_once)
    if not as_json:
        work.tell = _tell
    report = report_of(pipeline, work.run(days))
    if as_json:
        print_json(report)
    else:
        _print(report)
    raise SystemExit(0 if report["ok"] else 1)


def dates(first: str, last: str) -> list[date]:
    """Return every date from the first to the last.

    Raises:
        Failure: one is no date, or they are the wrong way round or too far apart.
    """
    start, end = _date("--from", first), _date("--to", last)
    count = (end - start).days + 1
    if count < 1:
        raise Failure(f"--to {last} is before --from {first}: swap them")
    if count > MOST_DATES:
        raise Failure(f"{first} to {last} are {count:,} dates: give at most {MOST_DATES:,} at a time")
    return [start + timedelta(days=number) for number in range(count)]


def date_parameter(pipeline: dict[str, Any], named: str | None) -> str:
    """Return the name of the pipeline's parameter that takes the date.

    Raises:
        Failure: it takes none, or several and none is named.
    """
    takes = [each["name"] for each in pipeline["parameters"] if each["type"] == "date"]
    if named is not None and named not in takes:
        raise Failure(f"--parameter {named}: {pipeline['name']} takes the dates {', '.join(takes) or 'none'}")
    if not takes:
        raise Failure(f"pipeline {pipeline['name']} takes no date: start it with decant runs start")
    if named is None and len(takes) > 1:
        raise Failure(f"pipeline {pipeline['name']} takes {', '.join(takes)}: choose one with --parameter")
    return named or str(takes[0])


def report_of(pipeline: str, ended: list[Dated]) -> dict[str, Any]:
    """Return how the dates ended; `missing` are those without input."""
    return {
        "pipeline": pipeline,
        "ok": all(each.outcome == "succeeded" for each in ended),
        "dates": [asdict(each) for each in ended],
        "missing": [each.date for each in ended if each.error == MISSING],
    }


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Failure(f"{option} {text!r}: write a date as 2026-01-31") from None


def _tell(each: Dated) -> None:
    said = f"{each.date}  {each.outcome}" + (", done before" if each.earlier else "")
    console.print(said, markup=False)


def _rows(report: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for each in report["dates"]:
        what = "done before" if each["earlier"] else each["cause"]
        what = "no input" if each["error"] == MISSING else what
        yield each["date"], outcome(each["outcome"]), each["seconds"], each["run"], what


def _print(report: dict[str, Any]) -> None:
    print_table(("date", "outcome", "seconds", "run", ""), _rows(report))
    if report["missing"]:
        console.print(f"no input for: {', '.join(report['missing'])}", markup=False, style="yellow")
