"""Notices of one cause within an hour are one: the first is sent, the others are counted, a summary tells.

A fold is one object for each pipeline, outcome and cause. Only the call that creates or replaces it sends;
S3's conditional writes decide who that is. The others count themselves under `by_day`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib import settings
from chalicelib.errors import LedgerChanged, UnknownFile
from chalicelib.history import iso
from chalicelib.notices import by_day, commands, console
from chalicelib.notices.notice import Notice, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.notices.by_day import Counted
    from chalicelib.notices.notice import Severity

FOLDER = "notice_folds/"

WINDOW = timedelta(hours=1)
"""How long a fold takes in what is like its first notice."""

GRACE = timedelta(minutes=5)
"""A fold is told of so much later, when nobody counts into it any more."""

NEVER = "-"
"""The cause, in keys, of what is never folded."""

NAMED = 10
"""Runs that a summary names."""

ATTEMPTS = 5
"""Another call that opens the fold in between settles it: one more look is enough."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The first notice of a cause, and when it was sent."""

    pipeline: str
    outcome: str
    severity: Severity
    cause: str
    first: str
    opened: str

    @property
    def until(self) -> datetime:
        """When it takes in no more."""
        return datetime.fromisoformat(self.opened) + WINDOW


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What becomes of a notice: `folded`, or sent; `before` is the summary of the fold that it replaces."""

    folded: bool
    before: Notice | None = None


def digest(notice: Notice) -> str:
    """Return what notices of one cause share, as a part of a key."""
    if notice.cause is None:
        return NEVER
    return hashlib.sha256(notice.cause.encode()).hexdigest()[:16]


def decide(s3: S3, notice: Notice, now: datetime) -> Decided:
    """Say whether a notice is sent or counted; the same notice once more is decided as before."""
    if notice.cause is None:
        return Decided(folded=False)
    for _ in range(ATTEMPTS):
        found = _read(s3, _key(notice))
        fold, etag = found or (None, None)
        if fold and now < fold.until:
            return Decided(folded=fold.first != notice.name)
        before = summary(s3, fold) if fold else None
        try:
            _write(s3, _key(notice), _opened(notice, now), etag)
        except LedgerChanged:
            continue
        return Decided(folded=False, before=before)
    return Decided(folded=True)


def release(s3: S3, notice: Notice) -> None:
    """Forget the fold that this notice opened: it could not be sent, and the next of its like must be."""
    if notice.cause is not None:
        s3.delete(settings.artifacts_bucket(), _key(notice))


def ended(s3: S3, now: datetime) -> Iterator[tuple[str, Notice | None]]:
    """Yield each fold that takes in no more: its key for `forget`, and its summary unless it is empty."""
    bucket = settings.artifacts_bucket()
    for file, opened in s3.listing(bucket, FOLDER):
        if now < opened + WINDOW + GRACE:
            continue
        found = _read(s3, file.key)
        if found and now >= found[0].until + GRACE:
            yield file.key, summary(s3, found[0])


def forget(s3: S3, key: str) -> None:
    """Delete a fold whose summary was sent."""
    s3.delete(settings.artifacts_bucket(), key)


def cause_of(s3: S3, pipeline: str, outcome: str, cause: str) -> str:
    """Return the words of a cause while its fold is kept, or its digest."""
    found = _read(s3, f"{FOLDER}{pipeline}/{outcome}/{cause}.json")
    return found[0].cause if found else cause


def summary(s3: S3, fold: Fold) -> Notice | None:
    """Return the notice that says how many more there were, or None when there was one."""
    cause = hashlib.sha256(fold.cause.encode()).hexdigest()[:16]
    opened = datetime.fromisoformat(fold.opened)
    within = f"{fold.pipeline}/{fold.outcome}/{cause}/"
    found = list(by_day.between(s3, opened, fold.until + GRACE, within))
    more = sorted(
        {each.name: each for each in found if each.name != fold.first and each.folded}.values(), key=_when
    )
    return _summary(fold, more) if more else None


def _summary(fold: Fold, more: list[Counted]) -> Notice:
    standing = "running" if fold.outcome == "stuck" else fold.outcome
    files = "run" if len(more) == 1 else "runs"
    runs = [f"  {each.name}" for each in more[:NAMED]]
    runs += [f"  ... and {len(more) - NAMED:,} more"] if len(more) > NAMED else []
    rows = Rows(
        read=sum(each.rows.read or 0 for each in more),
        loaded=sum(each.rows.loaded or 0 for each in more),
        rejected=sum(each.rows.rejected or 0 for each in more),
    )
    return Notice(
        name=f"folded-{fold.first}-{fold.opened[:19].replace(':', '')}",
        pipeline=fold.pipeline,
        outcome="folded",
        severity=fold.severity,
        title=f"{len(more):,} more {files} {fold.outcome}, as {fold.first}",
        headline=f"{len(more):,} more {files} {fold.outcome} for the same cause within the hour.",
        facts={
            "Pipeline": fold.pipeline,
            "Cause": fold.cause,
            "Rows": str(rows),
            "First": fold.first,
            "From": fold.opened,
            "Until": iso(more[-1].moment),
        },
        lines=("The others:", *runs),
        commands=commands.of_pipeline(fold.pipeline, standing),
        page=console.of_runs(fold.pipeline, standing),
        rows=rows,
        details={
            **asdict(fold),
            "outcome": "folded",
            "of": fold.outcome,
            "more": len(more),
            "runs": [each.name for each in more[:100]],
        },
    )


def _when(counted: Counted) -> tuple[datetime, str]:
    return counted.moment, counted.name


def _opened(notice: Notice, now: datetime) -> Fold:
    return Fold(
        pipeline=notice.pipeline,
        outcome=notice.outcome,
        severity=notice.severity,
        cause=notice.cause or "",
        first=notice.name,
        opened=iso(now),
    )


def _key(notice: Notice) -> str:
    return f"{FOLDER}{notice.pipeline}/{notice.outcome}/{digest(notice)}.json"


def _read(s3: S3, key: str) -> tuple[Fold, str] | None:
    try:
        body, etag = s3.read(settings.artifacts_bucket(), key)
    except UnknownFile:
        return None
    return Fold(**json.loads(body)), etag


def _write(s3: S3, key: str, fold: Fold, etag: str | None) -> None:
    s3.replace(settings.artifacts_bucket(), key, json.dumps(asdict(fold)).encode(), etag)
