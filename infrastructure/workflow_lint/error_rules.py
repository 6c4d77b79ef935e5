"""Which errors a Retry or a Catch names: names that exist, and States.ALL alone and last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infrastructure.definition import Level, State, entries, errors, inner, is_callback
from infrastructure.workflow_lint.error_names import doubt, lacks_suffix
from infrastructure.workflow_lint.finding import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = "States.ALL"


def states_all_not_alone(level: Level) -> Iterator[Problem]:
    """States.ALL is alone in its list."""
    for name, where, entry, _ in _entries(level):
        if EVERYTHING in errors(entry) and len(errors(entry)) > 1:
            yield name, f"{where}: give States.ALL an entry of its own"


def states_all_not_last(level: Level) -> Iterator[Problem]:
    """Find a States.ALL that hides what comes after it."""
    for name, where, entry, last in _entries(level):
        if EVERYTHING in errors(entry) and not last:
            yield name, f"{where}: move States.ALL to the last entry"


def unknown_error(level: Level, steps: frozenset[str] | None) -> Iterator[Problem]:
    """Every error that is waited for can be raised.

    Args:
        level: the level.
        steps: the errors that the project's steps raise, or None when they are not known.
    """
    for name, where, entry, _ in _entries(level):
        state = level.states[name]
        own = None if steps is None or _has_callback(state) else steps | _raised_inside(state)
        for error in errors(entry):
            why = doubt(error, own)
            if why:
                yield name, f"{where}: {error}: {why}"
            elif lacks_suffix(error, str(state.get("Resource", ""))):
                yield name, f"{where}: {error}: write {error}Exception; an SDK integration adds the word"


def unknown_error_rule(steps: frozenset[str] | None) -> Rule:
    """Return the rule on error names for steps that raise these errors."""
    return Rule(
        "unknown-error",
        "Every error name is one that something raises.",
        lambda level: unknown_error(level, steps),
    )


def _entries(level: Level) -> Iterator[tuple[str, str, State, bool]]:
    """Yield each Retry and Catch entry with its state, where it stands, and whether it is the last."""
    for name, state in level.states.items():
        for kind in ("Retry", "Catch"):
            listed = entries(state, kind)
            for position, entry in enumerate(listed):
                yield name, f"{kind}[{position}]", entry, position == len(listed) - 1


def _inside(state: State) -> Iterator[State]:
    yield state
    for machine in inner(state):
        states = machine.get("States")
        for each in states.values() if isinstance(states, dict) else ():
            if isinstance(each, dict):
                yield from _inside(each)


def _has_callback(state: State) -> bool:
    """Say whether somebody outside chooses an error's name."""
    return any(is_callback(each) for each in _inside(state))


def _raised_inside(state: State) -> frozenset[str]:
    """Return the errors of the Fail states inside a Map or Parallel state."""
    return frozenset(
        str(each["Error"]) for each in _inside(state) if each.get("Type") == "Fail" and "Error" in each
    )


RULES = (
    Rule("states-all-not-alone", "States.ALL is alone in its list.", states_all_not_alone),
    Rule("states-all-not-last", "The entry of States.ALL is the last.", states_all_not_last),
)
