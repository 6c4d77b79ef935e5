"""Data Catalog tables in Spark's own catalog, registered when a script first names them."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FORMATS = {
    "parquet": ("parquet",),
    "orc": ("orc",),
    "json": ("json", "openx", "hcatalog"),
    "csv": ("opencsv", "lazysimple", "csv"),
}
MOST_PARTITIONS = 50  # in one ALTER TABLE: the statement is parsed by Spark


class CatalogError(Exception):
    """The Data Catalog refused, or holds what Spark cannot read here."""


def glue(operation: str, **parameters: Any) -> dict[str, Any]:
    """Call the Glue API; the Spark environment needs no boto3 for it.

    Raises:
        CatalogError: with AWS's own message.
    """
    region, key = os.environ["AWS_DEFAULT_REGION"], os.environ["AWS_ACCESS_KEY_ID"]
    request = urllib.request.Request(  # noqa: S310 - the address is that of the embedded AWS
        os.environ["AWS_ENDPOINT_URL"],
        data=json.dumps(parameters).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSGlue.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{region}"
            "/glue/aws4_request, SignedHeaders=host, Signature=local",
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:  # nosec B310  # noqa: S310 - as above
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        document = json.load(error)
        message = document.get("message") or document.get("Message")
        raise CatalogError(f"{document.get('__type', operation)}: {message}") from error


def register(spark: SparkSession, database: str, table: str) -> str:
    """Make a Data Catalog table known to Spark and return its quoted name.

    Raises:
        CatalogError: there is no such table, or its format is not csv, json, parquet or orc.
    """
    name = f"`{database}`.`{table}`"
    if spark.catalog.tableExists(f"{database}.{table}"):
        return name
    definition = glue("GetTable", DatabaseName=database, Name=table)["Table"]
    _run(spark, f"CREATE DATABASE IF NOT EXISTS `{database}`")
    storage = definition["StorageDescriptor"]
    columns = [*storage.get("Columns", []), *definition.get("PartitionKeys", [])]
    keys = [column["Name"] for column in definition.get("PartitionKeys", [])]
    form, options = format_of(definition)
    declared = ", ".join(f"`{column['Name']}` {column['Type']}" for column in columns)
    statement = f"CREATE TABLE {name} ({declared}) USING {form}"
    if options:
        given = ", ".join(f"{key} {_quoted(value)}" for key, value in options.items())
        statement += f" OPTIONS ({given})"
    if keys:
        named = ", ".join(f"`{key}`" for key in keys)
        statement += f" PARTITIONED BY ({named})"
    _run(spark, f"{statement} LOCATION {_quoted(storage['Location'])}")
    if keys:
        _register_partitions(spark, name, keys, database, table)
    return name


def _register_partitions(spark: SparkSession, name: str, keys: list[str], database: str, table: str) -> None:
    partitions = glue("GetPartitions", DatabaseName=database, TableName=table).get("Partitions", [])
    for start in range(0, len(partitions), MOST_PARTITIONS):
        added = []
        for partition in partitions[start : start + MOST_PARTITIONS]:
            values = zip(keys, partition["Values"], strict=True)
            spec = ", ".join(f"`{key}`={_quoted(value)}" for key, value in values)
            added.append(f"PARTITION ({spec}) LOCATION {_quoted(partition['StorageDescriptor']['Location'])}")
        _run(spark, f"ALTER TABLE {name} ADD IF NOT EXISTS {' '.join(added)}")


def format_of(definition: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return Spark's format and options for a table's SerDe.

    Raises:
        CatalogError: Spark has no counterpart here.
    """
    storage = definition["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "").lower()
    form = next((name for name, marks in FORMATS.items() if any(mark in library for mark in marks)), None)
    if form is None:
        raise CatalogError(
            f"table {definition['Name']}: the SerDe {library!r} is not supported by the local Spark"
        )
    if form != "csv":
        return form, {}
    parameters = serde.get("Parameters", {})
    header = definition.get("Parameters", {}).get("skip.header.line.count", "0")
    delimiter = parameters.get("separatorChar") or parameters.get("field.delim") or ","
    return form, {
        "header": "true" if header == "1" else "false",
        "sep": delimiter,
        "quote": parameters.get("quoteChar", '"'),
        "escape": parameters.get("quoteChar", '"'),
    }


def table_location(database: str, table: str) -> tuple[str, str, dict[str, Any]]:
    """Return where a table lies, its format and the format options to write it with."""
    definition = glue("GetTable", DatabaseName=database, Name=table)["Table"]
    form, options = format_of(definition)
    written = {}
    if form == "csv":
        written = {"separator": options["sep"], "writeHeader": options["header"] == "true"}
    return definition["StorageDescriptor"]["Location"], form, written


def _run(spark: SparkSession, statement: str) -> None:
    """Run a statement below `SparkSession.sql`, which `catalog_session` wraps."""
    spark._jsparkSession.sql(statement)  # noqa: SLF001 - see above


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
