"""Presto's functions and operators that DuckDB lacks or answers with another type, as DuckDB macros."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping

# Overloads are chosen by the argument's type. Presto keeps DATE where DuckDB widens to TIMESTAMP.
_MACROS: Mapping[str, str] = {
    "presto_divide": (
        "(a INTEGER, b INTEGER) AS a // b, (a BIGINT, b BIGINT) AS a // b, (a DOUBLE, b DOUBLE) AS a / b"
    ),
    "presto_plus": (
        "(a DATE, b INTERVAL) AS CAST(a + b AS DATE), (a TIMESTAMP, b INTERVAL) AS a + b,"
        " (a TIMESTAMPTZ, b INTERVAL) AS a + b, (a TIME, b INTERVAL) AS a + b"
    ),
    "presto_trunc": (
        "(u, d DATE) AS CAST(date_trunc(u, d) AS DATE), (u, d TIMESTAMP) AS date_trunc(u, d),"
        " (u, d TIMESTAMPTZ) AS date_trunc(u, d)"
    ),
    "presto_typeof": (
        "(x) AS CASE typeof(x) WHEN 'HUGEINT' THEN 'bigint' WHEN 'FLOAT' THEN 'real'"
        " WHEN 'BLOB' THEN 'varbinary' WHEN 'TIMESTAMP' THEN 'timestamp(3)'"
        " WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp(3) with time zone'"
        " WHEN 'TIME' THEN 'time(3)' WHEN 'INTERVAL' THEN 'interval day to second' WHEN 'NULL' THEN 'unknown'"
        " ELSE lower(typeof(x)) END"
    ),
    "presto_size": (
        "(x) AS CASE json_type(to_json(x)) WHEN 'OBJECT' THEN len(json_keys(to_json(x)))"
        " ELSE json_array_length(to_json(x)) END"
    ),
    "presto_entries": (
        "(x) AS list_transform(map_entries(x), lambda e: struct_pack(_0 := e.key, _1 := e.value))"
    ),
    "presto_repeat": "(x, n) AS list_transform(range(n), lambda i: x)",
    "presto_slice": "(x, start, length) AS list_slice(x, start, start + length - 1)",
    "width_bucket": (
        "(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1"
        " ELSE CAST(floor((x - low) / (high - low) * n) AS BIGINT) + 1 END"
    ),
    "is_json_scalar": "(j) AS json_type(j) NOT IN ('OBJECT', 'ARRAY')",
    "format_datetime": "(d, f) AS strftime(d, presto_joda(f))",
    "presto_joda": (
        "(f) AS replace(replace(replace(replace(replace(replace(replace(replace("
        "f, 'yyyy', '%Y'), 'MM', '%m'), 'dd', '%d'), 'HH', '%H'),"
        " 'mm', '%M'), 'ss', '%S'), 'SSS', '%g'), '''', '')"
    ),
    "from_iso8601_date": "(x) AS CAST(x AS DATE)",
    "to_iso8601": (
        "(x DATE) AS strftime(x, '%Y-%m-%d'), (x TIMESTAMP) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),"
        " (x TIMESTAMPTZ) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ')"
    ),
    "at_timezone": "(x, zone) AS x",
    "day_of_month": "(x) AS day(x)",
    "day_of_year": "(x) AS dayofyear(x)",
    "year_of_week": "(x) AS isoyear(x)",
    "week_of_year": "(x) AS weekofyear(x)",
    "array_sum": "(x) AS list_sum(x)",
    "array_average": "(x) AS list_avg(x)",
    "array_except": "(a, b) AS list_filter(list_distinct(a), lambda e: NOT list_contains(b, e))",
    "array_union": "(a, b) AS list_distinct(list_concat(a, b))",
    "array_remove": "(x, e) AS list_filter(x, lambda y: y != e)",
    "arrays_overlap": "(a, b) AS list_has_any(a, b)",
    "map_agg": "(k, v) AS map(list(k), list(v))",
    "json_size": "(j, p) AS coalesce(json_array_length(j, p), len(json_keys(j, p)))",
    "json_array_contains": "(j, e) AS list_contains(CAST(j AS JSON[]), to_json(e))",
    "json_array_get": "(j, n) AS CAST(j AS JSON) -> n",
    "split_to_map": (
        "(s, a, b) AS map_from_entries(list_transform(string_split(s, a),"
        " lambda e: struct_pack(k := split_part(e, b, 1), v := split_part(e, b, 2))))"
    ),
    "url_extract_protocol": "(u) AS nullif(regexp_extract(u, '^([A-Za-z][A-Za-z0-9+.-]*)://', 1), '')",
    "url_extract_host": "(u) AS nullif(regexp_extract(u, '^[^:]+://(?:[^/@]*@)?([^/:?#]+)', 1), '')",
    "url_extract_port": "(u) AS TRY_CAST(regexp_extract(u, '^[^:]+://[^/:]+:([0-9]+)', 1) AS BIGINT)",
    "url_extract_path": "(u) AS regexp_extract(u, '^[^:]+://[^/?#]+([^?#]*)', 1)",
    "url_extract_query": "(u) AS regexp_extract(u, '[?]([^#]*)', 1)",
    "url_extract_fragment": "(u) AS regexp_extract(u, '#(.*)$', 1)",
    "url_extract_parameter": "(u, n) AS nullif(regexp_extract(u, '[?&]' || n || '=([^&#]*)', 1), '')",
    "levenshtein_distance": "(a, b) AS levenshtein(a, b)",
    "hamming_distance": "(a, b) AS hamming(a, b)",
    "codepoint": "(x) AS unicode(x)",
    "infinity": "() AS CAST('inf' AS DOUBLE)",
    "nan": "() AS CAST('nan' AS DOUBLE)",
    "is_finite": "(x) AS isfinite(x)",
    "is_infinite": "(x) AS isinf(x)",
    "e": "() AS exp(1.0)",
    "truncate": "(x) AS trunc(x)",
    "mod": "(a, b) AS a % b",
    "bitwise_and": "(a, b) AS a & b",
    "bitwise_or": "(a, b) AS a | b",
    "bitwise_xor": "(a, b) AS xor(a, b)",
    "bitwise_not": "(a) AS ~a",
    "bitwise_left_shift": "(a, b) AS a << b",
    "bitwise_right_shift": "(a, b) AS a >> b",
    "normalize": "(x) AS nfc_normalize(x)",
    "to_base64url": "(x) AS replace(replace(to_base64(x), '+', '-'), '/', '_')",
    "geometric_mean": "(x) AS geomean(x)",
    "every": "(x) AS bool_and(x)",
}


_WORDS = re.compile(r"[a-z_0-9]+")


def define(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Define the functions that a text in the engine's words uses; all of them would take 40 ms a query."""
    wanted = _MACROS.keys() & set(_WORDS.findall(sql.lower()))
    wanted |= {inner for name in wanted for inner in _MACROS if f"{inner}(" in _MACROS[name]}
    for name in sorted(wanted, key=_helpers_first):
        connection.execute(f"CREATE OR REPLACE MACRO {name}{_MACROS[name]}")


def _helpers_first(name: str) -> tuple[bool, str]:
    return not name.startswith("presto_"), name


def connect() -> duckdb.DuckDBPyConnection:
    """Return an empty in-memory engine, in UTC."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "enable_external_file_cache": "false",  # the file system keeps small objects, and counts reads
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection
