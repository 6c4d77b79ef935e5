"""The distinct ways through one level of a workflow, without errors, and the loops on them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import networkx as nx

from infrastructure.definition import choices, is_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infrastructure.definition import Level, State

MOST_WAYS = 64
"""Of one level; a definition with more is told, not walked."""

MOST_LOOPS = 8
"""Elementary loops that are looked at on one way."""


class TooManyWays(ValueError):
    """A level has more distinct ways than anybody reads."""


class NoWay(ValueError):
    """No way leads through what was asked for."""


@dataclass(frozen=True)
class Way:
    """One way through a level.

    Attributes:
        states: from StartAt to an end, each once.
        loops: the loops that leave it and come back, each as its states in order.
    """

    states: tuple[str, ...]
    loops: tuple[tuple[str, ...], ...]


def ways(level: Level, assumed: Mapping[str, str]) -> list[Way]:
    """Return every way through a level, as far as the assumed values leave it open.

    Raises:
        TooManyWays: there are more than `MOST_WAYS`.
        NoWay: the level has no start or no end.
    """
    graph = _graph(level, assumed)
    ends = [name for name, state in level.states.items() if is_end(state) or state.get("Type") == "Fail"]
    if level.start not in graph:
        raise NoWay(f"StartAt {level.start!r}: there is no such state")
    found = list(islice(_paths(graph, level.start, ends), MOST_WAYS + 1))
    if len(found) > MOST_WAYS:
        where = level.path("") or "the workflow"
        raise TooManyWays(
            f"{where}: more than {MOST_WAYS} ways lead through it: "
            "say what its Choices see, with --assume NAME=VALUE"
        )
    if not found:
        raise NoWay(f"{level.path('') or 'the workflow'}: no end can be reached from {level.start}")
    loops = [tuple(each) for each in islice(nx.simple_cycles(graph), MOST_LOOPS)]
    return [Way(tuple(path), tuple(_on(path, loops))) for path in found]


def _paths(graph: nx.DiGraph[str], start: str, ends: list[str]) -> Iterator[list[str]]:
    if start in ends:
        yield [start]
    yield from nx.all_simple_paths(graph, start, [end for end in ends if end != start])


def _on(path: list[str], loops: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the loops that touch a path, each turned so that it begins after the path's last state in it."""
    for loop in loops:
        touched = [name for name in path if name in loop]
        if touched:
            at = loop.index(touched[-1]) + 1
            yield loop[at:] + loop[:at]


def _graph(level: Level, assumed: Mapping[str, str]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(level.states)
    for name, state in level.states.items():
        targets = _chosen(state, assumed) if state.get("Type") == "Choice" else [state.get("Next")]
        graph.add_edges_from(
            (name, target) for target in targets if isinstance(target, str) and target in level.states
        )
    return graph


def _chosen(state: State, assumed: Mapping[str, str]) -> list[Any]:
    """Return where a Choice can lead, in the order of its rules, given what is assumed."""
    targets = []
    for rule in choices(state):
        met = is_met(rule, assumed)
        if met is not False:
            targets.append(rule.get("Next"))
        if met:
            return targets
    return [*targets, state.get("Default")]


def is_met(rule: Mapping[str, Any], assumed: Mapping[str, str]) -> bool | None:
    """Say whether a rule holds, or None when the assumed values do not tell."""
    name = str(rule.get("Variable", "")).rpartition(".")[2]
    if name not in assumed:
        return None
    given = assumed[name]
    for operator, value in rule.items():
        if operator in {"StringEquals", "NumericEquals", "BooleanEquals"}:
            return str(value).lower() == given.lower()
    return None
