"""When a pipeline starts by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a pipeline starts by itself: at one minute of every day or every hour, in UTC.

    Attributes:
        minute: 0 to 59.
        hour: 0 to 23, or None for every hour.
    """

    minute: int
    hour: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.minute < 60 and (self.hour is None or 0 <= self.hour < 24)):  # noqa: PLR2004 - a clock
            raise InvalidPipeline(f"schedule {self.hour}:{self.minute}: write minute=0..59, hour=0..23")

    @property
    def expression(self) -> str:
        """The schedule as EventBridge writes it."""
        return f"cron({self.minute} {'*' if self.hour is None else self.hour} * * ? *)"

    def latest(self, moment: datetime) -> datetime:
        """Return the last tick at or before `moment`, in UTC."""
        tick = moment.astimezone(UTC).replace(minute=self.minute, second=0, microsecond=0)
        if self.hour is not None:
            tick = tick.replace(hour=self.hour)
        every = timedelta(hours=1) if self.hour is None else timedelta(days=1)
        return tick if tick <= moment else tick - every

    def next(self, moment: datetime) -> datetime:
        """Return the first tick after `moment`, in UTC."""
        return self.latest(moment) + (timedelta(hours=1) if self.hour is None else timedelta(days=1))
