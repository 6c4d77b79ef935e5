"""The rows of a reject file, written as a file that their pipeline takes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from chalicelib.errors import InvalidRequest
from chalicelib.pipeline import CSV, NDJSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.pipeline import Pipeline


def read(lines: Iterable[bytes], *, correcting: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of a reject file, and refuse what is no row of one.

    Somebody who corrects reads and writes text: a row that was not UTF-8 becomes UTF-8. Rows that go back as
    they are keep their bytes.

    Raises:
        InvalidRequest: a line is no JSON, or lacks its `raw` text.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("raw"), str):
            raise InvalidRequest(
                f"line {number} of the rows: keep one JSON object with `raw` text on each line"
            )
        yield {**row, "encoding": "utf-8" if correcting else row.get("encoding", "utf-8")}


def write(rows: Iterable[dict[str, Any]], pipeline: Pipeline, columns: list[str], sink: BinaryIO) -> None:
    """Write the rows to the sink in the pipeline's format.

    Args:
        rows: with `raw` and `encoding`.
        pipeline: its source says how the file is written.
        columns: the names in the original file, in its order.
        sink: has `write`, and for Parquet `tell`.

    Raises:
        InvalidRequest: a row's values do not fit the columns of a Parquet file.
    """
    if pipeline.format == "parquet":
        _write_parquet(rows, pipeline, sink)
        return
    sink.writelines(parts(rows, pipeline, columns))


def parts(rows: Iterable[dict[str, Any]], pipeline: Pipeline, columns: list[str]) -> Iterator[bytes]:
    """Yield the rows as text: CSV under its header, a JSON array, or one object on each line."""
    if isinstance(pipeline.source, CSV):
        yield _header(pipeline.source, columns)
        for row in rows:
            yield row["raw"].encode(row["encoding"], "strict") + b"\n"
    elif pipeline.format == "json":
        before = b"[\n"
        for row in rows:
            yield before + _one_line(row)
            before = b",\n"
        yield b"\n]\n" if before == b",\n" else b"[]\n"
    else:
        for row in rows:
            yield _one_line(row) + b"\n"


def _header(source: CSV, columns: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=source.delimiter, quotechar=source.quote, lineterminator="\n").writerow(
        columns
    )
    return text.getvalue().encode()


def _one_line(row: dict[str, Any]) -> bytes:
    """JSON has line ends only where any white space may be."""
    text: str = row["raw"].replace("\r", " ").replace("\n", " ")
    return text.encode(row["encoding"])


def _write_parquet(rows: Iterable[dict[str, Any]], pipeline: Pipeline, sink: BinaryIO) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - only Parquet needs it

    from chalicelib.errors import InvalidFile  # noqa: PLC0415 - beside its use
    from chalicelib.validation import typed_batches  # noqa: PLC0415 - imports the readers
    from chalicelib.validation.typed import declared_schema  # noqa: PLC0415 - as above

    plain = replace(pipeline, source=NDJSON(), fewest_rows=0, most_rows=None, tolerate=None)
    lines = _Lines(parts(rows, plain, []))
    schema = declared_schema(pipeline.columns)
    try:
        with parquet.ParquetWriter(sink, schema, compression="snappy") as writer:
            for batch in typed_batches(cast("BinaryIO", lines), plain, key="rows.ndjson"):
                writer.write_batch(batch)
    except InvalidFile as wrong:
        raise InvalidRequest(
            f"the rows do not fit a Parquet file: {wrong}; correct this row's `raw`"
        ) from wrong


class _Lines(io.RawIOBase):
    """Parts of a text, read as a stream."""

    def __init__(self, found: Iterator[bytes]) -> None:
        self._found = found
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, and nothing at the end."""
        while len(self._rest) < size and (part := next(self._found, b"")):
            self._rest += part
        given, self._rest = self._rest[:size], self._rest[size:]
        return given
