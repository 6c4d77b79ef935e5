"""JSON rows decoded all at once to the declared types, and the rules that decoding leaves over."""

from __future__ import annotations

import datetime as dt
import json
from array import array
from contextlib import suppress
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from chalicelib.validation.cells import (
    FIRST_MOMENT,
    LARGEST_INTEGER,
    LAST_MOMENT,
    SMALLEST_INTEGER,
    Value,
)
from chalicelib.validation.json_decimals import check_decimals, decimal_text
from chalicelib.validation.json_strict import NotARow, unrepeated
from chalicelib.validation.rules import unique_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.validation.json_pieces import Piece
    from chalicelib.validation.rules import ColumnRules

LAST_BYTE = itemgetter(-1)
LINE_ENDS = frozenset(b"}\r")
"""How a line with one object ends; the decoder itself would take two objects, or half of one."""


class Shape:
    """Typed decoding of rows, and the checks that it leaves over.

    With `whole`, each row must have each declared key; without, an absent key is null.
    """

    def __init__(self, rules: tuple[ColumnRules, ...], *, extra: bool, whole: bool) -> None:
        self._rules = dict(zip((f"c{number}" for number in range(len(rules))), rules, strict=True))
        self._extra = extra
        self._whole = whole
        fields: list[Any] = []
        for name, column in self._rules.items():
            kind = json_type(column)
            if not column.column.required and not whole:
                fields.append((name, kind | msgspec.UnsetType, msgspec.UNSET))
            else:
                fields.append((name, kind))
        fields.sort(key=len)  # fields without a default come first
        self._row = msgspec.defstruct(
            "Row",
            fields,
            rename={name: column.name for name, column in self._rules.items()},
            forbid_unknown_fields=not extra,
            gc=False,
        )
        self._rows: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[self._row])  # type: ignore[name-defined]
        self._line: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._row)
        self._looked_at = {name: attrgetter(name) for name in self._rules if self._is_looked_at(name)}
        self._fields = {column.name: name for name, column in self._rules.items()}

    def decode(self, piece: Piece) -> list[Any] | None:
        """Decode a piece; None when lines and rows are not the same."""
        if not piece.lines:
            return self._rows.decode(b"[" + piece.data + b"]")
        rows = self._line.decode_lines(piece.data)
        lines = piece.data.removesuffix(b"\n").split(b"\n")
        if len(rows) != len(lines) or b"" in lines or not LINE_ENDS.issuperset(map(LAST_BYTE, lines)):
            return None
        return rows

    def accepts(self, rows: list[Any], piece: Piece) -> bool:
        """Return whether the rows keep every rule but `unique`; False means: look at each."""
        cells = self._cells(rows)
        return self._keys_once(rows, cells, piece) and all(
            self._check_column(self._rules[name], values) for name, values in cells.items()
        )

    def bad_rows(self, rows: list[Any], piece: Piece) -> set[int] | None:
        """Return the indexes of rows that break a rule, but `unique`; None when some key comes twice."""
        cells = self._cells(rows)
        if not self._keys_once(rows, cells, piece):
            return None
        return {
            index for name, values in cells.items() for index in self._bad_cells(self._rules[name], values, 0)
        }

    def _cells(self, rows: list[Any]) -> dict[str, list[Any]]:
        return {name: list(map(cell, rows)) for name, cell in self._looked_at.items()}

    def _keys_once(self, rows: list[Any], cells: dict[str, list[Any]], piece: Piece) -> bool:
        # With undeclared keys allowed, colons say nothing: the keys are parsed.
        return _keys_once(piece) if self._extra else self._has_each_key_once(rows, cells, piece.data)

    def _bad_cells(self, rules: ColumnRules, values: list[Any], start: int) -> list[int]:
        """Find the bad cells of a column by halves."""
        if self._check_column(rules, values):
            return []
        if len(values) == 1:
            return [start]
        middle = len(values) // 2
        first = self._bad_cells(rules, values[:middle], start)
        return first + self._bad_cells(rules, values[middle:], start + middle)

    def keys(self, rows: list[Any], column: str) -> tuple[array[int], list[int] | None]:
        """Return the 64-bit keys of the values in a column, and their indexes if some are null."""
        name = self._fields[column]
        values = list(map(attrgetter(name), rows))
        if self._rules[name].column.type == "integer":
            with suppress(TypeError):  # at a value that is null
                return array("q", values), None
        read = self._rules[name].grammar.read
        keys, indexes = array("q"), []
        for index, value in enumerate(values):
            if value is None or value is msgspec.UNSET:
                continue
            if isinstance(value, msgspec.Raw):
                value = decimal_text(value)  # noqa: PLW2901  read below
            if value != "":
                keys.append(unique_key(_value(value, read, self._rules[name].column.type)))
                indexes.append(index)
        return keys, indexes

    def _is_looked_at(self, name: str) -> bool:
        rules = self._rules[name]
        nullable = not rules.column.required
        limited = bool(rules.minimum is not None or rules.maximum is not None or rules.allowed)
        if rules.column.type in {"integer", "float"}:
            return (not self._whole and nullable) or bool(rules.allowed and rules.column.type == "float")
        if rules.column.type == "text":
            return (not self._whole and nullable) or rules.minimum is not None or rules.maximum is not None
        if rules.column.type == "timestamp":
            return limited or nullable
        return rules.column.type == "decimal" or limited or (not self._whole and nullable)

    def _has_each_key_once(self, rows: list[Any], cells: dict[str, list[Any]], data: bytes) -> bool:
        """Compare the colons with what rows without repeated keys need: one a key, two a timestamp.

        Every declared key is there, or is counted as absent; so one colon more may be a repeated key.
        """
        need = len(rows) * len(self._rules)
        if not self._whole:
            need -= sum(values.count(msgspec.UNSET) for values in cells.values())
        if data.count(b":") == need + self._clock_colons(rows, cells):
            return True
        if b"\\" in data:  # an escaped colon would be counted in the value and not in the file
            return False
        texts = (
            map(attrgetter(name), rows)
            for name, column in self._rules.items()
            if column.column.type == "text"
        )
        inside = sum("".join(filter(None, column)).count(":") for column in texts)
        if data.count(b":") == need + self._clock_colons(rows, cells) + inside:
            return True
        return data.count(b'":') == need and not any(
            space in data for space in (b" :", b"\t:", b"\n:", b"\r:")
        )

    def _clock_colons(self, rows: list[Any], cells: dict[str, list[Any]]) -> int:
        """Return the colons that timestamps have at least: hh:mm:ss."""
        count = 0
        for name, column in self._rules.items():
            if column.column.type == "timestamp":
                values = cells.get(name, ())
                absent = 0 if all(values) else sum(not value for value in values)
                count += 2 * (len(rows) - absent)
        return count

    def _check_column(self, rules: ColumnRules, values: list[Any]) -> bool:
        kind = rules.column.type
        if kind == "decimal":
            return check_decimals(rules, values)
        if rules.minimum is None and rules.maximum is None and rules.allowed is None:
            return True
        if not rules.column.required and kind != "boolean":
            values = [value for value in values if value or value == 0]
        if kind == "timestamp":
            values = [_naive(value) for value in values]
        return not values or (
            (rules.minimum is None or min(values) >= rules.minimum)
            and (rules.maximum is None or max(values) <= rules.maximum)
            and (rules.allowed is None or rules.allowed.issuperset(values))
        )


