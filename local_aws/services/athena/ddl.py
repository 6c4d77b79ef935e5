"""DDL: databases, tables and views of the Data Catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from local_aws.services.athena import alter_table
from local_aws.services.athena.catalogue import view_text
from local_aws.services.athena.create_table import table_input
from local_aws.services.athena.failure import QueryFailedError
from local_aws.services.athena.hive_text import (
    NAME,
    QUALIFIED,
    SPEC,
    STRING,
    match,
    pairs,
    table_name,
    unquoted,
)
from local_aws.services.athena.statement import parsed
from local_aws.services.athena.types import hive_type, presto_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.services.athena.session import Session

_EXECUTION = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."


def create_database(session: Session, sql: str) -> None:
    """CREATE DATABASE."""
    found = match(
        rf"create (?:database|schema) (?P<quiet>if not exists )?(?P<name>{NAME})"
        rf"(?: comment (?P<comment>{STRING}))?"
        rf"(?: location (?P<location>{STRING}))?(?: with dbproperties\s*(?P<properties>{SPEC}))?\s*",
        sql,
    )
    name = unquoted(found["name"]).lower()
    document: dict[str, Any] = {"Name": name}
    if found["comment"]:
        document["Description"] = unquoted(found["comment"])
    if found["location"]:
        document["LocationUri"] = unquoted(found["location"])
    if found["properties"]:
        document["Parameters"] = {key: value for key, _, value in pairs(found["properties"])}
    try:
        session.catalogue.create_database(document)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if not found["quiet"]:
            raise QueryFailedError("", f"FAILED: SemanticException Database {name} already exists") from error


def drop_database(session: Session, sql: str) -> None:
    """DROP DATABASE, CASCADE or only when it is empty."""
    found = match(
        rf"drop (?:database|schema) (?P<quiet>if exists )?(?P<name>{NAME})(?P<mode> cascade| restrict)?\s*",
        sql,
    )
    name = unquoted(found["name"]).lower()
    if session.catalogue.database(name) is None:
        if found["quiet"]:
            return
        raise QueryFailedError("", f"FAILED: SemanticException Database does not exist: {name}")
    tables = session.catalogue.tables(name)
    if tables and "cascade" not in (found["mode"] or "").lower():
        raise QueryFailedError(
            "",
            f"{_EXECUTION} InvalidOperationException(message:Database {name} is not empty."
            " One or more tables exist.)",
        )
    for table in tables:
        session.catalogue.drop_table(name, table.name)
    session.catalogue.drop_database(name)


def create_table(session: Session, sql: str) -> None:
    """CREATE EXTERNAL TABLE."""
    statement = parsed(sql)
    assert isinstance(statement, exp.Create), "kind_of saw CREATE TABLE"
    document = table_input(statement)
    table = statement.find(exp.Table)
    database = (table.db if table else "") or session.database
    _create(session, database.lower(), document, quiet=bool(statement.args.get("exists")))


def create_view(session: Session, sql: str) -> None:
    """CREATE [OR REPLACE] VIEW; its query must plan now, and is kept as text."""
    statement = parsed(sql)
    if not isinstance(statement, exp.Create) or statement.expression is None:
        raise QueryFailedError("", "line 1:1: CREATE VIEW needs a query")
    target = statement.this.find(exp.Table) or statement.this
    database, name = (target.db or session.database).lower(), target.name.lower()
    query = statement.expression
    text = sql[_start_of(sql) :].strip()
    planned = session.planned(query, sql)
    columns = [(n.lower(), t) for n, t in zip(planned.names, planned.types, strict=True)]
    document = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": view_text(text, session.database, [(n, presto_type(t)) for n, t in columns]),
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": hive_type(t)} for n, t in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }
    existing = session.catalogue.table(database, name)
    if existing is not None and statement.args.get("replace"):
        if not existing.is_view:
            raise QueryFailedError(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Table already exists: {database}.{name}"
            )
        session.catalogue.replace_view(database, document)
        return
    if existing is not None:
        raise QueryFailedError("TABLE_ALREADY_EXISTS", f"line 1:1: View already exists: {database}.{name}")
    _create(session, database, document, quiet=False)


def drop_table(session: Session, sql: str) -> None:
    """DROP TABLE: the catalogue's entry goes, the data stays."""
    _drop(session, sql, "table")


def drop_view(session: Session, sql: str) -> None:
    """DROP VIEW."""
    _drop(session, sql, "view")


def _drop(session: Session, sql: str, what: str) -> None:
    found = match(rf"drop {what} (?P<quiet>if exists )?{QUALIFIED}(?: purge)?\s*", sql)
    database, name = table_name(found["name"], session.database)
    table = session.catalogue.table(database, name)
    if table is None:
        if found["quiet"]:
            return
        raise QueryFailedError(
            "", f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}"
        )
    if table.is_view != (what == "view"):
        raise QueryFailedError(
            "", f"FAILED: SemanticException {database}.{name} is a {'view' if table.is_view else 'table'}"
        )
    session.catalogue.drop_table(database, name)


def _create(session: Session, database: str, document: dict[str, Any], *, quiet: bool) -> None:
    if session.catalogue.database(database) is None:
        raise QueryFailedError(
            "", f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
        )
    try:
        session.catalogue.create_table(database, document)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if not quiet:
            raise QueryFailedError(
                "", f"{_EXECUTION} AlreadyExistsException(message:Table {document['Name']} already exists.)"
            ) from error


def _start_of(sql: str) -> int:
    """Return where the query of a CREATE VIEW begins: behind its own AS, the first outside of brackets."""
    found = match(
        rf"(?P<head>create (?:or replace )?view {QUALIFIED}(?:\s*\([^)]*\))?"
        rf"(?: comment {STRING})?(?: security \w+)? as\b).*",
        sql,
    )
    return found.end("head")


DDL: dict[str, Callable[[Session, str], None]] = {
    "CREATE_DATABASE": create_database,
    "DROP_DATABASE": drop_database,
    "CREATE_TABLE": create_table,
    "CREATE_VIEW": create_view,
    "DROP_TABLE": drop_table,
    "DROP_VIEW": drop_view,
    "ALTER_TABLE": alter_table.alter,
}
