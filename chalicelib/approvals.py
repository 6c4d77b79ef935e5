"""Runs that wait for a person's yes: kept, listed, kept alive and decided.

A task token lets whoever holds it end the task. It is kept in one object for each run, which only the step
that asks and the API's function may read, and never put into an answer, a notice or a log.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import RunConflict, UnknownFile
from chalicelib.flags import MEANINGS
from chalicelib.history import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.pipeline import Pipeline
    from chalicelib.validation import Report

FOLDER = "approvals/"

REFUSED = "RefusedByApprover"
"""The error with which a task ends that an approver refused."""

HEARTBEAT_SECONDS = 3600
"""A waiting run that nobody looked after for so long ends as expired; `reconcile` looks every 15 minutes."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run that waits; times are ISO 8601 in UTC."""

    run: str
    pipeline: str
    file: dict[str, Any]
    rows: int
    bad_rows: int
    why: list[str]
    asked: str
    expires: str


def needed(pipeline: Pipeline, report: Report, flags: list[str]) -> dict[str, Any]:
    """Say whether a valid file's run asks for approval, why, and for how long (both times in seconds)."""
    rule = pipeline.approval
    why: list[str] = []
    if rule and report.valid:
        why += ["this pipeline always asks"] if rule.always else []
        why += [MEANINGS[flag] for flag in flags if flag in rule.flags]
        if rule.bad_rows is not None and report.bad_rows > rule.bad_rows:
            why.append(f"{report.bad_rows:,} rows are bad, more than {rule.bad_rows:,}")
    expires = rule.expires_after if rule else 0
    # AWS wants the heartbeat below the time limit.
    return {
        "needed": bool(why),
        "why": why,
        "expires_seconds": expires,
        "heartbeat_seconds": min(HEARTBEAT_SECONDS, expires - 1) if rule else 0,
    }


def keep(s3: S3, event: dict[str, Any], now: datetime) -> Asked:
    """Keep a run's token until it is decided; another attempt of the step replaces it."""
    report = event["validate_file"]
    asked = Asked(
        run=event["run"],
        pipeline=event["pipeline"],
        file=event["file"],
        rows=report["rows"],
        bad_rows=report["bad_rows"],
        why=report["approval"]["why"],
        asked=iso(now),
        expires=iso(now + timedelta(seconds=report["approval"]["expires_seconds"])),
    )
    document = {**asdict(asked), "task_token": event["task_token"]}
    s3.put_json(settings.artifacts_bucket(), _key(asked.run), document)
    return asked


def waiting(s3: S3) -> Iterator[Asked]:
    """Yield the runs that wait, in the order of their names."""
    now = iso(datetime.now(UTC))
    for run in _runs(s3):
        asked, _ = _read(s3, run)
        if asked.expires > now:
            yield asked


def approve(s3: S3, states: StepFunctions, run: str, *, by: str, reason: str) -> None:
    """Let a run that waits go on.

    Raises:
        RunConflict: it does not wait, or no longer.
    """
    _, token = _read(s3, run)
    states.succeed_task(token, {"approved_by": by, "reason": reason, "at": iso(datetime.now(UTC))})
    s3.delete(settings.artifacts_bucket(), _key(run))


def refuse(s3: S3, states: StepFunctions, run: str, *, by: str, reason: str) -> None:
    """End a run that waits; its file goes to quarantine.

    Raises:
        RunConflict: it does not wait, or no longer.
    """
    _, token = _read(s3, run)
    states.fail_task(token, REFUSED, f"refused by {by}: {reason}")
    s3.delete(settings.artifacts_bucket(), _key(run))


def look_after(s3: S3, states: StepFunctions) -> int:
    """Keep the waiting runs alive, forget those that wait no longer, and return how many wait."""
    alive = 0
    for run in list(_runs(s3)):
        _, token = _read(s3, run)
        try:
            states.keep_task_alive(token)
            alive += 1
        except RunConflict:
            s3.delete(settings.artifacts_bucket(), _key(run))
    return alive


def _key(run: str) -> str:
    return f"{FOLDER}{run}.json"


def _runs(s3: S3) -> Iterator[str]:
    for file, _ in s3.listing(settings.artifacts_bucket(), FOLDER):
        yield file.key.removeprefix(FOLDER).removesuffix(".json")


def _read(s3: S3, run: str) -> tuple[Asked, str]:
    try:
        document = s3.read_json(settings.artifacts_bucket(), _key(run))
    except UnknownFile as error:
        raise RunConflict(f"run {run!r} does not wait for approval") from error
    token: str = document.pop("task_token")
    return Asked(**document), token
