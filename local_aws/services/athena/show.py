"""SHOW, DESCRIBE and EXPLAIN: the catalogue as lines of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_aws.services.athena.alter_table import existing, repair
from local_aws.services.athena.create_table import LAZY
from local_aws.services.athena.failure import QueryFailedError
from local_aws.services.athena.hive_text import NAME, QUALIFIED, STRING, match, unquoted
from local_aws.services.athena.partitions import registered
from local_aws.services.athena.statement import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.services.athena.catalogue import Table
    from local_aws.services.athena.session import Session

Lines = tuple[list[str], list[list[str]]]
_WIDTH = 20  # DESCRIBE pads names and types to columns of this width, as Hive does


def databases(session: Session, sql: str) -> Lines:
    """SHOW DATABASES [LIKE 'pattern']."""
    found = match(rf"show (?:databases|schemas)(?: like (?P<like>{STRING}))?\s*", sql)
    names = {each["Name"] for each in session.catalogue.databases()} | {"default"}
    return ["database_name"], [[name] for name in sorted(names) if _like(found["like"], name)]


def tables(session: Session, sql: str) -> Lines:
    """SHOW TABLES [IN db] ['pattern'], views among them."""
    return ["tab_name"], [[table.name] for table in _tables(session, sql, "tables")]


def views(session: Session, sql: str) -> Lines:
    """SHOW VIEWS [IN db] [LIKE 'pattern']."""
    return ["views"], [[table.name] for table in _tables(session, sql, "views") if table.is_view]


def partitions(session: Session, sql: str) -> Lines:
    """SHOW PARTITIONS t."""
    found = match(rf"show partitions {QUALIFIED}\s*", sql)
    table = existing(session, found["name"])
    if not table.keys:
        raise QueryFailedError("", f"FAILED: SemanticException Table {table.name} is not a partitioned table")
    names = [key["Name"] for key in table.keys]
    rows = [
        ["/".join(f"{n}={v}" for n, v in zip(names, each.values, strict=True))]
        for each in registered(session.catalogue, table)
    ]
    return ["partition"], sorted(rows)


def columns(session: Session, sql: str) -> Lines:
    """SHOW COLUMNS IN t."""
    found = match(rf"show columns (?:in|from) {QUALIFIED}(?: (?:in|from) (?P<database>{NAME}))?\s*", sql)
    name = f"{found['database']}.{found['name']}" if found["database"] else found["name"]
    table = existing(session, name)
    return ["field"], [[each["Name"].ljust(_WIDTH)] for each in [*table.columns, *table.keys]]


def create_table(session: Session, sql: str) -> Lines:
    """SHOW CREATE TABLE t."""
    found = match(rf"show create table {QUALIFIED}\s*", sql)
    table = existing(session, found["name"])
    if table.is_view:
        return _view(table)
    library, parameters = table.serde
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *_definitions(table.columns)]
    if table.keys:
        lines += ["PARTITIONED BY ( ", *_definitions(table.keys)]
    if (
        library == LAZY
        and set(parameters) <= {"field.delim", "serialization.format"}
        and "field.delim" in parameters
    ):
        lines += ["ROW FORMAT DELIMITED ", f"  FIELDS TERMINATED BY {_quoted(parameters['field.delim'])} "]
    else:
        lines += ["ROW FORMAT SERDE ", f"  {_quoted(library)} "]
        if parameters:
            lines += ["WITH SERDEPROPERTIES ( ", *_properties(parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  {_quoted(table.storage.get('InputFormat', ''))} "]
    lines += ["OUTPUTFORMAT ", f"  {_quoted(table.storage.get('OutputFormat', ''))}"]
    lines += ["LOCATION", f"  {_quoted(table.location)}", "TBLPROPERTIES ("]
    lines += _properties(
        {k: v for k, v in table.properties.items() if k != "EXTERNAL"} or {"EXTERNAL": "TRUE"}
    )
    return ["createtab_stmt"], [[line] for line in lines]


def create_view(session: Session, sql: str) -> Lines:
    """SHOW CREATE VIEW v."""
    found = match(rf"show create view {QUALIFIED}\s*", sql)
    table = existing(session, found["name"])
    if not table.is_view:
        raise QueryFailedError("", f"FAILED: SemanticException {table.database}.{table.name} is not a view")
    return _view(table)


def properties(session: Session, sql: str) -> Lines:
    """SHOW TBLPROPERTIES t [('name')]."""
    found = match(rf"show tblproperties {QUALIFIED}(?:\s*\(\s*(?P<only>{STRING})\s*\))?\s*", sql)
    table = existing(session, found["name"])
    only = unquoted(found["only"]) if found["only"] else None
    rows = [[name, value] for name, value in sorted(table.properties.items()) if only in (None, name)]
    return ["prpt_name", "prpt_value"], rows


def describe(session: Session, sql: str) -> Lines:
    """DESCRIBE [EXTENDED|FORMATTED] t."""
    found = match(rf"desc(?:ribe)? (?P<style>extended |formatted )?{QUALIFIED}\s*", sql)
    table = existing(session, found["name"])
    rows = [_described(each) for each in [*table.columns, *table.keys]]
    if table.keys:
        titles = ["", "# Partition Information", "# col_name            \tdata_type           \tcomment"]
        rows += [
            *(_padded(*title.split("\t")) for title in titles),
            *(_described(each) for each in table.keys),
        ]
    if found["style"]:
        library, _ = table.serde
        rows += [
            _padded("", "", ""),
            _padded("# Detailed Table Information", "", ""),
            _padded("Database:", table.database),
            _padded("Location:", table.location),
            _padded("Table Type:", table.document.get("TableType", "")),
            _padded("SerDe Library:", library),
        ]
    return ["col_name", "data_type", "comment"], rows


def explain(session: Session, sql: str) -> Lines:
    """EXPLAIN [(options)] query: the plan of the engine that runs it here."""
    found = re.match(r"explain\s*(?:\([^)]*\)\s*)?(?=select\b|with\b|values\b|\()", sql, re.IGNORECASE)
    if found is None:
        raise QueryFailedError("", "line 1:9: EXPLAIN needs a query")
    query = sql[found.end() :]
    planned = session.planned(parsed(query), query)
    _, plan = session.connection.execute(f"EXPLAIN {planned.text}").fetchall()[0]
    return ["Query Plan"], [[line] for line in plan.splitlines()]


def msck(session: Session, sql: str) -> Lines:
    """MSCK REPAIR TABLE t."""
    return ["result"], repair(session, sql)


def _tables(session: Session, sql: str, what: str) -> list[Table]:
    found = match(
        rf"show {what}(?: (?:in|from) (?P<database>{NAME}))?(?: (?:like )?(?P<like>{STRING}))?\s*", sql
    )
    database = unquoted(found["database"]).lower() if found["database"] else session.database
    if session.catalogue.database(database) is None:
        raise QueryFailedError(
            "", f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
        )
    return [table for table in session.catalogue.tables(database) if _like(found["like"], table.name)]


def _like(quoted: str | None, name: str) -> bool:
    """Compare with Hive's pattern: `*` is anything, `|` is or."""
    if quoted is None:
        return True
    choices = unquoted(quoted).lower().split("|")
    return any(
        re.fullmatch(re.escape(each).replace(r"\*", ".*").replace("%", ".*"), name) for each in choices
    )


