"""Drop small orders files on a stage of this machine and wait until the warehouse holds them."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from cli import local_stage
from cli.sample_data.load_file import ORDER_COLUMNS, order_rows
from cli.service import Service
from cli.sql import query_stage
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "decant-local-landing-123456789012"
CLIENTS = 8
PATIENCE_SECONDS = 900
"""A thousand runs on a busy machine take minutes."""


def latency(count: str) -> dict[str, float]:
    """Drop one file after another; tell the median time from the put to the run's end."""
    with _stage() as stage:
        return {"seconds": median(_one(stage, number) for number in range(int(count))), **peak(stage)}


def drops(count: str) -> dict[str, float]:
    """Drop many files at once; tell the time until the last one is loaded, none lost and none twice.

    The processor time is that of the stage's processes, without this client's.
    """
    with _stage() as stage:
        files = [_orders(1000 + 10 * number) for number in range(int(count))]
        started, processor = time.perf_counter(), _processor(stage)
        with ThreadPoolExecutor(CLIENTS) as threads:
            s3 = client(stage.environment, "s3")
            list(threads.map(lambda each: _put(s3, f"many-{each[0]}", each[1]), enumerate(files)))
        # Seldom: each look opens a connection, and the stage shares this machine's cores with it.
        _until(lambda: _loads(stage) >= len(files) + 1, f"{count} loads", pause=1.0)
        seconds, processor = time.perf_counter() - started, _processor(stage) - processor
        rows = query_stage("SELECT count(*) FROM orders", stage.environment)[1][0][0]
        if (_loads(stage), rows) != (len(files) + 1, 3 * (len(files) + 1)):
            raise SystemExit(f"{_loads(stage)} loads and {rows} rows for {count} files of 3 rows")
        return {"seconds": seconds, "processor": processor, **peak(stage)}


@contextlib.contextmanager
def _stage() -> Iterator[local_stage.LocalStage]:
    """Start a stage, warm it with one file, and leave nothing behind."""
    home = Path(tempfile.mkdtemp(prefix="decant-bench-"))
    stage = local_stage.start(home)
    try:
        _one(stage, -1)
        yield stage
    finally:
        stage.stop()
        shutil.rmtree(home)


def _one(stage: local_stage.LocalStage, number: int) -> float:
    api = Service(stage.api_url, stage.api_token)
    before = {run["name"] for run in api.get("/runs", limit=100)["runs"]}
    started = time.perf_counter()
    _put(client(stage.environment, "s3"), f"one-{number}", _orders(1 + 10 * (number + 1)))

    def ended() -> bool:
        new = [run for run in api.get("/runs", limit=5)["runs"] if run["name"] not in before]
        return bool(new) and new[0]["outcome"] == "succeeded"

    _until(ended, "the run's end")
    return time.perf_counter() - started


def _put(s3: Any, name: str, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"incoming/orders/{name}.csv", Body=body)


def _loads(stage: local_stage.LocalStage) -> int:
    return int(query_stage("SELECT count(*) FROM decant_loads", stage.environment)[1][0][0])


def _orders(first: int) -> bytes:
    lines = [",".join(ORDER_COLUMNS)]
    lines += [",".join('"' + value.replace('"', '""') + '"' for value in row) for row in order_rows(first, 3)]
    return ("\n".join(lines) + "\n").encode()


def peak(stage: local_stage.LocalStage) -> dict[str, float]:
    """Tell the most memory that the embedded AWS has had, in MB."""
    status = Path(f"/proc/{stage.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return {"peak_rss_mb": int(found[1]) / 1024 if found else 0.0}


def _processor(stage: local_stage.LocalStage) -> float:
    """Return the processor seconds that the stage's processes have spent."""
    import psutil  # the other engines of this module need it not

    aws = psutil.Process(stage.process.pid)
    return sum(sum(process.cpu_times()[:4]) for process in (aws, *aws.children(recursive=True)))


def _until(condition: Any, what: str, pause: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"never came: {what}")
        time.sleep(pause)
