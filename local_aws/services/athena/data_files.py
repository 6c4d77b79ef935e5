"""Writing a query's rows as data files below an S3 location."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.file_system import NULL_PARTITION
from local_aws.services.athena.objects import as_folder, split_uri
from local_aws.services.athena.sql_text import name, string

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_aws.services.athena.session import Session

MOST_PARTITIONS = 100  # Athena's own limit for one CTAS, INSERT or UNLOAD
_COMPRESSIONS = {
    "PARQUET": {
        "": "gzip",
        "GZIP": "gzip",
        "SNAPPY": "snappy",
        "ZSTD": "zstd",
        "LZ4": "lz4",
        "NONE": "uncompressed",
    },
    "TEXTFILE": {"": "gzip", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
    "JSON": {"": "gzip", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
    "ORC": {
        "": "zlib",
        "ZLIB": "zlib",
        "SNAPPY": "snappy",
        "ZSTD": "zstd",
        "LZ4": "lz4",
        "NONE": "uncompressed",
    },
}
_ENDINGS = {"gzip": ".gz", "zstd": ".zst", "none": ""}
# Hive escapes these in a partition's folder, and nothing else.
_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | {chr(code) for code in range(32)}


@dataclass(frozen=True)
class Layout:
    """How rows become files.

    Attributes:
        format: PARQUET, TEXTFILE, JSON or ORC.
        compression: as a client writes it; "" for Athena's default.
        delimiter: between the fields of TEXTFILE.
        keys: the partition columns, which are the last columns of the rows.
    """

    format: str
    compression: str = ""
    delimiter: str = "\x01"
    keys: Sequence[str] = field(default_factory=tuple)

    def codec(self) -> str:
        """Return the engine's name of the compression.

        Raises:
            QueryFailedError: the format or compression is not supported.
        """
        if self.format not in _COMPRESSIONS:
            raise unsupported(f"writing {self.format}")
        codecs = _COMPRESSIONS[self.format]
        if self.compression.upper() not in codecs:
            raise unsupported(f"{self.compression} compression of {self.format}")
        return codecs[self.compression.upper()]


@dataclass(frozen=True)
class Written:
    """What a query wrote: its rows, the files' addresses, and a location per partition's values."""

    rows: int
    files: list[str]
    partitions: dict[tuple[str, ...], str]


def write(session: Session, select: str, location: str, layout: Layout) -> Written:
    """Run `select` into local files and put these below `location`; nothing is put when the query fails.

    Raises:
        QueryFailedError: more partitions than Athena allows, or a format that is not supported.
    """
    codec = layout.codec()
    with tempfile.TemporaryDirectory(prefix="athena-") as directory:
        target = Path(directory, "out")
        rows = _copy(session, select, target, layout, codec)
        if not rows:
            return Written(0, [], {})
        found = list(_found(target, len(layout.keys)))
        partitions = {values for values, _ in found}
        if layout.keys and len(partitions) > MOST_PARTITIONS:
            raise QueryFailedError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets.",
            )
        return _upload(session, found, as_folder(location), layout, codec, rows)


def _copy(session: Session, select: str, target: Path, layout: Layout, codec: str) -> int:
    if layout.format == "ORC":
        return _write_orc(session, select, target, layout, codec)
    options = {
        "PARQUET": f"FORMAT parquet, COMPRESSION {codec}",
        "JSON": f"FORMAT json, COMPRESSION {codec}",
        "TEXTFILE": (
            f"FORMAT csv, HEADER false, DELIMITER {string(layout.delimiter)}, QUOTE '', ESCAPE '',"
            f" NULLSTR '\\N', COMPRESSION {codec}"
        ),
    }[layout.format]
    if layout.keys:
        options += f", PARTITION_BY ({', '.join(map(name, layout.keys))})"
    row = session.connection.execute(f"COPY ({select}) TO {string(str(target))} ({options})").fetchone()
    return int(row[0]) if row else 0


def _write_orc(session: Session, select: str, target: Path, layout: Layout, codec: str) -> int:
    from pyarrow import orc  # noqa: PLC0415 - most queries write no ORC

    if layout.keys:
        raise unsupported("partitioned ORC output")
    content = session.connection.sql(select).to_arrow_table()
    orc.write_table(content, target, compression=codec)
    return int(content.num_rows)


def _found(target: Path, keys: int) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Return each file with its partition's values, from DuckDB's quoted folders."""
    if target.is_file():
        yield (), target
        return
    for file in sorted(path for path in target.rglob("*") if path.is_file()):
        folders = file.relative_to(target).parts[:keys]
        yield tuple(unquote(folder.partition("=")[2]) for folder in folders), file


def _upload(
    session: Session,
    found: list[tuple[tuple[str, ...], Path]],
    location: str,
    layout: Layout,
    codec: str,
    rows: int,
) -> Written:
    ending = _ENDINGS.get(codec, "") if layout.format in ("TEXTFILE", "JSON") else ""
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    files, partitions = [], {}
    for values, path in found:
        at = location + "".join(f"{k}={_escaped(v)}/" for k, v in zip(layout.keys, values, strict=True))
        uri = f"{at}{stamp}_00000_{uuid.uuid4().hex[:5]}_{uuid.uuid4()}{ending}"
        bucket, key = split_uri(uri)
        with path.open("rb") as body:
            session.s3.put_object(Bucket=bucket, Key=key, Body=body)
        files.append(uri)
        if layout.keys:
            partitions[values] = at
    return Written(rows, files, partitions)


def _escaped(value: str) -> str:
    if value in ("", NULL_PARTITION):
        return NULL_PARTITION
    return "".join(f"%{ord(each):02X}" if each in _ESCAPED else each for each in value)
