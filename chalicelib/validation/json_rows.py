"""JSON rows checked in bulk by typed decoding, and one by one where that fails."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.validation.findings import Unreadable
from chalicelib.validation.json_pieces import Piece, names_in
from chalicelib.validation.json_shape import Shape
from chalicelib.validation.json_strict import NotARow, as_written, broken_by_json, parse_object
from chalicelib.validation.rules import shown, unique_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chalicelib.validation.findings import Findings
    from chalicelib.validation.rules import ColumnRules
    from chalicelib.validation.unique import Unique

MOST_NAMES = 1_000
"""Different keys in the rows of a file that a report lists, or that can become columns."""


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
                found.append((name, broken[0], "" if value is None else as_written(value), broken[1]))
            if (
                name in self._unique
                and value not in {None, ""}
                and (not broken or broken[0] not in {"type", "encoding"})
            ):
                self._unique[name].add(
                    array("q", [unique_key(rules.grammar.read(as_written(value)))]), [0], piece
                )
        return found
