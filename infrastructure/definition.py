"""A workflow's definition as read from its file: its levels, its states and what can follow them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

State = dict[str, Any]
"""One state as written."""


class NotAWorkflow(ValueError):
    """The file holds no state machine.

    Attributes:
        rule: which of the reading rules it breaks: `not-json` or `not-a-workflow`.
        remedy: what to do.
    """

    def __init__(self, path: Path, rule: str, remedy: str) -> None:
        super().__init__(f"{path}: {remedy}")
        self.rule, self.remedy = rule, remedy


@dataclass(frozen=True)
class Level:
    """The states of one level: the workflow's own, or those inside a Map or Parallel state.

    Attributes:
        states: every state of the level by name.
        start: the first one's name.
        within: the level around this one, or None.
        container: the Map or Parallel state of `within` that holds this level, or "".
        whole: the whole definition.
        language: the level's query language, `JSONPath` or `JSONata`.
    """

    states: dict[str, State]
    start: str
    within: Level | None
    container: str
    whole: dict[str, Any]
    language: str

    def path(self, state: str) -> str:
        """Return a state's name with those of the states around it, such as `PerFile > Check`."""
        names = [state]
        level = self
        while level.within is not None:
            names.append(level.container)
            level = level.within
        return " > ".join(name for name in reversed(names) if name)

    def around(self) -> Iterator[tuple[Level, str]]:
        """Yield each level around this one, the nearest first, with the state that holds this one."""
        level = self
        while level.within is not None:
            yield level.within, level.container
            level = level.within

    def is_jsonata(self, state: str) -> bool:
        """Say whether a state is written in JSONata."""
        return bool(self.states[state].get("QueryLanguage", self.language) == "JSONata")

    def graph(self, *, catches: bool) -> nx.DiGraph[str]:
        """Return which state can follow which; a failure's ways too when `catches`."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.states)
        for name, state in self.states.items():
            targets = [*followers(state), *(catch_targets(state) if catches else ())]
            graph.add_edges_from((name, target) for target in targets if target in self.states)
        return graph


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of a definition and what it says.

    Raises:
        NotAWorkflow: the file is no text, no JSON, or no state machine.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        definition = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError:
        raise NotAWorkflow(path, "not-json", "write valid JSON; this is nested too deeply to read") from None
    except OSError as error:
        raise NotAWorkflow(path, "not-json", f"make it readable: {error.strerror}") from error
    except ValueError as error:
        remedy = f"write valid JSON in UTF-8; placeholders only inside strings: {error}"
        raise NotAWorkflow(path, "not-json", remedy) from error
    if not isinstance(definition, dict):
        raise NotAWorkflow(path, "not-a-workflow", "write one JSON object with StartAt and States")
    if not isinstance(definition.get("States"), dict):
        found = ", ".join(list(definition)[:5]) or "nothing"
        remedy = f"no state machine: write an object with StartAt and States; this one holds {found}"
        raise NotAWorkflow(path, "not-a-workflow", remedy)
    return text, definition


def levels(definition: dict[str, Any]) -> Iterator[Level]:
    """Yield the workflow's own level and every one inside it, the outer before the inner."""
    yield from _levels(definition, None, "", definition, str(definition.get("QueryLanguage", "JSONPath")))


def inner(state: State) -> list[dict[str, Any]]:
    """Return the state machines inside a Map or Parallel state."""
    branches = state.get("Branches")
    inside = [*(branches if isinstance(branches, list) else ()), processor(state)]
    return [each for each in inside if isinstance(each, dict)]


def processor(state: State) -> Any:
    """Return what a Map state runs for each item, under its present or its older name."""
    return state.get("ItemProcessor", state.get("Iterator"))


def followers(state: State) -> list[str]:
    """Return every state that a state names as the next one."""
    named = [state.get("Next"), state.get("Default"), *(each.get("Next") for each in choices(state))]
    return [name for name in named if isinstance(name, str)]


def catch_targets(state: State) -> list[str]:
    """Return every state that a state's Catch names."""
    return [each["Next"] for each in entries(state, "Catch") if isinstance(each.get("Next"), str)]


def choices(state: State) -> list[dict[str, Any]]:
    """Return a Choice state's rules."""
    return entries(state, "Choices")


def entries(state: State, field: str) -> list[dict[str, Any]]:
    """Return the objects in a state's list: its Retry, Catch or Choices."""
    listed = state.get(field)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def errors(entry: Mapping[str, Any]) -> list[str]:
    """Return the error names of one Retry or Catch entry."""
    listed = entry.get("ErrorEquals")
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def reached(graph: nx.DiGraph[str], start: Any) -> set[str]:
    """Return a state and all that can come after it, or nothing for an unknown one."""
    return {start, *nx.descendants(graph, start)} if isinstance(start, str) and start in graph else set()


def is_end(state: State) -> bool:
    """Say whether a level ends well in this state."""
    return state.get("Type") == "Succeed" or state.get("End") is True


def is_callback(state: State) -> bool:
    """Say whether a Task waits for somebody else to report: a task token or an activity."""
    resource = state.get("Resource")
    return isinstance(resource, str) and (resource.endswith(".waitForTaskToken") or ":activity:" in resource)


def _levels(
    machine: dict[str, Any], within: Level | None, container: str, whole: dict[str, Any], language: str
) -> Iterator[Level]:
    written = machine.get("States")
    named = written.items() if isinstance(written, dict) else ()
    states = {name: state for name, state in named if isinstance(state, dict)}
    level = Level(states, str(machine.get("StartAt", "")), within, container, whole, language)
    yield level
    for name, state in states.items():
        for each in inner(state):
            own = str(each.get("QueryLanguage", state.get("QueryLanguage", language)))
            yield from _levels(each, level, name, whole, own)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise ValueError(f'"{twice}" is written twice in one object; only the last would count')
    return dict(pairs)
