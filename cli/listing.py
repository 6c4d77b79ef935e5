"""Rows under their columns, or below each other where the columns do not fit side by side."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.measure import Measurement
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

GAP = 2
"""Spaces between two columns; one stands before the first."""

LEAST_WORDS = 24
"""Cells that a column of words keeps at least; narrower ones read like a list of words."""

HANGING = "    "
"""What stands before the last cell of a row when it has a line of its own."""


class Listing:
    """A table whose names, addresses and numbers are never cut or broken: people copy them.

    On a narrow screen text with spaces is wrapped; where that is not enough, the last column goes onto a
    line of its own below its row; and where that is not enough either, each row is a block with a line for
    each column that says something.

    Args:
        columns: the headings.
        rows: the cells.
        numeric: for each column, whether it stands to the right.
        title: what stands above it.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Text]],
        numeric: Sequence[bool],
        title: str | None = None,
    ) -> None:
        self._columns, self._rows, self._numeric, self._title = columns, rows, numeric, title
        numbers = range(len(columns))
        self._natural = [max(map(cell_len, self._lines(number))) for number in numbers]
        self._least = [self._least_of(number) for number in numbers]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, or the rows below each other."""
        if self._title is not None:
            yield Text(self._title, style="bold")
        count = len(self._columns)
        if _width(self._least) <= options.max_width:
            yield from self._table(console, self._widths(count, options.max_width))
        elif count > 1 and _width(self._least[:-1]) <= options.max_width:
            yield from self._table(console, self._widths(count - 1, options.max_width))
        else:
            yield from self._blocks()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how wide it is where there is room."""
        return Measurement(min(_width(self._least), options.max_width), _width(self._natural))

    def _widths(self, count: int, room: int) -> list[int]:
        """Share what is left among the columns that would like to be wider, the smallest wish first."""
        widths, wished = self._least[:count], self._natural[:count]
        wishes = sorted(range(count), key=lambda number: wished[number] - widths[number])
        left = room - _width(widths)
        for place, number in enumerate(wishes):
            more = min(wished[number] - widths[number], left // (count - place))
            widths[number] += more
            left -= more
        return widths

    def _table(self, console: Console, widths: Sequence[int]) -> Iterator[Text]:
        yield from self._row(console, [Text(name, style="bold") for name in self._columns], widths)
        for row in self._rows:
            yield from self._row(console, row, widths)

    def _row(self, console: Console, row: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
        cells = [
            cell.wrap(console, max(width, 1), overflow="fold")
            for cell, width in zip(row, widths, strict=False)
        ]
        for parts in itertools.zip_longest(*cells, fillvalue=Text()):
            line = Text(" ")
            for part, width, numeric in zip(parts, widths, self._numeric, strict=False):
                space = " " * (width - part.cell_len)
                line = Text.assemble(line, *((space, part) if numeric else (part, space)), " " * GAP)
            line.rstrip()
            yield line
        if len(widths) < len(row) and row[-1]:
            yield Text.assemble(HANGING, row[-1])

    def _blocks(self) -> Iterator[Text]:
        width = max(map(cell_len, self._columns)) + 1
        for number, row in enumerate(self._rows):
            if number:
                yield Text()
            for place, (name, cell) in enumerate(zip(self._columns, row, strict=True)):
                label = f"{f'{name}:' if name else '':<{width}} " if name or place else ""
                if cell:
                    yield Text.assemble((label, "bold"), cell)

    def _least_of(self, number: int) -> int:
        """Return how narrow a column may be: a word is never broken, and a short text not wrapped."""
        words = (word for line in self._lines(number) for word in line.split())
        longest = max(map(cell_len, words), default=0)
        return min(self._natural[number], max(longest, LEAST_WORDS))

    def _lines(self, number: int) -> list[str]:
        cells = (row[number].plain for row in self._rows)
        return [self._columns[number], *(line for cell in cells for line in cell.splitlines())]


def _width(widths: Sequence[int]) -> int:
    return 1 + sum(widths) + GAP * (len(widths) - 1)
