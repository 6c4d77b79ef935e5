"""moto's event rules and schedules, with patterns, targets and schedules that work."""

from __future__ import annotations

import copy
import functools
import json
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import moto.events.models
import moto.events.urls
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventsBackend, events_backends

from local_aws.services.events import pattern
from local_aws.services.events.cron import InvalidScheduleError
from local_aws.services.events.delivery import UnsupportedTargetError, check_target
from local_aws.services.events.schedule import Schedule, parse_schedule
from local_aws.services.events.target_input import input_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.runtime import Runtime
    from local_aws.services.events.outbound import Outbound
    from local_aws.services.events.ticker import Ticker

_ARCHIVE = re.compile(r"arn:aws[\w-]*:events:[^:]*:::$")


class Seams:
    """What rules need to act; set once at installation, never pickled with them."""

    runtime: Runtime
    ticker: Ticker
    outbound: Outbound


class Rule(moto.events.models.Rule):
    """A rule that delivers to every kind of target, unless it is disabled."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.created = datetime.now(UTC)

    @property
    def schedule(self) -> Schedule:
        """When this rule fires, if it has a schedule expression."""
        return _rule_schedule(self.scheduled_expression, self.created)

    def send_to_targets(self, original_event: Any, transform_input: bool = True) -> None:
        """Deliver an event from the bus, when the pattern matches it."""
        del transform_input  # moto's S3 asks for untouched events, which targets without Input get
        if self.state != "ENABLED" or not self.event_pattern.dump():
            return
        event = _published(original_event)
        if pattern.matches(self.event_pattern.get_pattern(), event):
            self._deliver(event)

    def fire(self, due: datetime) -> None:
        """Deliver the event of a schedule."""
        self._deliver(scheduled_event("aws.events", self.account_id, self.region_name, self.arn, due, {}))

    def _deliver(self, event: dict[str, Any]) -> None:
        for target in list(self.targets):
            if _is_moto_target(target["Arn"]):
                self._leave_to_moto(target, event)
            else:
                Seams.outbound.send(target, input_for(target, event, self.arn), self.arn)

    def _leave_to_moto(self, target: dict[str, Any], event: dict[str, Any]) -> None:
        """Let moto fill an archive; it needs nothing else to run."""
        alone = copy.copy(self)
        alone.targets = [target]
        super(Rule, alone).send_to_targets(event | {"ingestion-time": datetime.now(UTC).timestamp()})


class Backend(EventsBackend):
    """moto's EventBridge, which refuses what would never work and tells the ticker of changes."""

    @property
    def _url_module(self) -> Any:
        return moto.events.urls

    def put_rule(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Create or replace a rule."""
        if text := keywords.get("event_pattern"):
            _check_pattern(text)
        if expression := keywords.get("scheduled_expression"):
            _check_expression(expression)
        before = self.event_buses["default"].rules.get(name)
        rule = super().put_rule(name, *arguments, **keywords)
        if before and before.scheduled_expression == rule.scheduled_expression:
            rule.created = before.created  # a deployment that changes nothing must not put a rate off
        Seams.ticker.changed()
        return rule

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        """Add or replace targets."""
        for target in targets:
            try:
                if not _is_moto_target(target["Arn"]):
                    check_target(target["Arn"])
            except UnsupportedTargetError as error:
                raise ValidationException(str(error)) from None
        super().put_targets(name, event_bus_arn, targets)

    def enable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        """Let a rule match and fire."""
        found = super().enable_rule(name, event_bus_arn)
        Seams.ticker.changed()
        return found


def scheduled_rules() -> Iterator[Rule]:
    """Yield every enabled rule with a schedule."""
    for account in list(events_backends.values()):
        for backend in list(account.values()):
            for bus in list(backend.event_buses.values()):
                yield from (
                    r for r in list(bus.rules.values()) if r.scheduled_expression and r.state == "ENABLED"
                )


def scheduled_event(
    source: str, account: str, region: str, arn: str, due: datetime, detail: Any
) -> dict[str, Any]:
    """Return the event that AWS makes when a schedule fires."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": account,
        "time": timestamp(due),
        "region": region,
        "resources": [arn],
        "detail": detail,
    }


def timestamp(moment: datetime) -> str:
    """Return a moment as events show it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=1024)
def _rule_schedule(expression: str, created: datetime) -> Schedule:
    scale = Seams.runtime.configuration.time_scale
    return parse_schedule(expression, anchor=created, time_scale=scale)


def _check_pattern(text: str) -> None:
    try:
        pattern.parse(text)
    except pattern.InvalidPatternError as error:
        raise InvalidEventPatternException(reason=str(error)) from None


def _check_expression(expression: str) -> None:
    try:
        parse_schedule(expression, anchor=datetime.now(UTC))
    except InvalidScheduleError as error:
        raise ValidationException(f"Parameter ScheduleExpression is not valid. {error}") from None
    if expression.startswith("at("):
        raise ValidationException("Parameter ScheduleExpression is not valid.")


def _published(event: Any) -> dict[str, Any]:
    """Return the event as targets see it; moto keeps its time as a number."""
    published = json.loads(json.dumps({k: v for k, v in event.items() if k != "ingestion-time"}))
    time = published.get("time")
    if isinstance(time, int | float):
        published["time"] = timestamp(datetime.fromtimestamp(time, UTC))
    return published


def _is_moto_target(arn: str) -> bool:
    return bool(_ARCHIVE.match(arn))
