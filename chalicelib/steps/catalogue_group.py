"""Register a group's Parquet file in the Data Catalog, as the warehouse loaded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import curated, pipelines, settings
from chalicelib.aws.glue import Glue
from chalicelib.aws.s3 import S3
from chalicelib.column_types import hive_columns
from chalicelib.errors import RowsLost
from chalicelib.loading import PROCESSING_DATE
from chalicelib.steps.catalogue import put_partition, read_footers

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


def catalogue_group(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "started", "group": {...}, "transform_group": {...}, "copy_group": {...}}`.

    Returns:
        `{"database", "table", "rows"}`: what a query can read now of this group.
    """
    group = event["group"]
    pipeline = pipelines.file_pipeline(group["pipeline"])
    elsewhere = event["copy_group"]["elsewhere"]
    mine = [file for file in event["transform_group"]["files"] if file["number"] not in elsewhere]
    return register(S3(), Glue(), pipeline, group["token"], event["started"], mine, elsewhere)


def register(
    s3: S3,
    glue: Glue,
    pipeline: Pipeline,
    token: str,
    started: str,
    mine: list[dict[str, Any]],
    elsewhere: list[int],
) -> dict[str, Any]:
    """Register the group's partition without the files that another run loaded and registered.

    A run of a single file registers its partition before it loads: one that failed in between is taken out.

    Args:
        s3: the buckets.
        glue: the Data Catalog.
        pipeline: its table.
        token: the group's.
        started: the day of its partition.
        mine: the files that the group loaded, each with its `token` and `rows`.
        elsewhere: the numbers of the others.

    Raises:
        RowsLost: the Parquet file holds another number of rows than its source files.
    """
    rows, alone = sum(file["rows"] for file in mine), [file["token"] for file in mine]
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
    glue.drop_runs(database, pipeline.name, alone)
    put_partition(glue, pipeline, hive_columns(pipeline, names), token, started)
    return told


def _leave_out(s3: S3, bucket: str, key: str, numbers: list[int]) -> None:
    from chalicelib.group_parquet import write_without  # noqa: PLC0415 - seldom needed, and imports pyarrow

    with s3.open_seekable(s3.find(bucket, key)) as source, s3.writing(bucket, key) as sink:
        write_without(source, sink, numbers)
