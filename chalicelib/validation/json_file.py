"""JSON and NDJSON files, validated as a stream."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from chalicelib.validation.findings import Unreadable
from chalicelib.validation.json_pieces import SPACE, Piece
from chalicelib.validation.json_rows import RowChecker
from chalicelib.validation.rules import pipeline_rules
from chalicelib.validation.source import CHUNK, Source, read_ahead
from chalicelib.validation.unique import Unique

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from chalicelib.pipeline import Pipeline
    from chalicelib.validation.findings import Findings

PIECE = 32 << 10
"""Bytes decoded at once in good data: nothing large is ever held."""

LARGEST_OBJECT = 8 << 20
"""Bytes that one JSON object may have."""

DEEPEST = 20_000
"""Levels of nesting up to which an element is walked through to find the next one."""

TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
SCALAR = re.compile(rb"[^\s,\]\[{}]+")


def check_ndjson(source: Source, pipeline: Pipeline, findings: Findings) -> None:
    """Check a file with one object on each line and note what is wrong with it."""
    for _ in ndjson_pieces(source, pipeline, findings):
        pass


def check_json(source: Source, pipeline: Pipeline, findings: Findings) -> None:
    """Check a file with one array of objects, or one object, and note what is wrong with it.

    Raises:
        Unreadable: where the file stops being an array of values.
    """
    for _ in json_pieces(source, pipeline, findings):
        pass


def ndjson_pieces(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[Piece]:
    """Check a file with one object on each line and yield what was checked."""
    checker, finish = _checker(pipeline, findings)
    with _ahead(source) as chunks:
        line, data = 1, b""
        for chunk in chain(chunks, (b"\n",)):
            data += chunk
            end = data.rfind(b"\n") + 1
            if not end and len(data) > LARGEST_OBJECT:
                raise Unreadable(f"line {line:,} is longer than {LARGEST_OBJECT:,} bytes: is this NDJSON?")
            line = yield from _check_lines(data[:end], line, checker)
            data = data[end:]
    finish()


def _check_lines(data: bytes, line: int, checker: RowChecker) -> Generator[Piece, None, int]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + PIECE, len(data) - 1)) + 1
        lines = data[start:end]
        if line == 1:
            checker.note_names(lines.partition(b"\n")[0])
        piece = Piece(lines, lines=True, row=checker.next_row, line=line)
        if checker.check_plainly(piece):
            yield piece
            line += lines.count(b"\n")
            start = end
            continue
        rows = lines[:-1].split(b"\n")
        if all(map(bytes.strip, rows)):
            yield from checker.check_each(rows, line)
        else:
            for number, row in enumerate(rows, line):
                if row.strip():
                    yield checker.check_row(row, number)
        line += len(rows)
        start = end
    return line


def json_pieces(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[Piece]:
    """Check a file with one array of objects, or one object, and yield what was checked."""
    checker, finish = _checker(pipeline, findings)
    with _ahead(source) as chunks:
        text = Text(chunks)
        text.skip_space()
        if text.peek() == b"[":
            yield from _check_array(text, checker)
        elif text.peek() == b"{":
            yield _check_element(text, checker)
        else:
            raise Unreadable(
                "the file is empty" if not text.peek() else "the file is neither a JSON array nor an object"
            )
        text.skip_space()
        if text.peek():
            raise Unreadable(f"byte {text.offset:,}: more follows the first JSON value: is this NDJSON?")
    finish()


def _check_array(text: Text, checker: RowChecker) -> Iterator[Piece]:
    text.take(1)
    text.skip_space()
    if text.peek() == b"]":
        text.take(1)
        return
    while True:
        pieces = _check_pieces(text, checker)
        yield from pieces or [_check_element(text, checker)]
        text.skip_space()
        mark = text.peek()
        if mark == b"]":
            text.take(1)
            return
        if mark != b",":
            what = (
                "the array is not closed: the file is cut short" if not mark else "',' or ']' is missing here"
            )
            raise Unreadable(f"byte {text.offset:,}: {what}")
        text.take(1)
        text.skip_space()


def _check_pieces(text: Text, checker: RowChecker) -> list[Piece]:
    """Check many elements at once, up to a `},` that ends one; return nothing when there is none."""
    end = text.seam(PIECE)
    for _ in range(4):
        if end < 0:
            return []
        data = text.window(end + 1)
        if not checker.next_row - 1:
            checker.note_names(data[: data.find(b"}") + 1])
        piece = Piece(data, lines=False, row=checker.next_row, line=None)
        if checker.check_plainly(piece):
            text.take(end + 1)
            return [piece]
        try:
            rows = msgspec.json.decode(b"[" + data + b"]", type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            end = text.rfind(b"},", end)  # this one was inside an element, or what comes before it is no JSON
            continue
        except RecursionError:
            return []
        text.take(end + 1)
        return list(checker.check_each(list(map(bytes, rows)), None))
    return []


def _check_element(text: Text, checker: RowChecker) -> Piece:
    """Check the one element that starts here."""
    end = text.element_end()
    data = text.window(end)
    if not checker.next_row - 1:
        checker.note_names(data)
    text.take(end)
    return checker.check_row(data, None)


class Text:
    """A window on the file's bytes that moves forward.

    Attributes:
        offset: bytes before the window.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._data = b""
        self._start = 0
        self._seamless = 0
        self.offset = 0

    def fill(self, size: int) -> bool:
        """Read until the window has that many bytes; False when the file ends before."""
        while len(self._data) - self._start < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self._data = self._data[self._start :] + chunk
            self._start = 0
        return True

    def peek(self) -> bytes:
        """Return the next byte, or nothing at the file's end."""
        self.fill(1)
        return self._data[self._start : self._start + 1]

    def skip_space(self) -> None:
        """Move past white space."""
        while self.peek() and self.peek() in SPACE:
            rest = len(self._data) - self._start
            self.take(
                rest - len(self._data[self._start :].lstrip(SPACE)) if rest <= PIECE else self._spaces()
            )

    def _spaces(self) -> int:
        part = self._data[self._start : self._start + PIECE]
        return len(part) - len(part.lstrip(SPACE))

    def window(self, size: int) -> bytes:
        """Return the next bytes."""
        return self._data[self._start : self._start + size]

    def take(self, size: int) -> None:
        """Move past that many bytes."""
        self._start += size
        self.offset += size

    def rfind(self, what: bytes, size: int) -> int:
        """Return where it is for the last time in the next bytes, or -1."""
        found = self._data.rfind(what, self._start, self._start + size)
        return found - self._start if found >= 0 else -1

    def seam(self, size: int) -> int:
        """Return where `}` stands before `,` for the last time in the next piece, or -1."""
        if self.offset < self._seamless:
            return -1
        self.fill(size)
        found = self.rfind(b"},", size)
        if found < 0:
            self._seamless = self.offset + min(size, len(self._data) - self._start) - 1
        return found

    def element_end(self) -> int:
        """Return the size of the JSON value that starts here; what is inside is looked at by others.

        Raises:
            Unreadable: when the value does not end within 16 MiB, or there is none.
        """
        size = PIECE
        while True:
            more = self.fill(size)
            end = _value_end(self._data, self._start, self.offset)
            if end > self._start and (end < len(self._data) or not more):
                return end - self._start
            if not more:
                what = (
                    "a value is missing here"
                    if self.peek() in {b",", b"]", b"}"}
                    else "the file is cut short"
                )
                raise Unreadable(f"byte {self.offset:,}: {what}")
            size = 2 * (len(self._data) - self._start)
            if size > 2 * LARGEST_OBJECT:
                raise Unreadable(
                    f"byte {self.offset:,}: the object here is larger than {LARGEST_OBJECT:,} bytes"
                )


