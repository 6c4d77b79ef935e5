"""Rows of a JSON file that stand together, as the file has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

SPACE = b" \t\r\n"
"""What JSON takes for white space."""


class Number(str):
    """A JSON number, as it is written."""

    __slots__ = ()


@dataclass
class Piece:
    """Rows that stand together in the file.

    Attributes:
        data: their bytes: elements of an array with commas between, or lines.
        lines: whether they are lines.
        row: the number of the first row.
        line: the line of the first row, or None.
        single: whether they are one row, which may be no JSON.
    """

    data: bytes
    lines: bool
    row: int
    line: int | None
    single: bool = False
    bad: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)

    def raw(self, row: int) -> bytes:
        """Return a row as the file has it, by its number, without its line end."""
        return (self.data if self.single else self.raw_rows[row - self.row]).strip(SPACE)

    @cached_property
    def raw_rows(self) -> list[bytes]:
        """The rows as the file has them; of rows that are known to be JSON."""
        if self.lines:
            return self.data.removesuffix(b"\n").split(b"\n")
        return list(map(bytes, msgspec.json.decode(b"[" + self.data + b"]", type=list[msgspec.Raw])))

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number and its line."""
        return self.row + index, None if self.line is None else self.line + index

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""
        rows = msgspec.json.Decoder(dict[str, msgspec.Raw])
        row = rows.decode(self.data.split(b"\n")[index]) if self.lines else _elements(self.data)[index]
        value = json.loads(bytes(row[column]), parse_float=Number, parse_int=Number)
        return str(value)


def _elements(data: bytes) -> list[dict[str, msgspec.Raw]]:
    return msgspec.json.decode(b"[" + data + b"]", type=list[dict[str, msgspec.Raw]])


def names_in(piece: Piece) -> dict[str, None]:
    """Return the keys of the rows in a piece that is known to be good, in order."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    rows = decoder.decode_lines(piece.data) if piece.lines else _elements(piece.data)
    return {name: None for row in rows for name in row}
