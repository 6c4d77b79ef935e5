"""Send a notice, or count it when its like was sent within the hour; keep it either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import sent_notices, settings
from chalicelib.notices.formats import texts

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.sns import SNS
    from chalicelib.notices.notice import Notice
    from chalicelib.sent_notices import SentNotice


def send(s3: S3, sns: SNS, notice: Notice, now: datetime) -> SentNotice:
    """Publish the notice and keep it."""
    message = sns.publish(settings.notices_topic(), notice.subject, texts(notice), notice.attributes)
    return sent_notices.keep(s3, notice, now, message)
