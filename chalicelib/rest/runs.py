"""Runs: the list, one of them, its history, and what may be done to it."""

from __future__ import annotations

import functools
from dataclasses import asdict, replace
from typing import Any

from chalicelib import answers, errors, listing, runs, workflow_reports
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.history import iso, readable_cause
from chalicelib.rest.registration import endpoint, number, query

EVENTS = 500
"""Events of a run's history on one page."""

HIDDEN = frozenset({"taskToken", "parameters"})
"""Details of an event that stay inside: parameters may carry a task token."""


@endpoint(
    "GET",
    "/runs",
    "List runs, newest first",
    answer=answers.Runs,
    parameters=(
        Parameter(name="pipeline", schema={"type": "string"}, description="Only this pipeline's runs."),
        Parameter(
            name="outcome",
            schema={
                "enum": ["running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out"]
            },
            description="Only runs that stand so.",
        ),
        Parameter(
            name="since",
            schema={"type": "string", "format": "date-time"},
            description="Only runs started at or after this time; without a zone it is UTC.",
        ),
        Parameter(
            name="until",
            schema={"type": "string", "format": "date-time"},
            description="Only runs started at or before this time; without a zone it is UTC.",
        ),
        Parameter(
            name="search",
            schema={"type": "string", "maxLength": listing.LONGEST_SEARCH},
            description="Only runs with these characters in their own or their file's name, in any case.",
        ),
        Parameter(
            name="limit",
            schema={"type": "integer", "minimum": 1, "maximum": listing.MOST_RUNS, "default": 20},
            description="At most so many runs.",
        ),
        Parameter(name="next", schema={"type": "string"}, description="`next` of the page before."),
    ),
    raises=(errors.InvalidRequest, errors.UnknownPipeline),
)
def list_runs() -> answers.Runs:
    """List runs."""
    asked = query("pipeline", "outcome", "since", "until", "search", "limit", "next")
    wanted = listing.Wanted(
        pipeline=asked.get("pipeline"),
        outcome=asked.get("outcome"),
        since=listing.moment(asked["since"], "since") if "since" in asked else None,
        until=listing.moment(asked["until"], "until") if "until" in asked else None,
        search=asked.get("search"),
    )
    price = functools.partial(workflow_reports.cost_of, workflow_reports.reports(S3()))
    found, following = listing.page(
        StepFunctions(), wanted, number(asked, "limit", 20), asked.get("next"), price
    )
    return answers.Runs(runs=[answers.RunAnswer(**asdict(run)) for run in found], next=following)


@endpoint(
    "GET",
    "/runs/{run}",
    "Show a run with its input, output, error and steps",
    answer=answers.RunAnswer,
    raises=(errors.UnknownRun, errors.UnknownPipeline),
)
def show_run(run: str) -> answers.RunAnswer:
    """Show a run."""
    found = runs.describe(StepFunctions(), run)
    price = workflow_reports.cost_of(workflow_reports.reports(S3()), runs.workflow_of(run), found)
    return answers.RunAnswer(**asdict(replace(found, cost=price if found.ended else None)))


@endpoint(
    "GET",
    "/runs/{run}/events",
    "Show a run's history of events, oldest first",
    answer=answers.Events,
    parameters=(
        Parameter(
            name="after",
            schema={"type": "integer", "minimum": 0, "default": 0},
            description="Only events with a higher id: `next` of the page before.",
        ),
    ),
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline),
)
def show_events(run: str) -> answers.Events:
    """Show a run's history."""
    after = number(query("after"), "after", 0)
    found = [_event(event) for event in runs.events(StepFunctions(), run) if event["id"] > after]
    more = len(found) > EVENTS
    return answers.Events(events=found[:EVENTS], next=found[EVENTS - 1].id if more else None)


@endpoint(
    "POST",
    "/runs/{run}/stop",
    "Stop a run that is under way",
    body=answers.StopRun,
    answer=answers.RunAnswer,
    raises=(errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def stop_run(run: str, body: answers.StopRun) -> answers.RunAnswer:
    """Stop a run."""
    runs.stop(StepFunctions(), run, body.reason)
    return answers.RunAnswer(**asdict(runs.describe(StepFunctions(), run)))


@endpoint(
    "POST",
    "/runs/{run}/redrive",
    "Let a run that did not succeed go on, or start it again; the answer names the run that does the work",
    answer=answers.RunStarted,
    raises=(errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def redrive_run(run: str) -> answers.RunStarted:
    """Redrive a run."""
    started = runs.redrive(StepFunctions(), run)
    return answers.RunStarted(run=started.run, new=started.new)


def _event(event: dict[str, Any]) -> answers.Event:
    found: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    details = {name: value for name, value in found.items() if name not in HIDDEN}
    if "cause" in details:
        details["cause"] = readable_cause(details["cause"])
    return answers.Event(
        id=event["id"],
        previous=event["previousEventId"],
        type=event["type"],
        time=iso(event["timestamp"]),
        details=details,
    )
