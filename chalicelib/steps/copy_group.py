"""Load a group's Parquet file into the pipeline's Redshift table, each of its files exactly once."""

from __future__ import annotations

from typing import Any

from chalicelib import pipelines
from chalicelib.column_types import redshift_columns
from chalicelib.errors import InvalidPipeline
from chalicelib.files import File
from chalicelib.group_loading import FILE_NUMBER, Member, load_group_once
from chalicelib.loading import PROCESSING_DATE, Load
from chalicelib.warehouse import copy_role, warehouse_of


def copy_group(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "group": {...}, "transform_group": {"rows", "manifest", "files"}}`.

    Returns:
        `table`; `rows`, what the files brought; `files`, each as `{"number", "token", "rows", "already",
        "elsewhere"}`; and `elsewhere`, the numbers of those that another run loaded in the meantime.
    """
    load = load_of(event)
    loaded = load_group_once(warehouse_of(load.table, load.tokens), load, members_of(event))
    return {
        "table": f"{load.table.schema}.{load.table.name}",
        "rows": sum(file.rows for file in loaded),
        "files": [
            {"number": file.number, "token": file.token, "rows": file.rows, "already": file.already}
            for file in loaded
        ],
        "elsewhere": [file.number for file in loaded if file.elsewhere],
    }


def load_of(event: dict[str, Any]) -> Load:
    """Return what the load of the whole group needs."""
    group, written = event["group"], event["transform_group"]
    pipeline = pipelines.file_pipeline(group["pipeline"])
    if pipeline.table is None:
        raise InvalidPipeline(f"pipeline {pipeline.name} names no table: its files are not put together")
    names = [*(column.name for column in pipeline.columns), PROCESSING_DATE]
    return Load(
        token=group["token"],
        run=event["run"],
        source=f"{len(written['files'])} files",
        table=pipeline.table,
        columns=redshift_columns(pipeline, names),
        rows=written["rows"],
        manifest=written["manifest"],
        role=copy_role(pipeline.table),
        number=FILE_NUMBER,
    )


def members_of(event: dict[str, Any]) -> list[Member]:
    """Return the files that the Parquet file holds."""
    files = event["group"]["files"]
    return [
        Member(
            number=found["number"],
            token=found["token"],
            source=File.from_document(files[found["number"]]["file"]).uri,
            rows=found["rows"],
        )
        for found in event["transform_group"]["files"]
    ]
