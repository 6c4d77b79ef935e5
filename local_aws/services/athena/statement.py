"""A client's SQL text: which statement it is, its parameters, its parsed form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects.athena import Athena
from sqlglot.errors import SqlglotError, TokenError

from local_aws.services.athena.failure import InvalidRequestException, QueryFailedError
from local_aws.services.athena.sql_text import position

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Kind:
    """How Athena classes a statement.

    Attributes:
        name: SubstatementType, and the key of the code that runs it.
        type: StatementType: DDL, DML or UTILITY.
        result: "rows" for a CSV with a header, "text" for tab separated lines, "files" for a manifest.
    """

    name: str
    type: str
    result: str


_WORDS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
# First match wins; blanks in a pattern stand for any white space.
_KINDS = [
    (re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL), kind)
    for pattern, kind in (
        (r"(select|with|values|table)\b|\(", Kind("SELECT", "DML", "rows")),
        (r"insert into\b", Kind("INSERT", "DML", "files")),
        (r"unload\b", Kind("UNLOAD", "DML", "files")),
        (r"explain analyze\b", Kind("EXPLAIN_ANALYZE", "UTILITY", "text")),
        (r"explain\b", Kind("EXPLAIN", "UTILITY", "text")),
        (r"create (database|schema)\b", Kind("CREATE_DATABASE", "DDL", "text")),
        (r"create (or replace )?view\b", Kind("CREATE_VIEW", "DDL", "text")),
        (r"create external table\b", Kind("CREATE_TABLE", "DDL", "text")),
        (r"create table\b.*?\bas\s*(\(|select\b|with\b|values\b)",
         Kind("CREATE_TABLE_AS_SELECT", "DDL", "files")),
        (r"create table\b", Kind("CREATE_TABLE", "DDL", "text")),
        (r"drop (database|schema)\b", Kind("DROP_DATABASE", "DDL", "text")),
        (r"drop view\b", Kind("DROP_VIEW", "DDL", "text")),
        (r"drop table\b", Kind("DROP_TABLE", "DDL", "text")),
        (r"alter (database|schema)\b", Kind("ALTER_DATABASE", "DDL", "text")),
        (r"alter table\b", Kind("ALTER_TABLE", "DDL", "text")),
        (r"msck repair table\b", Kind("MSCK", "DDL", "text")),
        (r"show (databases|schemas)\b", Kind("SHOW_DATABASES", "UTILITY", "text")),
        (r"show tables\b", Kind("SHOW_TABLES", "UTILITY", "text")),
        (r"show views\b", Kind("SHOW_VIEWS", "UTILITY", "text")),
        (r"show partitions\b", Kind("SHOW_PARTITIONS", "UTILITY", "text")),
        (r"show columns\b", Kind("SHOW_COLUMNS", "UTILITY", "text")),
        (r"show create table\b", Kind("SHOW_CREATE_TABLE", "UTILITY", "text")),
        (r"show create view\b", Kind("SHOW_CREATE_VIEW", "UTILITY", "text")),
        (r"show tblproperties\b", Kind("SHOW_TBLPROPERTIES", "UTILITY", "text")),
        (r"(describe|desc)\b", Kind("DESCRIBE", "UTILITY", "text")),
        (r"(merge|update|delete|optimize|vacuum|prepare|execute|deallocate|truncate|show|call)\b",
         Kind("UNSUPPORTED", "DML", "rows")),
    )
]  # fmt: skip


def without_comments_before(sql: str) -> str:
    """Return the statement from its first word on, without a semicolon at its end."""
    opening = _WORDS.match(sql)
    assert opening is not None, "the pattern matches the empty string"
    return sql[opening.end() :].rstrip().removesuffix(";").rstrip()


def kind_of(sql: str) -> Kind:
    """Return the kind of a statement.

    Raises:
        InvalidRequestException: Athena has no such statement.
    """
    text = without_comments_before(sql)
    for pattern, kind in _KINDS:
        if pattern.match(text):
            return kind
    word = text.split(None, 1)[0] if text else "<EOF>"
    raise InvalidRequestException(
        f"{position(sql, sql.find(text))}: mismatched input '{word}'. Expecting: 'ALTER', 'CREATE',"
        " 'DESCRIBE', 'DROP', 'EXPLAIN', 'INSERT', 'MSCK', 'SHOW', 'UNLOAD', 'WITH', <query>",
        "MALFORMED_QUERY",
    )


def bound(sql: str, parameters: Sequence[str]) -> str:
    """Return the statement with each `?` replaced by the parameter, an SQL literal, at its place.

    Raises:
        QueryFailedError: there are more or fewer parameters than question marks.
    """
    try:
        marks = [t.start for t in Athena().tokenize(sql) if t.token_type == TokenType.PLACEHOLDER]
    except TokenError:
        marks = []  # DDL that only Hive's grammar knows has no parameters; a real mistake is found in parsing
    if len(marks) != len(parameters):
        raise QueryFailedError(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}",
        )
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[:mark]}{parameter}{sql[mark + 1 :]}"
    return sql


def parsed(sql: str) -> exp.Expression:
    """Parse one statement of Athena's SQL.

    Raises:
        QueryFailedError: with Presto's words for a syntax error, or Hive's for DDL.
    """
    try:
        statements = [found for found in sqlglot.parse(sql, read="athena") if found is not None]
    except SqlglotError as error:
        raise _syntax_error(sql, error) from error
    if len(statements) != 1:
        raise QueryFailedError("", "Only one sql statement is allowed. Got: " + sql)
    (statement,) = statements
    if isinstance(statement, exp.Command) or not isinstance(statement, exp.Expression):
        raise QueryFailedError("", f"line 1:1: mismatched input '{sql.split(None, 1)[0]}'")
    return statement


def _syntax_error(sql: str, error: SqlglotError) -> QueryFailedError:
    found = (getattr(error, "errors", None) or [{}])[0]
    word = found.get("highlight") or "<EOF>"
    line, column = found.get("line") or 1, found.get("col") or len(sql) + 1
    start = max(1, column - len(word) + 1)
    if kind_of(sql).type == "DML":
        return QueryFailedError("", f"line {line}:{start}: mismatched input '{word}'")
    return QueryFailedError(
        "", f"FAILED: ParseException line {line}:{start} cannot recognize input near '{word}'"
    )
