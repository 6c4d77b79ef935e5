"""A file's rows as typed pyarrow columns, checked on the way."""

from __future__ import annotations

import tempfile
from array import array
from operator import attrgetter
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec
import pyarrow as pa

from chalicelib.errors import InvalidFile
from chalicelib.validation import csv_rows, json_file
from chalicelib.validation.arrow import arrow_type, count_lines, exact_cast, mask, sift, text_array
from chalicelib.validation.csv_columns import BlockChecker, parse_blocks
from chalicelib.validation.csv_file import read_header
from chalicelib.validation.findings import Findings, Unreadable
from chalicelib.validation.json_columns import json_columns
from chalicelib.validation.json_pieces import Piece
from chalicelib.validation.parquet_file import checked_columns
from chalicelib.validation.records import Dialect, blocks
from chalicelib.validation.rules import pipeline_rules
from chalicelib.validation.source import Source, read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chalicelib.pipeline import Column, Pipeline
    from chalicelib.validation.header import Header
    from chalicelib.validation.records import Block
    from chalicelib.validation.rules import ColumnRules

    Pieces = Callable[[Source, Pipeline, Findings], Iterator[Piece]]

BATCH = 1 << 20
"""Bytes of JSON whose rows become one batch."""

Columns = dict[str, pa.Array]


def typed_columns(stream: BinaryIO, pipeline: Pipeline, key: str) -> Iterator[Columns]:
    """Yield a file part by part: declared columns in their types, undeclared ones as text.

    Raises:
        InvalidFile: at the first part with a bad row, and at the end for what only shows there.
    """
    findings = Findings(1)
    source = Source(stream, key)
    try:
        for columns in READERS[pipeline.format](source, pipeline, findings):
            _refuse(findings)
            if columns:
                yield columns
    except Unreadable as stop:
        raise InvalidFile(f"{key}: {stop}") from None
    _refuse(findings)
    _refuse_count(findings, pipeline, key)


def _refuse(findings: Findings) -> None:
    if findings.bad_rows:
        defect = findings.defects[0]
        raise InvalidFile(f"{defect.place}: {defect.message}")


def _refuse_count(findings: Findings, pipeline: Pipeline, key: str) -> None:
    if findings.rows < pipeline.fewest_rows or findings.rows > (pipeline.most_rows or findings.rows):
        allowed = f"{pipeline.fewest_rows:,} to {pipeline.most_rows}"
        raise InvalidFile(f"{key}: {findings.rows:,} rows; the pipeline allows {allowed}")


