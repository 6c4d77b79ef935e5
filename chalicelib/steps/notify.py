"""Tell people how a run ended."""

from __future__ import annotations

from typing import Any

from chalicelib import settings
from chalicelib.aws.sns import SNS
from chalicelib.notices import Notice, notice


def notify(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"outcome": "succeeded", "run", "pipeline", "started", "execution", "details"}`.

    With `file`, or the `parameters` of a batch; `chalicelib.notices.notice` says what `details` holds.

    Returns:
        `{"message_id": ..., "subject": ...}`.
    """
    return send(SNS(), settings.notices_topic(), notice(event))


def send(sns: SNS, topic: str, message: Notice) -> dict[str, Any]:
    """Publish the notice."""
    message_id = sns.publish(topic, message.subject, message.body, message.attributes)
    return {"message_id": message_id, "subject": message.subject}
