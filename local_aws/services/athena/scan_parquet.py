"""Parquet files: columns by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.athena.failure import QueryFailedError
from local_aws.services.athena.sql_text import name
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from local_aws.services.athena.scan import Scan

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT"})
_UNSIGNED = frozenset({"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_FLOATS = frozenset({"FLOAT", "REAL", "DOUBLE"})
_TEXT = frozenset({"VARCHAR", "TEXT", "JSON"})
_FAMILIES = (_INTEGERS | _UNSIGNED, _FLOATS, _TEXT)
_PHYSICAL = {"VARCHAR": "BINARY", "BLOB": "BINARY", "BIGINT": "INT64", "INTEGER": "INT32"}


def columns(scan: Scan) -> tuple[list[str], str]:
    """Return an expression per column, and the source. A column that no file has is NULL.

    Raises:
        QueryFailedError: a file holds another kind of value than the catalogue says.
    """
    source = f"read_parquet({scan.list()}, union_by_name = true, {scan.options()})"
    found = {row[0].lower(): row[1] for row in scan.connection.execute(f"DESCRIBE FROM {source}").fetchall()}
    return [_column(scan, column["Name"], column["Type"], found) for column in scan.table.columns], source


def _column(scan: Scan, column: str, hive: str, found: dict[str, str]) -> str:
    wanted = duckdb_type(hive)
    held = found.get(column.lower())
    if held is None:
        return f"CAST(NULL AS {wanted})"
    if not _fits(held, wanted):
        raise QueryFailedError(
            "HIVE_BAD_DATA",
            f"Field {column}'s type {_PHYSICAL.get(held, held)} in parquet file"
            f" {scan.table.location} is incompatible with type {hive} defined in table schema",
        )
    return f"CAST({name(column)} AS {wanted})"


def _fits(held: str, wanted: str) -> bool:
    held, wanted = held.upper(), wanted.upper()
    if any(held in family and wanted in family for family in _FAMILIES):
        return True
    if held == "BLOB" and wanted in _TEXT:  # a string without the UTF8 annotation
        return True
    for word in ("DECIMAL", "TIMESTAMP", "STRUCT", "MAP"):
        if held.startswith(word) or wanted.startswith(word):
            return (
                held.startswith(word)
                and wanted.startswith(word)
                and held.endswith("]") == wanted.endswith("]")
            )
    if held.endswith("[]") and wanted.endswith("[]"):
        return _fits(held[:-2], wanted[:-2])
    return held == wanted
