"""What a file holds: its format, its columns and their Hive types, read from its beginning."""

from __future__ import annotations

import json
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from local_aws.services.glue.object_reader import ObjectReader

if TYPE_CHECKING:
    from local_aws.services.glue.folders import DataFile

BEGINNING = 1024 * 1024  # bytes; Glue's classifiers read the first megabyte as well
HIVE_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "decimal(38,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}


class NotData(Exception):
    """The file is empty or of no format that is known here."""


@dataclass(frozen=True)
class Schema:
    """A file's format (csv, json or parquet), its columns as (name, Hive type), and how it is written."""

    format: str
    columns: tuple[tuple[str, str], ...]
    delimiter: str = ","
    quote: str = '"'
    header: bool = False
    quoted: bool = False
    records: int | None = None
    extra: dict[str, str] = field(default_factory=dict, hash=False)


def infer(s3: Any, bucket: str, file: DataFile) -> Schema:
    """Return a file's schema.

    Raises:
        NotData: it is empty or of an unknown format.
    """
    beginning = _beginning(s3, bucket, file)
    if beginning.startswith(b"PAR1"):
        return _parquet(s3, bucket, file)
    if b"\0" in beginning or not beginning.strip():
        raise NotData(file.key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "beginning"
        path.write_bytes(beginning)
        if beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
            return _json(path, beginning, file)
        return _csv(path, file)


def merged(schemas: list[Schema]) -> Schema:
    """Return one schema for a table's files: all columns as they appear, in types wide enough."""
    first = schemas[0]
    columns: dict[str, str] = {}
    for schema in schemas:
        if schema.format != first.format:
            continue  # Glue too takes the format of most files; a stray file does not change the table
        for name, kind in schema.columns:
            columns[name] = wider(columns[name], kind) if name in columns else kind
    return Schema(
        first.format, tuple(columns.items()), first.delimiter, first.quote, first.header, first.quoted
    )


def wider(one: str, other: str) -> str:
    """Return a type that holds values of both."""
    if one == other:
        return one
    order = ["tinyint", "smallint", "int", "bigint", "double"]
    if one in order and other in order:
        return order[max(order.index(one), order.index(other))]
    if {one, other} == {"date", "timestamp"}:
        return "timestamp"
    return "string"


def _beginning(s3: Any, bucket: str, file: DataFile) -> bytes:
    last = min(file.size, BEGINNING) - 1
    data: bytes = s3.get_object(Bucket=bucket, Key=file.key, Range=f"bytes=0-{last}")["Body"].read()
    cut = file.size > BEGINNING
    if data.startswith(b"\x1f\x8b"):
        decompressor = zlib.decompressobj(wbits=31)
        data = decompressor.decompress(data, BEGINNING)
        cut = not decompressor.eof
    if cut and not data.startswith(b"PAR1"):
        data = data[: data.rfind(b"\n") + 1] or data
    return data


def _parquet(s3: Any, bucket: str, file: DataFile) -> Schema:
    parquet = pq.ParquetFile(pa.PythonFile(ObjectReader(s3, bucket, file.key, file.size), mode="r"))
    columns = tuple((column.name.lower(), _arrow_type(column.type)) for column in parquet.schema_arrow)
    return Schema("parquet", columns, records=parquet.metadata.num_rows)


def _json(path: Path, beginning: bytes, file: DataFile) -> Schema:
    array = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if array and file.size > BEGINNING:
        whole = beginning[: beginning.rfind(b"}") + 1]  # the array's first objects
        path.write_bytes(_closed(whole))
    with duckdb.connect() as connection:
        try:
            described = connection.execute(
                "DESCRIBE SELECT * FROM read_json(?, union_by_name = true, sample_size = -1,"
                " maximum_object_size = 16777216)",
                [str(path)],
            ).fetchall()
        except duckdb.Error as error:
            raise NotData(file.key) from error
        columns = tuple((row[0].lower(), _duckdb_type(row[1])) for row in described)
    return Schema("json", columns, extra={"jsonPath": "$[*]"} if array else {})


def _closed(text: bytes) -> bytes:
    """Return the longest beginning of an array of objects that is JSON once `]` is added."""
    decoder = json.JSONDecoder()
    body = text.decode(errors="ignore")
    position, end = body.index("[") + 1, body.index("[") + 1
    try:
        while True:
            while body[position] in " \t\r\n,":
                position += 1
            _, position = decoder.raw_decode(body, position)
            end = position
    except (ValueError, IndexError):
        return (body[:end] + "]").encode()


def _csv(path: Path, file: DataFile) -> Schema:
    with duckdb.connect() as connection:
        try:
            sniffed = connection.execute(
                "SELECT Delimiter, Quote, HasHeader, Columns FROM sniff_csv(?, sample_size = -1)", [str(path)]
            ).fetchone()
        except duckdb.Error as error:
            raise NotData(file.key) from error
    assert sniffed
    delimiter, quote, header, found = sniffed
    columns = tuple(
        (column["name"].lower() if header else f"col{position}", _duckdb_type(column["type"]))
        for position, column in enumerate(found)
    )
    if len(columns) == 1 and not header:
        raise NotData(file.key)  # lines of text; Glue's CSV classifier wants two columns
    quoted = b'"' in path.read_bytes()
    return Schema("csv", columns, delimiter, quote if quote.strip("\0") else '"', header, quoted)


def _duckdb_type(name: str) -> str:
    if name in HIVE_TYPES:
        return HIVE_TYPES[name]
    if name.startswith("DECIMAL"):
        return name.lower()
    if name.endswith("[]"):
        return f"array<{_duckdb_type(name[:-2])}>"
    if name.startswith("STRUCT("):
        fields = (_field(part) for part in _split(name[len("STRUCT(") : -1]))
        return f"struct<{','.join(f'{field}:{_duckdb_type(kind)}' for field, kind in fields)}>"
    if name.startswith("MAP("):
        key, value = _split(name[len("MAP(") : -1])
        return f"map<{_duckdb_type(key.strip())},{_duckdb_type(value.strip())}>"
    return "string"


def _field(part: str) -> tuple[str, str]:
    part = part.strip()
    if part.startswith('"'):
        name, _, kind = part[1:].partition('" ')
    else:
        name, _, kind = part.partition(" ")
    return name, kind


def _split(text: str) -> list[str]:
    """Split at the commas outside brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == '"'
        if not quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _arrow_type(kind: pa.DataType) -> str:  # noqa: PLR0911 - a line for each kind of type
    if pa.types.is_dictionary(kind):
        return _arrow_type(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{_arrow_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{each.name}:{_arrow_type(each.type)}' for each in kind)}>"
    if pa.types.is_map(kind):
        return f"map<{_arrow_type(kind.key_type)},{_arrow_type(kind.item_type)}>"
    return ARROW_TYPES.get(str(kind), "string")


ARROW_TYPES = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "float": "float",
    "double": "double",
    "date32[day]": "date",
    "binary": "binary",
    "large_binary": "binary",
}
