"""EventBridge Scheduler: moto keeps the schedules, this fires them."""

from __future__ import annotations

import functools
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import moto.scheduler.urls
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends
from moto.scheduler.models import Schedule as MotoSchedule

from local_aws.services.events.cron import InvalidScheduleError
from local_aws.services.events.delivery import UnsupportedTargetError, check_target
from local_aws.services.events.rule import Seams, scheduled_event, timestamp
from local_aws.services.events.schedule import RateSchedule, Schedule, parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator


class Backend(EventBridgeSchedulerBackend):
    """moto's Scheduler, which refuses what would never work and tells the ticker of changes."""

    @property
    def _url_module(self) -> Any:
        return moto.scheduler.urls

    def create_schedule(self, *arguments: Any, **keywords: Any) -> MotoSchedule:
        """Create a schedule."""
        self.get_schedule_group(keywords["group_name"])  # moto answers 500 to an unknown group
        _check(keywords)
        schedule = super().create_schedule(*arguments, **keywords)
        Seams.ticker.changed()
        return schedule

    def update_schedule(self, *arguments: Any, **keywords: Any) -> MotoSchedule:
        """Replace a schedule."""
        _check(keywords)
        keywords["state"] = keywords.get("state") or "ENABLED"  # moto forgets this default
        schedule = super().update_schedule(*arguments, **keywords)
        Seams.ticker.changed()
        return schedule


class Due:
    """One of moto's schedules, as the ticker sees it."""

    def __init__(self, backend: Backend, schedule: MotoSchedule) -> None:
        self._backend = backend
        self._moto = schedule
        start = schedule.start_date or schedule.creation_date
        self.schedule: Schedule = Between(
            _parsed(schedule.schedule_expression, float(start), schedule.schedule_expression_timezone),
            _moment(schedule.start_date),
            _moment(schedule.end_date),
        )

    def fire(self, due: datetime) -> None:
        """Deliver to the target; a schedule that asked for it is gone after its only time."""
        moto_schedule, target = self._moto, self._moto.target
        Seams.outbound.send(target, self._input(due), moto_schedule.arn)
        is_over = self.schedule.next_after(due) is None
        if is_over and moto_schedule.action_after_completion == "DELETE":
            self._backend.delete_schedule(moto_schedule.group_name, moto_schedule.name)

    def _input(self, due: datetime) -> str:
        arn, target = self._moto.arn, self._moto.target
        if "Input" not in target:
            region, account = self._backend.region_name, self._backend.account_id
            return json.dumps(scheduled_event("aws.scheduler", account, region, arn, due, "{}"))
        text = str(target["Input"])
        for name, value in (
            ("schedule-arn", arn),
            ("scheduled-time", timestamp(due)),
            ("execution-id", str(uuid.uuid4())),
            ("attempt-number", "1"),
        ):
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text


class Between:
    """A schedule limited by a start and an end."""

    def __init__(self, schedule: Schedule, start: datetime | None, end: datetime | None) -> None:
        self._schedule = schedule
        self._start = start
        self._end = end

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first fire time later than `moment` and within the limits."""
        found = self._schedule.next_after(moment)
        while found and self._start and found < self._start:
            found = self._schedule.next_after(max(found, self._start))
        return None if found and self._end and found > self._end else found


def due_schedules() -> Iterator[Due]:
    """Yield every enabled schedule."""
    for account in list(scheduler_backends.values()):
        for backend in list(account.values()):
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    if schedule.state == "ENABLED":
                        yield Due(backend, schedule)


@functools.lru_cache(maxsize=1024)
def _parsed(expression: str, start: float, zone: str) -> Schedule:
    scale = Seams.runtime.configuration.time_scale
    anchor = datetime.fromtimestamp(start, UTC)
    schedule = parse_schedule(expression, anchor=anchor, zone_name=zone, time_scale=scale)
    # Here, unlike with rules, a rate fires at its start too.
    return schedule.from_anchor() if isinstance(schedule, RateSchedule) else schedule


def _check(keywords: dict[str, Any]) -> None:
    zone = keywords.get("schedule_expression_timezone") or "UTC"
    try:
        parse_schedule(keywords["schedule_expression"], anchor=datetime.now(UTC), zone_name=zone)
        check_target(keywords["target"]["Arn"])
    except (InvalidScheduleError, UnsupportedTargetError) as error:
        raise ValidationException(message=str(error)) from None


def _moment(epoch: Any) -> datetime | None:
    return datetime.fromtimestamp(float(epoch), UTC) if epoch else None
