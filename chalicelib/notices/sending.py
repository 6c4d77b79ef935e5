"""Send a notice, or count it when its like was sent within the hour; keep it either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import sent_notices, settings
from chalicelib.notices import by_day, console, folding
from chalicelib.notices.formats import texts

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.sns import SNS
    from chalicelib.notices.notice import Notice
    from chalicelib.sent_notices import SentNotice


def send(s3: S3, sns: SNS, notice: Notice, now: datetime) -> SentNotice:
    """Publish the notice or fold it, and keep it. Safe to repeat: it may then be sent twice, never lost."""
    where = console.address(s3)
    notice, decided = notice.at(where), folding.decide(s3, notice, now)
    message = None
    if not decided.folded:
        try:
            if decided.before:
                _publish(s3, sns, decided.before.at(where), now)
            message = _publish(s3, sns, notice, now)
        except BaseException:
            folding.release(s3, notice)
            raise
    by_day.count(s3, notice, folding.digest(notice), now, folded=decided.folded)
    return sent_notices.keep(s3, notice, now, message)


def send_at_once(s3: S3, sns: SNS, notice: Notice, now: datetime) -> SentNotice:
    """Publish a notice that is never folded, and keep it."""
    notice = notice.at(console.address(s3))
    message = _publish(s3, sns, notice, now)
    by_day.count(s3, notice, folding.NEVER, now, folded=False)
    return sent_notices.keep(s3, notice, now, message)


def tell_of_folds(s3: S3, sns: SNS, now: datetime) -> list[str]:
    """Send the summary of each fold whose hour is over, and return their subjects."""
    subjects = []
    for key, summary in folding.ended(s3, now):
        if summary:
            _publish(s3, sns, summary.at(console.address(s3)), now)
            subjects.append(summary.subject)
        folding.forget(s3, key)
    return subjects


def _publish(s3: S3, sns: SNS, notice: Notice, now: datetime) -> str:
    message = sns.publish(settings.notices_topic(), notice.subject, texts(notice), notice.attributes)
    if notice.outcome == "folded":
        sent_notices.keep(s3, notice, now, message)
    return message
