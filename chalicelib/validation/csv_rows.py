"""CSV checked row by row with the csv module: small files, and blocks whose quotes are out of place."""

from __future__ import annotations

import csv
import io
import re
from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.validation.columns import bad_texts
from chalicelib.validation.records import LONGEST_RECORD
from chalicelib.validation.rules import shown, unique_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.header import Header
    from chalicelib.validation.records import Block, Dialect
    from chalicelib.validation.rules import ColumnRules
    from chalicelib.validation.unique import Unique

csv.field_size_limit(LONGEST_RECORD)  # the module's own 128 KB would refuse cells that records.py allows

MISPLACED = "a quote stands inside a cell that is not quoted, or a quoted cell is not closed"

UNDECODED = re.compile("[\udc80-\udcff]")
"""What surrogateescape makes of a byte that is not UTF-8."""


@dataclass
class RowBatch:
    """Rows with as many cells as the header, and where they stand."""

    block: Block
    dialect: Dialect
    header: Header
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]
    first_row: int
    bad: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number and its line."""
        row = self.numbers[index]
        return row, self.line(row)

    def line(self, row: int) -> int:
        """Return the physical line of a row of the block, by its number."""
        return self._places[row - self.first_row][0]

    def raw(self, row: int) -> bytes:
        """Return a row of the block as the file has it, by its number, without its line end."""
        _, start, end = self._places[row - self.first_row]
        return self.block.data[start:end].rstrip(b"\r\n")

    @cached_property
    def _places(self) -> list[tuple[int, int, int]]:
        return self.block.places(self.dialect)

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""
        return self.rows[index][self.header.position(column)]


def check_block(
    block: Block, dialect: Dialect, header: Header, findings: Findings, unique: Mapping[str, Unique]
) -> None:
    """Check one block of rows and note what is wrong."""
    found = split_rows(block, dialect)
    first, width = findings.rows + 1, len(header.names)
    findings.rows += len(found)
    if all(type(cells) is list and len(cells) == width for cells in found):
        batch = RowBatch(block, dialect, header, found, range(first, first + len(found)), first)
    else:
        batch = RowBatch(block, dialect, header, [], [], first)
        _keep_whole_rows(batch, found, findings)
    check_rows(batch, findings, unique)


def _keep_whole_rows(batch: RowBatch, found: list[list[str] | str], findings: Findings) -> None:
    """Note the rows that do not fit the header and keep the others."""
    rows, numbers, width = [], [], len(batch.header.names)
    for number, cells in enumerate(found, batch.first_row):
        if isinstance(cells, str):
            wrong = "quotes", cells, MISPLACED
        elif len(cells) != width:
            text = batch.dialect.delimiter.join(cells)
            wrong = "columns", text, f"the row has {len(cells)} cells, the header {width}"
        else:
            rows.append(cells)
            numbers.append(number)
            continue
        batch.bad.add(number)
        findings.count(None, wrong[0], 1)
        if findings.wants(number):
            findings.detail(number, batch.line(number), None, *wrong)
    batch.rows, batch.numbers = rows, numbers


def check_rows(batch: RowBatch, findings: Findings, unique: Mapping[str, Unique]) -> None:
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
            unique[rules.name].add(*_keys(cells, rules, bad, undecoded[position]), batch)
    findings.mark(batch, batch.bad)


def _keys(
    cells: Sequence[str], rules: ColumnRules, bad: Collection[str], undecoded: Collection[str]
) -> tuple[array[int], list[int] | None]:
    """Return the 64-bit keys of the cells that have a value, and their indexes if some have none."""
    if rules.column.type == "integer" and not bad and not undecoded and "" not in cells:
        return array("q", map(int, cells)), None
    keys, indexes = array("q"), []
    for index, text in enumerate(cells):
        if text and text not in undecoded:
            try:
                keys.append(unique_key(rules.grammar.read(text)))
            except ValueError:  # it was noted as a broken type
                continue
            indexes.append(index)
    return keys, indexes


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
            row = batch.numbers[index]
            batch.bad.add(row)
            findings.count(column, rule, 1)
            if findings.wants(row):
                findings.detail(row, batch.line(row), column, rule, text, message)


def split_rows(block: Block, dialect: Dialect) -> list[list[str] | str]:
    """Return each row's cells, or its text where its quotes are out of place; empty lines are left out."""
    if block.well_quoted:
        return _read(block.data, dialect)
    rows: list[list[str] | str] = []
    for start, end in dialect.records(block.data):
        record = block.data[start:end]
        if dialect.well_quoted.fullmatch(record):
            rows += _read(record, dialect)
        else:
            rows.append(record.decode("utf-8", "surrogateescape").rstrip("\r\n"))
    return rows


def _read(data: bytes, dialect: Dialect) -> list[list[str] | str]:
    text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
    return list(filter(None, csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote)))
