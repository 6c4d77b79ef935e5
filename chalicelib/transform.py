"""A valid file turned into typed Parquet, as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from chalicelib.errors import InvalidFile
from chalicelib.validation.arrow import TYPES, text_array
from chalicelib.validation.typed import declared_schema, typed_columns

if TYPE_CHECKING:
    import datetime as dt

    from chalicelib.pipeline import Pipeline

ROW_GROUP = 16 << 20
"""Bytes in memory that become one row group: larger ones cost memory and compress no better."""


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """What was written: rows, bytes, and the names of the columns in order."""

    rows: int
    bytes: int
    columns: tuple[str, ...]


def write_parquet(
    stream: BinaryIO, pipeline: Pipeline, sink: BinaryIO, *, key: str, processing_date: dt.date
) -> Transformed:
    """Write the file's rows to the sink: declared columns, kept undeclared ones as text, `processing_date`.

    Each part is checked by every rule before it is written, in bounded memory.

    Args:
        stream: has `read(n)`; for Parquet also `seek` and `tell`.
        pipeline: its columns give the types and their order.
        sink: a file opened for writing; what it holds after an error is no whole Parquet file.
        key: the file's key; one that ends in `.gz` is decompressed.
        processing_date: the value of the last column.

    Raises:
        InvalidFile: when validation would have rejected the file.
    """
    writer = _Writer(pipeline, sink, processing_date)
    try:
        for columns in typed_columns(stream, pipeline, key):
            writer.add(columns)
        return writer.finish()
    finally:
        writer.close()


class _Writer:
    def __init__(self, pipeline: Pipeline, sink: BinaryIO, processing_date: dt.date) -> None:
        self._pipeline = pipeline
        self._sink = sink
        self._date = text_array([processing_date.isoformat()]).cast(TYPES["date"])[0]
        self._writer: parquet.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._size = 0
        self._rows = 0
        self._schema = self._schema_of(())

    def add(self, columns: dict[str, pa.Array]) -> None:
        """Write the columns once there are enough for a row group."""
        if not self._rows:
            declared = {column.name for column in self._pipeline.columns}
            self._schema = self._schema_of(tuple(name for name in columns if name not in declared))
        rows = len(next(iter(columns.values())))
        arrays = [columns[name] for name in self._schema.names[:-1]] + [pa.repeat(self._date, rows)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        self._waiting.append(batch)
        self._rows += rows
        self._size += batch.nbytes
        if self._size >= ROW_GROUP:
            self._write()

    def finish(self) -> Transformed:
        """Write what waits and the footer."""
        self._write()
        self.close()
        return Transformed(rows=self._rows, bytes=self._sink.tell(), columns=tuple(self._schema.names))

    def close(self) -> None:
        """Let go of the sink."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _schema_of(self, extra: tuple[str, ...]) -> pa.Schema:
        if "processing_date" in extra:
            raise InvalidFile("the file has its own column 'processing_date', which is added here: rename it")
        schema = declared_schema(self._pipeline.columns)
        for name in extra:
            schema = schema.append(pa.field(name, TYPES["text"]))
        return schema.append(pa.field("processing_date", TYPES["date"]))

    def _write(self) -> None:
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="snappy")
        if self._waiting:
            self._writer.write_table(
                pa.Table.from_batches(self._waiting, self._schema), row_group_size=1 << 30
            )
        self._waiting, self._size = [], 0
