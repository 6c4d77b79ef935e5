"""EventBridge and EventBridge Scheduler: patterns match, targets get events, schedules fire."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import moto.events.models
from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from local_aws.reality import Reality
from local_aws.services.events import rule, scheduler
from local_aws.services.events.outbound import Outbound
from local_aws.services.events.rule import Seams
from local_aws.services.events.ticker import Ticker

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="EventBridge and Scheduler",
    executes=(
        "Rules match events and deliver to Lambda, Step Functions, SNS, SQS, CloudWatch Logs, Glue and event "
        "buses, with transformed input, retries and dead letters; rate, cron and one-time schedules fire."
    ),
    differs=(
        "The interval of a rate is divided by the time scale; cron and at follow the clock.",
        "Nothing fires later for the time in which the embedded AWS did not run.",
        "Retries of a delivery that failed are kept in memory, except those of Lambda.",
        "Flexible time windows are ignored: a schedule fires at the window's start.",
        "Other kinds of target are refused when they are put.",
    ),
)


def install(runtime: Runtime) -> None:
    """Have moto's rules and schedules act in this runtime."""
    ticker = Ticker(lambda: chain(rule.scheduled_rules(), scheduler.due_schedules()))
    Seams.runtime, Seams.ticker = runtime, ticker
    Seams.outbound = Outbound(runtime, ticker)
    events_backends.backend = rule.Backend
    scheduler_backends.backend = scheduler.Backend
    moto.events.models.Rule = rule.Rule
    runtime.on_start(ticker.start)
    runtime.on_stop(ticker.stop)
