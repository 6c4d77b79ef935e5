"""A pipeline: a workflow with the names filled in; what the definitions in `pipelines/` are made of."""

from chalicelib.pipeline.approval import Approval, Flag
from chalicelib.pipeline.batch import BatchPipeline, Parameter
from chalicelib.pipeline.checks import IDENTIFIER, is_date
from chalicelib.pipeline.column import Column
from chalicelib.pipeline.file import Pipeline
from chalicelib.pipeline.formats import CSV, JSON, NDJSON, Parquet
from chalicelib.pipeline.glue_job import GlueJob
from chalicelib.pipeline.schedule import Schedule
from chalicelib.pipeline.table import Table
from chalicelib.pipeline.tolerance import Tolerance

__all__ = [
    "CSV",
    "IDENTIFIER",
    "JSON",
    "NDJSON",
    "Approval",
    "BatchPipeline",
    "Column",
    "Flag",
    "GlueJob",
    "Parameter",
    "Parquet",
    "Pipeline",
    "Schedule",
    "Table",
    "Tolerance",
    "is_date",
]
