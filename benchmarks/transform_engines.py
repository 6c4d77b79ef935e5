"""Ways to turn CSV or NDJSON into Parquet."""

from __future__ import annotations

OUT = ".out.parquet"


def decant(path: str, form: str) -> None:
    """Check every rule and write typed Parquet."""
    import datetime as dt

    from benchmarks.validation_engines import orders
    from chalicelib.transform import write_parquet

    with open(path, "rb") as stream, open(path + OUT, "wb") as sink:  # noqa: PTH123  no more imports than a step has
        write_parquet(stream, orders(form), sink, key=path, processing_date=dt.date(2026, 1, 2))


def pyarrow_streaming(path: str, _form: str) -> None:
    """Convert block by block with inferred types, and check nothing."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    pa.set_memory_pool(pa.system_memory_pool())
    options = csv.ParseOptions(newlines_in_values=True)
    with (
        csv.open_csv(path, parse_options=options) as reader,
        parquet.ParquetWriter(path + OUT, reader.schema) as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)


def duckdb(path: str, _form: str) -> None:
    """Convert with DuckDB, and check nothing."""
    import duckdb

    reader = "read_csv" if path.endswith(".csv") else "read_json"
    duckdb.sql(
        f"COPY (SELECT *, DATE '2026-01-02' AS processing_date FROM {reader}('{path}')) TO '{path}{OUT}'"
    )


def pandas(path: str, _form: str) -> None:
    """Convert with pandas in one piece."""
    import pandas as pd

    frame = (
        pd.read_csv(path, parse_dates=["ordered", "created"])
        if path.endswith(".csv")
        else pd.read_json(path, lines=True)
    )
    frame["processing_date"] = pd.Timestamp("2026-01-02")
    frame.to_parquet(path + OUT)
