"""Tell people how a run ended."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import metrics
from chalicelib.aws.s3 import S3
from chalicelib.aws.sns import SNS
from chalicelib.notices import notice
from chalicelib.notices.sending import send

if TYPE_CHECKING:
    from chalicelib.sent_notices import SentNotice

log = logging.getLogger(__name__)


def notify(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"outcome": "succeeded", "run", "pipeline", "started", "execution", "details"}`.

    With `file`, or the `parameters` of a batch; `chalicelib.notices.notice` says what `details` holds.

    Returns:
        `{"message_id": ..., "subject": ..., "folded": false}`; the id is None when it was folded.
    """
    if "error" in event["details"]:
        # Its cause may quote a row; it is in the notice and in the run itself.
        log.error("run %s %s: %s", event["run"], event["outcome"], event["details"]["error"]["Error"])
    now = datetime.now(UTC)
    sent = tell(S3(), SNS(), event, now)
    metrics.run_ended(event, now)
    return {"message_id": sent.message, "subject": sent.subject, "folded": sent.folded}


def tell(s3: S3, sns: SNS, event: dict[str, Any], now: datetime) -> SentNotice:
    """Write the notice and send it."""
    return send(s3, sns, notice(event, now), now)
