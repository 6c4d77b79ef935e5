"""A file written again without its bad rows, byte for byte, as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from chalicelib.errors import InvalidFile
from chalicelib.validation import json_file
from chalicelib.validation.findings import Findings, Unreadable
from chalicelib.validation.records import Dialect, blocks
from chalicelib.validation.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chalicelib.pipeline import Pipeline
    from chalicelib.validation.json_pieces import Piece

    Write = Callable[[bytes], object]


def write_good_rows(
    stream: BinaryIO, pipeline: Pipeline, sink: BinaryIO, *, key: str, without: frozenset[int]
) -> int:
    """Write the file's rows but those with the given numbers, and return how many were written.

    Rows are counted as validation counts them: a number is the same row in both. The copy is not compressed.

    Args:
        stream: has `read(n)`; for Parquet also `seek` and `tell`.
        pipeline: its source says how the file is written.
        sink: has `write`.
        key: the file's key; one that ends in `.gz` is decompressed.
        without: the numbers of the bad rows, counted from 1 without a header.

    Raises:
        InvalidFile: when the file cannot be read to its end.
    """
    try:
        return WRITERS[pipeline.format](Source(stream, key), pipeline, sink, without)
    except Unreadable as stop:
        raise InvalidFile(f"{key}: {stop}") from None


def _write_csv(source: Source, pipeline: Pipeline, sink: BinaryIO, without: frozenset[int]) -> int:
    assert pipeline.source.format == "csv"
    dialect = Dialect.of(pipeline.source)
    number, dropped = -1, 0  # the header is row 0
    for block in blocks(source.text_chunks(), dialect):
        data, kept = memoryview(block.data), 0
        for start, end in block.spans(dialect):
            number += 1
            if number in without:
                dropped += 1
                sink.write(data[kept:start])
                kept = end
        sink.write(data[kept:])
    return number - dropped


def _write_ndjson(source: Source, pipeline: Pipeline, sink: BinaryIO, without: frozenset[int]) -> int:
    written = 0
    for rows in _good_json(source, pipeline, without, json_file.ndjson_pieces):
        written += len(rows)
        sink.write(b"\n".join([*rows, b""]))
    return written


def _write_json(source: Source, pipeline: Pipeline, sink: BinaryIO, without: frozenset[int]) -> int:
    written = 0
    for rows in _good_json(source, pipeline, without, json_file.json_pieces):
        sink.write((b",\n" if written else b"[\n") + b",\n".join(rows))
        written += len(rows)
    sink.write(b"\n]\n" if written else b"[]\n")
    return written


def _good_json(
    source: Source,
    pipeline: Pipeline,
    without: frozenset[int],
    pieces: Callable[[Source, Pipeline, Findings], Iterator[Piece]],
) -> Iterator[list[bytes]]:
    for piece in pieces(source, pipeline, Findings(0)):
        found = [piece.data.strip()] if piece.single else piece.raw_rows
        rows = [row for number, row in enumerate(found, piece.row) if number not in without]
        if rows:
            yield rows


def _write_parquet(source: Source, _: Pipeline, sink: BinaryIO, without: frozenset[int]) -> int:
    from pyarrow import parquet  # noqa: PLC0415 - the other formats do without pyarrow

    from chalicelib.validation.arrow import mask  # noqa: PLC0415 - as above
    from chalicelib.validation.parquet_file import ROWS  # noqa: PLC0415 - as above

    file = parquet.ParquetFile(source.seekable(), memory_map=False, pre_buffer=False)
    first, written = 1, 0
    with parquet.ParquetWriter(sink, file.schema_arrow, compression="snappy") as writer:
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            numbers = range(first, first + batch.num_rows)
            good = batch.filter(mask(batch.num_rows, (n - first for n in numbers if n not in without)))
            writer.write_batch(good)
            first, written = first + batch.num_rows, written + good.num_rows
    return written


WRITERS: dict[str, Callable[[Source, Pipeline, BinaryIO, frozenset[int]], int]] = {
    "csv": _write_csv,
    "json": _write_json,
    "ndjson": _write_ndjson,
    "parquet": _write_parquet,
}
