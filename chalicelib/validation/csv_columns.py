"""CSV checked column by column with pyarrow: blocks of files too large for the csv module."""

from __future__ import annotations

from array import array
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.validation import csv_rows
from chalicelib.validation.arrow import exact_cast, indexes, parse, sift, value_array
from chalicelib.validation.rules import unique_key
from chalicelib.validation.source import BOM
from chalicelib.validation.unique_columns import UniqueColumn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from pyarrow import csv

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.header import Header
    from chalicelib.validation.records import Block, Dialect
    from chalicelib.validation.rules import ColumnRules


PARSERS = 2
"""Threads that parse: a Lambda has one processor for every 1.8 GB of memory."""


@dataclass
class ColumnBatch:
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

    def number(self, index: int) -> int:
        """Return the number of the row with this index."""
        return self.first_row + index if self.numbers is None else self.numbers[index]

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number and its line."""
        row = self.number(index)
        return row, self.line(row)

    def line(self, row: int) -> int:
        """Return the physical line of a row of the block, by its number."""
        return self._lines[row - self.first_row]

    @cached_property
    def _lines(self) -> list[int]:
        return self.block.lines(self.dialect)

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""
        return self.columns[self.header.position(column)][index].as_py() or ""


class Parsed(NamedTuple):
    """A block parsed by pyarrow."""

    columns: pa.RecordBatch
    values: dict[str, pa.Array | None]
    """Each declared column in its type, or None where some cell may break it."""
    ragged: list[csv.InvalidRow]


def parse_block(block: Block, dialect: Dialect, header: Header) -> Parsed | None:
    """Parse the block and cast its columns; None when it has to be read row by row."""
    if not block.well_quoted or block.data.startswith(BOM):  # pyarrow would skip a mark inside the file
        return None
    ragged: list[csv.InvalidRow] = []

    def refuse(row: csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        columns = parse(block.data, dialect, len(header.names), refuse)
    except pa.ArrowInvalid:
        return None
    values = {rules.name: exact_cast(columns[header.position(rules.name)], rules) for rules in header.rules}
    return Parsed(columns, values, ragged)


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
        self._unique = {
            rules.name: UniqueColumn(rules.name, findings) for rules in header.rules if rules.column.unique
        }
        self._limits = {rules.name: _arrow_limits(rules) for rules in header.rules}

    def check(self, block: Block, parsed: Parsed | None) -> None:
        """Check one block and note what is wrong."""
        if parsed is None:
            csv_rows.check_block(block, self._dialect, self._header, self._findings, self._unique)
            return
        batch = ColumnBatch(block, self._dialect, self._header, parsed.columns, self._findings.rows + 1)
        self._findings.rows += parsed.columns.num_rows + len(parsed.ragged)
        if parsed.ragged:
            self._note_ragged(batch, parsed.ragged)
        for rules in self._header.rules:
            self._check_column(batch, rules, parsed.values[rules.name])
        self._findings.bad_rows += len(batch.bad)

    def finish(self) -> None:
        """Look for the repeats that are not yet found."""
        for column in self._unique.values():
            column.finish()

    def _note_ragged(self, batch: ColumnBatch, ragged: list[csv.InvalidRow]) -> None:
        offset = batch.first_row - 1
        batch.bad = {offset + row.number for row in ragged}
        everything = range(batch.first_row, self._findings.rows + 1)
        batch.numbers = [number for number in everything if number not in batch.bad]
        self._findings.count(None, "columns", len(ragged))
        for row in ragged:
            number = offset + row.number
            if self._findings.wants(number):
                message = f"the row has {row.actual_columns} cells, the header {row.expected_columns}"
                self._findings.detail(
                    number, batch.line(number), None, "columns", row.text.rstrip("\r\n"), message
                )

    def _check_column(self, batch: ColumnBatch, rules: ColumnRules, values: pa.Array | None) -> None:
        texts = batch.columns[self._header.position(rules.name)]
        if rules.column.required and texts.null_count:
            wanting = indexes(pc.is_null(texts))
            self._note(batch, rules, wanting, "required")
        if values is None:
            values, wrong = sift(texts, rules)
            self._note(batch, rules, list(wrong), "type")
        self._check_limits(batch, rules, texts, values)
        if rules.column.unique:
            keys, of = _keys(values)
            self._unique[rules.name].add(keys, of, batch)

    def _check_limits(
        self, batch: ColumnBatch, rules: ColumnRules, texts: pa.Array, values: pa.Array
    ) -> None:
        minimum, maximum, allowed = self._limits[rules.name]
        longest = rules.column.longest
        suspects: set[int] = set()
        if minimum is not None or maximum is not None:
            span = pc.min_max(values)
            if minimum is not None and span["min"].is_valid and pc.less(span["min"], minimum).as_py():
                suspects.update(indexes(pc.less(values, minimum)))
            if maximum is not None and span["max"].is_valid and pc.greater(span["max"], maximum).as_py():
                suspects.update(indexes(pc.greater(values, maximum)))
        if allowed is not None:
            known = pc.or_(pc.is_in(values, value_set=allowed), pc.is_null(values))
            if not pc.all(known, min_count=0).as_py():
                suspects.update(indexes(pc.invert(known)))
        if longest is not None and (pc.max(pc.binary_length(texts)).as_py() or 0) > longest:
            suspects.update(indexes(pc.greater(pc.utf8_length(texts), longest)))
        by_rule: dict[str, list[int]] = {}
        memo: dict[str, str | None] = {}
        for index in sorted(suspects):
            text = texts[index].as_py()
            if text not in memo:
                wrong = rules.broken_by(text)
                memo[text] = wrong[0] if wrong else None
            if rule := memo[text]:
                by_rule.setdefault(rule, []).append(index)
        for rule, bad in by_rule.items():
            self._note(batch, rules, bad, rule)

    def _note(self, batch: ColumnBatch, rules: ColumnRules, bad: list[int], rule: str) -> None:
        """Count the cells at these indexes as bad and keep the details of those that the report wants."""
        if not bad:
            return
        self._findings.count(rules.name, rule, len(bad))
        rows = list(map(batch.number, bad))
        batch.bad.update(rows)
        for index, row in zip(bad, rows, strict=True):
            if not self._findings.wants(row):
                break
            text = batch.text(index, rules.name)
            _, message = rules.broken_by(text) or ("", "")
            self._findings.detail(row, batch.line(row), rules.name, rule, text, message)


def _arrow_limits(rules: ColumnRules) -> tuple[pa.Scalar | None, pa.Scalar | None, pa.Array | None]:
    """Return minimum, maximum and allowed values as pyarrow holds them."""
    minimum = None if rules.minimum is None else value_array([rules.minimum], rules.column)[0]
    maximum = None if rules.maximum is None else value_array([rules.maximum], rules.column)[0]
    return minimum, maximum, None if rules.allowed is None else value_array(list(rules.allowed), rules.column)


def _keys(values: pa.Array) -> tuple[array[int], list[int] | None]:
    """Return the 64-bit keys of the values that are not null, and their indexes if some are."""
    of = None
    if values.null_count:
        of = indexes(pc.is_valid(values))
        values = values.drop_null()
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return array("q", map(unique_key, values.to_pylist())), of
    if pa.types.is_date(kind):
        values = pc.cast(values, pa.int32())
    numbers = pc.cast(values, pa.int64())
    keys = array("q")
    if len(numbers):
        keys.frombytes(
            memoryview(numbers.buffers()[1])[numbers.offset * 8 : (numbers.offset + len(numbers)) * 8]
        )
    return keys, of
