"""Where a run would come near Step Functions' limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infrastructure.definition import levels, processor
from infrastructure.workflow_cost import assumptions as assume
from infrastructure.workflow_cost.integrations import argument, arguments, called
from infrastructure.workflow_lint.payload_rules import payload_grows_in_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.definition import State
    from infrastructure.workflow_cost.question import Question
    from infrastructure.workflow_cost.walk import Walked

MOST_EVENTS = 25_000
LARGEST_PAYLOAD = 262_144
NEAR = 0.8
"""From this share of a limit on, it is told."""

LONGEST_LAMBDA_SECONDS = 900


def warnings(definition: dict[str, Any], walked: Walked, question: Question) -> list[str]:
    """Return what a run on this way would come near to, in words."""
    return [*_history(walked), *_payload(definition, walked, question), *_functions(walked)]


def _history(walked: Walked) -> Iterator[str]:
    events = walked.usage.events
    if events < NEAR * MOST_EVENTS:
        return
    turns = ", ".join(
        f"{each.number:,} turns of {each.states[0]}" for each in walked.turns if each.number > 1
    )
    why = f" ({turns})" if turns else ""
    does = "exceeds" if events > MOST_EVENTS else "comes near"
    yield (
        f"history: about {events:,} events{why}: it {does} the limit of {MOST_EVENTS:,}, "
        "at which the run fails; use a Distributed Map, longer waits, or a run that starts the next one"
    )


def _payload(definition: dict[str, Any], walked: Walked, question: Question) -> Iterator[str]:
    for level in levels(definition):
        for name, where in payload_grows_in_loop(level):
            if name in walked.passed or any(name in each.states for each in walked.turns):
                yield f"payload: {level.path(name)}: {where}"
        for name, state in level.states.items():
            if name in walked.passed:
                yield from _of_state(level.path(name), state, question)


def _of_state(path: str, state: State, question: Question) -> Iterator[str]:
    if state.get("Type") == "Map" and _keeps_results(state):
        size = question.items * assume.ITEM_BYTES
        if size >= NEAR * LARGEST_PAYLOAD:
            yield (
                f"payload: {path}: the results of {question.items:,} items come to about {size:,} bytes "
                f"of the {LARGEST_PAYLOAD:,} allowed ({assume.ITEM_SOURCE}); "
                "use a ResultWriter, a ResultSelector or ResultPath null"
            )
    if state.get("Type") == "Task":
        call = called(state)
        rows = arguments(state)
        if call.name == "athena:getQueryResults" and not {"MaxResults", "MaxResults.$"} & set(rows):
            yield (
                f"payload: {path}: up to 1,000 rows of a result may exceed {LARGEST_PAYLOAD:,} bytes; "
                "set MaxResults"
            )
        if call.service == "states" and call.waits and argument(state, "Input.$") == "$":
            yield f"payload: {path}: the result repeats the child run's whole input"


def _keeps_results(state: State) -> bool:
    reduced = {"ResultWriter", "ResultSelector", "Output"} & set(state)
    return not reduced and state.get("ResultPath", "$") is not None and processor(state) is not None


def _functions(walked: Walked) -> Iterator[str]:
    if walked.longest_call > LONGEST_LAMBDA_SECONDS:
        yield (
            f"duration: a function would take about {walked.longest_call:,.0f} s; Lambda ends it at "
            f"{LONGEST_LAMBDA_SECONDS} s: send files of this size to Glue"
        )
