"""JSON rows checked in bulk by typed decoding, and one by one where that fails."""

from __future__ import annotations

import datetime as dt
import json
import re
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
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
from chalicelib.validation.findings import Unreadable
from chalicelib.validation.rules import shown, unique_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.rules import ColumnRules
    from chalicelib.validation.unique import Unique

LAST_BYTE = itemgetter(-1)
LINE_ENDS = frozenset(b"}\r")
"""How a line with one object ends; the decoder itself would take two objects, or half of one."""

SPACE = b" \t\r\n"
"""What JSON takes for white space."""

PIECE = 32 << 10
"""Bytes decoded at once in good data: nothing large is ever held."""

MOST_NAMES = 1_000
"""Different keys in the rows of a file that a report lists, or that can become columns."""

DEEPEST = 500
"""Levels of nesting in one row; Python's own parser stops near a thousand."""


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


class RowChecker:
    """Checks the rows of one file."""

    def __init__(
        self, rules: tuple[ColumnRules, ...], findings: Findings, unique: dict[str, Unique], *, extra: bool
    ) -> None:
        self._rules = rules
        self._declared = {column.name: column for column in rules}
        self._findings = findings
        self._unique = unique
        self._extra = extra
        self._names = dict.fromkeys(column.name for column in rules)
        self._tolerant = Shape(rules, extra=extra, whole=False)
        self._shapes = [Shape(rules, extra=extra, whole=True), self._tolerant]

    @property
    def next_row(self) -> int:
        """The number of the row that comes next."""
        return self._findings.rows + 1

    def check_plainly(self, piece: Piece) -> bool:
        """Check a piece at once; False when it has to be looked at row by row."""
        try:
            rows = self._decode(piece)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        shape = self._shapes[0]
        if rows is None or not shape.accepts(rows, piece):
            return False
        self._accept(piece, rows, shape)
        return True

    def _accept(self, piece: Piece, rows: list[Any], shape: Shape) -> None:
        self._findings.rows += len(rows)
        if self._extra:
            self._remember(names_in(piece))
        for name, unique in self._unique.items():
            keys, indexes = shape.keys(rows, name)
            unique.add(keys, indexes, piece)

    def _decode(self, piece: Piece) -> list[Any] | None:
        try:
            return self._shapes[0].decode(piece)
        except msgspec.ValidationError as wrong:
            if "missing required field" not in str(wrong):
                raise
        self._shapes.reverse()  # the next piece is likely to look like this one
        return self._shapes[0].decode(piece)

    def check_each(self, rows: Sequence[bytes], line: int | None) -> Iterator[Piece]:
        """Check rows of which some may be bad: the good ones between bad ones together."""
        good = self._good(rows, lines=line is not None)
        start = 0
        while start < len(rows):
            end = start
            while end in good:
                end += 1
            if end > start:
                piece = self._joined(rows[start:end], line, start)
                self._accept(piece, [good[index] for index in range(start, end)], self._tolerant)
                yield piece
            if end < len(rows):
                yield self.check_row(rows[end], None if line is None else line + end, plainly=not good)
            start = end + 1

    def _good(self, rows: Sequence[bytes], *, lines: bool) -> dict[int, Any]:
        """Decode the rows, and return by index those that keep every rule; none when that is not known."""
        decoded = enumerate(self._decoded(rows, lines=lines))
        values = {index: value for index, value in decoded if value is not None}
        piece = self._joined([rows[index] for index in values], 0 if lines else None, 0)
        places = list(values)
        bad = self._tolerant.bad_rows(list(values.values()), piece) if values else ()
        for place in places if bad is None else map(places.__getitem__, bad):
            del values[place]
        return values

    def _decoded(self, rows: Sequence[bytes], *, lines: bool) -> list[Any]:
        """Decode rows, by halves where one cannot be decoded: None stands for that one."""
        try:
            values = self._tolerant.decode(self._joined(rows, 0 if lines else None, 0))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            values = None
        if values is not None and len(values) == len(rows):
            return values
        if len(rows) == 1:
            return [None]
        middle = len(rows) // 2
        return self._decoded(rows[:middle], lines=lines) + self._decoded(rows[middle:], lines=lines)

    def _joined(self, rows: Sequence[bytes], line: int | None, start: int) -> Piece:
        data = b",".join(rows) if line is None else b"\n".join([*rows, b""])
        return Piece(
            data, lines=line is not None, row=self.next_row, line=None if line is None else line + start
        )

    def check_row(self, raw: bytes, line: int | None, *, plainly: bool = True) -> Piece:
        """Check one row by the cell grammar and note what is wrong; first `plainly`, which is quick."""
        piece = Piece(raw, lines=line is not None, row=self._findings.rows + 1, line=line, single=True)
        if plainly and raw.lstrip().startswith(b"{") and self.check_plainly(piece):
            return piece
        self._findings.rows += 1
        row = piece.row
        wrong = self._check_parsed(piece)
        for column, rule, value, message in wrong:
            self._findings.count(column, rule, 1)
            self._findings.detail(row, line, column, rule, value, message)
        if wrong:
            piece.bad.add(row)
        self._findings.mark(piece, piece.bad)
        return piece

    def note_names(self, raw: bytes) -> None:
        """Remember the names in one row, for the report."""
        try:
            self._remember(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # check_row reports it

    def _remember(self, names: Iterable[str]) -> None:
        """Add names to those found in the file.

        Raises:
            Unreadable: at too many names, when each is to become a column.
        """
        for name in names:
            if name not in self._names and len(self._names) < MOST_NAMES:
                self._names[name] = None
            elif name not in self._names and self._extra:
                raise Unreadable(
                    f"the rows have more than {MOST_NAMES:,} different keys: are values used as keys?"
                )
        self._findings.columns = tuple(self._names)

    def _check_parsed(self, piece: Piece) -> list[tuple[str | None, str, object, str]]:
        text = piece.data.decode("utf-8", "backslashreplace")
        try:
            cells = parse_object(piece.data)
        except NotARow as wrong:
            return [(None, wrong.rule, text[:200], str(wrong))]
        found: list[tuple[str | None, str, object, str]] = []
        self._remember(cells)
        undeclared = () if self._extra else sorted(cells.keys() - self._declared.keys())
        for name in undeclared:
            found += [(name, "extra", cells[name], f"the pipeline declares no column {shown(name)}")]
        for name, rules in self._declared.items():
            value = cells.get(name)
            broken = broken_by_json(rules, value)
            if broken:
                found.append((name, broken[0], "" if value is None else _written(value), broken[1]))
            if (
                name in self._unique
                and value not in {None, ""}
                and (not broken or broken[0] not in {"type", "encoding"})
            ):
                self._unique[name].add(
                    array("q", [unique_key(rules.grammar.read(_written(value)))]), [0], piece
                )
        return found


class NotARow(Exception):
    """The bytes are not one JSON object."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object strictly; numbers stay as they are written.

    Raises:
        NotARow: for anything else, and for a repeated key, NaN, Infinity, or bytes that are not UTF-8.
    """
    try:
        text = raw.decode()
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise NotARow("json", f"the row is nested deeper than {DEEPEST} levels")
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_constant
        )
    except UnicodeDecodeError:
        raise NotARow("encoding", "the row is not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as wrong:
        raise NotARow("json", f"the row is not JSON: {wrong.msg} at character {wrong.pos + 1}") from None
    if not isinstance(value, dict):
        raise NotARow("object", "the row is not an object: write {...} with a key for each column")
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', text, re.DOTALL):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise NotARow("repeated", f"the key {shown(name)} comes more than once in the row")
    return found


def _constant(name: str) -> Any:
    raise NotARow("json", f"{name} is not JSON: write null or a number")


JSON_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "integer": ((Number,), "number"),
    "decimal": ((Number, str), "number, or a string that holds one"),
    "float": ((Number,), "number"),
    "boolean": ((bool,), "true or false"),
    "date": ((str,), "string"),
    "timestamp": ((str,), "string"),
    "text": ((str,), "string"),
}
"""What a column's cells may be in JSON; `Number` is a `str`, so it is looked at first."""


