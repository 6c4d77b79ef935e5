"""A pipeline's rules, made ready to check: one definition of when a value breaks its column's rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline
from chalicelib.validation.cells import Grammar, Value, grammar

if TYPE_CHECKING:
    from chalicelib.pipeline import Column, Pipeline

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  values are naive UTC throughout
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class ColumnRules:
    """What the values of one column must keep to.

    The rules in the order in which they are asked; the first broken one is reported:
    required, type, minimum, maximum, allowed, longest. `unique` is asked of every value apart from these.
    """

    column: Column
    grammar: Grammar
    minimum: Value | None
    maximum: Value | None
    allowed: frozenset[Value] | None

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    def broken_by(self, text: str) -> tuple[str, str] | None:
        """Return the first rule that the cell breaks, and a sentence; None for a good cell."""
        if not text:
            return self.broken_by_null()
        try:
            value = self.grammar.read(text)
        except ValueError as wrong:
            return "type", f"{shown(text)} {wrong}"
        return self.broken_by_value(value, text)

    def broken_by_null(self) -> tuple[str, str] | None:
        """Return the rule `required` and a sentence, if the column asks for a value."""
        return ("required", "a value is required") if self.column.required else None

    def broken_by_value(self, value: Value, text: str) -> tuple[str, str] | None:
        """Return the first of the rules after `type` that the value breaks."""
        if self.minimum is not None and value < self.minimum:  # type: ignore[operator]
            return "minimum", f"{shown(text)} is less than {self.column.minimum}"
        if self.maximum is not None and value > self.maximum:  # type: ignore[operator]
            return "maximum", f"{shown(text)} is more than {self.column.maximum}"
        if self.allowed is not None and value not in self.allowed:
            return "allowed", f"{shown(text)} is not one of {', '.join(map(str, self.column.allowed or ()))}"
        if self.column.longest is not None and len(text) > self.column.longest:
            return "longest", f"{shown(text)} is longer than {self.column.longest} characters"
        return None


def shown(text: str) -> str:
    """Return the value as a message quotes it."""
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004  a message stays one line


def column_rules(column: Column) -> ColumnRules:
    """Return the column's rules, ready to check.

    Raises:
        InvalidPipeline: when a limit or an allowed value is not of the column's type.
    """
    cells = grammar(column)

    def read(field: str, limit: object) -> Value:
        try:
            return cells.read(str(limit))
        except ValueError as wrong:
            raise InvalidPipeline(f"column {column.name}: {field} {limit!r} {wrong}") from None

    rules = ColumnRules(
        column,
        cells,
        None if column.minimum is None else read("minimum", column.minimum),
        None if column.maximum is None else read("maximum", column.maximum),
        None if column.allowed is None else frozenset(read("allowed", value) for value in column.allowed),
    )
    for text in map(str, column.allowed or ()):
        if wrong := rules.broken_by(text):
            raise InvalidPipeline(f"column {column.name}: allowed {text!r} breaks {wrong[0]!r}: {wrong[1]}")
    return rules


def pipeline_rules(pipeline: Pipeline) -> tuple[ColumnRules, ...]:
    """Return the rules of every declared column, in order."""
    return tuple(map(column_rules, pipeline.columns))


def unique_key(value: Value) -> int:
    """Return 64 bits that stand for the value when looking for repeats.

    Integers, dates, timestamps and booleans stand for themselves. The rest is a keyed 64-bit hash: two of ten
    million different values are taken for one another in three of a million files.
    """
    if isinstance(value, dt.datetime):
        return (value - EPOCH) // MICROSECOND
    if isinstance(value, dt.date):
        return value.toordinal() - EPOCH.toordinal()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        written = "".join(map(str, digits))
        kept = written.rstrip("0")
        return hash((sign, kept, int(exponent) + len(written) - len(kept)) if kept else "0")
    return hash(value if isinstance(value, str) else repr(value + 0.0))  # as text: hash(-1.0) is hash(-2.0)
