"""CSV and NDJSON to Parquet beside DuckDB, pyarrow and pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes
from benchmarks.files import csv_file, ndjson_file
from benchmarks.validation import LARGE

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.transform_engines"


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield the cases; their files are made when they are asked for."""
    for size in sizes.megabytes:
        rounds = 5 if size < LARGE else 3
        for form, path, engines in (
            ("csv", csv_file(size), ("decant", "duckdb", "pyarrow_streaming", "pandas")),
            ("ndjson", ndjson_file(size), ("decant", "duckdb", "pandas")),
        ):
            names = {name.replace("_", " "): f"{ENGINES}:{name}" for name in engines}
            yield Case(
                suite="transform",
                name=f"{form} {size} MB to Parquet",
                engines=names,
                arguments=(str(path), form),
                compared_to=dict.fromkeys(set(names) - {"duckdb"}, "duckdb"),
                rounds=rounds,
            )
