"""One query's engine: DuckDB with a view per table that the query names."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from local_aws.services.athena import functions as engine_functions
from local_aws.services.athena import information_schema, partitions, scan
from local_aws.services.athena.engine_errors import as_failure
from local_aws.services.athena.failure import QueryFailedError
from local_aws.services.athena.file_system import QueryFileSystem
from local_aws.services.athena.objects import split_uri
from local_aws.services.athena.sql_text import name, position
from local_aws.services.athena.statement import parsed
from local_aws.services.athena.translate import PATH, duckdb_sql, mentions_path, source_tables

if TYPE_CHECKING:
    from sqlglot import exp

    from local_aws.services.athena.catalogue import Catalogue, Table

_PARTITIONS_SUFFIX = "$partitions"
_CATALOGUES = ("", "awsdatacatalog", "hive")
_DEEPEST_VIEW = 100


@dataclass(frozen=True)
class Planned:
    """A query that the engine accepts: its text there, and its result's columns."""

    text: str
    names: list[str]
    types: list[Any]


class Session:
    """Everything that lives as long as one query."""

    def __init__(self, s3: Any, catalogue: Catalogue, database: str, cutoff: int | None) -> None:
        self.s3 = s3
        self.catalogue = catalogue
        self.database = database
        self.file_system = QueryFileSystem(s3, cutoff)
        self._made: set[tuple[str, str]] = set()

    @functools.cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The engine; most DDL needs none, and it takes 20 ms to start."""
        connection = engine_functions.connect()
        connection.register_filesystem(self.file_system)
        return connection

    def interrupt(self) -> None:
        """Make the engine give up what it runs now."""
        if "connection" in self.__dict__:
            self.connection.interrupt()

    def close(self) -> None:
        """Free the engine's memory."""
        if "connection" in self.__dict__:
            self.connection.close()

    def planned(self, query: exp.Expression, sql: str) -> Planned:
        """Plan a parsed query whose text is `sql`; nothing is scanned yet.

        Raises:
            QueryFailedError: in Athena's words.
        """
        self._make_views(query, self.database, sql, 0)
        original = query.copy()
        text = duckdb_sql(query)
        try:
            engine_functions.define(self.connection, text)
            relation = self.connection.sql(text)
        except Exception as error:
            raise as_failure(error, original, sql) from error
        description = relation.description
        return Planned(text, [column[0] for column in description], [column[1] for column in description])

    def _make_views(self, query: exp.Expression, database: str, sql: str, depth: int) -> None:
        with_path = mentions_path(query)
        for table in list(source_tables(query)):
            if table.catalog.lower() not in _CATALOGUES:
                raise QueryFailedError(
                    "CATALOG_NOT_FOUND", f"{_place(sql, table)}: Catalog '{table.catalog}' does not exist"
                )
            owner = (table.db or database).lower()
            held = table.name.lower()
            if (owner, held) not in self._made:
                self._make_view(owner, held, _place(sql, table), with_path, depth)
                self._made.add((owner, held))
            _refer_to(table, _schema(owner), held)

    def _make_view(self, database: str, held: str, place: str, with_path: bool, depth: int) -> None:
        if database == "information_schema":
            select = information_schema.select(self.catalogue, held, place)
        elif held.endswith(_PARTITIONS_SUFFIX):
            select = partitions.listing(
                self.catalogue, self._table(database, held.removesuffix(_PARTITIONS_SUFFIX), place, held)
            )
        else:
            table = self._table(database, held, place, held)
            select = self._of_view(table, depth) if table.is_view else self._of_data(table, with_path)
        engine_functions.define(self.connection, select)
        schema = name(_schema(database))
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.connection.execute(f"CREATE VIEW {schema}.{name(held)} AS {select}")

    def _table(self, database: str, held: str, place: str, shown: str) -> Table:
        table = self.catalogue.table(database, held)
        if table is not None:
            return table
        if self.catalogue.database(database) is None:
            raise QueryFailedError("SCHEMA_NOT_FOUND", f"{place}: Schema '{database}' does not exist")
        raise QueryFailedError(
            "TABLE_NOT_FOUND", f"{place}: Table 'awsdatacatalog.{database}.{shown}' does not exist"
        )

    def _of_data(self, table: Table, with_path: bool) -> str:
        contents = partitions.contents(self.s3, self.catalogue, table)
        split_uri(table.location)
        try:
            select = scan.select(table, self.connection, self.file_system, contents)
        except duckdb.Error as error:
            raise as_failure(error, None, "") from error
        return select if with_path else f"SELECT * EXCLUDE ({name(PATH)}) FROM ({select})"  # nosec B608  # see sql_text

    def _of_view(self, table: Table, depth: int) -> str:
        if depth == _DEEPEST_VIEW:
            raise QueryFailedError(
                "VIEW_IS_RECURSIVE", f"View {table.database}.{table.name} refers to itself"
            )
        definition = table.view_definition
        sql = definition["originalSql"]
        query = parsed(sql)
        self._make_views(query, definition.get("schema") or table.database, sql, depth + 1)
        return duckdb_sql(query)


def _schema(database: str) -> str:
    """Return the engine's schema of a database; DuckDB keeps names such as information_schema to itself."""
    return f"db:{database}"


def _place(sql: str, table: exp.Table) -> str:
    first = table.args.get("catalog") or table.args.get("db") or table.this
    return position(sql, first.meta.get("start", 0))


def _refer_to(table: exp.Table, database: str, held: str) -> None:
    from sqlglot import exp  # noqa: PLC0415 - only a type elsewhere

    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(held, quoted=True)))
    table.set("this", exp.to_identifier(held, quoted=True))
    table.set("db", exp.to_identifier(database, quoted=True))
    table.set("catalog", None)
