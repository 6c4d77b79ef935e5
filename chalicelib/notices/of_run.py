"""The notice of a run's end, or of its wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.files import File
from chalicelib.notices import console
from chalicelib.notices.notice import Notice, took
from chalicelib.notices.outcomes import told
from chalicelib.redaction import redacted


def notice(event: dict[str, Any], now: datetime | None = None) -> Notice:
    """Write the notice for a run.

    Args:
        event: `outcome` (succeeded, rejected, failed, expired, stopped, timed_out, stuck, or waiting for
            approval), `run`, `pipeline`, `started`, `details`, and what it worked on: `file`, or the
            `parameters` of a batch. A batch that succeeded says in `details` what it did: `headline`,
            `facts` (by name) and, when there is more to say, `lines`; so may one that failed in part,
            beside its `error`.
        now: when the run ended, or None for this moment.
    """
    words = told(event)
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(event["started"])).total_seconds()
    what, facts = _of_file(event) if "file" in event else _of_batch(event)
    rows = {"Rows": str(words.rows)} if str(words.rows) else {}
    return Notice(
        name=event["run"],
        pipeline=event["pipeline"],
        outcome=event["outcome"],
        severity=words.severity,
        title=what,
        headline=words.headline,
        facts={
            "Pipeline": event["pipeline"],
            **facts,
            **rows,
            "Run": event["run"],
            "Started": event["started"],
            "Took": took(seconds),
        },
        lines=words.lines,
        next=words.next,
        commands=words.commands,
        rows=words.rows,
        cause=None if words.cause is None else redacted(words.cause),
        page=console.of_run(event["run"]),
        details={
            "run": event["run"],
            "file": event.get("file"),
            "parameters": event.get("parameters"),
            "started": event["started"],
            "seconds": round(seconds, 3),
            "error": words.error,
            "offending": list(words.offending),
            **({"facts": event["details"]["facts"]} if "facts" in event["details"] else {}),
        },
    )


def _of_file(event: dict[str, Any]) -> tuple[str, dict[str, str]]:
    file = File.from_document(event["file"])
    return file.key.rsplit("/", 1)[-1], {"File": file.uri, "Size": f"{file.size:,} bytes"}


def _of_batch(event: dict[str, Any]) -> tuple[str, dict[str, str]]:
    facts = {
        name.replace("_", " ").capitalize(): value for name, value in event.get("parameters", {}).items()
    }
    if "Pipeline" in facts:  # a batch of another pipeline's files
        facts["Files of"] = facts.pop("Pipeline")
    details = event["details"]
    return str(details.get("headline") or details.get("error", {}).get("Error") or event["run"]), facts
