"""The taxi system end to end: CSV of trips to a Parquet table that counts right, by two runs on a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.nyc_taxi_engines"


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield the case; decant's `peak_rss_mb` is the embedded AWS's, its `seconds` those of the runs."""
    trips = 1_000_000 if max(sizes.megabytes) > 1 else 40_000
    yield Case(
        suite="nyc_taxi",
        name=f"{trips:,} trips: a first run on three months, a later run on one",
        engines={"decant": f"{ENGINES}:decant", "duckdb": f"{ENGINES}:duckdb"},
        arguments=(str(trips),),
        compared_to={"decant": "duckdb"},
        rounds=3,
    )
