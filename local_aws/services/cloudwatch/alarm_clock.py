"""Judges every alarm, again and again, and tells those who asked to be told of a change."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.sqs.models import sqs_backends

from local_aws.services.cloudwatch.judgement import Rule, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.cloudwatch.models import Alarm, MetricDatumBase

    from local_aws.runtime import Runtime
    from local_aws.services.cloudwatch.recorder import Recorder

INTERVAL = 5.0  # seconds
QUEUE_LENGTH = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")

Series = dict[tuple[str, str, frozenset[tuple[str, str]]], list["MetricDatumBase"]]

log = logging.getLogger(__name__)


class AlarmClock:
    """One thread that judges the alarms of every account."""

    def __init__(self, runtime: Runtime, recorder: Recorder) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="alarm-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            try:
                self.judge(time.time())
            except Exception:
                log.exception("The alarms could not be judged")

    def judge(self, now: float) -> None:
        """Measure the queues, then judge every alarm."""
        self._measure_queues()
        self._recorder.drain()
        for account, regions in list(cloudwatch_backends.items()):
            for region, backend in list(regions.items()):
                if backend.alarms:
                    series = _series(backend.metric_data)
                    for alarm in list(backend.alarms.values()):
                        self._judge(alarm, series, now, (account, region))

    def _measure_queues(self) -> None:
        for account, regions in list(sqs_backends.items()):
            for region, backend in list(regions.items()):
                for name, found in list(backend.queues.items()):
                    length = found.approximate_number_of_messages
                    self._recorder.note(account, region, QUEUE_LENGTH, {"QueueName": name}, length)

    def _judge(self, alarm: Alarm, series: Series, now: float, place: tuple[str, str]) -> None:
        rule, period = _rule(alarm), _period(alarm)
        span = rule.periods * period
        made = alarm.configuration_updated_timestamp.replace(tzinfo=UTC).timestamp()
        if rule.missing == "breaching" and now - made < span:
            return
        points = _points(list(_wanted(alarm, series)), _statistic(alarm), period, rule.periods, now)
        found = state(rule, points, alarm.state_value)
        if found != alarm.state_value:
            self._change(alarm, found, points, place)

    def _change(self, alarm: Alarm, found: str, points: list[float | None], place: tuple[str, str]) -> None:
        known = [point for point in points if point is not None]
        reason = (
            f"Threshold Crossed: {len(known)} datapoint(s) {known} compared with {alarm.threshold} "
            f"({alarm.comparison_operator}) in {len(points)} period(s)."
        )
        before, actions = alarm.state_value, _actions(alarm, found)
        alarm.update_state(reason, json.dumps({"recentDatapoints": known}), found)
        log.info("alarm %s: %s, was %s", alarm.name, found, before)
        for action in actions if alarm.actions_enabled else ():
            self._act(action, alarm, before, place)

    def _act(self, action: str, alarm: Alarm, before: str, place: tuple[str, str]) -> None:
        if ":sns:" not in action:
            log.warning("alarm %s: the action %s is not performed here", alarm.name, action)
            return
        account, region = place
        sns = self._runtime.client("sns", region, account)
        subject = f'{alarm.state_value}: "{alarm.name}" in {region}'[:99]
        sns.publish(TopicArn=action, Subject=subject, Message=json.dumps(_message(alarm, before, place)))


def _series(data: list[MetricDatumBase]) -> Series:
    found: Series = defaultdict(list)
    for each in list(data):
        dimensions = frozenset((str(one.name), str(one.value)) for one in each.dimensions)
        found[each.namespace, each.name, dimensions].append(each)
    return found


def _wanted(alarm: Alarm, series: Series) -> Iterator[MetricDatumBase]:
    """Yield the data of the alarm's metric; of a sum those of all its metrics."""
    for metric in _metrics(alarm):
        dimensions = frozenset((str(one.name), str(one.value)) for one in metric.dimensions)
        yield from series.get((metric.namespace, metric.metric_name, dimensions), ())


def _metrics(alarm: Alarm) -> list[Any]:
    stats = [query.metric_stat for query in alarm.metric_data_queries if query.metric_stat]
    return [stat.metric for stat in stats] or [alarm]


def _statistic(alarm: Alarm) -> str:
    stats = [query.metric_stat.stat for query in alarm.metric_data_queries if query.metric_stat]
    return str(stats[0] if stats else alarm.statistic)


def _period(alarm: Alarm) -> int:
    stats = [query.metric_stat.period for query in alarm.metric_data_queries if query.metric_stat]
    return int(stats[0] if stats else alarm.period)


def _rule(alarm: Alarm) -> Rule:
    periods = int(alarm.evaluation_periods)
    return Rule(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        datapoints=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def _points(
    data: list[MetricDatumBase], statistic: str, period: int, count: int, now: float
) -> list[float | None]:
    """Return the value of each period, newest first: from the one under way, when it has data already."""
    grouped: dict[int, list[MetricDatumBase]] = defaultdict(list)
    for each in data:
        stamp = each.timestamp
        moment = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        grouped[int(moment.timestamp()) // period].append(each)
    newest = int(now) // period
    first = newest if newest in grouped else newest - 1
    return [_value(grouped.get(number, []), statistic) for number in range(first, first - count, -1)]


def _value(data: list[Any], statistic: str) -> float | None:
    if not data:
        return None
    sums = [float(getattr(each, "sum", getattr(each, "value", 0.0))) for each in data]
    counts = [float(getattr(each, "sample_count", 1.0)) for each in data]
    if statistic in {"Maximum", "Minimum"}:
        name, choose = ("max", max) if statistic == "Maximum" else ("min", min)
        return float(choose(getattr(each, name, getattr(each, "value", 0.0)) for each in data))
    if statistic == "SampleCount":
        return sum(counts)
    return sum(sums) / sum(counts) if statistic == "Average" else sum(sums)


def _actions(alarm: Alarm, found: str) -> list[str]:
    chosen = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    return list(chosen[found] or [])


def _message(alarm: Alarm, before: str, place: tuple[str, str]) -> dict[str, Any]:
    account, region = place
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000"),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "Trigger": {
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric_name,
            "Statistic": str(alarm.statistic).upper(),
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data,
            "Dimensions": [{"name": one.name, "value": one.value} for one in alarm.dimensions],
        },
    }