def _csv(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[Columns]:
    assert pipeline.source.format == "csv"
    dialect = Dialect.of(pipeline.source)
    with read_ahead(blocks(source.text_chunks(), dialect, count_lines)) as ahead:
        header, found = read_header(ahead, dialect, pipeline, findings)
        checker = BlockChecker(dialect, header, findings)
        for block, parsed in parse_blocks(found, dialect, header):
            columns = checker.check(block, parsed)
            yield columns or _from_rows(block, dialect, header)
        checker.finish()
        yield {}


def _from_rows(block: Block, dialect: Dialect, header: Header) -> Columns:
    """Build the columns of a block that pyarrow could not parse; its rows were checked."""
    rows = [cells for cells in csv_rows.split_rows(block, dialect) if len(cells) == len(header.names)]
    texts = [text_array([cell or None for cell in cells]) for cells in zip(*rows, strict=True)]
    columns = dict(zip(header.names, texts, strict=True)) if rows else {}
    for rules in header.rules if columns else ():
        values = exact_cast(columns[rules.name], rules)
        columns[rules.name] = sift(columns[rules.name], rules)[0] if values is None else values
    return columns


def _json(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[Columns]:
    yield from _rows(source, pipeline, findings, json_file.json_pieces)


def _ndjson(source: Source, pipeline: Pipeline, findings: Findings) -> Iterator[Columns]:
    yield from _rows(source, pipeline, findings, json_file.ndjson_pieces)


def _rows(source: Source, pipeline: Pipeline, findings: Findings, pieces: Pieces) -> Iterator[Columns]:
    if pipeline.extra_columns == "keep":
        yield from _rows_with_extras(source, pipeline, findings, pieces)
        return
    collected = RowColumns(pipeline_rules(pipeline), ())
    # Rows are checked in one thread while pyarrow, which needs no interpreter, converts those before.
    with read_ahead(_batches(pieces(source, pipeline, findings), findings)) as ahead:
        for batch in ahead:
            for piece in batch:
                collected.add(piece)
            yield collected.take()


def _batches(pieces: Iterator[Piece], findings: Findings) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        _refuse(findings)
        batch.append(piece)
        size += len(piece.data)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    yield batch


def _rows_with_extras(
    source: Source, pipeline: Pipeline, findings: Findings, pieces: Any
) -> Iterator[Columns]:
    """Read twice: which undeclared keys there are is known only at the end."""
    with tempfile.TemporaryFile(prefix="decant-rows-") as spool:
        sizes = []
        for piece in pieces(source, pipeline, findings):
            _refuse(findings)
            spool.write(piece.data)
            sizes.append((len(piece.data), piece.lines))
        declared = {column.name for column in pipeline.columns}
        extra = tuple(name for name in findings.columns if name not in declared)
        collected = RowColumns(pipeline_rules(pipeline), extra)
        spool.seek(0)
        for size, lines in sizes:
            collected.add(Piece(spool.read(size), lines=lines, row=0, line=None))
            if collected.full:
                yield collected.take()
        yield collected.take()


class RowColumns:
    """JSON rows that were found good, gathered into columns."""

    def __init__(self, rules: tuple[ColumnRules, ...], extra: tuple[str, ...]) -> None:
        self._rules = rules
        self._extra = extra
        names = [column.name for column in rules] + list(extra)
        kinds = [JSON_TYPES[column.column.type] for column in rules] + [msgspec.Raw] * len(extra)
        fields = [(f"c{number}", kind, None) for number, kind in enumerate(kinds)]
        rename = {f"c{number}": name for number, name in enumerate(names)}
        row = msgspec.defstruct("Row", fields, rename=rename, gc=False)
        self._decode_array = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._decode_lines = msgspec.json.Decoder(row).decode_lines
        self._pieces: list[Piece] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether there is enough for a batch."""
        return self._size >= BATCH

    def add(self, piece: Piece) -> None:
        """Keep the rows of a piece for the next batch."""
        self._pieces.append(piece)
        self._size += len(piece.data)

    def take(self) -> Columns:
        """Return the rows gathered so far as columns, and start again."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        if not pieces:
            return {}
        columns = None if self._extra else json_columns(map(_lines, pieces), self._rules)
        return self._from_values(pieces) if columns is None else columns

    def _from_values(self, pieces: list[Piece]) -> Columns:
        """Build the columns from Python's values, where pyarrow cannot or must not."""
        rows: list[Any] = []
        for piece in pieces:
            whole = piece.data if piece.lines else b"[" + piece.data + b"]"
            rows += self._decode_lines(whole) if piece.lines else self._decode_array(whole)
        columns: Columns = {}
        for number, rules in enumerate(self._rules):
            columns[rules.name] = _column(list(map(attrgetter(f"c{number}"), rows)), rules)
        for number, name in enumerate(self._extra, len(self._rules)):
            columns[name] = text_array([_extra_text(getattr(row, f"c{number}")) for row in rows])
        return columns


def _lines(piece: Piece) -> bytes:
    """Return the rows of a piece with a line end after each."""
    if piece.lines:
        return piece.data if piece.data.endswith(b"\n") else piece.data + b"\n"
    return b"\n".join([*msgspec.json.decode(b"[" + piece.data + b"]", type=list[msgspec.Raw]), b""])


JSON_TYPES: dict[str, Any] = {
    "integer": int | None,
    "decimal": msgspec.Raw,
    "float": float | None,
    "boolean": bool | None,
    "date": str | None,
    "timestamp": str | None,
    "text": str | None,
}


EMPTY_DECIMALS = frozenset({"", "null"})


def _column(values: list[Any], rules: ColumnRules) -> pa.Array:
    kind = rules.column.type
    if kind in {"integer", "float"}:
        numbers = array(
            "q" if kind == "integer" else "d",
            values if None not in values else [value or 0 for value in values],
        )
        return _numbers(numbers, values, arrow_type(rules.column))
    if kind == "boolean":
        texts = [None if value is None else str(value) for value in values]
    elif kind == "decimal":
        joined = b"\n".join([b"" if value is None else value for value in values]).decode()
        texts = [None if text in EMPTY_DECIMALS else text for text in joined.replace('"', "").split("\n")]
    else:
        texts = [value or None for value in values]
    column = text_array(texts)
    cast_ = exact_cast(column, rules)
    return sift(column, rules)[0] if cast_ is None else cast_


def _numbers(numbers: array[Any], values: list[Any], kind: pa.DataType) -> pa.Array:
    valid = None
    if None in values:
        valid = mask(
            len(values), (index for index, value in enumerate(values) if value is not None)
        ).buffers()[1]
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(numbers)])


def _extra_text(raw: msgspec.Raw | None) -> str | None:
    """Return an undeclared value as text: a string's content, or the JSON of anything else."""
    if raw is None:
        return None
    text = bytes(raw).decode()
    if text.startswith('"'):
        return cast("str", msgspec.json.decode(raw)) or None
    return None if text == "null" else text


READERS: dict[str, Callable[[Source, Pipeline, Findings], Iterator[Columns]]] = {
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "parquet": checked_columns,
}


def declared_batches(stream: BinaryIO, pipeline: Pipeline, key: str) -> Iterator[pa.RecordBatch]:
    """Yield the declared columns alone, as `typed_columns` does."""
    schema = declared_schema(pipeline.columns)
    for columns in typed_columns(stream, pipeline, key):
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def declared_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Return the schema of the declared columns."""
    return pa.schema([(column.name, arrow_type(column)) for column in columns])
