"""CloudWatch: metrics from log lines and from what the services do, and alarms that ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.cloudwatch.models

from local_aws.reality import Reality
from local_aws.services.cloudwatch.alarm_clock import AlarmClock
from local_aws.services.cloudwatch.backend import LocalCloudWatchBackend
from local_aws.services.cloudwatch.recorder import Recorder, use

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="CloudWatch metrics and alarms",
    executes="Log lines in the embedded metric format become metrics; so do executions, invocations and the "
    "length of queues. Alarms on a metric or on a sum of metrics change their state and publish to SNS.",
    differs=(
        "AWS/States has Executions* and ExecutionTime, AWS/Lambda Invocations, Errors, Throttles, Duration.",
        "AWS/SQS has ApproximateNumberOfMessagesVisible; no other service writes metrics.",
        "Values are kept as one-minute aggregates for 3 hours: there are no percentiles.",
        "An alarm is judged every 5 seconds, on the minute under way too; AWS takes a minute or two.",
        "An alarm whose missing data is breaching waits until it is as old as what it judges.",
        "Alarms on one metric or on SUM(METRICS()) are judged; other math and composite rules are refused.",
        "Actions other than SNS topics are not performed; a warning tells so.",
        "Dashboards are stored and drawn by nobody.",
    ),
)


def install(runtime: Runtime) -> None:
    """Record metrics and judge alarms while the embedded AWS runs."""
    moto.cloudwatch.models.cloudwatch_backends.backend = LocalCloudWatchBackend
    recorder = Recorder()
    use(recorder)
    clock = AlarmClock(runtime, recorder)
    runtime.on_start(recorder.start)
    runtime.on_start(clock.start)
    runtime.on_stop(recorder.stop)
    runtime.on_stop(clock.stop)