def broken_by_json(rules: ColumnRules, value: Any) -> tuple[str, str] | None:
    """Return the first rule that the JSON value breaks, and a sentence; None for a good one."""
    if value is None or value == "":
        return rules.broken_by_null()
    kinds, written = JSON_KINDS[rules.column.type]
    if not isinstance(value, kinds) or (isinstance(value, Number) and Number not in kinds):
        return "type", f"{shown(_written(value))} is not a JSON {written}"
    text = _written(value)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return "encoding", f"{shown(text)} holds half of a surrogate pair"
    return rules.broken_by(text)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


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
                value = _decimal_text(value)  # noqa: PLW2901  read below
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
            return _check_decimals(rules, values)
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
            json.loads(text, object_pairs_hook=_object)
    except (NotARow, ValueError, RecursionError):
        return False
    return True


def names_in(piece: Piece) -> dict[str, None]:
    """Return the keys of the rows in a piece that is known to be good, in order."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    rows = decoder.decode_lines(piece.data) if piece.lines else _elements(piece.data)
    return {name: None for row in rows for name in row}


def _decimal_text(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode().strip('"')
    return "" if text == "null" else text


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


@lru_cache
def _raw_decimals(plain: str) -> re.Pattern[bytes]:
    return re.compile(rf'(?:(?:{plain}|"{plain}"|null|"")\n)*+'.encode())


def _check_decimals(rules: ColumnRules, raws: list[msgspec.Raw]) -> bool:
    plain = rules.grammar.plain
    if not all(raws):
        raws = [raw for raw in raws if isinstance(raw, msgspec.Raw)]
    lines = b"\n".join([*raws, b""])
    if plain is None or not _raw_decimals(plain).fullmatch(lines):
        return False
    if rules.column.required and (b"null" in lines or b'""' in lines):
        return False
    if rules.minimum is None and rules.maximum is None and rules.allowed is None:
        return True
    if b'"' in lines or b"null" in lines:
        lines = lines.replace(b'"', b"").replace(b"null", b"")
    texts = lines.split()
    if rules.allowed is not None:
        return not any(rules.broken_by(text.decode()) for text in set(texts))
    return _within(rules, texts)


def _within(rules: ColumnRules, texts: list[bytes]) -> bool:
    """Compare as floats, whose rounding keeps the order: only equal ones need a closer look."""
    values = list(map(float, texts))
    for limit, extreme in ((rules.minimum, min), (rules.maximum, max)):
        if limit is None or not values:
            continue
        near, furthest = float(limit), extreme(values)  # type: ignore[arg-type]
        if extreme(near, furthest) != near:
            return False
        if furthest == near:
            equal = {text for text, value in zip(texts, values, strict=True) if value == near}
            if any(rules.broken_by(text.decode()) for text in equal):
                return False
    return True


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
