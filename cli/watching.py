"""Watching a run: a live tree in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.output import console
from cli.run_tree import changes, heading, on_screen, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from cli.service import Service

POLL_SECONDS = 0.5


def watch_states(api: Service, run: str) -> dict[str, Any]:
    """Show a run's states until it ends, and return the run as `GET /runs/{run}` answers then."""
    found: dict[str, Any] = api.get(f"/runs/{run}")
    (_draw if console.is_terminal else _tell)(found, _polled(api, run))
    ended: dict[str, Any] = api.get(f"/runs/{run}")
    return ended


def _polled(api: Service, run: str) -> Iterator[dict[str, Any]]:
    """Yield how the states stand, again and again, until the run has ended."""
    while True:
        states = api.get(f"/runs/{run}/states", brief="true")
        yield states
        if states["outcome"] != "running":
            return
        time.sleep(POLL_SECONDS)


def _draw(run: dict[str, Any], polled: Iterator[dict[str, Any]]) -> None:
    """Draw the tree again and again; whatever ends that, the last one stays, whole."""
    from rich.console import Group  # noqa: PLC0415 - only for a terminal
    from rich.live import Live  # noqa: PLC0415 - as above

    lines = []
    try:
        with Live(console=console, auto_refresh=False, transient=True) as screen:
            for states in polled:
                lines = tree(run, states, datetime.now(UTC))
                shown = on_screen(lines, console.height - 1)
                screen.update(Group(*map(_in_one_line, shown)), refresh=True)
    finally:
        for line in lines:
            console.print(line, soft_wrap=True)
        if lines and states["outcome"] == "running":
            console.print(f"it goes on; watch it again: decant runs watch {run['name']}", soft_wrap=True)


def _in_one_line(line: Text) -> Text:
    """Cut a line at the screen's edge, so that the drawing is as high as it has lines."""
    cut = line.copy()
    cut.no_wrap, cut.overflow = True, "ellipsis"
    return cut


def _tell(run: dict[str, Any], polled: Iterator[dict[str, Any]]) -> None:
    before = None
    for states in polled:
        for line in changes(before, states):
            console.print(line, markup=False, soft_wrap=True)
        before = states
        if states["ended"]:
            console.print(heading(run, states, datetime.now(UTC)), soft_wrap=True)
