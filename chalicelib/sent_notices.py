"""Every notice, as it was sent or counted: kept in the artifacts bucket and read again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import UnknownFile
from chalicelib.history import iso

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.aws.s3 import S3
    from chalicelib.notices import Notice

FOLDER = "notices/"


@dataclass(frozen=True, kw_only=True)
class SentNotice:
    """One notice.

    Attributes:
        name: the run's name, or what else it is about.
        pipeline, outcome, severity, subject, body: as people were told.
        facts: the document that machines get.
        sent: when, ISO 8601 in UTC.
        folded: whether it was only counted, because its like had been sent within the hour.
        message: SNS's id of the message, or None when it was folded.
    """

    name: str
    pipeline: str
    outcome: str
    severity: str
    subject: str
    body: str
    facts: dict[str, Any]
    sent: str
    folded: bool
    message: str | None


def keep(s3: S3, notice: Notice, now: datetime, message: str | None) -> SentNotice:
    """Keep a notice; `message` is None when it was folded."""
    kept = SentNotice(
        name=notice.name,
        pipeline=notice.pipeline,
        outcome=notice.outcome,
        severity=notice.severity,
        subject=notice.subject,
        body=notice.body,
        facts=notice.document,
        sent=iso(now),
        folded=message is None,
        message=message,
    )
    s3.put_json(settings.artifacts_bucket(), _key(notice.name, notice.outcome), asdict(kept))
    return kept


def of_run(s3: S3, run: str) -> list[SentNotice]:
    """Return a run's notices, oldest first; they are kept for 90 days."""
    bucket = settings.artifacts_bucket()
    keys = [file.key for file, _ in s3.listing(bucket, f"{FOLDER}{run}/")]
    found = [SentNotice(**s3.read_json(bucket, key)) for key in keys]
    return sorted(found, key=lambda notice: notice.sent)


def exists(s3: S3, name: str, outcome: str) -> bool:
    """Tell whether this notice was sent or counted."""
    try:
        s3.find(settings.artifacts_bucket(), _key(name, outcome))
    except UnknownFile:
        return False
    return True


def _key(name: str, outcome: str) -> str:
    return f"{FOLDER}{name}/{outcome}.json"
