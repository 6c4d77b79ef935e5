"""CSV checked column by column with pyarrow: blocks of files too large for the csv module."""

from __future__ import annotations

from array import array
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from chalicelib.validation import csv_rows
from chalicelib.validation.arrow import exact_cast, parse, sift
from chalicelib.validation.column_checks import ColumnChecks
from chalicelib.validation.findings import Unreadable
from chalicelib.validation.records import Block
from chalicelib.validation.source import BOM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from pyarrow import csv

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.header import Header
    from chalicelib.validation.records import Dialect


PARSERS = 2
"""Threads that parse: a Lambda has one processor for every 1.8 GB of memory."""


ROWS_THAT_TELL = 1_000
"""Rows with another number of cells than the header, and no other row, that make it another table."""


@dataclass
class TextBatch:
    """A parsed block, and where its rows stand.

    Attributes:
        block: the bytes.
        columns: the rows with as many cells as the header, as text.
        first_row: the number of the block's first row.
        numbers: the number of each row in `columns`, or None when they follow one another.
    """

    block: Block
    dialect: Dialect
    header: Header
    columns: pa.RecordBatch
    first_row: int
    numbers: list[int] | None = None
    bad: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)

    def number(self, index: int) -> int:
        """Return the number of the row with this index."""
        return self.first_row + index if self.numbers is None else self.numbers[index]

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number and its line."""
        row = self.number(index)
        return row, self.line(row)

    def line(self, row: int) -> int:
        """Return the physical line of a row of the block, by its number."""
        return self._places[row - self.first_row][0]

    def cells(self, row: int) -> list[str]:
        """Return the cells of a row of the block, by its number."""
        (cells,) = csv_rows.split_rows(Block(self.raw(row), 1, well_quoted=True), self.dialect)
        assert isinstance(cells, list)
        return cells

    def raw(self, row: int) -> bytes:
        """Return a row of the block as the file has it, by its number, without its line end."""
        _, start, end = self._places[row - self.first_row]
        return self.block.data[start:end].rstrip(b"\r\n")

    @cached_property
    def _places(self) -> list[tuple[int, int, int]]:
        return self.block.places(self.dialect)

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""
        return self.columns[self.header.position(column)][index].as_py() or ""


class Parsed(NamedTuple):
    """A block parsed by pyarrow."""

    columns: pa.RecordBatch
    values: dict[str, pa.Array | None]
    """Each declared column in its type, or None where some cell may break it."""
    ragged: array[int]
    """The number in the block of each row with more or fewer cells than the header, from 1."""


def parse_block(block: Block, dialect: Dialect, header: Header) -> Parsed | None:
    """Parse the block and cast its columns; None when it has to be read row by row."""
    if not block.well_quoted or block.data.startswith(BOM):  # pyarrow would skip a mark inside the file
        return None
    ragged = array("q")

    def refuse(row: csv.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    try:
        # pyarrow cannot hand over a ragged row that is not UTF-8: first see whether any row is ragged.
        columns = parse(block.data, dialect, len(header.names), refuse if block.data.isascii() else None)
    except pa.ArrowInvalid:
        if block.data.isascii() or not _is_utf8(block.data):
            return None
        columns = parse(block.data, dialect, len(header.names), refuse)
    values = {rules.name: exact_cast(columns[header.position(rules.name)], rules) for rules in header.rules}
    return Parsed(columns, values, ragged)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def parse_blocks(
    found: Iterator[Block], dialect: Dialect, header: Header
) -> Iterator[tuple[Block, Parsed | None]]:
    """Parse blocks in two threads, a few blocks ahead, and yield them in order."""
    with ThreadPoolExecutor(PARSERS, "parse") as pool:
        ahead: deque[tuple[Block, Future[Parsed | None]]] = deque()
        for block in found:
            ahead.append((block, pool.submit(parse_block, block, dialect, header)))
            if len(ahead) > PARSERS:
                first, parsed = ahead.popleft()
                yield first, parsed.result()
        for first, parsed in ahead:
            yield first, parsed.result()


class BlockChecker:
    """Checks the blocks of one file."""

    def __init__(self, dialect: Dialect, header: Header, findings: Findings) -> None:
        self._dialect = dialect
        self._header = header
        self._findings = findings
        self._checks = ColumnChecks(header.rules, findings)

    def check(self, block: Block, parsed: Parsed | None) -> dict[str, pa.Array]:
        """Check one block, note what is wrong, and return its columns: declared ones in their types."""
        if parsed is None:
            csv_rows.check_block(block, self._dialect, self._header, self._findings, self._checks.unique)
            return {}
        batch = TextBatch(block, self._dialect, self._header, parsed.columns, self._findings.rows + 1)
        self._findings.rows += parsed.columns.num_rows + len(parsed.ragged)
        if parsed.ragged:
            self._refuse_another_table(batch, parsed)
            self._note_ragged(batch, parsed.ragged)
        columns = dict(zip(self._header.names, parsed.columns.columns, strict=True))
        for rules in self._header.rules:
            texts, values = columns[rules.name], parsed.values[rules.name]
            if values is None:
                values, wrong = sift(texts, rules)
                self._checks.note(batch, rules, list(wrong), "type")
            self._checks.check(batch, rules, texts, values)
            columns[rules.name] = values
        self._findings.mark(batch, batch.bad)
        return columns

    def finish(self) -> None:
        """Look for the repeats that are not yet found."""
        self._checks.finish()

    def _refuse_another_table(self, batch: TextBatch, parsed: Parsed) -> None:
        """Stop at the first block when no row of it fits the header: the other rows would only cost time."""
        if batch.first_row > 1 or parsed.columns.num_rows or len(parsed.ragged) < ROWS_THAT_TELL:
            return
        cells = batch.cells(batch.first_row)
        raise Unreadable(
            f"none of the first {len(parsed.ragged):,} rows has the header's {len(self._header.names)} cells"
            f" (the first has {len(cells)}): is {self._dialect.delimiter!r} the delimiter?"
        )

    def _note_ragged(self, batch: TextBatch, ragged: array[int]) -> None:
        offset, width = batch.first_row - 1, len(self._header.names)
        batch.bad = {offset + number for number in ragged}
        everything = range(batch.first_row, self._findings.rows + 1)
        batch.numbers = [number for number in everything if number not in batch.bad]
        self._findings.count(None, "columns", len(ragged))
        for row in self._findings.wanted(batch.bad):
            cells = batch.cells(row)
            message = f"the row has {len(cells)} cells, the header {width}"
            value = self._dialect.delimiter.join(cells)
            self._findings.detail(row, batch.line(row), None, "columns", value, message)
