"""When a pipeline's data is expected: by one minute of every day, on the clock of a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.errors import InvalidPipeline

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ExpectedBy:
    """A service level: by then, every day, a run of the pipeline should have succeeded since the day before.

    Attributes:
        hour: 0 to 23.
        minute: 0 to 59.
        zone: the clock's place in the IANA database, such as `Europe/Berlin`; its summer time is followed.
    """

    hour: int
    minute: int = 0
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not (0 <= self.hour < 24 and 0 <= self.minute < 60):  # noqa: PLR2004 - a clock
            raise InvalidPipeline(f"expected_by {self.hour}:{self.minute}: write hour=0..23, minute=0..59")
        try:
            _ = self._place
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidPipeline(
                f"expected_by zone {self.zone!r}: write a name such as 'Europe/Berlin'; "
                "where the system has no IANA database, add tzdata to requirements/lambda.in"
            ) from error

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02} {self.zone}"

    @property
    def _place(self) -> tzinfo:
        return UTC if self.zone == "UTC" else ZoneInfo(self.zone)  # UTC needs no database

    def latest(self, moment: datetime) -> datetime:
        """Return the last deadline at or before `moment`, in UTC."""
        here = moment.astimezone(self._place)
        deadline = here.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0, fold=0)
        if deadline.astimezone(UTC) > moment:
            deadline -= DAY  # on the clock on the wall: the hour stays when summer time begins or ends
        return deadline.astimezone(UTC)

    def following(self, deadline: datetime) -> datetime:
        """Return the deadline after one, in UTC."""
        return (deadline.astimezone(self._place) + DAY).astimezone(UTC)

    def before(self, deadline: datetime) -> datetime:
        """Return the deadline before one, in UTC."""
        return (deadline.astimezone(self._place) - DAY).astimezone(UTC)
