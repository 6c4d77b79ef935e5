"""What another service said when it failed, in words: Lambda, Glue, Athena, Redshift, Step Functions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from chalicelib.history import readable_cause

LONGEST_MESSAGE = 2000

TIMEOUTS = {
    "States.Timeout": "a state took longer than its limit, and its last attempt did not end",
    "States.HeartbeatTimeout": "nobody looked after the waiting task any more",
}
"""Step Functions names these without a cause."""


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """An error as people read it.

    Attributes:
        error: its name, as the workflow sees it.
        service: who said it, or an empty text.
        message: the first paragraph of what was said.
        lines: all of it, line by line.
        job, job_run: the Glue job's name and its run's id, when it was a job run.
    """

    error: str
    service: str
    message: str
    lines: tuple[str, ...]
    job: str | None = None
    job_run: str | None = None


def decoded(error: dict[str, Any]) -> Upstream:
    """Read a caught error.

    Args:
        error: `Error` and `Cause`, as Step Functions gives them; either may be missing.
    """
    name, cause = str(error.get("Error") or "Unknown"), str(error.get("Cause") or "")
    text = readable_cause(cause).strip()[:LONGEST_MESSAGE] or TIMEOUTS.get(name, "nothing more is known")
    service, job, job_run = _who(name, _document(cause), text)
    return Upstream(
        error=name,
        service=service,
        message=text.partition("\n")[0],
        lines=tuple(text.splitlines()),
        job=job,
        job_run=job_run,
    )


def last_useful_line(lines: list[str]) -> str | None:
    """Return the line of a job's error log that says most: the last error, without frames and chatter."""
    useful = [line.strip() for line in lines if line.strip() and not _NOISE.search(line)]
    errors = [line for line in useful if _ERROR.search(line)]
    found = errors or useful
    return found[-1] if found else None


_NOISE = re.compile(
    r"^\s*(?:at |\.{3} \d+ more|File \"|Traceback|During handling|raise |return )"
    r"|\b(?:INFO|DEBUG|WARN|WARNING)\b"
)

_ERROR = re.compile(r"\b\w*(?:Error|Exception|FAILED|Caused by)\b")

_JOB_RUN = re.compile(r"Glue job (?P<job>[^\s,:]+), run (?P<run>[^\s,:]+)")


def _who(name: str, document: dict[str, Any], text: str) -> tuple[str, str | None, str | None]:
    if found := _JOB_RUN.search(text):
        return "Glue", found["job"], found["run"]
    if "JobName" in document:
        return "Glue", str(document["JobName"]), str(document.get("Id", "")) or None
    if "QueryExecution" in document:
        return "Athena", None, None
    if text.startswith("the warehouse"):
        return "Redshift", None, None
    if name.startswith(("States.", "SQS.", "S3.", "SNS.", "Glue.", "Athena.", "StepFunctions.")):
        return name.partition(".")[0].replace("States", "Step Functions"), None, None
    return ("Lambda" if "errorMessage" in document else ""), None, None


def _document(cause: str) -> dict[str, Any]:
    try:
        found = json.loads(cause)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
