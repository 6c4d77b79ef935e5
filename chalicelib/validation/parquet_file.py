"""A Parquet file, validated row group by row group."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from chalicelib.validation.arrow import arrow_type, text_array
from chalicelib.validation.column_checks import ColumnChecks
from chalicelib.validation.findings import Unreadable
from chalicelib.validation.header import Header, header_of
from chalicelib.validation.rules import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.pipeline import Pipeline
    from chalicelib.validation.findings import Findings
    from chalicelib.validation.rules import ColumnRules
    from chalicelib.validation.source import Source

ROWS = 1 << 14
"""Rows read at once."""

EMPTY = text_array([""])[0]

FITS = {
    "integer": pa.types.is_integer,
    "decimal": lambda kind: pa.types.is_decimal(kind) or pa.types.is_integer(kind),
    "float": lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "timestamp": lambda kind: pa.types.is_timestamp(kind) or pa.types.is_date(kind),
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
}
"""Which Parquet types may hold a declared type."""


@dataclass
class ValueBatch:
    """Rows of a Parquet file, and where they stand."""

    columns: dict[str, pa.Array]
    first_row: int
    bad: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)

    def number(self, index: int) -> int:
        """Return the number of the row with this index."""
        return self.first_row + index

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row's number; Parquet has no lines."""
        return self.first_row + index, None

    def text(self, index: int, column: str) -> str:
        """Return a value as text."""
        value = self.columns[column][index].as_py()
        return "" if value is None else str(value)

    def raw(self, row: int) -> bytes:
        """Return a row by its number, as JSON: Parquet has no text of its own."""
        values = {name: column[row - self.first_row].as_py() for name, column in self.columns.items()}
        return json.dumps(values, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace")


def check_parquet(source: Source, pipeline: Pipeline, findings: Findings) -> None:
    """Check a Parquet file and note what is wrong with it.

    Raises:
        Unreadable: when it is not Parquet, or its columns are not the declared ones.
    """
    for _ in checked_columns(source, pipeline, findings):
        pass


def checked_columns(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[dict[str, pa.Array]]:
    """Yield the file's columns part by part, declared ones in their types, and note what is wrong."""
    if source.compressed:
        raise Unreadable("the file's name ends in .gz, but Parquet is compressed inside: drop it as .parquet")
    try:
        file = parquet.ParquetFile(source.seekable(), memory_map=False, pre_buffer=False)
        header = _header(file.schema_arrow, pipeline, findings)
        checks = ColumnChecks(header.rules, findings)
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            yield _check(batch, header, checks, findings)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as wrong:
        raise Unreadable(
            f"the file is not Parquet that can be read: {str(wrong).splitlines()[0][:200]}"
        ) from None
    checks.finish()


def _header(schema: pa.Schema, pipeline: Pipeline, findings: Findings) -> Header:
    findings.columns = tuple(schema.names)
    header = header_of(findings.columns, pipeline)
    for rules in header.rules:
        kind = _plain(schema.field(rules.name).type)
        if not FITS[rules.column.type](kind):
            raise Unreadable(
                f"column {rules.name} is {kind} in the file; the pipeline declares {rules.column.type}"
            )
    for name in header.extra:
        if pa.types.is_nested(schema.field(name).type):
            raise Unreadable(
                f"the undeclared column {shown(name)} is nested, and cannot be kept as text: remove it"
            )
    return header


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check(
    batch: pa.RecordBatch, header: Header, checks: ColumnChecks, findings: Findings
) -> dict[str, pa.Array]:
    raw = dict(zip(batch.schema.names, map(_decoded, batch.columns), strict=True))
    rows = ValueBatch(raw, findings.rows + 1)
    findings.rows += batch.num_rows
    columns = {name: pc.cast(raw[name], pa.string()) for name in header.extra}
    for rules in header.rules:
        values, wrong = _typed(raw[rules.name], rules)
        if wrong:
            checks.note(rows, rules, wrong, "type")
        checks.check(rows, rules, raw[rules.name], values)
        columns[rules.name] = values
    findings.mark(rows, rows.bad)
    return columns


def _decoded(column: pa.Array) -> pa.Array:
    """Return plain values: no dictionaries, no nanoseconds, and null for empty text."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
        return pc.cast(column, pa.timestamp("us"))
    if pa.types.is_large_string(column.type):
        column = pc.cast(column, pa.string())
    if pa.types.is_string(column.type):
        return pc.if_else(pc.equal(column, EMPTY), pa.nulls(len(column), pa.string()), column)
    return column


def _typed(column: pa.Array, rules: ColumnRules) -> tuple[pa.Array, list[int]]:
    """Cast to the declared type and return what does not fit as null, with its indexes."""
    kind = arrow_type(rules.column)
    try:
        values = pc.cast(column, kind)
    except pa.ArrowInvalid:
        values = pa.concat_arrays(
            [_cast_one(column[index : index + 1], kind) for index in range(len(column))]
        )
    if rules.column.type == "float":
        values = pc.if_else(pc.is_finite(values), values, pa.nulls(len(values), kind))
    lost = pc.and_(pc.is_null(values), pc.is_valid(column))
    return values, pc.indices_nonzero(lost).to_pylist()


def _cast_one(cell: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return pc.cast(cell, kind)
    except pa.ArrowInvalid:
        return pa.nulls(1, kind)
