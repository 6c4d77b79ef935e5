"""Show what a run's steps logged."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from cli.output import console
from cli.service import Service, service

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_SECONDS = 2.0


COLOURS = {"DEBUG": "dim", "INFO": "", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}

LEVELS = ("debug", "info", "warning", "error")

STEP_WIDTH = 18
"""Columns for a step's name; a longer one pushes its line to the right."""


@click.command()
@click.argument("run")
@click.option("--step", help="Only this step's lines, such as validate_file; `glue` for its Glue jobs.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="Only lines that are at least so urgent.",
)
@click.option("--follow", is_flag=True, help="Show new lines until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="Print each line as JSON, as it was logged.")
def logs(run: str, step: str | None, level: str, *, follow: bool, as_json: bool) -> None:
    """Show what a run's steps logged: functions, Glue jobs and Step Functions, in time order."""
    asked = {"step": step, "level": level.upper()}
    for line in lines(service(), run, asked, follow=follow):
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            console.print(drawn(line), soft_wrap=True)


def lines(api: Service, run: str, asked: dict[str, Any], *, follow: bool) -> Iterator[dict[str, Any]]:
    """Yield a run's lines, each once; with `follow` until the run has ended and no more come."""
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = api.get(f"/runs/{run}/logs", next=cursor, **asked)
        fresh = [line for line in page["lines"] if line["id"] not in seen]
        seen.update(line["id"] for line in fresh)
        yield from fresh
        cursor = page["next"]
        if not page["more"] and (not follow or cursor is None):
            return
        if not page["more"]:
            time.sleep(POLL_SECONDS)


def drawn(line: dict[str, Any]) -> Text:
    """Return a line as a terminal shows it: time, step, level, message; then what went wrong where."""
    colour = COLOURS.get(line["level"], "")
    text = Text.assemble(
        (line["time"][11:23], "dim"),
        "  ",
        (f"{line['step'] or 'run':<{STEP_WIDTH}}", "cyan" if line["source"] == "function" else "blue"),
        " ",
        (f"{line['level']:<7}", colour),
        " ",
        (line["message"], colour),
    )
    trace = (line["document"] or {}).get("exception")
    if trace:
        text.append("".join(f"\n    {each}" for each in str(trace).splitlines()), style="dim")
    return text
