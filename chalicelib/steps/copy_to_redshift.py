"""Load a run's Parquet files into the pipeline's Redshift table, exactly once."""

from __future__ import annotations

from typing import Any

from chalicelib import pipelines
from chalicelib.aws.glue import Glue
from chalicelib.column_types import redshift_columns
from chalicelib.errors import InvalidPipeline
from chalicelib.files import File
from chalicelib.loading import Load, Loaded, load_once
from chalicelib.run import RunName
from chalicelib.warehouse import copy_role, warehouse_of


def copy_to_redshift(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "token", "pipeline", "file", "catalogue": {"rows", "columns", "manifest"}}`.

    Returns:
        `{"table": "public.orders", "rows": 5, "already": false}`.
    """
    load = load_of(event)
    loaded = load_once(warehouse_of(load.table, load.tokens), load)
    leave_to_owner(Glue(), event, loaded)
    return {"table": f"{load.table.schema}.{load.table.name}", "rows": loaded.rows, "already": loaded.already}


def leave_to_owner(glue: Glue, event: dict[str, Any], loaded: Loaded) -> None:
    """Take this run's partition out of the catalogue when the file is in that of a batch's group."""
    if loaded.owner and RunName.parse(loaded.owner).token != event["token"]:
        catalogue = event["catalogue"]
        glue.drop_runs(catalogue["database"], catalogue["table"], [event["token"]])


def load_of(event: dict[str, Any]) -> Load:
    """Return what the load needs, from the event and the pipeline."""
    pipeline = pipelines.file_pipeline(event["pipeline"])
    if pipeline.table is None:
        raise InvalidPipeline(f"pipeline {pipeline.name} names no table: set table=Table(...)")
    catalogue = event["catalogue"]
    return Load(
        token=event["token"],
        run=event["run"],
        source=File.from_document(event["file"]).uri,
        table=pipeline.table,
        columns=redshift_columns(pipeline, catalogue["columns"]),
        rows=catalogue["rows"],
        manifest=catalogue["manifest"],
        role=copy_role(pipeline.table),
    )
