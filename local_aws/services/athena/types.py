"""One type, three names: Hive's in the catalogue, Presto's in a result, DuckDB's in the engine."""

from __future__ import annotations

import functools
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from local_aws.services.athena.failure import QueryFailedError, unsupported

# DuckDB's type id -> (Presto's name, Hive's name). HUGEINT is what DuckDB sums integers into.
_SCALARS = {
    "boolean": ("boolean", "boolean"),
    "tinyint": ("tinyint", "tinyint"),
    "smallint": ("smallint", "smallint"),
    "integer": ("integer", "int"),
    "bigint": ("bigint", "bigint"),
    "hugeint": ("bigint", "bigint"),
    "utinyint": ("smallint", "smallint"),
    "usmallint": ("integer", "int"),
    "uinteger": ("bigint", "bigint"),
    "ubigint": ("bigint", "bigint"),
    "uhugeint": ("bigint", "bigint"),
    "float": ("real", "float"),
    "double": ("double", "double"),
    "varchar": ("varchar", "string"),
    "json": ("json", "string"),
    "enum": ("varchar", "string"),
    "blob": ("varbinary", "binary"),
    "date": ("date", "date"),
    "timestamp": ("timestamp(3)", "timestamp"),
    "timestamp_s": ("timestamp(3)", "timestamp"),
    "timestamp_ms": ("timestamp(3)", "timestamp"),
    "timestamp_ns": ("timestamp(3)", "timestamp"),
    "timestamp with time zone": ("timestamp(3) with time zone", "timestamp"),
    "time": ("time(3)", "string"),
    "time with time zone": ("time(3) with time zone", "string"),
    "interval": ("interval day to second", "string"),
    "uuid": ("uuid", "string"),
    "null": ("unknown", "string"),
}
# GetQueryResults' Precision, by type; decimals carry their own and strings the largest int.
_PRECISION = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "float": 17, "double": 17}
_MILLISECONDS = frozenset({"timestamp", "timestamp with time zone", "time", "time with time zone"})
_UNBOUNDED = 2147483647


def presto_type(type_: Any) -> str:
    """Return Presto's name of a DuckDB type, such as "array(varchar)"."""
    match type_.id:
        case "decimal":
            precision, scale = (value for _, value in type_.children)
            return f"decimal({precision},{scale})"
        case "list" | "array":
            return f"array({presto_type(type_.children[0][1])})"
        case "map":
            key, value = (child for _, child in type_.children)
            return f"map({presto_type(key)}, {presto_type(value)})"
        case "struct" | "tuple":
            return f"row({', '.join(f'{name} {presto_type(t)}'.strip() for name, t in type_.children)})"
    return _scalar(type_)[0]


def hive_type(type_: Any) -> str:
    """Return the name under which the catalogue keeps a DuckDB type, such as "array<string>"."""
    match type_.id:
        case "decimal":
            precision, scale = (value for _, value in type_.children)
            return f"decimal({precision},{scale})"
        case "list" | "array":
            return f"array<{hive_type(type_.children[0][1])}>"
        case "map":
            key, value = (child for _, child in type_.children)
            return f"map<{hive_type(key)},{hive_type(value)}>"
        case "struct" | "tuple":
            fields = (f"{name or f'field{at}'}:{hive_type(t)}" for at, (name, t) in enumerate(type_.children))
            return f"struct<{','.join(fields)}>"
    return _scalar(type_)[1]


def _scalar(type_: Any) -> tuple[str, str]:
    # DuckDB writes an alias such as JSON only in the type's text; its id is the type below it.
    name = "json" if str(type_) == "JSON" else type_.id
    if name not in _SCALARS:
        raise unsupported(f"the type {type_}")
    return _SCALARS[name]


def column_info(name: str, type_: Any) -> dict[str, Any]:
    """Return one column of GetQueryResults' ResultSetMetadata."""
    presto = presto_type(type_)
    short = presto.replace("(3)", "") if "(3)" in presto else presto.partition("(")[0]
    short = {"real": "float"}.get(short, short)
    precision, scale = _PRECISION.get(short, 0), 0
    if short == "decimal":
        precision, scale = (value for _, value in type_.children)
    elif short in _MILLISECONDS:
        precision = 3
    elif short in ("varchar", "varbinary", "json"):
        precision = _UNBOUNDED
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": short,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": short == "varchar",
    }


def text_column(name: str) -> dict[str, Any]:
    """Return the metadata of a column of SHOW, DESCRIBE and EXPLAIN."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": "string",
        "Precision": 0,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": False,
    }


@functools.lru_cache(maxsize=4096)
def duckdb_type(hive: str) -> str:
    """Return the DuckDB type of a catalogue type, such as "STRUCT(a INT)" of "struct<a:int>"."""
    try:
        parsed = exp.DataType.build(hive, dialect="hive")
    except SqlglotError as error:
        raise QueryFailedError("HIVE_INVALID_METADATA", f"Glue table has an unknown type {hive!r}") from error
    if parsed.this in (exp.DataType.Type.USERDEFINED, exp.DataType.Type.UNKNOWN):
        raise QueryFailedError("HIVE_INVALID_METADATA", f"Glue table has an unknown type {hive!r}")
    for part in parsed.find_all(exp.DataType):
        # DuckDB has no lengths; VARCHAR(n) of the catalogue would only be dropped with a warning.
        if part.this in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR):
            part.set("expressions", [])
    return parsed.sql(dialect="duckdb")


def catalogue_type(kind: exp.DataType) -> str:
    """Return a DDL column's type as the catalogue keeps it: lower case, no blanks."""
    text = kind.sql(dialect="hive")
    return "".join(text.split()).lower() if "`" not in text else text.replace(": ", ":").replace(", ", ",")
