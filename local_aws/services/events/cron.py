"""AWS's six-field cron expressions: minutes, hours, day of month, month, day of week, year."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_SATURDAY = 7
_FIELDS = 6


class InvalidScheduleError(ValueError):
    """A schedule expression that AWS would not accept."""


@dataclass(frozen=True)
class Cron:
    """A parsed expression; it knows no time zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days: tuple[Callable[[date], bool], ...]

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first fire time later than `moment`, in UTC; None when there is none any more.

        A wall-clock time that the switch to summer time skips does not fire; one that comes twice
        fires the first time only, as EventBridge Scheduler does.
        """
        for day in self._dates(moment.astimezone(zone).date()):
            for hour in self.hours:
                for minute in self.minutes:
                    fire = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                    exists = fire.astimezone(zone).hour == hour
                    if exists and fire > moment:
                        return fire
        return None

    def _dates(self, first: date) -> Iterator[date]:
        """Yield the matching dates from `first` on."""
        for year in self.years:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and any(rule(day) for rule in self.days):
                        yield day


def parse_cron(expression: str) -> Cron:
    """Read the six fields of `cron(...)`.

    Raises:
        InvalidScheduleError: a field is out of range, or both or neither of the day fields are `?`.
    """
    fields = expression.upper().split()
    if len(fields) != _FIELDS:
        raise InvalidScheduleError(f"cron({expression}) has {len(fields)} fields, not 6")
    minutes, hours, days_of_month, months, days_of_week, years = fields
    if (days_of_month == "?") == (days_of_week == "?"):
        raise InvalidScheduleError(f"cron({expression}): exactly one of the two day fields must be ?")
    if days_of_week == "?":
        days = tuple(_day_of_month_rule(part) for part in days_of_month.split(","))
    else:
        days = tuple(_day_of_week_rule(part) for part in days_of_week.split(","))
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(months, 1, 12, _MONTHS),
        years=_numbers(years, 1970, 2199),
        days=days,
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> tuple[int, ...]:
    found: set[int] = set()
    for part in field.split(","):
        found |= _part_numbers(part, low, high, names or {})
    return tuple(sorted(found))


def _part_numbers(part: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """Return what `*`, `5`, `1-5`, `*/15`, `0/15` or `1-30/5` stands for."""
    span, _, step = part.partition("/")
    first, dash, last = span.partition("-")
    try:
        start = low if span == "*" else names.get(first) or int(first)
        end = names.get(last) or int(last) if dash else high if span == "*" or step else start
        interval = int(step) if "/" in part else 1
    except ValueError:
        raise InvalidScheduleError(f"'{part}' is no value of a cron field") from None
    if not low <= start <= end <= high or interval < 1:
        raise InvalidScheduleError(f"'{part}' is not within {low}-{high}")
    return set(range(start, end + 1, interval))


def _day_of_month_rule(part: str) -> Callable[[date], bool]:
    if part == "L":
        return lambda day: day.day == _last(day)
    if part == "LW":
        return lambda day: day.day == _nearest_weekday(day, _last(day))
    if match := re.fullmatch(r"L-(\d{1,2})", part):
        before = int(match[1])
        return lambda day: day.day == _last(day) - before
    if match := re.fullmatch(r"(\d{1,2})W", part):
        wanted = next(iter(_part_numbers(match[1], 1, 31, {})))
        return lambda day: wanted <= _last(day) and day.day == _nearest_weekday(day, wanted)
    numbers = _part_numbers(part, 1, 31, {})
    return lambda day: day.day in numbers


def _day_of_week_rule(part: str) -> Callable[[date], bool]:
    if part == "L":
        return lambda day: _weekday(day) == _SATURDAY
    if match := re.fullmatch(r"(\w+)L", part):
        last = next(iter(_part_numbers(match[1], 1, 7, _DAYS)))
        return lambda day: _weekday(day) == last and day.day > _last(day) - 7
    if match := re.fullmatch(r"(\w+)#([1-5])", part):
        wanted, occurrence = next(iter(_part_numbers(match[1], 1, 7, _DAYS))), int(match[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == occurrence
    numbers = _part_numbers(part, 1, 7, _DAYS)
    return lambda day: _weekday(day) in numbers


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    """Return AWS's number: 1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _nearest_weekday(day: date, wanted: int) -> int:
    """Return the working day nearest to day `wanted` of the month, without leaving the month."""
    target = day.replace(day=wanted)
    last = _last(day)
    if target.isoweekday() == 6:  # noqa: PLR2004 - Saturday
        return wanted - 1 if wanted > 1 else wanted + 2
    if target.isoweekday() == 7:  # noqa: PLR2004 - Sunday
        return wanted + 1 if wanted < last else wanted - 2
    return wanted
