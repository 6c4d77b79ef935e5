"""What was told on each day, as keys alone: a listing counts it without reading an object.

`notices_by_day/<date>/<pipeline>/<outcome>/<cause>/<time>.<name>.<read>.<loaded>.<rejected>.<folded>`
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib import settings
from chalicelib.notices.notice import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.notices.notice import Notice

FOLDER = "notices_by_day/"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One notice, as its key tells it; `cause` is the digest of its cause."""

    pipeline: str
    outcome: str
    cause: str
    moment: datetime
    name: str
    rows: Rows
    folded: bool


def count(s3: S3, notice: Notice, cause: str, now: datetime, *, folded: bool) -> None:
    """Write down that this was told; once more is the same."""
    moment = now.astimezone(UTC)
    numbers = (notice.rows.read, notice.rows.loaded, notice.rows.rejected)
    last = [
        f"{moment:%H%M%S}",
        notice.name,
        *("" if n is None else str(n) for n in numbers),
        str(int(folded)),
    ]
    folder = f"{FOLDER}{moment:%Y-%m-%d}/{notice.pipeline}/{notice.outcome}/{cause}/"
    s3.put_text(settings.artifacts_bucket(), folder + ".".join(last), b"", "text/plain")


def between(s3: S3, first: datetime, end: datetime, within: str = "") -> Iterator[Counted]:
    """Yield what was told from `first` (to the second) until `end`.

    Args:
        s3: the buckets.
        first: the earliest time.
        end: the time before which it was told.
        within: only below this part of the key, such as `orders/failed/0123456789abcdef/`.
    """
    day, start = first.astimezone(UTC).date(), first.astimezone(UTC).replace(microsecond=0)
    while day <= end.astimezone(UTC).date():
        for file, _ in s3.listing(settings.artifacts_bucket(), f"{FOLDER}{day.isoformat()}/{within}"):
            found = _counted(file.key)
            if start <= found.moment < end:
                yield found
        day += timedelta(days=1)


def _counted(key: str) -> Counted:
    day, pipeline, outcome, cause, last = key.removeprefix(FOLDER).split("/")
    time, name, read, loaded, rejected, folded = last.split(".")
    return Counted(
        pipeline=pipeline,
        outcome=outcome,
        cause=cause,
        moment=datetime.strptime(f"{day} {time}", "%Y-%m-%d %H%M%S").replace(tzinfo=UTC),
        name=name,
        rows=Rows(read=_number(read), loaded=_number(loaded), rejected=_number(rejected)),
        folded=folded == "1",
    )


def _number(text: str) -> int | None:
    return int(text) if text else None
