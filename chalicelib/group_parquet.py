"""Several small files turned into one typed Parquet file, each row with the number of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
from pyarrow import compute, parquet

from chalicelib.errors import InvalidFile
from chalicelib.group_loading import FILE_NUMBER
from chalicelib.transform import ROW_GROUP
from chalicelib.validation.arrow import TYPES, text_array
from chalicelib.validation.typed import declared_schema, typed_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from chalicelib.pipeline import Pipeline


class GroupWriter:
    """Writes files that keep every rule; of one that does not, nothing is written.

    Args:
        pipeline: its columns give the types and their order; it keeps no undeclared columns.
        sink: has `write`.
        processing_date: the value of the column before the last.
    """

    def __init__(self, pipeline: Pipeline, sink: BinaryIO, processing_date: dt.date) -> None:
        self._pipeline = pipeline
        self._date = text_array([processing_date.isoformat()]).cast(TYPES["date"])[0]
        self._schema = (
            declared_schema(pipeline.columns)
            .append(pa.field("processing_date", TYPES["date"]))
            .append(pa.field(FILE_NUMBER, pa.int32()))
        )
        self._writer = parquet.ParquetWriter(sink, self._schema, compression="snappy")
        self._waiting: list[pa.RecordBatch] = []
        self._size = 0

    def add(self, stream: BinaryIO, key: str, number: int) -> int:
        """Write a file's rows and return how many there are; it is held in memory until its end.

        Raises:
            InvalidFile: it breaks a rule, or has an unusual number of rows: its own run tells of that.
        """
        batches = [self._batch(columns, number) for columns in typed_columns(stream, self._pipeline, key)]
        rows: int = sum(batch.num_rows for batch in batches)
        fewest, most = self._pipeline.usual_rows or (rows, rows)
        if not fewest <= rows <= most:
            raise InvalidFile(f"{key}: {rows:,} rows; {fewest:,} to {most:,} are usual")
        self._waiting += batches
        self._size += sum(batch.nbytes for batch in batches)
        if self._size >= ROW_GROUP:
            self._write()
        return rows

    def finish(self) -> None:
        """Write what waits and the footer."""
        self._write()
        self._writer.close()

    def _batch(self, columns: dict[str, pa.Array], number: int) -> pa.RecordBatch:
        names = self._schema.names[:-2]
        rows = len(columns[names[0]])
        arrays: list[Any] = [columns[name] for name in names]
        arrays += [pa.repeat(self._date, rows), pa.repeat(pa.scalar(number, pa.int32()), rows)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _write(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=1 << 30)
        self._waiting, self._size = [], 0


def write_without(source: BinaryIO, sink: BinaryIO, numbers: Collection[int]) -> int:
    """Write a group's Parquet file again without the rows of some files, and return how many are left."""
    left = 0
    with parquet.ParquetFile(source) as file, parquet.ParquetWriter(sink, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            found = compute.is_in(batch.column(FILE_NUMBER), pa.array(sorted(numbers), pa.int32()))
            kept = batch.filter(compute.invert(found))
            writer.write_batch(kept)
            left += kept.num_rows
    return left