def _keys_once(piece: Piece) -> bool:
    """Return whether no object in the piece has a key twice, by parsing."""
    try:
        for text in piece.data.splitlines() if piece.lines else [b"[" + piece.data + b"]"]:
            json.loads(text, object_pairs_hook=unrepeated)
    except (NotARow, ValueError, RecursionError):
        return False
    return True


def _value(value: Any, read: Callable[[str], Value], kind: str) -> Value:
    if kind == "decimal":
        return read(value)
    kept: Value = _naive(value) if isinstance(value, dt.datetime) else value
    return kept


def _naive(moment: dt.datetime) -> dt.datetime:
    """Return the moment in UTC without saying so; at the ends of time, the end."""
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        return LAST_MOMENT if moment.year > 1 else FIRST_MOMENT


def json_type(rules: ColumnRules) -> Any:
    """Return the type that msgspec decodes a column's cells to; what it accepts obeys the grammar."""
    column = rules.column
    kind: Any
    if column.type == "integer":
        low = SMALLEST_INTEGER if rules.minimum is None else rules.minimum
        high = LARGEST_INTEGER if rules.maximum is None else rules.maximum
        kind = Annotated[int, msgspec.Meta(ge=low, le=high)]  # type: ignore[arg-type]
        if rules.allowed:
            kind = Literal[tuple(rules.allowed)]
    elif column.type == "float":
        kind = Annotated[float, msgspec.Meta(ge=rules.minimum, le=rules.maximum)]  # type: ignore[arg-type]
    elif column.type == "text":
        kind = Annotated[
            str, msgspec.Meta(min_length=1 if column.required else None, max_length=column.longest)
        ]
        if rules.allowed:
            kind = Literal[tuple(rules.allowed)]
    else:
        kind = OTHER_TYPES[column.type]
    return (
        kind
        if column.required and column.type != "decimal"
        else kind
        if column.type == "decimal"
        else kind | None
    )


OTHER_TYPES = {
    "decimal": msgspec.Raw,
    "boolean": bool,
    "date": dt.date,
    "timestamp": dt.datetime,
}
