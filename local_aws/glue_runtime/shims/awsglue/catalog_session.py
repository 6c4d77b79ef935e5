"""`--enable-glue-datacatalog`: Spark SQL sees Data Catalog tables, registered when first named."""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql import DataFrame, DataFrameReader, DataFrameWriter, SparkSession

from awsglue.catalog import CatalogError, glue, register

QUALIFIED = re.compile(r"`?(\w+)`?\s*\.\s*`?(\w+)`?")
UNQUALIFIED = re.compile(r"\b(?:from|join|into|table|describe|desc)\s+`?(\w+)`?(?!\s*\.)", re.IGNORECASE)
USE = re.compile(r"^\s*use\s+(?:database\s+|schema\s+)?`?(\w+)`?", re.IGNORECASE)
CHANGES = re.compile(
    r"^\s*(create\s+(or\s+replace\s+)?(external\s+)?(table|database|schema|view)|drop|alter|msck|truncate)\b",
    re.IGNORECASE,
)
TEMPORARY = re.compile(r"^\s*(drop\s+view|create\s+(or\s+replace\s+)?(global\s+)?temp)", re.IGNORECASE)
READ_ONLY = (
    "the local Spark reads Data Catalog tables and does not change their definitions: create the table with "
    "the Glue API, Athena or a crawler, and write its files with df.write or write_dynamic_frame.from_catalog"
)


def connect() -> None:
    """Let `spark.sql`, `spark.table` and `spark.read.table` find Data Catalog tables."""
    plain_sql, plain_table, plain_read = SparkSession.sql, SparkSession.table, DataFrameReader.table

    def sql(self: SparkSession, sqlQuery: str, *arguments: Any, **options: Any) -> DataFrame:  # noqa: N803 - Spark's name
        if CHANGES.match(sqlQuery) and not TEMPORARY.match(sqlQuery):
            raise NotImplementedError(READ_ONLY)
        _register_named(self, sqlQuery, plain_sql)
        return plain_sql(self, sqlQuery, *arguments, **options)

    def table(self: SparkSession, tableName: str) -> DataFrame:  # noqa: N803 - Spark's name
        _register_one(self, tableName)
        return plain_table(self, tableName)

    def read_table(self: DataFrameReader, tableName: str) -> DataFrame:  # noqa: N803 - Spark's name
        _register_one(self._spark, tableName)
        return plain_read(self, tableName)

    def refuse(*_: Any, **__: Any) -> None:
        raise NotImplementedError(READ_ONLY)

    SparkSession.sql, SparkSession.table, DataFrameReader.table = sql, table, read_table
    DataFrameWriter.saveAsTable = refuse


def _register_one(spark: SparkSession, name: str) -> None:
    parts = [part.strip("`") for part in name.split(".")]
    database = parts[-2] if len(parts) > 1 else spark.catalog.currentDatabase()
    _register_if_known(spark, database, parts[-1])


def _register_named(spark: SparkSession, query: str, plain_sql: Any) -> None:
    if use := USE.match(query):
        glue("GetDatabase", Name=use[1])
        plain_sql(spark, f"CREATE DATABASE IF NOT EXISTS `{use[1]}`")
        return
    for database, table in set(QUALIFIED.findall(query)):
        _register_if_known(spark, database, table)
    if (current := spark.catalog.currentDatabase()) != "default":
        for table in set(UNQUALIFIED.findall(query)):
            _register_if_known(spark, current, table)


def _register_if_known(spark: SparkSession, database: str, table: str) -> None:
    """Register a table of the Data Catalog; a name that it lacks may be an alias or a temporary view."""
    try:
        register(spark, database.lower(), table.lower())
    except CatalogError as error:
        if "EntityNotFoundException" not in str(error):
            raise
