"""What each column type is called in Redshift and in the Glue Data Catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.pipeline import Column, Pipeline

LONGEST_VARCHAR = 65535
"""Bytes in Redshift's longest VARCHAR."""

BYTES_PER_CHARACTER = 4
"""The most bytes that UTF-8 spends on one character; Redshift counts a VARCHAR's length in bytes."""

_REDSHIFT = {
    "integer": "BIGINT",
    "float": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
_HIVE = {
    "integer": "bigint",
    "float": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "text": "string",
}


def redshift_type(column: Column) -> str:
    """Return the Redshift type of a column."""
    if column.type == "decimal":
        return f"DECIMAL({column.precision},{column.scale})"
    if column.type == "text":
        longest = (column.longest or LONGEST_VARCHAR) * BYTES_PER_CHARACTER
        return f"VARCHAR({min(longest, LONGEST_VARCHAR)})"
    return _REDSHIFT[column.type]


def hive_type(column: Column) -> str:
    """Return the Data Catalog type of a column."""
    if column.type == "decimal":
        return f"decimal({column.precision},{column.scale})"
    return _HIVE[column.type]


def redshift_columns(pipeline: Pipeline, names: list[str]) -> tuple[tuple[str, str], ...]:
    """Return (name, Redshift type) for the Parquet files' columns; an undeclared one is text."""
    kinds = {column.name: redshift_type(column) for column in pipeline.columns}
    kinds["processing_date"] = "DATE"
    return tuple((name, kinds.get(name, f"VARCHAR({LONGEST_VARCHAR})")) for name in names)


def hive_columns(pipeline: Pipeline, names: list[str]) -> tuple[tuple[str, str], ...]:
    """Return (name, Hive type) for the Parquet files' columns; an undeclared one is a string."""
    kinds = {column.name: hive_type(column) for column in pipeline.columns}
    kinds["processing_date"] = "date"
    return tuple((name, kinds.get(name, "string")) for name in names)
