"""Checks of a workflow: statelint's, and what a run must keep to here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

from infrastructure.render import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAMPLE = "arn:aws:lambda:us-east-1:123456789012:function:sample"
"""Stands for every placeholder while statelint looks at the definition."""

STATELINT = Config(ignored_problem_types={ProblemType.FLOAT}, evaluate_jsonata=True)
"""AWS takes 2 as well as 2.0 for a BackoffRate."""

LONGEST_STATE_NAME = 80

PATHS = re.compile(r"\$(\$|[A-Za-z_][A-Za-z0-9_]*)?([.\[].*)?|\{%.*%\}|States\..+", re.DOTALL)
"""How every path, variable, context path, intrinsic function and JSONata expression begins."""

WHOLE_PATHS = ("InputPath", "OutputPath", "ResultPath", "ItemsPath", "SecondsPath", "TimestampPath")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to mend.

    Attributes:
        path: the file.
        state: the state's name, or "" when it is about the whole definition.
        rule: the rule's name, in words with hyphens.
        remedy: what to do.
    """

    path: Path
    state: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.state or 'the workflow'}: {self.rule}: {self.remedy}"


@dataclass(frozen=True)
class Scope:
    """The states of one level: the workflow's own, or those inside a Map or Parallel state.

    Attributes:
        states: every state of the level by name.
        start: the first one's name.
        caught: a state around this level catches what fails in it.
        timed: the whole workflow has a time limit.
    """

    states: dict[str, dict[str, Any]]
    start: str
    caught: bool
    timed: bool


Problem = tuple[str, str, str]
"""State, rule, remedy."""


def lint(path: Path) -> list[Finding]:
    """Return everything to mend in the definition at `path`, or an empty list."""
    return [
        Finding(path=path, state=state, rule=rule, remedy=remedy)
        for state, rule, remedy in _problems(path.read_text(encoding="utf-8"))
    ]


def _problems(text: str) -> list[Problem]:
    try:
        definition = json.loads(text)
    except ValueError as error:
        return [("", "not-json", f"write valid JSON; placeholders only inside strings: {error}")]
    if not isinstance(definition, dict):
        return [("", "not-a-workflow", "write one JSON object with StartAt and States")]
    sample = json.loads(PLACEHOLDER.sub(SAMPLE, text))
    found = [_of_statelint(problem) for problem in Linter.validate(sample, STATELINT)]
    if not found or isinstance(definition.get("States"), dict):
        for scope in _scopes(definition, caught=False, timed="TimeoutSeconds" in definition):
            for rule in RULES:
                found.extend(rule(scope))
    return found


def _of_statelint(problem: str) -> Problem:
    states = re.findall(r"\.States\.([^.\[ ]+)", problem)  # the innermost is the last
    return (states[-1] if states else "", "amazon-states-language", problem.removeprefix("State Machine."))


def _scopes(level: dict[str, Any], *, caught: bool, timed: bool) -> Iterator[Scope]:
    states = {name: state for name, state in level.get("States", {}).items() if isinstance(state, dict)}
    yield Scope(states, level.get("StartAt", ""), caught, timed)
    for state in states.values():
        inner = [*state.get("Branches", []), state.get("ItemProcessor"), state.get("Iterator")]
        for each in inner:
            if isinstance(each, dict):
                yield from _scopes(each, caught=caught or bool(state.get("Catch")), timed=timed)


def _tasks(scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, state) for name, state in scope.states.items() if state.get("Type") == "Task")


def tasks_are_retried(scope: Scope) -> Iterator[Problem]:
    """Every Task has a Retry."""
    for name, state in _tasks(scope):
        if not state.get("Retry"):
            yield name, "task-without-retry", "add Retry for the errors that a later attempt may not meet"


def tasks_end_in_time(scope: Scope) -> Iterator[Problem]:
    """Every Task has a time limit: without one it waits for a year."""
    for name, state in _tasks(scope):
        if not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(state):
            yield name, "task-without-timeout", "add TimeoutSeconds; without it a lost task hangs for a year"


def failures_are_caught(scope: Scope) -> Iterator[Problem]:
    """Every Task has a Catch, its own or one around it."""
    for name, state in _tasks(scope):
        if not state.get("Catch") and not scope.caught:
            yield (
                name,
                "task-without-catch",
                "add Catch for States.ALL that notifies and ends in a Fail state",
            )


def caught_failures_stay_red(scope: Scope) -> Iterator[Problem]:
    """No Catch leads to a successful end."""
    graph = _graph(scope, catches=True)
    for name, state in scope.states.items():
        for catcher in state.get("Catch", []):
            for reached in sorted(_reached(graph, catcher.get("Next", ""))):
                if _ends_green(scope.states.get(reached, {})):
                    remedy = f"Catch to {catcher.get('Next')}: it can end green, in {reached}; end in Fail"
                    yield name, "caught-failure-ends-green", remedy


def everything_comes_last(scope: Scope) -> Iterator[Problem]:
    """States.ALL is alone in its list, and its list is the last."""
    for name, state in scope.states.items():
        for kind in ("Retry", "Catch"):
            rules = state.get(kind, [])
            for position, each in enumerate(rules):
                errors = each.get("ErrorEquals", [])
                if "States.ALL" in errors and len(errors) > 1:
                    yield (
                        name,
                        "states-all-not-alone",
                        f"{kind}[{position}]: give States.ALL an entry of its own",
                    )
                if "States.ALL" in errors and position < len(rules) - 1:
                    yield (
                        name,
                        "states-all-not-last",
                        f"{kind}[{position}]: move States.ALL to the last entry",
                    )


