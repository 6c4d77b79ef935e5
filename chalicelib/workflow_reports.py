"""What lint and the price list said of each workflow when the stage was provisioned."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import UnknownFile

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.run import Run

KEY = "workflows/report.json"

KEPT_SECONDS = 300
"""It changes only when somebody provisions the stage."""

GB = 1_000_000_000

_kept: dict[str, tuple[float, dict[str, Any]]] = {}
_lock = threading.Lock()


def reports(s3: S3) -> dict[str, Any]:
    """Return `{"findings", "cost"}` by workflow; empty when the stage was provisioned without."""
    bucket = settings.artifacts_bucket()
    with _lock:
        until, found = _kept.get(bucket, (0.0, {}))
        if until > time.monotonic():
            return found
        try:
            found = s3.read_json(bucket, KEY)["workflows"]
        except UnknownFile:
            found = {}
        _kept[bucket] = (time.monotonic() + KEPT_SECONDS, found)
    return found


def cost_of(reports: dict[str, Any], workflow: str, run: Run) -> float | None:
    """Return what a run cost, about, in US dollars, or None when the way that it took is not known.

    It is the price of the way through the workflow that the run's output or error tells of, for its file's
    size: retries, waits and a loop's turns are as the price list's assumptions have them. An error that a
    step raised, and that was caught, ends no way that is priced.
    """
    ways = (reports.get(workflow, {}).get("cost") or {}).get("ways", [])
    way = _taken([way for way in ways if not way["fails"]], run) if run.outcome == "succeeded" else None
    if way is None and run.error:
        ended_so = [way for way in ways if way["fails"] and way.get("error") == run.error]
        way = min(
            ended_so, key=lambda way: len(way["results"]), default=None
        )  # nothing tells more: the shortest
    if way is None:
        return None
    size = ((run.input or {}).get("file") or {}).get("size") or 0
    return round(float(way["usd"] + way["usd_per_gb"] * size / GB), 6)


def _taken(ways: list[dict[str, Any]], run: Run) -> dict[str, Any] | None:
    """Return the way whose steps are those that left a result in the run's output."""
    left = set(run.output or ())
    return min(ways, key=lambda way: len(set(way["results"]) ^ left), default=None)
