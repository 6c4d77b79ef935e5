"""A workflow's definition as a Mermaid diagram, which GitHub draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = {
    "Task": ("[", "]"),
    "Choice": ("{", "}"),
    "Wait": ("([", "])"),
    "Succeed": ("((", "))"),
    "Fail": ("((", "))"),
    "Pass": ("[/", "/]"),
    "Parallel": ("[[", "]]"),
    "Map": ("[[", "]]"),
}

CAUGHT = "-.->|error|"


def mermaid(definition: dict[str, Any], *, errors: bool = True) -> str:
    """Return the flowchart of a definition: full arrows for the next state, dotted ones for a Catch.

    Args:
        definition: the workflow.
        errors: draw the dotted arrows and what can be reached through them alone.
    """
    lines = ["flowchart TD", f"  start(( )) --> {definition['StartAt']}"]
    shown = definition["States"] if errors else _reached(definition)
    for name, state in shown.items():
        lines.extend(f"  {line}" for line in _drawn(name, state, errors=errors))
    every = dict(with_inner(shown))
    return "\n".join([*lines, *_styles(every)]) + "\n"


def mermaid_of(states: dict[str, Any]) -> str:
    """Return the flowchart of some states of a definition and of the arrows between them."""
    lines = ["flowchart LR"]
    for name, state in states.items():
        inside = {name, *(each for each, _ in inner_states(state))}
        for line in _drawn(name, state, errors=True):
            source, _, target = line.partition(" ")
            leads_away = source == name and target.rpartition(" ")[2] not in states and "-" in target
            if not leads_away or source not in inside:
                lines.append(f"  {line}")
    return "\n".join([*lines, *_styles(dict(with_inner(states)))]) + "\n"


def inner_states(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the states inside a Map or Parallel state, at every depth."""
    for part in _parts(state):
        yield from with_inner(part["States"])


def with_inner(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield states by name, those inside Map and Parallel states too."""
    for name, state in states.items():
        yield name, state
        yield from inner_states(state)


def _parts(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the branches of a Parallel state, or what a Map does with each item."""
    return [
        *state.get("Branches", ()),
        *(state[key] for key in ("ItemProcessor", "Iterator") if key in state),
    ]


def _drawn(name: str, state: dict[str, Any], *, errors: bool) -> Iterator[str]:
    """Yield the lines of one state; a box around those inside it, where there are any."""
    if parts := _parts(state):
        yield f'subgraph {name}["{name} ({state["Type"]})"]'
        for part in parts:
            for inside, each in part["States"].items():
                yield from (f"  {line}" for line in _drawn(inside, each, errors=errors))
        yield "end"
    else:
        opening, closing = SHAPES[state["Type"]]
        yield f'{name}{opening}"{name}"{closing}'
    for arrow, target in arrows(state):
        if errors or arrow != CAUGHT:
            yield f"{name} {arrow} {target}"


def _reached(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the states that a run reaches without a caught error."""
    found, waiting = set(), [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [target for arrow, target in arrows(definition["States"][name]) if arrow != CAUGHT]
    return {name: state for name, state in definition["States"].items() if name in found}


def arrows(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each arrow that leaves a state, with its label, and where it leads."""
    for choice in state.get("Choices", []):
        yield f'-->|"{_condition(choice)}"|', choice["Next"]
    if "Default" in state:
        yield "-->|otherwise|", state["Default"]
    if "Next" in state:
        yield "-->", state["Next"]
    for target in dict.fromkeys(catch["Next"] for catch in state.get("Catch", [])):
        yield CAUGHT, target


def _condition(choice: dict[str, Any]) -> str:
    operator, value = next(
        (key, value) for key, value in choice.items() if key not in {"Variable", "Next", "Comment"}
    )
    variable = choice.get("Variable", operator).removeprefix("$.")
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{variable} = {shown}" if operator.endswith("Equals") else f"{variable} {operator} {shown}"


def _styles(states: dict[str, Any]) -> list[str]:
    failed = [name for name, state in states.items() if state["Type"] == "Fail"]
    good = [name for name, state in states.items() if state["Type"] == "Succeed"]
    lines = [
        "  classDef failed stroke:#b3261e,stroke-width:2px",
        "  classDef good stroke:#1e7d32,stroke-width:2px",
    ]
    lines += [f"  class {','.join(failed)} failed"] if failed else []
    lines += [f"  class {','.join(good)} good"] if good else []
    return lines
