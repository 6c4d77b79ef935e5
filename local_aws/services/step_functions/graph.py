"""What can be wrong with a definition that its grammar does not see: where the arrows lead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_NAME_LIMIT = 80  # characters
TRANSITIONING = frozenset({"Task", "Pass", "Wait", "Parallel", "Map"})
TERMINAL = frozenset({"Succeed", "Fail"})
UNSUPPORTED_READERS = frozenset({"JSONL", "MANIFEST", "PARQUET"})
UNSUPPORTED_RESOURCES = {
    ":states:::http:invoke": "http:invoke",
    ":activity:": "activities",
}
WITHOUT_SYNC = "EXPRESS state machines don't support .sync and .waitForTaskToken"


@dataclass(frozen=True)
class Finding:
    """One fault of a definition: AWS's code for it, what is wrong, and the JSON pointer to it."""

    code: str
    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location}"


def findings(document: Any, *, express: bool = False) -> list[Finding]:
    """Return the faults of a parsed definition, outermost first."""
    if not isinstance(document, dict):
        return [Finding("SCHEMA_VALIDATION_FAILED", "The definition must be a JSON object", "/")]
    found = list(_scope(document, "", express=express))
    names = Counter(_names(document))
    found += [
        Finding("DUPLICATE_STATE_NAME", f"State name '{name}' is used {count} times", "/States")
        for name, count in names.items()
        if count > 1
    ]
    return found


def _scope(scope: dict[str, Any], place: str, *, express: bool) -> Iterator[Finding]:
    states, start = scope.get("States"), scope.get("StartAt")
    if not isinstance(states, dict) or not states:
        yield Finding(
            "SCHEMA_VALIDATION_FAILED", "The field 'States' must be an object with a state", f"{place}/"
        )
        return
    if not isinstance(start, str):
        yield Finding("SCHEMA_VALIDATION_FAILED", "The field 'StartAt' is required", f"{place}/")
        return
    if start not in states:
        yield Finding("MISSING_TRANSITION_TARGET", f"Missing 'StartAt' target: {start}", f"{place}/StartAt")
    for name, state in states.items():
        yield from _state(name, state, states, f"{place}/States/{name}", express=express)
    yield from _reach(start, states, place)


def _state(name: str, state: Any, states: dict[str, Any], place: str, *, express: bool) -> Iterator[Finding]:
    if len(name) > STATE_NAME_LIMIT:
        yield Finding("SCHEMA_VALIDATION_FAILED", f"State name exceeds {STATE_NAME_LIMIT} characters", place)
    if not isinstance(state, dict):
        yield Finding("SCHEMA_VALIDATION_FAILED", "A state must be an object", place)
        return
    kind = state.get("Type")
    if kind not in TRANSITIONING | TERMINAL | {"Choice"}:
        yield Finding("SCHEMA_VALIDATION_FAILED", f"Unknown state type: {kind}", f"{place}/Type")
        return
    yield from _transitions(kind, state, states, place)
    yield from _error_order(state, place)
    yield from _unsupported(state, place, express=express)
    for inner, where in _inner(state, place):
        yield from _scope(inner, where, express=express)


def _transitions(kind: str, state: dict[str, Any], states: dict[str, Any], place: str) -> Iterator[Finding]:
    ends = state.get("End") is True
    if kind in TRANSITIONING and ends == ("Next" in state):
        yield Finding("SCHEMA_VALIDATION_FAILED", "Exactly one of 'Next' and 'End: true' is required", place)
    if kind not in TRANSITIONING and ("Next" in state or "End" in state):
        yield Finding("SCHEMA_VALIDATION_FAILED", f"A {kind} state has no 'Next' and no 'End'", place)
    if kind == "Choice" and not state.get("Choices"):
        yield Finding("SCHEMA_VALIDATION_FAILED", "The field 'Choices' must not be empty", place)
    for target, where in targets(state, place):
        if not isinstance(target, str) or target not in states:
            yield Finding(
                "MISSING_TRANSITION_TARGET", f"Missing '{where.rsplit('/', 1)[1]}' target: {target}", where
            )


def targets(state: dict[str, Any], place: str) -> Iterator[tuple[Any, str]]:
    """Return where the arrows of a state lead, each with its JSON pointer."""
    for name in ("Next", "Default"):
        if name in state:
            yield state[name], f"{place}/{name}"
    for name in ("Choices", "Catch"):
        for number, rule in enumerate(_list(state.get(name))):
            if isinstance(rule, dict):
                yield rule.get("Next"), f"{place}/{name}[{number}]/Next"


def _error_order(state: dict[str, Any], place: str) -> Iterator[Finding]:
    for name in ("Retry", "Catch"):
        rules = _list(state.get(name))
        for number, rule in enumerate(rules):
            errors = _list(rule.get("ErrorEquals")) if isinstance(rule, dict) else []
            if "States.ALL" in errors and (len(errors) > 1 or number < len(rules) - 1):
                message = "'States.ALL' must appear alone and in the last rule"
                yield Finding("SCHEMA_VALIDATION_FAILED", message, f"{place}/{name}[{number}]/ErrorEquals")


def _unsupported(state: dict[str, Any], place: str, *, express: bool) -> Iterator[Finding]:
    resource = str(state.get("Resource", ""))
    for part, feature in UNSUPPORTED_RESOURCES.items():
        if part in resource:
            yield _refused(feature, f"{place}/Resource")
    if express and resource.endswith((".sync", ".sync:2", ".waitForTaskToken")):
        yield Finding("SCHEMA_VALIDATION_FAILED", WITHOUT_SYNC, f"{place}/Resource")
    if "ItemBatcher" in state:
        yield _refused("ItemBatcher", f"{place}/ItemBatcher")
    reader = state.get("ItemReader")
    configuration = reader.get("ReaderConfig") if isinstance(reader, dict) else None
    if isinstance(configuration, dict) and configuration.get("InputType") in UNSUPPORTED_READERS:
        yield _refused(
            f"InputType {configuration['InputType']}", f"{place}/ItemReader/ReaderConfig/InputType"
        )


def _refused(feature: str, place: str) -> Finding:
    return Finding("SCHEMA_VALIDATION_FAILED", f"{feature}: this embedded AWS does not run it", place)


def _inner(state: dict[str, Any], place: str) -> Iterator[tuple[dict[str, Any], str]]:
    for name in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(name), dict):
            yield state[name], f"{place}/{name}"
    for number, branch in enumerate(_list(state.get("Branches"))):
        if isinstance(branch, dict):
            yield branch, f"{place}/Branches[{number}]"


def inner_scopes(scope: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return (state, scope) of every Map and Parallel state at any depth."""
    for name, state in scope["States"].items():
        for inner, _ in _inner(state, ""):
            yield name, inner
            yield from inner_scopes(inner)


def _reach(start: str, states: dict[str, Any], place: str) -> Iterator[Finding]:
    reached, todo = set[str](), [start]
    while todo:
        name = todo.pop()
        state = states.get(name)
        if name in reached or not isinstance(state, dict):
            continue
        reached.add(name)
        todo += [target for target, _ in targets(state, "") if isinstance(target, str)]
    for name in states:
        if name not in reached:
            yield Finding("UNREACHABLE_STATE", f"State '{name}' cannot be reached", f"{place}/States/{name}")
    if not any(_ends(states[name]) for name in reached if name in states):
        yield Finding("MISSING_TERMINAL_STATE", "No reachable state ends the execution", f"{place}/States")


def _ends(state: dict[str, Any]) -> bool:
    return state.get("End") is True or state.get("Type") in TERMINAL


def _names(scope: dict[str, Any]) -> Iterator[str]:
    states = scope.get("States")
    for name, state in (states if isinstance(states, dict) else {}).items():
        yield name
        if isinstance(state, dict):
            for inner, _ in _inner(state, ""):
                yield from _names(inner)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
