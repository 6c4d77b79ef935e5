"""What keeps a failure red: no Catch that ends green, no tolerated failure that nobody looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infrastructure.definition import Level, State, entries, errors, followers, is_end, reached
from infrastructure.workflow_lint.finding import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCES = tuple(
    f"ToleratedFailure{what}" for what in ("Percentage", "PercentagePath", "Count", "CountPath")
)


def caught_failure_ends_green(level: Level) -> Iterator[Problem]:
    """No Catch leads to a successful end.

    A Catch of named errors may go back into the states of a run without errors: it handles a case that was
    foreseen. One that matches any failure (a name that begins with `States.`) may not, and neither may end
    green on a way of its own. Inside a Map or Parallel state an item may end green if a Choice after the
    state around it can end in Fail.
    """
    if any(is_checked_later(outer, container) for outer, container in level.around()):
        return
    usual = reached(level.graph(catches=False), level.start)
    for name, state in level.states.items():
        for catcher in entries(state, "Catch"):
            foreseen = bool(errors(catcher)) and not any(
                each.startswith("States.") for each in errors(catcher)
            )
            green = _green_end(level, catcher.get("Next"), usual if foreseen else set())
            if green:
                yield name, f"Catch to {catcher.get('Next')}: it can end green, in {green}; end in Fail"


def tolerated_failure_without_check(level: Level) -> Iterator[Problem]:
    """After a Map that tolerates failures comes a Choice that can end in Fail."""
    for name, state in level.states.items():
        if not any(state.get(tolerance) for tolerance in TOLERANCES):
            continue
        around = [(level, name), *level.around()]
        if not any(is_checked_later(each, container) for each, container in around):
            yield name, "follow it with a Choice on the number of failed items that can end in a Fail state"


def is_checked_later(level: Level, name: str) -> bool:
    """Say whether a Choice that can end in Fail comes after a state."""
    graph = level.graph(catches=False)
    later: set[str] = set().union(*(reached(graph, each) for each in followers(level.states[name])))
    asked = [each for each in later if level.states[each].get("Type") == "Choice"]
    return any(_is_fail(level.states[end]) for each in asked for end in reached(graph, each))


def _green_end(level: Level, start: Any, usual: set[str]) -> str:
    """Return the first green end in the states' order that a caught failure reaches, or ""."""
    graph = level.graph(catches=True)
    graph.remove_nodes_from(usual)
    found = reached(graph, start)
    return next((name for name in level.states if name in found and is_end(level.states[name])), "")


def _is_fail(state: State) -> bool:
    return state.get("Type") == "Fail"


RULES = (
    Rule("caught-failure-ends-green", "No Catch leads to a successful end.", caught_failure_ends_green),
    Rule(
        "tolerated-failure-without-check",
        "A Choice that can fail comes after a Map that tolerates failures.",
        tolerated_failure_without_check,
    ),
)
