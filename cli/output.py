"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from chalicelib.printable import printable
from cli.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import ConsoleOptions, RenderableType

WIDTH_OF_A_PIPE = 200
"""Columns where there is no terminal to ask: names are copied from there, so none may be cut."""


READABLE = 100
"""Columns that prose has at most: a log keeps lines whole, and eyes find the next one."""


class PlainConsole(Console):
    """A console on which no name, cell or message of somebody else's can move the cursor or turn the text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Yield the segments, with each character written out that a terminal would obey."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


console = PlainConsole(
    highlight=False,
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_PIPE,
)
"""Where people read; progress is shown only when this is a terminal."""

_OBEYED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What JSON may hold as it is, and a terminal would obey."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

COLOURS = {
    "running": "cyan",
    "succeeded": "green",
    "rejected": "yellow",
    "failed": "red",
    "expired": "magenta",
    "stopped": "magenta",
    "timed_out": "red",
}


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    click.echo(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """Print rows under their columns; numbers stand to the right. Values are shown as they are."""
    console.print(table(columns, rows, title=title), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> Listing:
    """Return the table that `print_table` prints."""
    listed = [list(row) for row in rows]
    numeric = [
        bool(listed) and all(isinstance(row[number], int | float | None) for row in listed)
        for number in range(len(columns))
    ]
    return Listing(columns, [[_cell(value) for value in row] for row in listed], numeric, title)


def outcome(word: str) -> Text:
    """Return an outcome in its colour."""
    return Text(word, style=COLOURS.get(word, ""))


def _cell(value: Any) -> Text:
    """Make text of a value: a file name may hold what would else be markup."""
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("")
    if isinstance(value, float):
        return Text(f"{value:,.1f}")
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text(str(value))
