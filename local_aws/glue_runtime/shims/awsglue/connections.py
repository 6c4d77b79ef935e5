"""Reads and writes what `connection_options` and `format_options` describe: files in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CSV_OPTIONS = {
    "separator": "sep",
    "withHeader": "header",
    "quoteChar": "quote",
    "escaper": "escape",
    "multiLine": "multiLine",
    "multiline": "multiLine",
    "encoding": "encoding",
    "strictCheckForQuoting": None,
    "optimizePerformance": None,
    "skipFirst": None,
    "writeHeader": "header",
    "quoteAll": "quoteAll",
}
JSON_OPTIONS = {
    "multiLine": "multiLine",
    "multiline": "multiLine",
    "encoding": "encoding",
    "optimizePerformance": None,
}
PARQUET_OPTIONS = {
    "compression": "compression",
    "useGlueParquetWriter": None,
    "blockSize": None,
    "pageSize": None,
}


def require_s3(connection_type: str) -> None:
    """Refuse what is not in S3.

    Raises:
        NotImplementedError: the connection type is another.
    """
    if connection_type not in {"s3", "file"}:
        raise NotImplementedError(
            f"connection_type {connection_type!r} is not part of the local awsglue: s3 is"
        )


def read_options(
    spark: SparkSession,
    connection_type: str,
    connection_options: dict[str, Any] | None,
    format: str | None,
    format_options: dict[str, Any] | None,
) -> DataFrame:
    """Return the files that the options name as a DataFrame."""
    require_s3(connection_type)
    options = connection_options or {}
    paths = options.get("paths") or [options["path"]]
    name = spark_format(format)
    reader = spark.read.format(name)
    given = translated(name, format_options or {})
    if name == "csv":
        given = {"header": "false", "escape": '"', "inferSchema": "true"} | given
    if options.get("recurse"):
        given["recursiveFileLookup"] = "true"
    return reader.options(**given).load(paths)


def write_frame(
    frame: DataFrame,
    connection_options: dict[str, Any],
    format: str | None,
    format_options: dict[str, Any] | None,
) -> None:
    """Append a DataFrame as files below `path`, in folders by `partitionKeys`; nothing is overwritten."""
    name = spark_format(format)
    given = translated(name, format_options or {})
    if name == "csv":
        given = {"header": "true", "escape": '"'} | given
    if compression := connection_options.get("compression"):
        given["compression"] = compression
    writer = frame.write.mode("append").format(name).options(**given)
    if keys := connection_options.get("partitionKeys"):
        writer = writer.partitionBy(*keys)
    writer.save(connection_options["path"])


def spark_format(format: str | None) -> str:
    """Return Spark's name of a Glue format.

    Raises:
        NotImplementedError: Spark has no such format here.
    """
    if format == "glueparquet":
        return "parquet"
    if format not in {"csv", "json", "parquet", "orc"}:
        raise NotImplementedError(
            f"format {format!r} is not part of the local awsglue: csv, json, parquet, orc are"
        )
    return format


def translated(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return Spark's options for Glue's format options.

    Raises:
        NotImplementedError: an option has no counterpart.
    """
    table = {"csv": CSV_OPTIONS, "json": JSON_OPTIONS, "parquet": PARQUET_OPTIONS}.get(name, {})
    spark_options = {}
    for option, value in options.items():
        if option not in table:
            raise NotImplementedError(f"format option {option!r} of {name} is not part of the local awsglue")
        if target := table[option]:
            spark_options[target] = str(value).lower() if isinstance(value, bool) else value
    return spark_options
