"""DuckDB's errors in Athena's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from local_aws.services.athena.failure import QueryCancelledError, QueryFailedError
from local_aws.services.athena.sql_text import position

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMED = r'"?([^"\n]+?)"?'
_COLUMN = re.compile(
    rf"Referenced column {_NAMED} not found|does not have a column named {_NAMED}(?:\n|$)"
    rf"|Referenced table {_NAMED} not found"
)
_FUNCTION = re.compile(r"(?:Function|Macro) with name \"?([^\s\"]+)\"? does not exist", re.IGNORECASE)
_TYPES = re.compile(r"No function matches the given name and argument types '(.+?)'")
_GROUPING = re.compile(r'column "([^"]+)" must appear in the GROUP BY clause')
_CAST = re.compile(r"Could not convert string '(.*?)' to (\w+)|Conversion Error", re.DOTALL)
_CSV_OR_JSON = re.compile(r"CSV Error|Malformed JSON|Parquet|Invalid Input Error: .*(?:JSON|json)")


def as_failure(
    error: BaseException, query: exp.Expression | None, sql: str
) -> QueryFailedError | QueryCancelledError:
    """Return the failure that Athena would report, with the place in the client's SQL where it is known."""
    if isinstance(error, QueryFailedError | QueryCancelledError):
        return error
    text = str(error)
    for pattern, make in _BY_TEXT:
        found = pattern.search(text)
        if found:
            return make(found, text, query, sql)
    name = _BY_CLASS.get(type(error), "GENERIC_INTERNAL_ERROR")
    return QueryFailedError(name, _first_line(text))


def _column(found: re.Match[str], _text: str, query: exp.Expression | None, sql: str) -> QueryFailedError:
    column = next(group for group in found.groups() if group)
    place, shown = "line 1:1", column
    for each in query.find_all(exp.Column) if query else ():
        if column.lower() in (each.name.lower(), each.table.lower()):
            first = each.parts[0]
            place, shown = position(sql, first.meta.get("start", 0)), ".".join(p.name for p in each.parts)
            break
    return QueryFailedError(
        "COLUMN_NOT_FOUND",
        f"{place}: Column '{shown}' cannot be resolved or requester is not authorized"
        " to access requested resources",
    )


def _function(found: re.Match[str], _text: str, query: exp.Expression | None, sql: str) -> QueryFailedError:
    function = found[1].lower()
    at = sql.lower().find(function)
    del query
    return QueryFailedError(
        "FUNCTION_NOT_FOUND", f"{position(sql, max(at, 0))}: Function '{function}' not registered"
    )


def _grouping(found: re.Match[str], _text: str, query: exp.Expression | None, sql: str) -> QueryFailedError:
    starts = [
        each.parts[0].meta.get("start", 0)
        for each in (query.find_all(exp.Column) if query else ())
        if each.name.lower() == found[1].lower()
    ]
    return QueryFailedError(
        "EXPRESSION_NOT_AGGREGATE",
        f"{position(sql, min(starts, default=0))}: '\"{found[1]}\"' must be an aggregate expression"
        " or appear in GROUP BY clause",
    )


def _named(name: str) -> Callable[..., QueryFailedError]:
    return lambda _found, text, _query, _sql: QueryFailedError(name, _first_line(text))


def _said(name: str, message: str) -> Callable[..., QueryFailedError]:
    return lambda *_: QueryFailedError(name, message)


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "the engine gave no reason"
    return re.sub(r"^\w+(?: \w+)* Error: ", "", line)


_BY_TEXT: list[tuple[re.Pattern[str], Callable[..., QueryFailedError]]] = [
    (re.compile("Division by zero"), _said("DIVISION_BY_ZERO", "Division by zero")),
    (_COLUMN, _column),
    (_FUNCTION, _function),
    (_GROUPING, _grouping),
    (re.compile("FileNotFoundError|NoSuchKey"), _named("HIVE_CANNOT_OPEN_SPLIT")),
    (re.compile("Malformed JSON|JSON transform error"), _named("HIVE_CURSOR_ERROR")),
    (re.compile("CSV Error|parquet", re.IGNORECASE), _named("HIVE_BAD_DATA")),
    (_TYPES, _named("TYPE_MISMATCH")),
    (_CAST, _named("INVALID_CAST_ARGUMENT")),
]
_BY_CLASS: dict[type[BaseException], str] = {
    duckdb.BinderException: "SYNTAX_ERROR",
    duckdb.ParserException: "SYNTAX_ERROR",
    duckdb.CatalogException: "SYNTAX_ERROR",
    duckdb.ConversionException: "INVALID_CAST_ARGUMENT",
    duckdb.OutOfRangeException: "NUMERIC_VALUE_OUT_OF_RANGE",
    duckdb.InvalidInputException: "INVALID_FUNCTION_ARGUMENT",
    duckdb.OutOfMemoryException: "EXCEEDED_LOCAL_MEMORY_LIMIT",
}
