"""What runs of a workflow cost, for people and for programs."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from chalicelib import pipelines
from chalicelib.errors import DecantError
from chalicelib.pipeline import Pipeline
from cli.errors import Failure
from cli.output import console
from cli.quantities import size
from infrastructure import workflow_cost
from infrastructure.workflow_cost import Estimate, GlueCapacity, GrowingWaits, PricedWay, Question
from infrastructure.workflow_cost import project as known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEFT_OUT = (
    "Not in it: retries and errors, cold starts, the function that starts a run, storage, logs, transfer, "
    "Redshift."
)

SMALLEST_SHOWN = 0.01
"""Dollars; less than a cent is shown as such."""

WAYS_SIDE_BY_SIDE = 5
"""Columns of a table that fit a terminal of 80 characters."""


def question(
    *,
    pipeline: str | None,
    route: str | None,
    assume: tuple[tuple[str, str], ...],
    duration: tuple[tuple[str, str], ...],
    scan: tuple[tuple[str, str], ...],
    workers: int | None,
    worker_type: str,
    **asked: Any,
) -> Question:
    """Return the question that a command line asks."""
    assumed = dict(assume) | ({"route": route} if route else {})
    made = Question(
        **asked,
        assumed=assumed,
        durations=_seconds(duration),
        scans=_scans(scan),
        memory=known.memory(),
        glue={**known.glue_capacities(), **_workers(workers, worker_type)},
    )
    return _with_pipeline(made, pipeline) if pipeline else made


def _seconds(given: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return how long states take, as given on the command line."""
    found = {}
    for name, text in given:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise Failure(f"--duration {name}={text}: write seconds, as in {name}=2.5")
        found[name] = float(text)
    return found


def _scans(given: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return what the queries of states scan, as given on the command line."""
    try:
        return {name: size(text) for name, text in given}
    except ValueError as error:
        raise Failure(f"--scan: {error}") from error


def _with_pipeline(question: Question, name: str) -> Question:
    """Return the question as a pipeline's files answer it: their route, format, waits and Glue job."""
    try:
        pipeline = pipelines.named(name)
    except DecantError as error:
        raise Failure(str(error)) from error
    if not isinstance(pipeline, Pipeline):
        return question
    route = "lambda" if question.size <= pipeline.largest_for_lambda else "glue"
    every_row = {} if pipeline.tolerate else {"tolerated": "false"}
    loaded = str(pipeline.table is not None).lower()
    assumed = {"route": route, "load": loaded, **every_row, **question.assumed}
    job = pipeline.glue_job
    if route == "glue" and job is None:
        return replace(question, format=pipeline.format, assumed={"valid": "false", **assumed})
    return replace(
        question,
        format=pipeline.format,
        assumed=assumed,
        waits=GrowingWaits(first=job.first_wait, growth=job.growth, longest=job.longest_wait)
        if job
        else question.waits,
        glue_by_step={"start_glue_job": job.name} if job else {},
    )


def _workers(number: int | None, kind: str) -> dict[str, GlueCapacity]:
    """Return the capacity for every Glue job that the template does not describe."""
    if number is None:
        return {}
    return {"": GlueCapacity(dpus=known.DPUS[kind] * number, source=f"as given: {number} workers {kind}")}


def answer(definition: dict[str, Any], question: Question) -> Estimate:
    """Price the workflow.

    Raises:
        Failure: the region has no prices, or no way or too many ways lead through the workflow.
    """
    errors = (workflow_cost.UnknownRegion, workflow_cost.NoWay, workflow_cost.TooManyWays)
    try:
        return workflow_cost.estimate(definition, question)
    except errors as error:
        raise Failure(str(error)) from error


def document(name: str, question: Question, found: Estimate) -> dict[str, Any]:
    """Return the answer for programs."""
    return {
        "workflow": name,
        "runs": question.runs,
        "size_bytes": question.size,
        "items": question.items,
        "region": question.region,
        "currency": "USD",
        "prices_as_of": found.prices.as_of,
        "prices_from": found.prices.sources,
        "ways": [_way_document(way) for way in found.ways],
        "assumptions": found.sources,
    }


def show(name: str, question: Question, found: Estimate) -> None:
    """Print the answer for people."""
    console.print(
        f"[bold]{name}[/bold]: {question.runs:,} runs a month, {question.size:,} bytes each, "
        f"{question.region}, list prices of {found.prices.as_of} in USD\n"
    )
    for number, way in enumerate(found.ways, 1):
        ends = "[red]fails[/red]" if way.walked.fails else "[green]ends well[/green]"
        console.print(f"[bold]Way {number}[/bold] {ends}: " + " → ".join(_chain(way)), soft_wrap=True)
    for table in _tables(found.ways):
        console.print()
        console.print(table)
    for position, (remark, numbers) in enumerate(_remarks(found).items()):
        if not position:
            console.print()
        which = f"Way {numbers[0]}" if len(numbers) == 1 else f"Ways {', '.join(map(str, numbers))}"
        console.print(f"{which}: {remark}", soft_wrap=True)
    console.print("\n[bold]Assumed[/bold]")
    for what, source in found.sources.items():
        console.print(f"  {what}: {source}", soft_wrap=True, markup=False)
    console.print(LEFT_OUT, soft_wrap=True)
    console.print("Prices: " + ", ".join(found.prices.sources.values()), soft_wrap=True)


def _chain(way: PricedWay) -> list[str]:
    """Return the way's states, with the turns of its loops and what it passes inside."""
    turns = {each.states[-1]: each for each in way.walked.turns if each.number}
    named = []
    for name in way.walked.way.states:
        loop = turns.get(name)
        inside = way.walked.inside.get(name)
        within = f" ({' → '.join(inside)})" if inside else ""
        more = f" (↺ {loop.number:,} times {' → '.join(loop.states)})" if loop else ""
        named.append(name + within + more)
    return named


def _tables(ways: list[PricedWay]) -> Iterator[Table]:
    """Yield the ways in tables, each with as many as the screen is wide enough for."""
    first = 0
    while first < len(ways):
        for count in range(min(WAYS_SIDE_BY_SIDE, len(ways) - first), 0, -1):
            made = _table(ways[first : first + count], first + 1)
            if console.measure(made).maximum < console.width:
                break
        yield made
        first += count


def _table(ways: list[PricedWay], first: int) -> Table:
    made = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    made.add_column("", no_wrap=True)
    for number in range(first, first + len(ways)):
        made.add_column(f"Way {number}", justify="right", no_wrap=True)
    for title, cells in _rows(ways):
        made.add_row(title, *cells, style="bold" if title.startswith("a month") else "")
    return made


def _rows(ways: list[PricedWay]) -> Iterator[tuple[str, list[str]]]:
    usages = [way.walked.usage for way in ways]
    yield "state transitions of a run", [f"{usage.transitions:,}" for usage in usages]
    yield "events in its history", [f"{usage.events:,}" for usage in usages]
    yield "seconds", [f"{usage.seconds:,.1f}" for usage in usages]
    yield "Lambda GB-seconds", [f"{usage.lambda_gb_seconds:,.2f}" for usage in usages]
    if any(usage.glue_dpu_minutes for usage in usages):
        yield "Glue DPU-minutes", [f"{usage.glue_dpu_minutes:,.2f}" for usage in usages]
    if any(usage.athena_bytes for usage in usages):
        yield "Athena MB scanned", [f"{usage.athena_bytes / 10**6:,.0f}" for usage in usages]
    yield "S3 writes + reads", [f"{usage.s3_puts:,} + {usage.s3_gets:,}" for usage in usages]
    for service in ("Lambda", "Glue", "Athena", "S3", "Express child runs"):
        sums = [sum(line.usd for line in way.bill.rest if line.what == service) for way in ways]
        if any(sums):
            yield f"{service}, USD", [_usd(each) for each in sums]
    yield "Standard transitions, USD", [_usd(way.bill.transitions.usd) for way in ways]
    express = [sum(line.usd for line in way.bill.express) for way in ways]
    impossible = [way.bill.express_impossible for way in ways]
    yield (
        "Express instead, USD",
        [_usd(None if not_ else usd) for usd, not_ in zip(express, impossible, strict=True)],
    )
    yield "a month, Standard, USD", [_usd(way.bill.standard_usd) for way in ways]
    yield "a month, Express, USD", [_usd(way.bill.express_usd) for way in ways]
    yield "free tier of that, USD", [_usd(way.bill.free_usd) for way in ways]


def _remarks(found: Estimate) -> dict[str, list[int]]:
    """Return each remark with the numbers of the ways that it is about."""
    remarks: dict[str, list[int]] = {}
    for number, way in enumerate(found.ways, 1):
        for remark in _remarks_on(way):
            remarks.setdefault(remark, []).append(number)
    return remarks


def _remarks_on(way: PricedWay) -> Iterator[str]:
    for turns in way.walked.turns:
        yield f"{turns.number:,} turns of {' → '.join(turns.states)}: {turns.reason}"
    if way.bill.express_impossible:
        yield f"Express is not possible: {way.bill.express_impossible}"
    for call, times in way.walked.usage.unpriced.items():
        yield f"{times:,} of {call} in a run: not priced here"
    for warning in way.warnings:
        yield f"[yellow]warning: {escape(warning)}[/yellow]"


def _way_document(way: PricedWay) -> dict[str, Any]:
    walked, month = way.walked, way.bill
    return {
        "states": list(walked.way.states),
        "inside": {name: list(states) for name, states in walked.inside.items()},
        "fails": walked.fails,
        "loops": [asdict(turns) for turns in walked.turns],
        # asdict would make a Counter of pairs out of the Counter in it.
        "per_run": vars(walked.usage) | {"unpriced": dict(walked.usage.unpriced)},
        "per_month": {
            "lines": [asdict(line) for line in (month.transitions, *month.rest)],
            "standard_usd": round(month.standard_usd, 4),
            "express_lines": [asdict(line) for line in month.express],
            "express_usd": None if month.express_usd is None else round(month.express_usd, 4),
            "express_impossible": month.express_impossible or None,
            "free_tier_usd": round(month.free_usd, 4),
        },
        "warnings": way.warnings,
    }


def _usd(amount: float | None) -> str:
    if amount is None:
        return "no"
    return "<0.01" if 0 < amount < SMALLEST_SHOWN else f"{amount:,.2f}"
