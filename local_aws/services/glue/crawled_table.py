"""A table that a crawl found, as the TableInput that Glue's own crawlers write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.services.glue.schema_inference import wider

if TYPE_CHECKING:
    from local_aws.services.glue.schema_inference import Schema

TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
CRAWLER_MARKS = ("CrawlerSchemaDeserializerVersion", "CrawlerSchemaSerializerVersion")


@dataclass(frozen=True, kw_only=True)
class CrawledTable:
    """A table: where it lies, what its files hold, and its partitions' folders by their values."""

    name: str
    location: str
    schema: Schema
    keys: tuple[str, ...]
    partitions: dict[tuple[str, ...], str]
    files: int
    size: int
    compressed: bool


def table_input(table: CrawledTable, crawler: str) -> dict[str, Any]:
    """Return the TableInput of a crawled table."""
    schema = table.schema
    parameters = {
        "UPDATED_BY_CRAWLER": crawler,
        "classification": schema.format,
        "compressionType": "gzip" if table.compressed else "none",
        "objectCount": str(table.files),
        "sizeKey": str(table.size),
        "typeOfData": "file",
    } | dict.fromkeys(CRAWLER_MARKS, "1.0")
    if schema.format == "csv":
        parameters |= {"delimiter": schema.delimiter, "areColumnsQuoted": str(schema.quoted).lower()}
        parameters["columnsOrdered"] = "true"
        if schema.header:
            parameters["skip.header.line.count"] = "1"
    columns = [
        {"Name": name, "Type": _stored(schema, kind)}
        for name, kind in schema.columns
        if name not in table.keys  # a partition's own column hides the file's
    ]
    return {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Owner": "owner",
        "Parameters": parameters,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.keys],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": table.location,
            "Compressed": table.compressed,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "Parameters": parameters,
        }
        | _serde(schema),
    }


def with_known_columns(known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return `given` with the known columns first and widened: a crawl adds columns, it drops none."""
    now = {column["Name"]: column["Type"] for column in given["StorageDescriptor"]["Columns"]}
    columns = [
        {"Name": name, "Type": wider(kind, now.pop(name, kind))}
        for name, kind in ((each["Name"], each["Type"]) for each in known["StorageDescriptor"]["Columns"])
    ]
    columns += [{"Name": name, "Type": kind} for name, kind in now.items()]
    return given | {"StorageDescriptor": given["StorageDescriptor"] | {"Columns": columns}}


def _stored(schema: Schema, kind: str) -> str:
    """Return the type that the SerDe can give: OpenCSVSerde knows text only."""
    return "string" if schema.format == "csv" and schema.quoted else kind


def _serde(schema: Schema) -> dict[str, Any]:
    if schema.format == "parquet":
        return {
            "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        }
    formats = {"InputFormat": TEXT_INPUT, "OutputFormat": TEXT_OUTPUT}
    if schema.format == "json":
        names = ",".join(name for name, _ in schema.columns)
        serde = {
            "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
            "Parameters": {"paths": names},
        }
    elif schema.quoted:
        serde = {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
            "Parameters": {"separatorChar": schema.delimiter, "quoteChar": schema.quote, "escapeChar": "\\"},
        }
    else:
        serde = {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": schema.delimiter},
        }
    return formats | {"SerdeInfo": serde}
