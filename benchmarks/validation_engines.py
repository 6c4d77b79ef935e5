"""Ways to find out whether a file is good; each function imports what it needs, as a Lambda would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


def orders(form: str) -> Pipeline:
    """Return the pipeline whose rules are checked in full."""
    from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Pipeline

    columns = (
        Column(name="id", type="integer", required=True, unique=True, minimum=1),
        Column(name="customer", type="text", required=True, longest=60),
        Column(name="country", type="text", allowed=("DE", "FR", "US", "GB", "JP")),
        Column(name="amount", type="decimal", minimum=0, maximum=1_000_000),
        Column(name="quantity", type="integer", minimum=1, maximum=100),
        Column(name="weight", type="float", minimum=0),
        Column(name="active", type="boolean"),
        Column(name="ordered", type="date", minimum="2019-01-01"),
        Column(name="created", type="timestamp"),
        Column(name="note", type="text"),
    )
    source = {"csv": CSV(), "json": JSON(), "ndjson": NDJSON()}[form]
    return Pipeline(
        name="bench", description="Orders.", landing_prefix="incoming/bench/", source=source, columns=columns
    )


def decant(path: str, form: str) -> None:
    """Check every rule and count the bad rows."""
    from pathlib import Path

    from chalicelib.validation import validate

    with open(path, "rb") as stream:  # noqa: PTH123  no more imports than a step has
        report = validate(stream, orders(form), key=path, size=Path(path).stat().st_size)
    if not report.rows:
        raise SystemExit(report.summary())


def tutorial_csv(path: str, _form: str) -> None:
    """Count rows as the tutorial's Lambda does."""
    import csv
    from io import StringIO

    with open(path, "rb") as body:  # noqa: PTH123  as above
        file_content = body.read().decode("utf-8")
    csv_reader = csv.reader(StringIO(file_content))
    next(csv_reader)
    if not sum(1 for _ in csv_reader):
        raise SystemExit("File is empty")


def tutorial_json(path: str, form: str) -> None:
    """Parse as the tutorial's Lambda does; it knows no NDJSON, so that is parsed line by line."""
    import json

    with open(path, "rb") as body:  # noqa: PTH123  as above
        file_content = body.read().decode("utf-8")
    if form == "json":
        data = json.loads(file_content)
    else:
        data = [json.loads(line) for line in file_content.splitlines()]
    if not data:
        raise SystemExit("File is empty")


def pandas_csv(path: str, _form: str) -> None:
    """Check the same rules with pandas in chunks."""
    import pandas as pd

    kinds = {"id": "int64", "quantity": "int64", "weight": "float64", "amount": "float64", "active": "bool"}
    seen: set[int] = set()
    bad = 0
    for chunk in pd.read_csv(path, chunksize=100_000, dtype=kinds, parse_dates=["ordered", "created"]):
        wrong = chunk.id.isin(seen) | chunk.id.duplicated() | (chunk.id < 1) | chunk.customer.isna()
        wrong |= chunk.customer.str.len().gt(60)
        wrong |= ~chunk.country.isin(["DE", "FR", "US", "GB", "JP"]) & chunk.country.notna()
        wrong |= ~chunk.amount.between(0, 1_000_000) | ~chunk.quantity.between(1, 100) | (chunk.weight < 0)
        wrong |= chunk.ordered < "2019-01-01"
        seen.update(chunk.id)
        bad += int(wrong.sum())
    if bad:
        raise SystemExit(f"{bad} bad rows")


def pyarrow_bare(path: str, _form: str) -> None:
    """Parse and infer types with all processors, and check nothing: the floor."""
    from pyarrow import csv

    csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True))


def pyarrow_streaming(path: str, _form: str) -> None:
    """Parse and infer types block by block, and check nothing: the floor in bounded memory."""
    from pyarrow import csv

    for _ in csv.open_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True)):
        pass
