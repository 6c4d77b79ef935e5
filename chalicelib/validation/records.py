"""CSV cut into blocks of whole records, each with its physical line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline
from chalicelib.validation.findings import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.pipeline import CSV

LONGEST_RECORD = 16 << 20
"""Bytes that one CSV record may have; a missing quote makes one record of all that follows."""


@dataclass(frozen=True)
class Dialect:
    """How a pipeline's CSV is written, as patterns over bytes."""

    delimiter: str
    quote: str

    @classmethod
    def of(cls, source: CSV) -> Dialect:
        """Return the dialect of a pipeline's source.

        Raises:
            InvalidPipeline: when the delimiter or the quote is not one ASCII character.
        """
        for name, mark in (("delimiter", source.delimiter), ("quote", source.quote)):
            if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0" or source.delimiter == source.quote:
                raise InvalidPipeline(f"CSV {name} {mark!r}: write one ASCII character, a different one for each")
        return cls(source.delimiter, source.quote)

    @cached_property
    def mark(self) -> bytes:
        """The quote."""
        return self.quote.encode()

    @cached_property
    def well_quoted(self) -> re.Pattern[bytes]:
        """Matches bytes in which each quote opens a cell, closes one, or is doubled inside one."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        closed = rf"(?<![^{d}\r\n]){q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}(?=[{d}\r\n]|\Z)"
        return re.compile(rf"(?:[^{q}]*+{closed})*+[^{q}]*+".encode())

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """Matches one record, however its quotes are, as the csv module and pyarrow split it."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        cell = rf"(?>{q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+(?:{q}[^{d}\r\n]*+|\Z)|[^{d}\r\n]*+)"
        return re.compile(rf"{cell}(?:{d}{cell})*+(?:\r\n|\n|\r|\Z)".encode())

    def records(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where each record of the data starts and ends, empty lines included."""
        for match in self.record.finditer(data):
            if match.end() > match.start():
                yield match.span()


@dataclass(frozen=True)
class Block:
    """Whole records.

    Attributes:
        data: their bytes.
        line: the physical line on which they start.
        well_quoted: False when a quote stands where none may.
    """

    data: bytes
    line: int
    well_quoted: bool

    def lines(self, dialect: Dialect) -> list[int]:
        """Return the line of each record, empty lines left out."""
        lines, line = [], self.line
        for start, end in dialect.records(self.data):
            if self.data[start] not in b"\r\n":
                lines.append(line)
            line += count_lines(self.data, start, end)
        return lines


def count_lines(data: bytes, start: int = 0, end: int | None = None) -> int:
    """Count line ends: LF, CRLF, or CR alone."""
    end = len(data) if end is None else end
    count = data.count(b"\n", start, end)
    if data.find(b"\r", start, end) >= 0:
        count += data.count(b"\r", start, end) - data.count(b"\r\n", start, end)
    return count


def blocks(chunks: Iterator[bytes], dialect: Dialect) -> Iterator[Block]:
    """Cut chunks of bytes at record ends.

    Raises:
        Unreadable: at a record longer than 16 MiB.
    """
    line, rest = 1, b""
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        end, well_quoted = _cut(data, dialect)
        if not end and len(data) > LONGEST_RECORD:
            raise Unreadable(
                f"line {line:,}: the record is longer than {LONGEST_RECORD:,} bytes: look for a missing quote or"
                " line end"
            )
        rest = data[end:]
        if end:
            block = Block(data[:end], line, well_quoted)
            line += count_lines(block.data)
            yield block
    if rest:
        yield Block(rest, line, _well_quoted(rest, len(rest), dialect))


def _well_quoted(data: bytes, end: int, dialect: Dialect) -> bool:
    return data.find(dialect.mark, 0, end) < 0 or dialect.well_quoted.fullmatch(data, 0, end) is not None


def _cut(data: bytes, dialect: Dialect) -> tuple[int, bool]:
    """Return where the last whole record ends, or 0, and whether all quotes before it are in their places.

    In well-quoted data, an even number of quotes comes before a record's end; other data is walked through.
    """
    newline = b"\n" if b"\n" in data else b"\r"
    limit = len(data) - (newline == b"\r")  # a CR at the very end may be half of CRLF
    end = data.rfind(newline, 0, limit) + 1
    quotes = data.count(dialect.mark, 0, end)
    while end and quotes % 2:
        before = data.rfind(newline, 0, end - 1) + 1
        quotes -= data.count(dialect.mark, before, end)
        end = before
    if end and _well_quoted(data, end, dialect):
        return end, True
    ends = (stop for _, stop in dialect.records(data) if stop <= limit and data[stop - 1 : stop] == newline)
    end = max(ends, default=0)
    return end, _well_quoted(data, end, dialect)
