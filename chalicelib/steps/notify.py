"""Tell people how a run ended."""

from __future__ import annotations

import logging
from typing import Any

from chalicelib import settings
from chalicelib.aws.sns import SNS
from chalicelib.history import readable_cause
from chalicelib.notices import Notice, notice

log = logging.getLogger(__name__)


def notify(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"outcome": "succeeded", "run", "pipeline", "started", "execution", "details"}`.

    With `file`, or the `parameters` of a batch; `chalicelib.notices.notice` says what `details` holds.

    Returns:
        `{"message_id": ..., "subject": ...}`.
    """
    if "error" in event["details"]:
        error = event["details"]["error"]
        log.error(
            "run %s %s: %s: %s",
            event["run"],
            event["outcome"],
            error["Error"],
            readable_cause(error.get("Cause", "")),
        )
    return send(SNS(), settings.notices_topic(), notice(event))


def send(sns: SNS, topic: str, message: Notice) -> dict[str, Any]:
    """Publish the notice."""
    message_id = sns.publish(topic, message.subject, message.body, message.attributes)
    return {"message_id": message_id, "subject": message.subject}
