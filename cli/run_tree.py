"""A run as a tree of its states, and as lines that tell what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from cli.output import console, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDINGS = {
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "running": ("●", "cyan"),
    "retrying": ("↻", "yellow"),
    "waiting": ("…", "magenta"),
}
"""The mark and the colour of a state that was entered; every other than `done` is also named."""

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
    """Return a run's line: its name, pipeline and work, how it stands, and for how long it has gone on."""
    seconds = _span(states["started"], states["ended"], now)
    told = f"  {run['pipeline']}  {work(run)}".rstrip()
    return Text.assemble((run["name"], "bold"), told, "  ", outcome(states["outcome"]), f"  {seconds:,.1f} s")


def tree(run: dict[str, Any], states: dict[str, Any], now: datetime) -> Tree:
    """Return a run with the states that it entered, each under the Map or Parallel that it is inside.

    Args:
        run: as `GET /runs/{run}` answers.
        states: as `GET /runs/{run}/states` answers; it tells how the run stands.
        now: what the seconds of whatever is under way are counted to.
    """
    root = Tree(heading(run, states, now), guide_style="dim")
    places: dict[str | None, Tree] = {None: root}
    for state in _entered(states):
        # What is inside a container is entered after it.
        place = places.get(state["inside"], root).add(_line(state, now))
        places[state["name"]] = place
        for told in _inside(state):
            place.add(Text(told, style="dim"))
    ahead = sum(state["status"] == "ahead" for state in states["states"])
    if ahead:
        root.add(Text(f"{ahead} more that it may come to", style="dim"))
    return root


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
    return [state for state in states["states"] if state["status"] in STANDINGS]


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