def _value_end(data: bytes, start: int, offset: int) -> int:
    """Return where the value ends, or 0 when it goes on past the data."""
    if data[start : start + 1] not in {b"{", b"[", b'"'}:
        scalar = SCALAR.match(data, start)
        return scalar.end() if scalar else 0
    depth = 0
    for token in TOKEN.finditer(data, start):
        mark = data[token.start()]
        if mark in b"{[":
            depth += 1
            if depth > DEEPEST:
                raise Unreadable(f"byte {offset:,}: the value here is nested deeper than {DEEPEST:,} levels")
        elif mark in b"}]":
            depth -= 1
        if depth == 0:
            closed = mark != ord('"') or (
                token.end() - token.start() > 1 and data[token.end() - 1] == ord('"')
            )
            return token.end() if closed else 0
    return 0


def _checker(pipeline: Pipeline, findings: Findings) -> tuple[RowChecker, Callable[[], None]]:
    rules = pipeline_rules(pipeline)
    unique = {column.name: Unique(column.name, findings) for column in rules if column.column.unique}

    def finish() -> None:
        for column in unique.values():
            column.finish()

    return RowChecker(rules, findings, unique, extra=pipeline.extra_columns == "keep"), finish


@contextmanager
def _ahead(source: Source) -> Generator[Iterator[bytes]]:
    """Read ahead in a thread, unless the first chunk is the whole file."""
    chunks = source.text_chunks()
    first = next(chunks)
    if len(first) < CHUNK and not source.compressed:
        yield chain((first,), chunks)
        return
    with read_ahead(chunks) as ahead:
        yield chain((first,), ahead)
