"""UNLOAD: a query's rows, as they come, into objects of S3."""

from __future__ import annotations

import json
import tempfile
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from local_aws.services.redshift.failures import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_aws.services.redshift.commands import Unload
    from local_aws.services.redshift.objects import Objects
    from local_aws.services.redshift.wire import Channel

BLOCK_BYTES = 4 * 1024 * 1024
IN_MEMORY_BYTES = 16 * 1024 * 1024
COMPRESSIONS = {"GZIP": ("gzip", ".gz"), "ZSTD": ("zstd", ".zst"), "BZIP2": ("bz2", ".bz2")}

# PostgreSQL's type numbers; any other type is written as text.
_ARROW: dict[int, pa.DataType] = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 700: pa.float32(), 701: pa.float64(),
    1082: pa.date32(), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
_NUMERIC = 1700


class Rows:
    """The CSV text that PostgreSQL sends, as a file to read from."""

    closed = False

    def __init__(self, server: Channel) -> None:
        self._server = server
        self._rest = b""
        self._ended = False
        self.error: bytes | None = None  # PostgreSQL's own message, when the query failed midway

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; none at the end."""
        pieces, length = [self._rest], len(self._rest)
        while not self._ended and (size < 0 or length < size):
            piece = self._next()
            pieces.append(piece)
            length += len(piece)
        data = b"".join(pieces)
        size = len(data) if size < 0 else size
        self._rest = data[size:]
        return data[:size]

    def _next(self) -> bytes:
        kind, whole = self._server.next()
        if kind == b"d":
            return whole[5:]
        if kind == b"c":
            self._ended = True
        elif kind == b"E":
            self.error = whole
            self._ended = True
        return b""

    def drain(self) -> None:
        """Throw away what is left, so that the conversation can go on."""
        self._rest = b""
        while not self._ended:
            self._next()

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def write(unload: Unload, columns: Sequence[tuple[str, int, int]], rows: Rows, objects: Objects) -> None:
    """Write every row.

    Raises:
        WarehouseError: the target isn't empty, or S3 refused.
    """
    _prepare(unload, objects)
    schema = pa.schema([(name, _arrow(number, modifier)) for name, number, modifier in columns])
    target = _Target(unload, schema, objects)
    for batch in _batches(rows, schema):
        target.add(batch)
    target.finish()


def _prepare(unload: Unload, objects: Objects) -> None:
    if "CLEANPATH" in unload.switches:
        objects.remove(unload.target)
    elif "ALLOWOVERWRITE" not in unload.switches and objects.keys(unload.target):
        raise WarehouseError(
            f"Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
            f"manually removing the target files in S3, or using the ALLOWOVERWRITE option: {unload.target}"
        )


def _arrow(number: int, modifier: int) -> pa.DataType:
    if number == _NUMERIC and modifier > 0:
        return pa.decimal128(((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF)
    if number == _NUMERIC:
        return pa.decimal128(38, 10)  # without a precision of its own, as of a sum
    return _ARROW.get(number, pa.string())


def _batches(rows: Rows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    # Decimals are converted from text: Arrow's reader refuses one with fewer digits than the scale.
    read = {f.name: pa.string() if pa.types.is_decimal(f.type) else f.type for f in _numbered(schema)}
    try:
        reader = pa.csv.open_csv(
            pa.PythonFile(rows, mode="r"),
            pa.csv.ReadOptions(block_size=BLOCK_BYTES, column_names=list(read), use_threads=False),
            pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(read) > 1),
            pa.csv.ConvertOptions(
                column_types=read,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                timestamp_parsers=[pa.csv.ISO8601, "%Y-%m-%d %H:%M:%S%z"],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    for batch in reader:
        arrays = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _numbered(schema: pa.Schema) -> list[pa.Field]:
    return [pa.field(f"c{index}", field.type) for index, field in enumerate(schema)]


class _Target:
    """The objects that an UNLOAD makes: one at a time for each partition."""

    def __init__(self, unload: Unload, schema: pa.Schema, objects: Objects) -> None:
        self._unload = unload
        self._objects = objects
        self._schema = schema
        self._partitions = [self._position(name) for name in unload.partition_by]
        kept = "INCLUDE" in unload.switches
        self._written = [i for i in range(len(schema)) if kept or i not in self._partitions]
        self._open: dict[str, _Part] = {}
        self._counts: dict[str, int] = {}
        self._entries: list[dict[str, Any]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        for folder, part in self._split(batch):
            self._part(folder).write(part)
            if self._open[folder].size() >= self._unload.maximum_bytes:
                self._finish(folder)

    def finish(self) -> None:
        if not self._counts and not self._partitions:
            self._part("")  # a query without rows still leaves a file with its columns
        for folder in list(self._open):
            self._finish(folder)
        if "MANIFEST" in self._unload.switches:
            self._write_manifest()

    def _position(self, name: str) -> int:
        position = self._schema.get_field_index(name.lower())
        if position < 0:
            raise WarehouseError(f"Partition column {name} doesn't exist in the query's result", code="42703")
        return position

    def _split(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        if not self._partitions:
            yield "", batch.select(self._written)
            return
        names = [self._schema.field(i).name for i in self._partitions]
        texts = [
            pc.fill_null(batch.column(i).cast(pa.string()), "__HIVE_DEFAULT_PARTITION__")
            for i in self._partitions
        ]
        folders = pc.binary_join_element_wise(
            *[pc.binary_join_element_wise(n, t, "=") for n, t in zip(names, texts, strict=True)], "/"
        )
        for folder in pc.unique(folders).to_pylist():
            yield folder + "/", batch.filter(pc.equal(folders, folder)).select(self._written)

    def _part(self, folder: str) -> _Part:
        if folder not in self._open:
            number = self._counts.get(folder, 0)
            self._counts[folder] = number + 1
            schema = pa.schema([self._schema.field(i) for i in self._written])
            self._open[folder] = _Part(self._unload, schema, self._address(folder, number))
        return self._open[folder]

    def _address(self, folder: str, number: int) -> str:
        target = self._unload.target
        if folder and not target.endswith("/"):
            target += "/"
        return f"{target}{folder}0000_part_{number:02d}{_suffix(self._unload)}"

    def _finish(self, folder: str) -> None:
        part = self._open.pop(folder)
        size, rows = part.store(self._objects)
        meta = {"content_length": size, "record_count": rows}
        self._entries.append({"url": part.address, "meta": meta})

    def _write_manifest(self) -> None:
        with tempfile.TemporaryFile() as file:
            document: dict[str, Any] = {"entries": self._entries}
            if "VERBOSE" in self._unload.switches:
                document["meta"] = {
                    "content_length": sum(entry["meta"]["content_length"] for entry in self._entries),
                    "record_count": sum(entry["meta"]["record_count"] for entry in self._entries),
                }
            file.write(json.dumps(document).encode())
            self._objects.write(f"{self._unload.target}manifest", file)


def _suffix(unload: Unload) -> str:
    if "extension" in unload.values:
        return f".{unload.values['extension']}"
    if unload.format == "parquet":
        return ".parquet"
    compressed = next((suffix for name, (_, suffix) in COMPRESSIONS.items() if name in unload.switches), "")
    return {"csv": ".csv", "json": ".json"}.get(unload.format, "") + compressed if compressed else ""


class _Part:
    """One object while it is being written, in a temporary file."""

    def __init__(self, unload: Unload, schema: pa.Schema, address: str) -> None:
        self.address = address
        self._unload = unload
        self._rows = 0
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - store() closes it
        codec = next((codec for name, (codec, _) in COMPRESSIONS.items() if name in unload.switches), None)
        self._sink: Any = self._file
        if codec and unload.format != "parquet":
            self._sink = pa.CompressedOutputStream(pa.PythonFile(self._file, mode="w"), codec)
        self._parquet = pa.parquet.ParquetWriter(self._sink, schema) if unload.format == "parquet" else None
        if "HEADER" in unload.switches and unload.format != "parquet":
            self._sink.write(self._delimiter().join(schema.names).encode() + b"\n")

    def size(self) -> int:
        return self._file.tell()

    def write(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        if self._parquet:
            self._parquet.write_batch(batch)
        elif self._unload.format == "json":
            for row in batch.to_pylist():
                present = {name: value for name, value in row.items() if value is not None}
                self._sink.write(json.dumps(present, default=str, ensure_ascii=False).encode() + b"\n")
        else:
            self._write_text(batch)

    def store(self, objects: Objects) -> tuple[int, int]:
        if self._parquet:
            self._parquet.close()
        if self._sink is not self._file:
            self._sink.close()
        size = objects.write(self.address, self._file, self._unload.values.get("kms_key"))
        self._file.close()
        return size, self._rows

    def _delimiter(self) -> str:
        return self._unload.values.get("delimiter", "," if self._unload.format == "csv" else "|")

    def _write_text(self, batch: pa.RecordBatch) -> None:
        import csv  # noqa: PLC0415 - the other formats don't need it
        import io  # noqa: PLC0415

        out = io.StringIO(newline="")
        always = "ADDQUOTES" in self._unload.switches
        is_csv = self._unload.format == "csv"
        quoting: Any = csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL if is_csv else csv.QUOTE_NONE
        writer = csv.writer(
            out, delimiter=self._delimiter(), quoting=quoting, lineterminator="\n",
            escapechar=None if is_csv or always else "\\", quotechar='"' if is_csv or always else None,
        )  # fmt: skip
        null = self._unload.values.get("null", "")
        texts = [_text(array) for array in batch.columns]
        for row in zip(*texts, strict=True):
            writer.writerow([null if value is None else value for value in row])
        self._sink.write(out.getvalue().encode())


def _text(array: pa.Array) -> list[str | None]:
    if pa.types.is_boolean(array.type):
        return [None if v is None else "t" if v else "f" for v in array.to_pylist()]
    if pa.types.is_timestamp(array.type):
        return [None if v is None else str(v) for v in array.to_pylist()]
    if pa.types.is_floating(array.type):
        return [None if v is None else repr(v) for v in array.to_pylist()]
    return list(array.cast(pa.string()).to_pylist())
