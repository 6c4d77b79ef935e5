"""Load small orders files on a stage of this machine, and count what Step Functions did for them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.runs_engines import BUCKET, CLIENTS, _loads, _orders, _stage, _until, peak
from cli.service import Service
from cli.sql import query_stage
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.local_stage import LocalStage

WARM = 1
"""Files that were loaded before the measurement, to warm the stage."""


def drops(count: str) -> dict[str, float]:
    """Drop every file where its event starts a run."""
    with _stage() as stage:
        started = _put_all(stage, "incoming/orders/", int(count))
        _until(lambda: _loads(stage) >= int(count) + WARM, f"{count} loads", pause=1.0)
        _until(lambda: not _running(stage), "the end of the last run", pause=0.5)
        return _cost(stage, started, int(count))


def batch(count: str) -> dict[str, float]:
    """Put every file where a batch finds it, and run one batch."""
    with _stage() as stage:
        started = _put_all(stage, "batch/orders/", int(count))
        api = Service(stage.api_url, stage.api_token)
        parameters = {"prefix": "batch/orders/", "pipeline": "orders"}
        run = api.post("/pipelines/load_batch/runs", {"parameters": parameters})["run"]
        _until(lambda: api.get(f"/runs/{run}")["outcome"] != "running", "the batch's end", pause=0.5)
        found = api.get(f"/runs/{run}")
        if found["outcome"] != "succeeded":
            raise SystemExit(f"{run}: {found['error']}: {found['cause']}")
        return _cost(stage, started, int(count))


def _put_all(stage: LocalStage, prefix: str, count: int) -> float:
    """Upload the files and return when the first upload began."""
    s3 = client(stage.environment, "s3")
    bodies = [_orders(10_000 + 10 * number) for number in range(count)]

    def put(each: tuple[int, bytes]) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{each[0]:05}.csv", Body=each[1])

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(put, enumerate(bodies)))
    return started


def _cost(stage: LocalStage, started: float, count: int) -> dict[str, float]:
    seconds = time.perf_counter() - started
    rows = query_stage("SELECT count(*) FROM orders", stage.environment)[1][0][0]
    if (_loads(stage), rows) != (count + WARM, 3 * (count + WARM)):
        raise SystemExit(f"{_loads(stage)} loads and {rows} rows for {count} files of 3 rows")
    states = client(stage.environment, "stepfunctions")
    executions = list(_executions(states))
    with ThreadPoolExecutor(CLIENTS) as threads:
        transitions = sum(threads.map(lambda arn: _transitions(states, arn), executions))
    return {"seconds": seconds, "runs": len(executions), "transitions": transitions, **peak(stage)}


def _executions(states: Any) -> Iterator[str]:
    """Yield the ARN of every execution but the one that warmed the stage, children of a batch too."""
    for machine in states.list_state_machines()["stateMachines"]:
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
        found = [each["executionArn"] for page in pages for each in page["executions"]]
        if machine["name"].endswith("-load_file"):
            found = found[:-WARM]  # newest first
        yield from found
        for arn in found if machine["name"].endswith("-load_batch") else ():
            for run in states.list_map_runs(executionArn=arn)["mapRuns"]:
                pages = states.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
                yield from (each["executionArn"] for page in pages for each in page["executions"])


def _transitions(states: Any, arn: str) -> int:
    """Count the states that an execution entered: what AWS bills."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])


def _running(stage: LocalStage) -> bool:
    states = client(stage.environment, "stepfunctions")
    machines = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]]
    return any(
        states.list_executions(stateMachineArn=arn, statusFilter="RUNNING", maxResults=1)["executions"]
        for arn in machines
    )
