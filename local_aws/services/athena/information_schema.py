"""information_schema: the catalogue as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.athena.failure import QueryFailedError
from local_aws.services.athena.sql_text import name, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.athena.catalogue import Catalogue

_COLUMNS = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type"),
    "columns": (
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "data_type",
    ),
    "views": ("table_catalog", "table_schema", "table_name", "view_definition"),
}
_CATALOGUE = "awsdatacatalog"


def select(catalogue: Catalogue, table: str, place: str) -> str:
    """Return the SELECT of one table of information_schema."""
    if table not in _COLUMNS:
        raise QueryFailedError(
            "TABLE_NOT_FOUND", f"{place}: Table 'awsdatacatalog.information_schema.{table}' does not exist"
        )
    columns = ", ".join(map(name, _COLUMNS[table]))
    rows = [f"({', '.join(map(_literal, row))})" for row in _rows(catalogue, table)]
    nothing = "(" + ", ".join(["CAST(NULL AS VARCHAR)"] * len(_COLUMNS[table])) + ")"
    where = "" if rows else " WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(rows or [nothing])}) AS t({columns}){where}"  # nosec B608  # see sql_text


def _rows(catalogue: Catalogue, table: str) -> Iterator[tuple[str | int, ...]]:
    for database in (found["Name"] for found in catalogue.databases()):
        if table == "schemata":
            yield _CATALOGUE, database
            continue
        for held in catalogue.tables(database):
            if table == "tables":
                yield _CATALOGUE, database, held.name, "VIEW" if held.is_view else "BASE TABLE"
            elif table == "columns":
                for at, column in enumerate([*held.columns, *held.keys], 1):
                    yield _CATALOGUE, database, held.name, column["Name"], at, column["Type"]
            elif held.is_view:
                yield _CATALOGUE, database, held.name, held.view_definition["originalSql"]


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else string(value)
