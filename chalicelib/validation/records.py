"""CSV cut into blocks of whole records, each with its physical line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline
from chalicelib.validation.findings import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
                raise InvalidPipeline(
                    f"CSV {name} {mark!r}: write one ASCII character, a different one for each"
                )
        return cls(source.delimiter, source.quote)

    @cached_property
    def mark(self) -> bytes:
        """The quote."""
        return self.quote.encode()

    @cached_property
    def well_quoted(self) -> re.Pattern[bytes]:
        """Matches bytes in which each quote opens a cell, closes one, or is doubled inside one."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return re.compile(rf"(?:[^{q}]*+{_closed_cell(d, q)})*+[^{q}]*+".encode())

    @cached_property
    def closed_cells(self) -> re.Pattern[bytes]:
        """Matches up to the end of the last closed cell before a quote is out of its place."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        return re.compile(rf"(?:[^{q}]*+{_closed_cell(d, q)})*+".encode())

    @cached_property
    def open_cell(self) -> re.Pattern[bytes]:
        """Matches a quoted cell that goes on past the data."""
        q = re.escape(self.quote)
        return re.compile(rf"{q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}?\Z".encode())

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """Matches one record, however its quotes are, as the csv module and pyarrow split it."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        cell = rf"(?>{q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+(?:{q}[^{d}\r\n]*+|\Z)|[^{d}\r\n]*+)"
        return re.compile(rf"{cell}(?:{d}{cell})*+(?:\r\n|\n|\r|\Z)".encode())

    @cached_property
    def whole_record(self) -> re.Pattern[bytes]:
        """Matches one record that surely ends where the match ends, whatever follows."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        cell = rf"(?>{q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}[^{d}\r\n]*+|(?!{q})[^{d}\r\n]*+)"
        return re.compile(rf"{cell}(?:{d}{cell})*+(?:\r\n|\n|\r)".encode())

    def records(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where each record of the data starts and ends, empty lines included."""
        for match in self.record.finditer(data):
            if match.end() > match.start():
                yield match.span()


def _closed_cell(d: str, q: str) -> str:
    return rf"(?<![^{d}\r\n]){q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}(?=[{d}\r\n]|\Z)"


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

    def spans(self, dialect: Dialect) -> list[tuple[int, int]]:
        """Return where each record starts and ends, empty lines left out."""
        return [span for span in dialect.records(self.data) if self.data[span[0]] not in b"\r\n"]

    def places(self, dialect: Dialect) -> list[tuple[int, int, int]]:
        """Return each record's line and where it starts and ends, empty lines left out."""
        places, line, data = [], self.line, self.data
        plain = b"\r" not in data
        for start, end in dialect.records(data):
            if data[start] not in b"\r\n":
                places.append((line, start, end))
            line += data.count(b"\n", start, end) if plain else count_lines(data, start, end)
        return places


def count_lines(data: bytes, start: int = 0, end: int | None = None) -> int:
    """Count line ends: LF, CRLF, or CR alone."""
    end = len(data) if end is None else end
    count = data.count(b"\n", start, end)
    if data.find(b"\r", start, end) >= 0:
        count += data.count(b"\r", start, end) - data.count(b"\r\n", start, end)
    return count


def blocks(
    chunks: Iterator[bytes], dialect: Dialect, count: Callable[[bytes], int] = count_lines
) -> Iterator[Block]:
    """Cut chunks of bytes at record ends; `count` counts line ends.

    Raises:
        Unreadable: at a record longer than 16 MiB.
    """
    line, rest = 1, b""
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        end, well_quoted = _cut(data, dialect)
        if not end and len(data) > LONGEST_RECORD:
            raise Unreadable(
                f"line {line:,}: the record is longer than {LONGEST_RECORD:,} bytes:"
                " look for a missing quote or line end"
            )
        rest = data[end:]
        if end:
            block = Block(data[:end], line, well_quoted)
            line += count(block.data)
            yield block
    if rest:
        yield Block(rest, line, dialect.mark not in rest or dialect.well_quoted.fullmatch(rest) is not None)


def _cut(data: bytes, dialect: Dialect) -> tuple[int, bool]:
    """Return where the last whole record ends, or 0, and whether all quotes before it are in their places."""
    newline = b"\n" if b"\n" in data else b"\r"
    limit = len(data) - data.endswith(b"\r")  # a CR at the very end may be half of CRLF
    if dialect.mark not in data:
        return data.rfind(newline, 0, limit) + 1, True
    closed = dialect.closed_cells.match(data)
    outside = closed.end() if closed else 0
    quote = data.find(dialect.mark, outside)
    end = data.rfind(newline, outside, limit if quote < 0 else quote) + 1 or _before(
        data, newline, outside, dialect
    )
    if end or quote < 0 or _opens(data, quote, dialect):
        return end, True
    end = 0
    while (record := dialect.whole_record.match(data, end)) and record.end() <= limit:
        end = record.end()
    return end, False


def _before(data: bytes, newline: bytes, outside: int, dialect: Dialect) -> int:
    """Return the last record end up to a place outside quotes: an even number of quotes lies between."""
    end, quotes = outside, 0
    while end:
        before = data.rfind(newline, 0, end - 1) + 1
        quotes += data.count(dialect.mark, before, end)
        end = before
        if quotes % 2 == 0:
            return end
    return 0


def _opens(data: bytes, quote: int, dialect: Dialect) -> bool:
    starts_cell = quote == 0 or data[quote - 1 : quote] in {dialect.delimiter.encode(), b"\n", b"\r"}
    return starts_cell and dialect.open_cell.match(data, quote) is not None
