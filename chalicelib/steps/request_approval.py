"""Ask people whether a run may go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib import approvals
from chalicelib.aws.s3 import S3
from chalicelib.aws.sns import SNS
from chalicelib.notices import notice
from chalicelib.notices.sending import send_at_once


def request_approval(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "pipeline", "file", "started", "validate_file", "task_token"}`.

    Keeps the token, then tells people. The run goes on or ends when somebody decides.

    Returns:
        `{"expires": "2026-01-31T06:00:00.000Z"}`.
    """
    return ask(S3(), SNS(), event, datetime.now(UTC))


def ask(s3: S3, sns: SNS, event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Keep the token before people are told: who is told can decide at once."""
    asked = approvals.keep(s3, event, now)
    details = {"validate_file": event["validate_file"], "why": asked.why, "expires": asked.expires}
    told = {name: event[name] for name in ("run", "pipeline", "file", "started")}
    send_at_once(s3, sns, notice({**told, "outcome": "waiting", "details": details}, now), now)
    return {"expires": asked.expires}
