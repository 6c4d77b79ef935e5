"""A declared column and what its values must keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.errors import InvalidPipeline
from chalicelib.pipeline.checks import check_identifier, check_word

ColumnType = Literal["integer", "decimal", "float", "boolean", "date", "timestamp", "text"]

MOST_DIGITS = 38
"""Digits of the largest decimal that Redshift, Athena and Parquet all hold."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A declared column and what its values must keep to.

    Attributes:
        name: lower-case identifier; the file's header must hold exactly this name.
        type: one of `ColumnType`. A decimal needs `precision` and `scale`.
        required: an empty value breaks the rule `required`.
        minimum, maximum: inclusive limits, written in the column's own type (dates as ISO text).
        allowed: the only values accepted, or None for any.
        unique: no value may come twice in one file (empty values do not count).
        longest: the most characters that a text may have.
        precision, scale: digits in all and after the point, of a decimal.
    """

    name: str
    type: ColumnType
    required: bool = False
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    allowed: tuple[str | int, ...] | None = None
    unique: bool = False
    longest: int | None = None
    precision: int = 18
    scale: int = 2

    def __post_init__(self) -> None:
        check_identifier("column name", self.name)
        check_word(f"column {self.name}: type", self.type, ColumnType)
        if self.type == "decimal" and not 0 <= self.scale <= self.precision <= MOST_DIGITS:
            raise InvalidPipeline(
                f"column {self.name}: precision {self.precision}, scale {self.scale}: "
                f"write 0 <= scale <= precision <= {MOST_DIGITS}"
            )
        if self.allowed is not None and not self.allowed:
            raise InvalidPipeline(f"column {self.name}: allowed=() accepts no value: leave it out or fill it")
        if self.longest is not None and (self.type != "text" or self.longest < 1):
            raise InvalidPipeline(
                f"column {self.name}: longest={self.longest}: it is for texts, and at least 1"
            )
