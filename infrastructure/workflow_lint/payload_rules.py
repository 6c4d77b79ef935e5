"""Payload that grows in a loop: what is copied into itself ends at 256 KB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infrastructure.definition import Level, State, inner, is_end, reached
from infrastructure.workflow_lint.finding import Problem, Rule
from infrastructure.workflow_lint.flow_rules import loops
from infrastructure.workflow_lint.path_rules import template_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

GATHERS = re.compile(r"States\.(Array|Format)\((.*)\)", re.DOTALL)
"""The intrinsic functions whose result holds their arguments."""

ARGUMENT = re.compile(r"\$[\w$]*(?:[.\[][\w.\[\]*']*)?")

ECHOES = re.compile(r"arn:aws[a-z-]*:states:::states:startExecution\.sync(:2)?")
"""The integrations whose result repeats their input."""

WRAPPERS = ("Payload", "Input")
"""What an integration takes the step's own input under; `Payload.$: $` passes it on, wrapping nothing."""

JSONATA_GATHERS = re.compile(r"\$append\(\s*(\$[\w.]+)|\[\s*(\$[\w.]+)\s*,|(\$[\w.]+)\s*&")
"""Appending to a list, a list that begins with another, a text that begins with another."""

WRAPS = re.compile(r'[{,]\s*("[^"]*"|\'[^\']*\')\s*:\s*\$states\.input\s*[,}]')
"""An object of JSONata that holds the whole input under one of its names."""


def payload_grows_in_loop(level: Level) -> Iterator[Problem]:
    """No state of a loop puts a value into itself."""
    for loop in loops(level):
        for name in loop:
            state = level.states[name]
            found = _jsonata_growth(state) if level.is_jsonata(name) else _growth(state)
            for where in found:
                remedy = (
                    "each turn of the loop makes it larger, up to 256 KB; name the fields that are needed"
                )
                yield name, f"{where}: {remedy}"


def _growth(state: State) -> Iterator[str]:
    yield from _assigned_growth(state)
    target = state.get("ResultPath", "$")
    if not isinstance(target, str):
        return
    kind = str(state.get("Type"))
    if kind == "Pass":
        yield from _pass_growth(state, target)
    elif kind == "Task":
        yield from _task_growth(state, target)
    elif kind in {"Parallel", "Map"} and "ResultSelector" not in state and _hands_on(state):
        yield f"ResultPath: {target} holds a copy of the state's whole input from inside {kind}"


def _pass_growth(state: State, target: str) -> Iterator[str]:
    if "Parameters" not in state:
        source = state.get("InputPath", "$")
        if "Result" not in state and isinstance(source, str) and _is_within(target, source):
            yield f"ResultPath: {source} is put into {target}"
        return
    for where, source in template_paths("Parameters", state["Parameters"]):
        place = target + where.removeprefix("Parameters").removesuffix(".$")
        yield from _copies(where, place, source)


def _task_growth(state: State, target: str) -> Iterator[str]:
    """Find a Task that wraps `$` and puts what comes back beside it."""
    echo = bool(ECHOES.fullmatch(str(state.get("Resource", ""))))
    if "ResultSelector" in state or (target == "$" and not echo):
        return
    parameters = state.get("Parameters")
    for where, source in template_paths("Parameters", parameters):
        passed_on = where in {f"Parameters.{wrapper}.$" for wrapper in WRAPPERS} and not echo
        if source == "$" and not passed_on:
            yield f"{where}: the whole input is wrapped, and {target} keeps what comes back"


def _assigned_growth(state: State) -> Iterator[str]:
    for where, source in template_paths("Assign", state.get("Assign")):
        place = "$" + where.removeprefix("Assign.").removesuffix(".$")
        yield from _copies(where, place, source)


def _copies(where: str, place: str, source: str) -> Iterator[str]:
    gathered = GATHERS.fullmatch(source)
    if gathered:
        sources = ARGUMENT.findall(gathered.group(2))
        if any(_base(each) == place or _is_within(place, each) for each in sources):
            yield f"{where}: {place} is made from itself and more"
    elif ARGUMENT.fullmatch(source) and _is_within(place, source):
        yield f"{where}: {source} is put into {place}"


def _base(path: str) -> str:
    """Return a path without the marks that only unpack a list, as in `$.all[*]`."""
    return re.sub(r"(\[\*\]|\[:\])+$", "", path)


def _is_within(place: str, source: str) -> bool:
    """Say whether a place lies inside the value that is copied to it."""
    return place.startswith((source + ".", source + "["))


def _hands_on(state: State) -> bool:
    """Say whether the result of a Map or Parallel state holds the whole input of the state."""
    if "Parameters" in state or "ItemSelector" in state:
        wraps = [
            source for _, source in template_paths("", state.get("Parameters", state.get("ItemSelector")))
        ]
        if "$" not in wraps:
            return False
    elif state.get("Type") == "Map":
        return False  # an item is a part of the input
    return any(_level_keeps_input(machine) for machine in inner(state))


def _level_keeps_input(machine: dict[str, Any]) -> bool:
    """Say whether some way through a level keeps all that came in."""
    states = machine.get("States")
    named = states.items() if isinstance(states, dict) else ()
    keeping = {name: state for name, state in named if isinstance(state, dict) and _keeps_input(state)}
    graph = Level(keeping, "", None, "", machine, "").graph(catches=False)
    return any(is_end(keeping[name]) for name in reached(graph, machine.get("StartAt")))


def _keeps_input(state: State) -> bool:
    if state.get("OutputPath", "$") != "$" or state.get("InputPath", "$") != "$":
        return False
    beside = state.get("ResultPath", "$") != "$"
    passes = state.get("Type") == "Pass" and not {"Parameters", "Result"} & set(state)
    return beside or passes or str(state.get("Type")) in {"Choice", "Wait", "Succeed"}


def _jsonata_growth(state: State) -> Iterator[str]:
    for field, own in (("Output", "$states.input."), ("Assign", "$")):
        for place, expression in _expressions("", state.get(field)):
            where = field + (f".{place}" if place else "")
            whole = (own + place).rstrip(".")
            gathered = {found for groups in JSONATA_GATHERS.findall(expression) for found in groups if found}
            if whole in gathered:
                yield f"{where}: {whole} is made from itself and more"
            elif field == "Output" and (
                (place and expression == "$states.input") or WRAPS.search(expression)
            ):
                yield f"{where}: the whole input is put into it"


def _expressions(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each JSONata expression of a template: the place that it fills, and its text."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        yield place, value[2:-2].strip()
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _expressions(f"{place}.{key}".lstrip("."), each)
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _expressions(f"{place}[{position}]", each)


RULES = (
    Rule("payload-grows-in-loop", "No state of a loop puts a value into itself.", payload_grows_in_loop),
)