def _view(table: Table) -> Lines:
    sql = table.view_definition["originalSql"]
    lines = [f"CREATE VIEW {table.database}.{table.name} AS", *sql.splitlines()]
    return ["Create View"], [[line] for line in lines]


def _definitions(columns: list[dict[str, str]]) -> list[str]:
    lines = []
    for each in columns:
        comment = f" COMMENT {_quoted(each['Comment'])}" if each.get("Comment") else ""
        lines.append(f"  `{each['Name']}` {each['Type']}{comment}, ")
    return [*lines[:-1], lines[-1].removesuffix(", ") + ")"] if lines else [")"]


def _properties(values: dict[str, str]) -> list[str]:
    lines = [f"  {_quoted(name)}={_quoted(value)}, " for name, value in sorted(values.items())]
    return [*lines[:-1], lines[-1].removesuffix(", ") + ")"]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _described(column: dict[str, str]) -> list[str]:
    return _padded(column["Name"], column["Type"], column.get("Comment", ""))


def _padded(*cells: str) -> list[str]:
    return [cell.ljust(_WIDTH) for cell in (*cells, "", "")[:3]]


SHOW: dict[str, Callable[[Session, str], Lines]] = {
    "SHOW_DATABASES": databases,
    "SHOW_TABLES": tables,
    "SHOW_VIEWS": views,
    "SHOW_PARTITIONS": partitions,
    "SHOW_COLUMNS": columns,
    "SHOW_CREATE_TABLE": create_table,
    "SHOW_CREATE_VIEW": create_view,
    "SHOW_TBLPROPERTIES": properties,
    "DESCRIBE": describe,
    "EXPLAIN": explain,
    "MSCK": msck,
}
