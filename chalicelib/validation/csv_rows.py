"""CSV checked row by row with the csv module: small files, and blocks whose quotes are out of place."""

from __future__ import annotations

import csv
import io
import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.validation.columns import bad_texts
from chalicelib.validation.records import LONGEST_RECORD
from chalicelib.validation.rules import shown, unique_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.header import Header
    from chalicelib.validation.records import Block, Dialect
    from chalicelib.validation.unique import Unique

csv.field_size_limit(LONGEST_RECORD)  # the module's own 128 KB would refuse cells that records.py allows

UNDECODED = re.compile("[\udc80-\udcff]")
"""What surrogateescape makes of a byte that is not UTF-8."""


@dataclass(frozen=True)
class RowBatch:
    """Rows with as many cells as the header, and where they stand."""

    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]
    lines: Sequence[int]
    header: Header
    bad: set[int] = field(default_factory=set)

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number and its line."""
        return self.numbers[index], self.lines[index]

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""
        return self.rows[index][self.header.position(column)]


def check_block(
    block: Block, dialect: Dialect, header: Header, findings: Findings, unique: dict[str, Unique]
) -> None:
    """Check one block of rows and note what is wrong."""
    rows, numbers, lines, bad = [], [], [], set[int]()
    width = len(header.names)
    for number, (line, cells) in enumerate(split_rows(block, dialect), findings.rows + 1):
        findings.rows = number
        if isinstance(cells, str):
            wrong = (
                "quotes",
                cells,
                "a quote stands inside a cell that is not quoted, or a quoted cell is not closed",
            )
        elif len(cells) != width:
            wrong = (
                "columns",
                dialect.delimiter.join(cells),
                f"the row has {len(cells)} cells, the header {width}",
            )
        else:
            rows.append(cells)
            numbers.append(number)
            lines.append(line)
            continue
        bad.add(number)
        findings.count(None, wrong[0], 1)
        findings.detail(number, line, None, *wrong)
    check_rows(RowBatch(rows, numbers, lines, header, bad), findings, unique)


def check_rows(batch: RowBatch, findings: Findings, unique: dict[str, Unique]) -> None:
    """Check rows column by column."""
    columns = list(zip(*batch.rows, strict=True)) if batch.rows else []
    undecoded = [_undecoded(cells) for cells in columns]
    for position, cells in enumerate(columns):
        if undecoded[position]:
            _note(batch, findings, batch.header.names[position], cells, undecoded[position])
    for rules in batch.header.rules if columns else ():
        position = batch.header.position(rules.name)
        cells = columns[position]
        bad = bad_texts(rules, set(cells) - undecoded[position].keys() if undecoded[position] else cells)
        if bad:
            _note(batch, findings, rules.name, cells, bad)
        if rules.column.unique:
            keys, indexes = array("q"), []
            for index, text in enumerate(cells):
                if text and text not in undecoded[position] and bad.get(text, ("",))[0] != "type":
                    keys.append(unique_key(rules.grammar.read(text)))
                    indexes.append(index)
            unique[rules.name].add(keys, indexes, batch)
    findings.bad_rows += len(batch.bad)


def _undecoded(cells: Iterable[str]) -> dict[str, tuple[str, str]]:
    if "".join(cells).isascii():
        return {}
    return {
        text: ("encoding", f"{shown(text)} is not UTF-8: save the file as UTF-8")
        for text in set(cells)
        if UNDECODED.search(text)
    }


def _note(
    batch: RowBatch, findings: Findings, column: str, cells: Sequence[str], bad: dict[str, tuple[str, str]]
) -> None:
    for index, text in enumerate(cells):
        if text in bad:
            rule, message = bad[text]
            row, line = batch.place(index)
            batch.bad.add(row)
            findings.count(column, rule, 1)
            findings.detail(row, line, column, rule, text, message)


def split_rows(block: Block, dialect: Dialect) -> Iterable[tuple[int, list[str] | str]]:
    """Yield each row's line and its cells, or its text where its quotes are out of place; empty lines are left out."""
    if block.well_quoted:
        yield from _read(block.data, block.line, dialect)
        return
    spans = ((start, end) for start, end in dialect.records(block.data) if block.data[start] not in b"\r\n")
    for line, (start, end) in zip(block.lines(dialect), spans, strict=True):
        record = block.data[start:end]
        if dialect.well_quoted.fullmatch(record):
            yield from _read(record, line, dialect)
        else:
            yield line, record.decode("utf-8", "surrogateescape").rstrip("\r\n")


def _read(data: bytes, first: int, dialect: Dialect) -> Iterable[tuple[int, list[str]]]:
    text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
    reader = csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote)
    line = first
    for cells in reader:
        if cells:
            yield line, cells
        line = first + reader.line_num
