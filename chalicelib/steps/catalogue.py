"""Count what was written, compare it with what was validated, and register it in the Data Catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import curated, pipelines, settings
from chalicelib.aws.glue import Glue, TableIsGoneError
from chalicelib.aws.s3 import S3
from chalicelib.column_types import hive_columns
from chalicelib.errors import RowsLost

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline

PARTITION_KEYS = (("dt", "string"), ("run", "string"))


@dataclass(frozen=True, kw_only=True)
class Written:
    """The Parquet files of one run: keys with sizes in bytes, rows in all, and the columns' names."""

    files: tuple[tuple[str, int], ...]
    rows: int
    columns: tuple[str, ...]


def catalogue(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"token": ..., "pipeline": ..., "started": ..., "rows": 5}`.

    Returns:
        `{"load", "rows", "files", "columns", "manifest", "database", "table"}`; `load` tells whether the
        pipeline names a Redshift table.
    """
    pipeline = pipelines.file_pipeline(event["pipeline"])
    return register(S3(), Glue(), pipeline, event["token"], event["started"], event["rows"])


def register(s3: S3, glue: Glue, pipeline: Pipeline, token: str, started: str, rows: int) -> dict[str, Any]:
    """Register one run's files as a partition and write the manifest that COPY reads.

    Raises:
        RowsLost: the files hold another number of rows than the source file.
    """
    bucket, folder = settings.curated_bucket(), curated.folder(pipeline.name, token, started)
    written = read_footers(s3, bucket, folder)
    if written.rows != rows:
        raise RowsLost(f"s3://{bucket}/{folder} holds {written.rows} rows, the source file {rows}")
    database = settings.catalog_database()
    columns = hive_columns(pipeline, list(written.columns))
    put_partition(glue, pipeline, columns, token, started)
    manifest = f"_manifests/{pipeline.name}/{token}.json"
    s3.put_json(bucket, manifest, copy_manifest(bucket, written))
    return {
        "load": pipeline.table is not None,
        "rows": written.rows,
        "files": len(written.files),
        "columns": list(written.columns),
        "manifest": f"s3://{bucket}/{manifest}",
        "database": database,
        "table": pipeline.name,
    }


def put_partition(
    glue: Glue, pipeline: Pipeline, columns: tuple[tuple[str, str], ...], token: str, started: str
) -> None:
    """Register a run's partition, and the table where it is missing. Columns are (name, Hive type)."""
    database, place = settings.catalog_database(), f"s3://{settings.curated_bucket()}/"
    values, folder = curated.partition(token, started), curated.folder(pipeline.name, token, started)
    for again in (False, True):
        glue.put_table(database, pipeline.name, columns, PARTITION_KEYS, f"{place}{pipeline.name}/")
        try:
            glue.put_partition(database, pipeline.name, values, columns, f"{place}{folder}")
        except TableIsGoneError:
            if again:
                raise
        else:
            break


def read_footers(s3: S3, bucket: str, folder: str) -> Written:
    """Read how many rows and which columns the Parquet files hold, from their footers alone."""
    from pyarrow import parquet  # noqa: PLC0415 - only this step needs it here

    files, rows, columns = [], 0, ()
    for file, _ in s3.listing(bucket, folder):
        if not file.key.endswith(".parquet"):
            continue
        with s3.open_seekable(file) as stream:
            footer = parquet.read_metadata(stream)
        files.append((file.key, file.size))
        rows += footer.num_rows
        columns = tuple(footer.schema.to_arrow_schema().names)
    return Written(files=tuple(files), rows=rows, columns=columns)


def copy_manifest(bucket: str, written: Written) -> dict[str, Any]:
    """Return Redshift's manifest of exactly these files; Parquet needs `content_length`."""
    return {
        "entries": [
            {"url": f"s3://{bucket}/{key}", "mandatory": True, "meta": {"content_length": size}}
            for key, size in written.files
        ]
    }
