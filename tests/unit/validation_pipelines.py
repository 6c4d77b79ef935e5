"""Pipelines, and short ways to check a file against one, for the tests of validation."""

import io
from typing import Any

from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Pipeline
from chalicelib.validation import Report, validate

ORDERS = (
    Column(name="id", type="integer", required=True, minimum=1, unique=True),
    Column(name="amount", type="decimal", precision=8, scale=2, minimum=0, maximum=100000),
    Column(name="weight", type="float", maximum=1000),
    Column(name="active", type="boolean"),
    Column(name="ordered", type="date", minimum="2000-01-01"),
    Column(name="created", type="timestamp"),
    Column(name="country", type="text", allowed=("DE", "FR", "US")),
    Column(name="note", type="text", longest=12),
)
GOOD = ("1", "9.50", "1.5", "true", "2020-02-29", "2020-01-01T10:20:30Z", "DE", "hello")
HEADER = ",".join(column.name for column in ORDERS)


def pipeline(*columns: Column, **overrides: Any) -> Pipeline:
    facts = {
        "name": "orders",
        "description": "Orders of a test.",
        "landing_prefix": "incoming/orders/",
        "source": CSV(),
        "columns": columns or ORDERS,
    }
    return Pipeline(**facts | overrides)


def text_pipeline(*names: str, **overrides: Any) -> Pipeline:
    return pipeline(*(Column(name=name, type="text") for name in names), **overrides)


def check_csv(
    data: bytes | str, chosen: Pipeline | None = None, key: str = "incoming/orders/f.csv"
) -> Report:
    content = data.encode() if isinstance(data, str) else data
    return validate(io.BytesIO(content), chosen or pipeline(), key=key, size=len(content))


def check_json(data: bytes | str, *columns: Column, **overrides: Any) -> Report:
    return check_csv(data, pipeline(*columns, source=JSON(), **overrides), "f.json")


def check_ndjson(data: bytes | str, *columns: Column, **overrides: Any) -> Report:
    return check_csv(data, pipeline(*columns, source=NDJSON(), **overrides), "f.ndjson")


def order(**changes: str) -> str:
    """One CSV row of ORDERS, with cells changed."""
    cells = dict(zip(HEADER.split(","), GOOD, strict=True)) | changes
    return ",".join(cells.values())
