"""The objects of a COPY as Arrow batches whose columns are the target's, in order."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from local_aws.services.redshift.failures import WarehouseError
from local_aws.services.redshift.parquet_types import check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_aws.services.redshift.columns import Column
    from local_aws.services.redshift.commands import Copy
    from local_aws.services.redshift.objects import Objects, Source

BLOCK_BYTES = 4 * 1024 * 1024
BATCH_ROWS = 32 * 1024
COMPRESSIONS = {"GZIP": "gzip", "ZSTD": "zstd", "BZIP2": "bz2"}
TEXT = pa.string()


class BadRecordError(Exception):
    """A record of the source can't be taken apart."""

    def __init__(self, line: int, code: int, reason: str, raw: str = "", column: str = "") -> None:
        super().__init__(reason)
        self.line = line
        self.code = code
        self.reason = reason
        self.raw = raw
        self.column = column


def batches(
    objects: Objects, source: Source, copy: Copy, columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    """Yield one object's rows, a bounded number at a time.

    Raises:
        WarehouseError: the object as a whole can't be loaded.
        BadRecordError: one of its records can't.
    """
    if copy.format == "parquet":
        yield from _parquet(objects, source, copy, columns)
        return
    stream = _decompressed(objects.open(source), copy, source)
    if copy.format == "json":
        yield from _json(stream, copy, columns, objects)
    else:
        yield from _delimited(stream, copy, columns)


def _decompressed(stream: IO[bytes], copy: Copy, source: Source) -> Any:
    for switch, name in COMPRESSIONS.items():
        if switch in copy.switches:
            return _Checked(pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), name), source)
    return pa.PythonFile(stream, mode="r")


class _Checked:
    """A decompressing stream that says which object is broken."""

    closed = False

    def __init__(self, stream: Any, source: Source) -> None:
        self._stream = stream
        self._source = source

    def read(self, size: int = -1) -> bytes:
        try:
            return bytes(self._stream.read(size if size >= 0 else None))
        except (OSError, pa.ArrowException) as error:
            raise WarehouseError(f"The file {self._source.address} can't be decompressed: {error}") from error

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def _parquet(
    objects: Objects, source: Source, copy: Copy, columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    with objects.seekable(source) as file:
        try:
            parquet = pa.parquet.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise WarehouseError(
                "Spectrum Scan Error", detail=f"File '{source.address}' is not a Parquet file: {error}"
            ) from error
        check_schema(
            parquet.schema_arrow, columns, source.address, serialize="SERIALIZETOJSON" in copy.switches
        )
        try:
            yield from parquet.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise WarehouseError(
                "Spectrum Scan Error", detail=f"File '{source.address}' can't be read: {error}"
            ) from error


def _delimited(stream: Any, copy: Copy, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    if copy.skip:
        stream = _without_lines(stream, copy.skip)
    if "FILLRECORD" in copy.switches:
        yield from _filled(stream, copy, columns)
        return
    is_csv = copy.format == "csv"
    names = [f"c{index}" for index in range(len(columns))]
    skipped = 0

    def refused(row: pa.csv.InvalidRow) -> str:
        nonlocal skipped
        skipped += 1
        if skipped <= copy.max_errors:
            return "skip"
        raise _wrong_count(row.expected_columns, row.actual_columns, row.text)

    try:
        reader = pa.csv.open_csv(
            stream,
            pa.csv.ReadOptions(block_size=BLOCK_BYTES, column_names=names, use_threads=False),
            pa.csv.ParseOptions(
                delimiter=copy.values.get("delimiter", "," if is_csv else "|"),
                quote_char=copy.values.get("quote", '"')
                if is_csv or "REMOVEQUOTES" in copy.switches
                else False,
                double_quote=is_csv,
                escape_char="\\" if "ESCAPE" in copy.switches else False,
                newlines_in_values=is_csv or "ESCAPE" in copy.switches,
                ignore_empty_lines=is_csv or "IGNOREBLANKLINES" in copy.switches,
                invalid_row_handler=refused,
            ),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.binary() if "ACCEPTINVCHARS" in copy.switches else TEXT),
                null_values=[copy.values.get("null", "\\N")],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=True,
            ),
        )
        yield from reader
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        if "CSV parse error" in str(error) or "UTF8" in str(error):
            raise BadRecordError(0, 1214, str(error)) from error
        raise


def _wrong_count(expected: int, actual: int, text: str) -> BadRecordError:
    if actual > expected:
        return BadRecordError(0, 1202, f"Extra column(s) found: {actual} instead of {expected}", text)
    return BadRecordError(0, 1214, f"Delimiter not found: {actual} columns instead of {expected}", text)


def _without_lines(stream: Any, count: int) -> Any:
    """Return the stream behind its first `count` lines."""
    import io  # noqa: PLC0415 - only files with a header need it

    buffered = io.BufferedReader(_Raw(stream), BLOCK_BYTES)  # type: ignore[type-var]
    for _ in range(count):
        buffered.readline()
    return pa.PythonFile(buffered, mode="r")