def retries_spread_out(scope: Scope) -> Iterator[Problem]:
    """Every Retry has a longest wait and full jitter."""
    for name, state in scope.states.items():
        for position, each in enumerate(state.get("Retry", [])):
            if each.get("MaxAttempts") == 0:
                continue
            if "MaxDelaySeconds" not in each:
                remedy = f"Retry[{position}]: add MaxDelaySeconds; doubling waits grow to hours"
                yield name, "retry-without-longest-wait", remedy
            if each.get("JitterStrategy") != "FULL":
                remedy = (
                    f'Retry[{position}]: add "JitterStrategy": "FULL"; a burst would come back as a burst'
                )
                yield name, "retry-without-jitter", remedy


def tolerated_failures_are_checked(scope: Scope) -> Iterator[Problem]:
    """After a Map that tolerates failures comes a Choice that can end in Fail."""
    graph = _graph(scope, catches=False)
    for name, state in scope.states.items():
        if not any(state.get(f"ToleratedFailure{what}") for what in _TOLERANCES):
            continue
        choices = [
            each
            for each in _reached(graph, state.get("Next", ""))
            if scope.states.get(each, {}).get("Type") == "Choice"
        ]
        if not any(_can_fail(scope, graph, each) for each in choices):
            remedy = "follow it with a Choice on the number of failed items that can end in a Fail state"
            yield name, "tolerated-failure-without-check", remedy


_TOLERANCES = ("Percentage", "PercentagePath", "Count", "CountPath")


def loops_end(scope: Scope) -> Iterator[Problem]:
    """Every loop has a way out and a bound."""
    graph = _graph(scope, catches=False)
    for loop in nx.strongly_connected_components(graph):
        first = next((name for name in scope.states if name in loop), "")
        if len(loop) == 1 and not graph.has_edge(first, first):
            continue
        names = ", ".join(name for name in scope.states if name in loop)
        leaves = any(target not in loop for name in loop for target in graph.successors(name))
        if not leaves:
            yield first, "loop-without-exit", f"add a Choice that leaves the loop of {names}"
        elif not scope.timed and not any(_compares_amounts(scope.states[name]) for name in loop):
            remedy = (
                f"bound the loop of {names}: TimeoutSeconds of the workflow, or a Choice on a count or time"
            )
            yield first, "loop-without-bound", remedy


def choices_have_a_default(scope: Scope) -> Iterator[Problem]:
    """Every Choice says what happens otherwise."""
    for name, state in scope.states.items():
        if state.get("Type") == "Choice" and "Default" not in state:
            yield name, "choice-without-default", "add Default; a value that nobody thought of ends the run"


def names_fit(scope: Scope) -> Iterator[Problem]:
    """No state's name is longer than AWS allows."""
    for name in scope.states:
        if len(name) > LONGEST_STATE_NAME:
            yield name, "name-too-long", f"use at most {LONGEST_STATE_NAME} characters"


def paths_begin_as_paths(scope: Scope) -> Iterator[Problem]:
    """Every path begins with `$`, which statelint does not look at."""
    for name, state in scope.states.items():
        for where, value in _paths(state):
            if not PATHS.fullmatch(value):
                yield name, "not-a-path", f'{where}: write a path such as "$.file", not "{value}"'


RULES: tuple[Callable[[Scope], Iterator[Problem]], ...] = (
    tasks_are_retried,
    tasks_end_in_time,
    failures_are_caught,
    caught_failures_stay_red,
    everything_comes_last,
    retries_spread_out,
    tolerated_failures_are_checked,
    loops_end,
    choices_have_a_default,
    names_fit,
    paths_begin_as_paths,
)


def _graph(scope: Scope, *, catches: bool) -> nx.DiGraph[str]:
    """Return which state can follow which; a failure's ways too when `catches`."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(scope.states)
    for name, state in scope.states.items():
        targets = [
            state.get("Next"),
            state.get("Default"),
            *(each.get("Next") for each in state.get("Choices", [])),
        ]
        if catches:
            targets += [each.get("Next") for each in state.get("Catch", [])]
        graph.add_edges_from((name, target) for target in targets if target in scope.states)
    return graph


def _reached(graph: nx.DiGraph[str], start: str) -> set[str]:
    return {start, *nx.descendants(graph, start)} if start in graph else set()


def _ends_green(state: dict[str, Any]) -> bool:
    return state.get("Type") == "Succeed" or state.get("End") is True


def _can_fail(scope: Scope, graph: nx.DiGraph[str], start: str) -> bool:
    return any(scope.states[name].get("Type") == "Fail" for name in _reached(graph, start))


def _compares_amounts(state: dict[str, Any]) -> bool:
    return bool(re.search(r'"(Numeric|Timestamp)[A-Z]\w+":', json.dumps(state.get("Choices", []))))


def _paths(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in WHOLE_PATHS:
        if isinstance(state.get(name), str):
            yield name, state[name]
    for template in ("Parameters", "ResultSelector", "ItemSelector"):
        yield from _template_paths(template, state.get(template))


def _template_paths(where: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _template_paths(f"{where}[{position}]", each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key.endswith(".$") and isinstance(each, str):
                yield f"{where}.{key}", each
            else:
                yield from _template_paths(f"{where}.{key}", each)
