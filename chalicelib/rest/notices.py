"""Notices: what people were told of a run."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from chalicelib import errors, sent_notices
from chalicelib.aws.s3 import S3
from chalicelib.rest.registration import endpoint
from chalicelib.run import RunName


class NoticeAnswer(Struct):
    """A notice as it was sent; a folded one was only counted in the next summary."""

    subject: str
    body: str
    outcome: str
    severity: str
    sent: str
    folded: bool
    facts: dict[str, Any]


class Notices(Struct):
    """A run's notices, oldest first."""

    notices: list[NoticeAnswer]


@endpoint(
    "GET",
    "/runs/{run}/notices",
    "Show what people were told of a run",
    answer=Notices,
    raises=(errors.UnknownRun,),
)
def show_notices(run: str) -> Notices:
    """Show a run's notices."""
    name = str(RunName.parse(run))
    return Notices(
        notices=[
            NoticeAnswer(
                subject=notice.subject,
                body=notice.body,
                outcome=notice.outcome,
                severity=notice.severity,
                sent=notice.sent,
                folded=notice.folded,
                facts=notice.facts,
            )
            for notice in sent_notices.of_run(S3(), name)
        ]
    )
