"""When a schedule expression fires next: rate(...), cron(...) or at(...)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_aws.services.events.cron import Cron, InvalidScheduleError, parse_cron

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPRESSION = re.compile(r"(?P<kind>rate|cron|at)\((?P<inside>.*)\)")
_RATE = re.compile(r"(?P<count>[1-9]\d*) (?P<unit>minute|hour|day)(?P<plural>s?)")


class Schedule(Protocol):
    """Anything that fires at times."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first fire time later than `moment`, in UTC, or None."""


class RateSchedule:
    """Fires at a fixed interval from an anchor on."""

    def __init__(self, interval: timedelta, anchor: datetime) -> None:
        self._interval = interval
        self._anchor = anchor

    def from_anchor(self) -> RateSchedule:
        """Return the same schedule with the anchor as its first fire time."""
        return RateSchedule(self._interval, self._anchor - self._interval)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first fire time later than `moment`; the anchor itself is not one."""
        passed = max(math.floor((moment - self._anchor) / self._interval), 0)
        return self._anchor + (passed + 1) * self._interval


class CronSchedule:
    """Fires at wall-clock times of a time zone."""

    def __init__(self, cron: Cron, zone: ZoneInfo) -> None:
        self._cron = cron
        self._zone = zone

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first fire time later than `moment`."""
        return self._cron.next_after(moment, self._zone)


class OnceSchedule:
    """Fires at one moment."""

    def __init__(self, when: datetime) -> None:
        self._when = when

    def next_after(self, moment: datetime) -> datetime | None:
        """Return that moment until it has passed."""
        return self._when if self._when > moment else None


def parse_schedule(
    expression: str, *, anchor: datetime, zone_name: str = "UTC", time_scale: float = 1.0
) -> Schedule:
    """Read a schedule expression.

    Args:
        expression: `rate(5 minutes)`, `cron(0 8 * * ? *)` or `at(2026-11-21T08:00:00)`.
        anchor: from when a rate counts.
        zone_name: the time zone of cron and at.
        time_scale: a rate's interval passes this many times faster; the clock does not.

    Raises:
        InvalidScheduleError: AWS would not accept the expression.
    """
    match = _EXPRESSION.fullmatch(expression)
    if not match:
        raise InvalidScheduleError(f"Parameter ScheduleExpression is not valid: {expression}")
    zone = _zone(zone_name)
    makers: dict[str, Callable[[str], Schedule]] = {
        "rate": lambda inside: RateSchedule(_interval(inside) / time_scale, anchor),
        "cron": lambda inside: CronSchedule(parse_cron(inside), zone),
        "at": lambda inside: OnceSchedule(_moment(inside, zone)),
    }
    return makers[match["kind"]](match["inside"])


def _interval(inside: str) -> timedelta:
    match = _RATE.fullmatch(inside)
    # AWS insists on the grammar: 1 minute, 2 minutes.
    if not match or (match["count"] == "1") == bool(match["plural"]):
        raise InvalidScheduleError(f"rate({inside}) is not valid")
    return timedelta(**{f"{match['unit']}s": int(match["count"])})


def _moment(inside: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise InvalidScheduleError(f"at({inside}) is not valid: write at(yyyy-mm-ddThh:mm:ss)") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidScheduleError(f"Invalid ScheduleExpressionTimezone: {name}") from None
