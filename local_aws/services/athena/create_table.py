"""CREATE EXTERNAL TABLE: Hive's DDL as a Glue table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local_aws.services.athena.failure import QueryFailedError, unsupported
from local_aws.services.athena.objects import as_folder, split_uri
from local_aws.services.athena.types import catalogue_type, duckdb_type

if TYPE_CHECKING:
    from collections.abc import Sequence

_HIVE_IO = "org.apache.hadoop.hive.ql.io"
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = f"{_HIVE_IO}.HiveIgnoreKeyTextOutputFormat"
LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
PARQUET = f"{_HIVE_IO}.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
ORC = f"{_HIVE_IO}.orc.OrcSerde"
# STORED AS -> (input format, output format, SerDe)
FORMATS = {
    "TEXTFILE": (_TEXT_INPUT, _TEXT_OUTPUT, LAZY),
    "PARQUET": (
        f"{_HIVE_IO}.parquet.MapredParquetInputFormat",
        f"{_HIVE_IO}.parquet.MapredParquetOutputFormat",
        PARQUET,
    ),
    "ORC": (f"{_HIVE_IO}.orc.OrcInputFormat", f"{_HIVE_IO}.orc.OrcOutputFormat", ORC),
    "JSON": (_TEXT_INPUT, _TEXT_OUTPUT, JSON),
}
_DELIMITERS = {
    "fields": "field.delim",
    "escaped": "escape.delim",
    "collection_items": "collection.delim",
    "map_keys": "mapkey.delim",
    "lines": "line.delim",
    "null": "serialization.null.format",
}


def storage(
    columns: Sequence[dict[str, str]],
    location: str,
    formats: tuple[str, str, str],
    parameters: dict[str, str],
) -> dict[str, Any]:
    """Return a Glue storage descriptor."""
    input_format, output_format, library = formats
    return {
        "Columns": list(columns),
        "Location": location,
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }


def table_input(statement: exp.Create) -> dict[str, Any]:
    """Return the Glue TableInput of a parsed CREATE EXTERNAL TABLE.

    Raises:
        QueryFailedError: it has no location, or asks for something that is not supported.
    """
    schema = statement.this
    if not isinstance(schema, exp.Schema):
        raise QueryFailedError("", "FAILED: SemanticException table has no columns")
    properties = statement.args["properties"].expressions if statement.args.get("properties") else []
    found = {type(each): each for each in properties}
    if exp.ExternalProperty not in found:
        _refuse_managed(properties)
    if exp.LocationProperty not in found:
        raise QueryFailedError("", "FAILED: SemanticException Table location can not be null")
    location = found[exp.LocationProperty].this.name
    split_uri(location)
    columns = [column(each) for each in schema.expressions]
    keys = _partition_keys(found)
    _check_names([*columns, *keys])
    formats, parameters = _format(found)
    comment = found.get(exp.SchemaCommentProperty)
    return {
        "Name": schema.this.name.lower(),
        "TableType": "EXTERNAL_TABLE",
        "Owner": "hadoop",
        **({"Description": comment.this.name} if comment else {}),
        "StorageDescriptor": storage(columns, as_folder(location), formats, parameters),
        "PartitionKeys": keys,
        "Parameters": {"EXTERNAL": "TRUE"} | _table_properties(properties),
    }


def column(definition: exp.Expression) -> dict[str, str]:
    """Return a Glue column of a column definition."""
    if not isinstance(definition, exp.ColumnDef) or definition.kind is None:
        raise QueryFailedError(
            "", f"FAILED: ParseException cannot recognize the column {definition.sql(dialect='hive')!r}"
        )
    found = {"Name": definition.name.lower(), "Type": catalogue_type(definition.kind)}
    duckdb_type(found["Type"])  # refuses an unknown type now, not at the first SELECT
    for constraint in definition.constraints:
        if isinstance(constraint.kind, exp.CommentColumnConstraint):
            found["Comment"] = constraint.kind.this.name
    return found


def _refuse_managed(properties: list[exp.Expression]) -> None:
    for each in properties:
        if each.name.lower() == "table_type":
            raise unsupported("Iceberg tables")
    raise QueryFailedError(
        "", "FAILED: SemanticException Only external tables and Iceberg tables can be created"
    )


def _partition_keys(found: dict[type, exp.Expression]) -> list[dict[str, str]]:
    clause = found.get(exp.PartitionedByProperty)
    return [column(each) for each in clause.this.expressions] if clause else []


def _check_names(columns: list[dict[str, str]]) -> None:
    names = [each["Name"] for each in columns]
    for name in names:
        if names.count(name) > 1:
            raise QueryFailedError("", f"FAILED: SemanticException Duplicate column name: {name}")


def _format(found: dict[type, exp.Expression]) -> tuple[tuple[str, str, str], dict[str, str]]:
    formats, parameters = _stored_as(found.get(exp.FileFormatProperty)), {"serialization.format": "1"}
    delimited = found.get(exp.RowFormatDelimitedProperty)
    if delimited is not None:
        for clause, parameter in _DELIMITERS.items():
            if delimited.args.get(clause) is not None:
                parameters[parameter] = delimited.args[clause].name
        if "field.delim" in parameters:
            parameters["serialization.format"] = parameters["field.delim"]
    serde = found.get(exp.RowFormatSerdeProperty)
    if serde is not None:
        formats = (*formats[:2], serde.this.name)
        given = serde.args.get("serde_properties") or found.get(exp.SerdeProperties)
        for each in given.expressions if given else ():
            parameters[each.this.name] = each.args["value"].name
    return formats, parameters


def _stored_as(clause: exp.Expression | None) -> tuple[str, str, str]:
    if clause is None:
        return FORMATS["TEXTFILE"]
    if isinstance(clause.this, exp.InputOutputFormat):
        given = clause.this
        return given.args["input_format"].name, given.args["output_format"].name, LAZY
    wanted = clause.this.name.upper()
    if wanted not in FORMATS:
        raise unsupported(f"STORED AS {wanted}")
    return FORMATS[wanted]


def _table_properties(properties: list[exp.Expression]) -> dict[str, str]:
    return {each.this.name: each.args["value"].name for each in properties if type(each) is exp.Property}
