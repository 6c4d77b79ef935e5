"""What CloudWatch counts of runs and files: one log line in its embedded metric format, no request.

Dimensions are few on purpose: every combination of a name and its dimensions' values is a metric that costs
0.30 dollars in a month in which it is written. docs/observability.md lists all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from chalicelib import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.files import File

NAMESPACE = "Decant"

OUTCOMES = {
    "succeeded": "RunsSucceeded",
    "rejected": "RunsRejected",
    "failed": "RunsFailed",
    "expired": "RunsExpired",
}
"""The metric that counts runs which ended so. One that was stopped or timed out tells Step Functions only."""

UNITS = {"Bytes": "Bytes", "Seconds": "Seconds"}
"""A metric's unit by what its name ends in; any other counts."""


def run_ended(event: Mapping[str, Any], now: datetime) -> None:
    """Count a run that has ended, from the event of `notify`; an outcome that is no end counts nothing.

    It is the last thing that `notify` does: a retry before it counts once, and only an answer of Lambda that
    gets lost afterwards would count the run twice.
    """
    counted = OUTCOMES.get(event["outcome"])
    if counted is None:
        return
    seconds = (now - datetime.fromisoformat(event["started"])).total_seconds()
    values = {counted: 1, "RunSeconds": seconds, **_of_file(event)}
    about = {"run": event["run"], "outcome": event["outcome"]}
    _write(values, {"Pipeline": event["pipeline"]}, about)
    if counted == "RunsFailed":  # the alarm asks for the whole stage: rejected files are no failure of ours
        _write({counted: 1}, {}, {**about, "pipeline": event["pipeline"]})


def step_ended(step: str, seconds: float, about: Mapping[str, Any]) -> None:
    """Tell how long a step's function took; `about` has the run, pipeline and file."""
    _write({"StepSeconds": seconds}, {"Step": step}, about)


def service_levels(
    *,
    oldest_unprocessed: float,
    late: Iterable[str],
    missed_ticks: Iterable[str],
    now: datetime | None = None,
) -> None:
    """Tell how well the stage keeps up; `reconcile_due` calls this every time, also when all is well.

    Args:
        oldest_unprocessed: age in seconds of the oldest landed file whose run has not ended; 0 without one.
        late: the pipelines whose file was expected by now and has not come.
        missed_ticks: the pipelines whose last tick had no run.
        now: the moment that this is true of.
    """
    late, missed_ticks = sorted(set(late)), sorted(set(missed_ticks))
    values = {
        "OldestUnprocessedFileSeconds": oldest_unprocessed,
        "FilesLate": len(late),
        "TicksMissed": len(missed_ticks),
    }
    _write(values, {}, {"late": late, "missed_ticks": missed_ticks}, now)


def oldest_age(files: Iterable[tuple[File, datetime]], now: datetime) -> float:
    """Return the age in seconds of the oldest of some files with the times at which they landed."""
    return max(((now - landed).total_seconds() for _, landed in files), default=0.0)


def _of_file(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the counts of a file's run: what validation read, what was loaded, what was not."""
    if "file" not in event:
        return {}
    details = event["details"]
    report = details.get("validate_file") or {}
    bad = report.get("bad_rows", 0)
    loaded = (details.get("catalogue") or {}).get("rows", 0) if event["outcome"] == "succeeded" else 0
    found = {"Files": 1, "FileBytes": event["file"]["size"], "RowsLoaded": loaded}
    return {**found, "RowsRead": report["rows"], "RowsRejected": bad} if report else found


def _write(
    values: Mapping[str, float],
    dimensions: Mapping[str, str],
    about: Mapping[str, Any],
    now: datetime | None = None,
) -> None:
    """Print one line; CloudWatch makes metrics of it, and whoever looks for the run finds `about` there."""
    line = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
    for name, value in {"App": settings.app(), "Stage": settings.stage(), **dimensions}.items():
        line.add_dimension(name, value)
    for name, number in values.items():
        unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "Count")
        line.add_metric(name, unit, float(number))
    for key, known in about.items():
        if known is not None:
            line.add_metadata(key, known)
    line.set_timestamp(now or datetime.now(UTC))
    line.flush_metrics()
