"""The SELECT over a table's objects that gives its columns their catalogue types, by file format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.services.athena import scan_json, scan_orc, scan_parquet, scan_text
from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.file_system import NULL_PARTITION
from local_aws.services.athena.sql_text import name, string, strings
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import duckdb

    from local_aws.services.athena.catalogue import Table
    from local_aws.services.athena.file_system import QueryFileSystem
    from local_aws.services.athena.objects import S3Object

FILE = "$file"

_READERS = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.parquethiveserde": scan_parquet.columns,
    "org.apache.hadoop.hive.serde2.lazy.lazysimpleserde": scan_text.delimited,
    "org.apache.hadoop.hive.serde2.opencsvserde": scan_text.quoted,
    "org.apache.hadoop.hive.serde2.regexserde": scan_text.matched,
    "com.amazonaws.glue.serde.regexserde": scan_text.matched,
    "org.openx.data.jsonserde.jsonserde": scan_json.columns,
    "org.apache.hive.hcatalog.data.jsonserde": scan_json.columns,
    "org.apache.hadoop.hive.serde2.jsonserde": scan_json.columns,
    "org.apache.hadoop.hive.ql.io.orc.orcserde": scan_orc.columns,
}


@dataclass
class Scan:
    """What a reader needs: the table, the names of its files, and the engine to look into them with."""

    table: Table
    connection: duckdb.DuckDBPyConnection
    files: list[str]
    file_system: QueryFileSystem

    def options(self) -> str:
        """Return the options that every DuckDB reader shares: partition keys and the file's name."""
        options = f"filename = {string(FILE)}"
        if not self.table.keys:
            return options + ", hive_partitioning = false"
        keys = ", ".join(f"{string(k['Name'])}: {duckdb_type(k['Type'])}" for k in self.table.keys)
        return f"{options}, hive_partitioning = true, hive_types = {{{keys}}}"

    def list(self) -> str:
        """Return the files as a DuckDB list."""
        return strings(self.files)


def select(
    table: Table,
    connection: duckdb.DuckDBPyConnection,
    file_system: QueryFileSystem,
    contents: Sequence[tuple[Mapping[str, str], S3Object]],
) -> str:
    """Return the SELECT of a table's columns, its partition keys and "$path" over `contents`.

    Raises:
        QueryFailedError: its format is not supported, or a file does not fit its columns.
    """
    reader = _reader(table)
    footer = reader is scan_parquet.columns
    source_name = f"{table.database}.{table.name}"
    files = [file_system.add(source_name, values, found, footer=footer) for values, found in contents]
    names = [key["Name"] for key in table.keys]
    if not files:
        typed = [(c["Name"], duckdb_type(c["Type"])) for c in [*table.columns, *table.keys]]
        nulls = [f"CAST(NULL AS {type_}) AS {name(column)}" for column, type_ in typed]
        return f"SELECT {', '.join([*nulls, 'CAST(NULL AS VARCHAR) AS ' + name('$path')])} WHERE false"
    expressions, source = reader(Scan(table, connection, files, file_system))
    columns = [f"{e} AS {name(c['Name'])}" for e, c in zip(expressions, table.columns, strict=True)]
    path = f"'s3://' || url_decode(string_split({name(FILE)}, '/')[-1]) AS {name('$path')}"
    return f"SELECT {', '.join([*columns, *map(name, names), path])} FROM {source}"  # nosec B608  # see sql_text


def partition_values(table: Table, values: tuple[str, ...]) -> dict[str, str]:
    """Return a partition's values by key."""
    names = (key["Name"] for key in table.keys)
    return {key: value or NULL_PARTITION for key, value in zip(names, values, strict=True)}


def _reader(table: Table) -> Callable[[Scan], tuple[list[str], str]]:
    library, _ = table.serde
    if not library:
        raise QueryFailedError(
            "HIVE_INVALID_METADATA", f"Table {table.database}.{table.name} names no SerDe in the catalogue"
        )
    if table.properties.get("table_type", "").upper() == "ICEBERG":
        raise unsupported("Iceberg tables")
    reader = _READERS.get(library.lower())
    if reader is None:
        raise unsupported(f"the SerDe {library}")
    return reader
