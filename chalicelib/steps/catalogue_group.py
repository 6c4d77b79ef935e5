"""Register a group's Parquet file in the Data Catalog, as the warehouse loaded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import curated, pipelines, settings
from chalicelib.aws.glue import Glue
from chalicelib.aws.s3 import S3
from chalicelib.column_types import hive_columns
from chalicelib.errors import RowsLost
from chalicelib.loading import PROCESSING_DATE
from chalicelib.steps.catalogue import PARTITION_KEYS, read_footers

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


def catalogue_group(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "started", "group": {...}, "transform_group": {...}, "copy_group": {...}}`.

    Returns:
        `{"database", "table", "rows"}`: what a query can read now of this group.
    """
    group = event["group"]
    pipeline = pipelines.file_pipeline(group["pipeline"])
    written, elsewhere = event["transform_group"]["files"], event["copy_group"]["elsewhere"]
    rows = sum(file["rows"] for file in written if file["number"] not in elsewhere)
    return register(S3(), Glue(), pipeline, group["token"], event["started"], rows, elsewhere)


def register(
    s3: S3, glue: Glue, pipeline: Pipeline, token: str, started: str, rows: int, elsewhere: list[int]
) -> dict[str, Any]:
    """Register the group's partition without the files that another run loaded and registered.

    Raises:
        RowsLost: the Parquet file holds another number of rows than its source files.
    """
    bucket, folder = settings.curated_bucket(), curated.folder(pipeline.name, token, started)
    database = settings.catalog_database()
    told = {"database": database, "table": pipeline.name, "rows": rows}
    if elsewhere:
        _leave_out(s3, bucket, f"{folder}part-0.parquet", elsewhere)
    written = read_footers(s3, bucket, folder)
    if written.rows != rows:
        raise RowsLost(f"s3://{bucket}/{folder} holds {written.rows} rows, its source files {rows}")
    if not rows:
        return told
    names = [*(column.name for column in pipeline.columns), PROCESSING_DATE]
    columns = hive_columns(pipeline, names)
    glue.put_table(database, pipeline.name, columns, PARTITION_KEYS, f"s3://{bucket}/{pipeline.name}/")
    values = curated.partition(token, started)
    glue.put_partition(database, pipeline.name, values, columns, f"s3://{bucket}/{folder}")
    return told


def _leave_out(s3: S3, bucket: str, key: str, numbers: list[int]) -> None:
    from chalicelib.group_parquet import write_without  # noqa: PLC0415 - seldom needed, and imports pyarrow

    with s3.open_seekable(s3.find(bucket, key)) as source, s3.writing(bucket, key) as sink:
        write_without(source, sink, numbers)