class _Raw:
    """A stream as io.BufferedReader wants it."""

    closed = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def _filled(stream: Any, copy: Copy, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Read row by row, for rows that may end early."""
    import csv  # noqa: PLC0415 - the slow way, for FILLRECORD only
    import io  # noqa: PLC0415

    is_csv = copy.format == "csv"
    text = io.TextIOWrapper(io.BufferedReader(_Raw(stream), BLOCK_BYTES), encoding="utf-8", newline="")  # type: ignore[type-var]
    rows = csv.reader(
        text,
        delimiter=copy.values.get("delimiter", "," if is_csv else "|"),
        quotechar=copy.values.get("quote", '"') if is_csv else None,
        quoting=csv.QUOTE_MINIMAL if is_csv else csv.QUOTE_NONE,
        escapechar="\\" if "ESCAPE" in copy.switches else None,
    )
    null = copy.values.get("null", "\\N")
    width = len(columns)

    def record(row: list[str]) -> list[str | None]:
        if len(row) > width:
            error = _wrong_count(width, len(row), ",".join(row))
            error.line = rows.line_num + copy.skip
            raise error
        return [None if value == null else value for value in row] + [None] * (width - len(row))

    yield from _columnar((record(row) for row in rows if row), columns)


def _columnar(rows: Iterator[list[str | None]], columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    block: list[list[str | None]] = []
    names = [column.name for column in columns]
    for row in rows:
        block.append(row)
        if len(block) == BATCH_ROWS:
            yield _batch(block, names)
            block = []
    if block:
        yield _batch(block, names)


def _batch(block: list[list[str | None]], names: list[str]) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, TEXT) for values in zip(*block, strict=True)], names=names)


def _json(stream: Any, copy: Copy, columns: Sequence[Column], objects: Objects) -> Iterator[pa.RecordBatch]:
    if copy.json.startswith("s3://"):
        paths = [_path(path) for path in json.loads(objects.text(copy.json))["jsonpaths"]]
        if len(paths) != len(columns):
            raise WarehouseError(
                f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(paths)}, "
                f"Number of columns in table or column list: {len(columns)}"
            )
        pick = _by_path(paths)
    elif copy.json == "noshred":
        pick = _whole
    elif copy.json in {"auto", "auto ignorecase"}:
        pick = _by_name([column.name for column in columns], fold=copy.json == "auto ignorecase")
    else:
        raise WarehouseError(
            f"JSON '{copy.json}': expected 'auto', 'auto ignorecase', 'noshred' or a JSONPaths file"
        )
    yield from _columnar(
        ([_json_text(value) for value in pick(document)] for document in documents(stream)), columns
    )


def documents(stream: Any) -> Iterator[Any]:
    """Yield each of the JSON values that follow each other in a stream, however they are laid out."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=_Digits)
    held, number, ended = "", 0, False
    codec = __import__("codecs").getincrementaldecoder("utf-8-sig")()
    while True:
        held = held.lstrip(" \t\r\n")
        try:
            value, end = decoder.raw_decode(held) if held else (None, -1)
        except ValueError as error:
            value, end = None, -1
            if ended:
                raise BadRecordError(number + 1, 1213, f"Invalid JSON: {error}", held[:1000]) from error
        if end >= 0 and (end < len(held) or ended):
            number += 1
            held = held[end:]
            yield value
            continue
        if ended:
            return
        piece = stream.read(BLOCK_BYTES)
        ended = not piece
        held += codec.decode(piece, final=ended)


class _Digits(str):
    """A JSON number in its own digits, so that none is lost on the way."""

    __slots__ = ()


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _dumped(value)


def _dumped(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_dumped(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_dumped, value)) + "]"
    return str(value) if isinstance(value, _Digits) else json.dumps(value, ensure_ascii=False)


def _by_name(names: list[str], *, fold: bool) -> Any:
    def pick(document: Any) -> list[Any]:
        if not isinstance(document, dict):
            raise BadRecordError(0, 1213, "Each JSON value must be an object", _dumped(document)[:1000])
        if fold:
            document = {key.lower(): value for key, value in document.items()}
        return [document.get(name) for name in names]

    return pick


def _whole(document: Any) -> list[Any]:
    return [_dumped(document)]


def _path(text: str) -> list[str | int]:
    """Return the steps of a JSONPath such as $.a['b'][0]."""
    import re  # noqa: PLC0415 - only JSONPaths files need it

    steps: list[str | int] = []
    for name, index, quoted in re.findall(r"\.(\w+)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]", text):
        steps.append(int(index) if index else name or quoted)
    return steps


def _by_path(paths: list[list[str | int]]) -> Any:
    def pick(document: Any) -> list[Any]:
        return [_followed(document, path) for path in paths]

    return pick


def _followed(value: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
