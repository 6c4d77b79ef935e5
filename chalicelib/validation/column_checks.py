"""A column's rules asked of whole pyarrow columns."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.validation.arrow import indexes, value_array
from chalicelib.validation.rules import unique_key
from chalicelib.validation.unique import Batch
from chalicelib.validation.unique_columns import UniqueColumn

if TYPE_CHECKING:
    from chalicelib.validation.findings import Findings
    from chalicelib.validation.rules import ColumnRules


class ColumnBatch(Batch, Protocol):
    """Rows whose columns are checked together."""

    def number(self, index: int) -> int:
        """Return the number of the row with this index."""


class ColumnChecks:
    """Checks typed columns and notes what is wrong."""

    def __init__(self, rules: tuple[ColumnRules, ...], findings: Findings) -> None:
        self._findings = findings
        self.unique = {
            column.name: UniqueColumn(column.name, findings) for column in rules if column.column.unique
        }
        self._limits = {column.name: _arrow_limits(column) for column in rules}

    def finish(self) -> None:
        """Look for the repeats that are not yet found."""
        for column in self.unique.values():
            column.finish()

    def check(self, batch: ColumnBatch, rules: ColumnRules, texts: pa.Array, values: pa.Array) -> None:
        """Ask every rule but `type`; `values` is null also where the type is wrong."""
        if rules.column.required and texts.null_count:
            self.note(batch, rules, indexes(pc.is_null(texts)), "required")
        self._check_limits(batch, rules, values)
        if rules.column.unique:
            keys, of = _keys(values)
            self.unique[rules.name].add(keys, of, batch)

    def _check_limits(self, batch: ColumnBatch, rules: ColumnRules, values: pa.Array) -> None:
        by_rule: dict[str, list[int]] = {}
        memo: dict[str, str | None] = {}
        for index in sorted(self._suspects(rules, values)):
            text = batch.text(index, rules.name)
            if text not in memo:
                wrong = rules.broken_by(text)
                memo[text] = wrong[0] if wrong else None
            if rule := memo[text]:
                by_rule.setdefault(rule, []).append(index)
        for rule, bad in by_rule.items():
            self.note(batch, rules, bad, rule)

    def _suspects(self, rules: ColumnRules, values: pa.Array) -> set[int]:
        """Return the indexes of the values outside some limit."""
        minimum, maximum, allowed = self._limits[rules.name]
        found: set[int] = set()
        span = pc.min_max(values) if minimum is not None or maximum is not None else {}
        if minimum is not None and pc.less(span["min"], minimum).as_py():
            found.update(indexes(pc.less(values, minimum)))
        if maximum is not None and pc.greater(span["max"], maximum).as_py():
            found.update(indexes(pc.greater(values, maximum)))
        if allowed is not None:
            known = pc.or_(pc.is_in(values, value_set=allowed), pc.is_null(values))
            if not pc.all(known, min_count=0).as_py():
                found.update(indexes(pc.invert(known)))
        longest = rules.column.longest
        if longest is not None and (pc.max(pc.binary_length(values)).as_py() or 0) > longest:
            found.update(indexes(pc.greater(pc.utf8_length(values), _length(longest))))
        return found

    def note(self, batch: ColumnBatch, rules: ColumnRules, bad: list[int], rule: str) -> None:
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
            self._findings.detail(row, batch.place(index)[1], rules.name, rule, text, message)


def _length(characters: int) -> pa.Scalar:
    return pa.Int32Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(array("i", [characters]))])[0]


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
