"""A run's states: what became of each, and the definition that they are of."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from chalicelib import errors, runs
from chalicelib import states as reading
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.endpoints import Parameter
from chalicelib.history import iso
from chalicelib.rest.registration import endpoint, query
from chalicelib.run import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

CHILDREN = 50
"""Runs of a Distributed Map that are named, the newest; their counts are of all."""


class TryAnswer(Struct):
    """One attempt; times are ISO 8601 in UTC."""

    started: str
    ended: str | None
    seconds: float | None
    error: str | None
    cause: str | None


class IterationsAnswer(Struct):
    """How the items of a Map stand."""

    total: int
    running: int
    done: int
    failed: int


class ChildAnswer(Struct):
    """One run of a Distributed Map."""

    name: str
    outcome: str
    started: str
    ended: str | None


class StateAnswer(Struct):
    """What became of one state; `tries` are the attempts of its last visit, `inside` the state around it.

    A long input or output is `{"cut": "its beginning", "bytes": n}`.
    """

    name: str
    type: str
    inside: str | None
    status: Literal[
        "ahead", "waiting", "running", "retrying", "done", "failed", "stopped", "not_taken", "elsewhere"
    ]
    visits: int
    attempts: int
    entered: str | None
    left: str | None
    seconds: float | None
    input: Any
    output: Any
    error: str | None
    cause: str | None
    tries: list[TryAnswer]
    iterations: IterationsAnswer | None
    children: list[ChildAnswer] | None


class StatesAnswer(Struct):
    """The states of a run: those entered in that order, then the others as the definition has them."""

    run: str
    outcome: str
    started: str
    ended: str | None
    states: list[StateAnswer]


class DefinitionAnswer(Struct):
    """A workflow in Amazon States Language, as a run was started with it."""

    workflow: str
    definition: dict[str, Any]


@endpoint(
    "GET",
    "/runs/{run}/states",
    "Show what became of each state of a run",
    answer=StatesAnswer,
    parameters=(
        Parameter(
            name="brief",
            schema={"type": "boolean", "default": False},
            description="Leave inputs and outputs out.",
        ),
    ),
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline),
)
def show_states(run: str) -> StatesAnswer:
    """Show a run's states."""
    brief = query("brief").get("brief", "false")
    if brief not in {"true", "false"}:
        raise errors.InvalidRequest(f"brief {brief[:40]!r}: write true or false")
    states = StepFunctions()
    machine, found = runs.execution(states, run)
    definition = states.definition_of_run(machine, run)
    became = reading.read(
        definition, states.history(machine, run), ended=found.get("stopDate"), brief=brief == "true"
    )
    told = runs.from_execution(found)
    return StatesAnswer(
        run=run,
        outcome=told.outcome,
        started=told.started,
        ended=told.ended,
        states=[_answer(states, each) for each in became],
    )


@endpoint(
    "GET",
    "/runs/{run}/definition",
    "Show the workflow that a run was started with",
    answer=DefinitionAnswer,
    raises=(errors.UnknownRun, errors.UnknownPipeline),
)
def show_definition(run: str) -> DefinitionAnswer:
    """Show a run's definition."""
    states = StepFunctions()
    machine, _ = runs.execution(states, run)
    return DefinitionAnswer(workflow=runs.workflow_of(run), definition=states.definition_of_run(machine, run))


def _answer(states: StepFunctions, state: reading.State) -> StateAnswer:
    told = asdict(state)
    map_run = told.pop("map_run")
    children = None
    if map_run:
        told["iterations"] = _counted(states.map_run(map_run))
        children = _children(states.children(map_run, CHILDREN))
    return StateAnswer(**told, children=children)


def _counted(counts: dict[str, int]) -> dict[str, int]:
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    return {
        "total": counts["total"],
        "running": counts["running"],
        "done": counts["succeeded"],
        "failed": failed,
    }


def _children(found: Sequence[dict[str, Any]]) -> list[ChildAnswer]:
    return [
        ChildAnswer(
            name=child["name"],
            outcome=OUTCOMES[child["status"]],
            started=iso(child["startDate"]),
            ended=iso(child["stopDate"]) if child.get("stopDate") else None,
        )
        for child in found
    ]
