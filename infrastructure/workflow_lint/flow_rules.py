"""How states follow each other: every one is reached, every loop ends, every Choice has an answer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import networkx as nx

from infrastructure.definition import Level, State, choices, followers, reached
from infrastructure.workflow_lint.finding import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_STATE_NAME = 80

AMOUNTS = re.compile(r'"(Numeric|Timestamp)(Less|Greater)Than\w*":')
"""A comparison that a count or a clock can reach; `NumericEquals 200` is an answer, not a bound."""

JSONATA_AMOUNTS = re.compile(r"[<>]")


def unreachable_state(level: Level) -> Iterator[Problem]:
    """Every state can be reached from the first one."""
    if level.start not in level.states:
        return  # the States Language's own check tells of it
    found = reached(level.graph(catches=True), level.start)
    for name in level.states:
        if name not in found:
            yield name, f"no way leads here from {level.start}: name it in a Next, or take it out"


def loop_without_exit(level: Level) -> Iterator[Problem]:
    """Every loop has a way out."""
    graph = level.graph(catches=False)
    for loop in loops(level):
        if not any(target not in loop for name in loop for target in graph.successors(name)):
            yield loop[0], f"add a Choice that leaves the loop of {', '.join(loop)}"


def loop_without_bound(level: Level) -> Iterator[Problem]:
    """Every loop has a bound: a time limit of the workflow, or a count or clock that leaves the loop."""
    if level.whole.get("TimeoutSeconds"):
        return
    graph = level.graph(catches=False)
    for loop in loops(level):
        leaves = any(target not in loop for name in loop for target in graph.successors(name))
        if leaves and not any(_leaves_by_amount(level, name, loop) for name in loop):
            remedy = "TimeoutSeconds of the workflow, or a Choice that leaves it on a count or a time"
            yield loop[0], f"bound the loop of {', '.join(loop)}: {remedy}"


def choice_without_default(level: Level) -> Iterator[Problem]:
    """Every Choice says what happens otherwise."""
    for name, state in level.states.items():
        if state.get("Type") == "Choice" and "Default" not in state:
            yield name, "add Default; a value that nobody thought of ends the run"


def name_too_long(level: Level) -> Iterator[Problem]:
    """No state's name is longer than AWS allows."""
    for name in level.states:
        if len(name) > LONGEST_STATE_NAME:
            yield name, f"use at most {LONGEST_STATE_NAME} characters"


def loops(level: Level) -> Iterator[list[str]]:
    """Yield the states of each loop, in the definition's order; a Catch can close one too."""
    graph = level.graph(catches=True)
    for found in nx.strongly_connected_components(graph):
        names = [name for name in level.states if name in found]
        if len(names) > 1 or graph.has_edge(names[0], names[0]):
            yield names


def _leaves_by_amount(level: Level, name: str, loop: list[str]) -> bool:
    state = level.states[name]
    leaves = any(target not in loop for target in followers(state))
    return leaves and any(_is_amount(level, name, rule) for rule in choices(state))


def _is_amount(level: Level, name: str, rule: State) -> bool:
    if level.is_jsonata(name):
        return bool(JSONATA_AMOUNTS.search(str(rule.get("Condition", ""))))
    return bool(AMOUNTS.search(json.dumps(rule)))


RULES = (
    Rule("unreachable-state", "Every state can be reached from StartAt.", unreachable_state),
    Rule("loop-without-exit", "Every loop has a way out.", loop_without_exit),
    Rule("loop-without-bound", "Every loop has a bound.", loop_without_bound),
    Rule("choice-without-default", "Every Choice has a Default.", choice_without_default),
    Rule("name-too-long", "No state's name is longer than 80 characters.", name_too_long),
)
