"""A run as a tree of its states, and as lines that tell what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from chalicelib.notices import commands
from cli.output import console, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDINGS = {
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "running": ("●", "cyan"),
    "retrying": ("↻", "yellow"),
    "waiting": ("…", "magenta"),
    "stopped": ("■", "yellow"),
}
"""The mark and the colour of a state that was entered; every other than `done` is also named."""

GUIDES = ("├── ", "└── "), ("│   ", "    ")
PLAIN_GUIDES = ("+-- ", "`-- "), ("|   ", "    ")
"""What leads to a state, and past it: before others, and for the last one; the plain ones are ASCII."""

INSTANT = frozenset({"Choice", "Pass", "Succeed"})
"""Types of states that take no time."""

NAMED = 3
"""Failed runs of a Distributed Map that are named."""

CAUSE = 160
"""Characters of a state's cause; the run's own is printed in full when it has ended."""


def work(run: dict[str, Any]) -> str:
    """Return what a run works on: a file, or a batch's parameters."""
    given = run["input"] or {}
    if "file" in given:
        return f"s3://{given['file']['bucket']}/{given['file']['key']}"
    told = [f"{name}={value}" for name, value in given.get("parameters", {}).items()]
    return "  ".join([*told, *([f"tick {given['tick']}"] if "tick" in given else [])])


def heading(run: dict[str, Any], states: dict[str, Any], now: datetime) -> Text:
    """Return a run's line: its name, how it stands, for how long it has gone on, its pipeline and work."""
    seconds = _span(states["started"], states["ended"], now)
    told = f"  {seconds:,.1f} s  {run['pipeline']}  {work(run)}".rstrip()
    return Text.assemble((run["name"], "bold"), "  ", outcome(states["outcome"]), told)


def tree(run: dict[str, Any], states: dict[str, Any], now: datetime) -> list[Text]:
    """Return the lines of a run and the states that took time, each under the Map or Parallel around it.

    Args:
        run: as `GET /runs/{run}` answers.
        states: as `GET /runs/{run}/states` answers; it tells how the run stands.
        now: what the seconds of whatever is under way are counted to.
    """
    return [heading(run, states, now), *_branches(_entered(states), None, run["name"], now)]


def on_screen(lines: list[Text], height: int) -> list[Text]:
    """Return what of a tree fits the screen: its first line, and the newest."""
    left_out = len(lines) - height + 1
    if left_out <= 1:
        return lines
    return [lines[0], Text(f"... {left_out:,} lines before", style="dim"), *lines[left_out + 1 :]]


def _branches(entered: list[dict[str, Any]], inside: str | None, run: str, now: datetime) -> Iterator[Text]:
    branch, stem = PLAIN_GUIDES if console.options.ascii_only else GUIDES
    here = [state for state in entered if state["inside"] == inside]
    for number, state in enumerate(here):
        last = number == len(here) - 1
        below = [
            *(Text(told, style="dim") for told in [*_inside(state), *_next(state, run)]),
            *_branches(entered, state["name"], run, now),
        ]
        yield Text.assemble((branch[last], "dim"), _line(state, now))
        for line in below:
            yield Text.assemble((stem[last], "dim"), line)


def changes(before: dict[str, Any] | None, after: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each state outside a Map or Parallel that stands otherwise than it did, oldest first.

    Args:
        before: the answer of `GET /runs/{run}/states` that was told of last; None at first.
        after: the answer now.
    """
    known = {state["name"]: _standing(state) for state in before["states"]} if before else {}
    changed = [
        state
        for state in _entered(after)
        if state["inside"] is None and known.get(state["name"]) != _standing(state)
    ]
    for state in sorted(changed, key=_changed):
        told = [_changed(state)[11:19], state["name"], state["status"], *_measures(state), *_inside(state)]
        yield "  ".join(told)


def _entered(states: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the states that were entered, without those that only say where it goes on."""
    return [
        state
        for state in states["states"]
        if state["status"] in STANDINGS and not (state["type"] in INSTANT and state["status"] == "done")
    ]


def _next(state: dict[str, Any], run: str) -> list[str]:
    """Return what may be typed when a state waits for a person."""
    if state["type"] != "Task" or state["status"] != "waiting":
        return []
    return [command for _, command in commands.decide(run)]


def _line(state: dict[str, Any], now: datetime) -> Text:
    mark, colour = STANDINGS[state["status"]]
    plain = console.options.ascii_only
    standing = state["status"] if plain or state["status"] != "done" else ""
    seconds = state["seconds"] if state["left"] else _span(state["entered"], None, now)
    told = [f"{seconds:,.1f} s", *_measures(state, seconds=False)]
    return Text.assemble(
        ("" if plain else f"{mark} ", colour),
        state["name"],
        (f"  {standing}" if standing else "", colour),
        ("  " + "  ".join(told), "dim"),
        (
            f"  {_failure(state)}" if state["error"] else "",
            "red" if state["status"] == "failed" else "yellow",
        ),
    )


def _measures(state: dict[str, Any], *, seconds: bool = True) -> list[str]:
    """Return what is worth telling of a state beside its standing, in words."""
    told = [f"{state['seconds']:,.1f} s"] if seconds and state["seconds"] is not None else []
    if state["visits"] > 1:
        told.append(f"{state['visits']:,} visits")
    if state["attempts"] > 1:
        told.append(f"{state['attempts']:,} attempts")
    if seconds and state["error"]:
        told.append(_failure(state))
    return told


def _failure(state: dict[str, Any]) -> str:
    cause = " ".join((state["cause"] or "").split())
    shown = cause if len(cause) <= CAUSE else f"{cause[:CAUSE]} ..."
    return f"{state['error']}: {shown}" if shown else str(state["error"])


def _inside(state: dict[str, Any]) -> list[str]:
    """Return how the items of a Map stand, and which runs of a Distributed Map failed."""
    counts = state["iterations"]
    if not counts:
        return []
    parts = [f"{counts[kind]:,} {kind}" for kind in ("done", "running", "failed") if counts[kind]]
    failed = [child["name"] for child in state["children"] or [] if child["outcome"] == "failed"]
    told = f"{counts['total']:,} {'item' if counts['total'] == 1 else 'items'}"
    return [f"{told}: {', '.join(parts)}" if parts else told, *(f"failed: {name}" for name in failed[:NAMED])]


def _standing(state: dict[str, Any]) -> tuple[Any, ...]:
    return (state["status"], state["visits"], state["attempts"], state["iterations"])


def _changed(state: dict[str, Any]) -> str:
    """Return when a state came to stand as it does, as ISO 8601 in UTC."""
    tries = [moment for each in state["tries"][-1:] for moment in (each["ended"], each["started"]) if moment]
    return str(state["left"] or (tries or [state["entered"]])[0])


def _span(started: str, ended: str | None, now: datetime) -> float:
    last = datetime.fromisoformat(ended) if ended else now.astimezone(UTC)
    return max((last - datetime.fromisoformat(started)).total_seconds(), 0.0)  # clocks differ a little
