"""Convert months of taxi trips: by the workflow on a stage of this machine, and by DuckDB alone."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.files import FOLDER
from cli.sample_data.nyc_taxi import Sample, write_month, write_zones

MONTHS = ("2025-01", "2025-02", "2025-03", "2025-04")


def decant(trips: str) -> dict[str, float]:
    """Run the workflow twice; `seconds` leave out the start of the stage and the uploads."""
    from benchmarks.runs_engines import peak
    from chalicelib.sql import queries
    from cli import local_stage
    from cli.demos.nyc_taxi import DATABASE
    from cli.demos.stage import DemoStage

    *first, last = _files(int(trips))
    home = Path(tempfile.mkdtemp(prefix="decant-bench-"))
    running = local_stage.start(home)
    try:
        stage = DemoStage(running, home, live=False)
        zones = write_zones(home)
        seconds = 0.0
        for landed in ([zones, *first], [last]):
            for sample in landed:
                stage.upload(sample.path, sample.key)
            started = time.perf_counter()
            run = stage.follow(stage.start("nyc_taxi"))
            seconds += time.perf_counter() - started
            if run["outcome"] != "succeeded":
                raise SystemExit(f"the run {run['outcome']}: {run['cause']}")
        counted = {
            str(month): int(count or 0)
            for month, count in stage.athena(queries("nyc_taxi")["count_trips"].substitute(), DATABASE)
        }
        _check(counted, int(trips))
        return {"seconds": seconds, **peak(running)}
    finally:
        running.stop()
        shutil.rmtree(home)


def duckdb(trips: str) -> dict[str, float]:
    """Do the same conversion with DuckDB, file to file, and count."""
    import duckdb as engine

    engine.execute("SET enable_progress_bar = false")
    files = _files(int(trips))
    target = Path(tempfile.mkdtemp(prefix="decant-bench-"))
    try:
        started = time.perf_counter()
        for sample in files:
            month = target / f"month={_month(sample)}"
            month.mkdir()
            engine.execute(f"COPY ({_TYPED}) TO '{month}/trips.parquet' (FORMAT parquet)", [str(sample.path)])
        counted = engine.execute(
            f"SELECT month, count(*) FROM read_parquet('{target}/*/*.parquet', hive_types_autocast = false)"
            " GROUP BY month"
        ).fetchall()
        seconds = time.perf_counter() - started
        _check(dict(counted), int(trips))
        return {"seconds": seconds}
    finally:
        shutil.rmtree(target)


_TYPED = """
    SELECT * REPLACE (
        CAST(CAST(passenger_count AS DOUBLE) AS INTEGER) AS passenger_count,
        CAST(CAST(RatecodeID AS DOUBLE) AS INTEGER) AS RatecodeID,
        CAST(fare_amount AS DECIMAL(10, 2)) AS fare_amount,
        CAST(tip_amount AS DECIMAL(10, 2)) AS tip_amount,
        CAST(tolls_amount AS DECIMAL(10, 2)) AS tolls_amount,
        CAST(total_amount AS DECIMAL(10, 2)) AS total_amount
    ) FROM read_csv(?)
"""


def _files(trips: int) -> list[Sample]:
    """Return the months' files, made if they are not there yet."""
    each = trips // len(MONTHS)
    folder = FOLDER / f"taxi-{trips}"
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        for month in MONTHS:
            write_month(unfinished, month, each)
        unfinished.rename(folder)
    return [
        Sample(path=path, pipeline="nyc_taxi", rows=each, key=f"batch/nyc_taxi/{path.relative_to(folder)}")
        for path in sorted(folder.glob("yellow/*/*.csv"))
    ]


def _month(sample: Sample) -> str:
    return sample.path.parent.name


def _check(counted: dict[str, int], trips: int) -> None:
    if counted != dict.fromkeys(MONTHS, trips // len(MONTHS)):
        raise SystemExit(f"{counted} of {trips} trips")
