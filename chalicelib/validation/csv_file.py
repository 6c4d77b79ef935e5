"""A CSV file, validated as a stream."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from chalicelib.validation import csv_rows
from chalicelib.validation.findings import Unreadable
from chalicelib.validation.header import MOST_COLUMNS, Header, header_of
from chalicelib.validation.records import Block, Dialect, blocks, count_lines
from chalicelib.validation.source import CHUNK, Source, read_ahead
from chalicelib.validation.unique import Unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.pipeline import Pipeline
    from chalicelib.validation.findings import Findings


def check_csv(source: Source, pipeline: Pipeline, findings: Findings) -> None:
    """Check a CSV file and note what is wrong with it.

    Raises:
        Unreadable: when the rest cannot be read.
    """
    assert pipeline.source.format == "csv"
    dialect = Dialect.of(pipeline.source)
    chunks = source.text_chunks()
    first = next(chunks)
    if len(first) < CHUNK:
        second = next(chunks, b"")
        if not second:
            check_by_rows(blocks(iter((first,)), dialect), dialect, pipeline, findings)
            return
        chunks = chain((second,), chunks)
    from chalicelib.validation.arrow import count_lines as count  # noqa: PLC0415  small files do without pyarrow

    with read_ahead(blocks(chain((first,), chunks), dialect, count)) as ahead:
        check_by_columns(ahead, dialect, pipeline, findings)


def check_by_rows(found: Iterator[Block], dialect: Dialect, pipeline: Pipeline, findings: Findings) -> None:
    """Check with the csv module."""
    header, found = read_header(found, dialect, pipeline, findings)
    unique = {rules.name: Unique(rules.name, findings) for rules in header.rules if rules.column.unique}
    for block in found:
        csv_rows.check_block(block, dialect, header, findings, unique)
    for column in unique.values():
        column.finish()


def check_by_columns(
    found: Iterator[Block], dialect: Dialect, pipeline: Pipeline, findings: Findings
) -> None:
    """Check with pyarrow."""
    from chalicelib.validation.csv_columns import BlockChecker, parse_blocks  # noqa: PLC0415  as above

    header, found = read_header(found, dialect, pipeline, findings)
    checker = BlockChecker(dialect, header, findings)
    for block, parsed in parse_blocks(found, dialect, header):
        checker.check(block, parsed)
    checker.finish()


def read_header(
    found: Iterator[Block], dialect: Dialect, pipeline: Pipeline, findings: Findings
) -> tuple[Header, Iterator[Block]]:
    """Return the header and the blocks of rows after it.

    Raises:
        Unreadable: when there is no header, or the pipeline does not take it.
    """
    for block in found:
        for start, end in dialect.records(block.data):
            if block.data[start] in b"\r\n":
                continue
            record = block.data[start:end]
            names = _names(record, dialect)
            findings.columns = names
            header = header_of(names, pipeline)
            rest = Block(block.data[end:], block.line + count_lines(block.data, 0, end), block.well_quoted)
            return header, chain((rest,), found) if rest.data else found
    raise Unreadable("the file is empty")


def _names(record: bytes, dialect: Dialect) -> tuple[str, ...]:
    if record.count(dialect.delimiter.encode()) >= MOST_COLUMNS:
        raise Unreadable(f"the header has more than {MOST_COLUMNS:,} columns: is this CSV?")
    if not dialect.well_quoted.fullmatch(record):
        raise Unreadable(
            "the header has a quote out of its place: quote whole names, and double quotes inside them"
        )
    try:
        record.decode()
    except UnicodeDecodeError:
        raise Unreadable("the header is not UTF-8: save the file as UTF-8") from None
    (names,) = csv_rows.split_rows(Block(record, 1, well_quoted=True), dialect)
    assert not isinstance(names, str)
    return tuple(names)
