"""What can be seen of a run: its lines, its numbers, and the alarm that calls people."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import own, wait_for
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

VALUE = "no-number-73519"


@pytest.fixture(scope="module")
def rejected(stage: Stage) -> dict[str, Any]:
    """The run of a file with a bad row."""
    key = f"incoming/orders/{own('seen')}.csv"
    lines = orders(3_400_000_001).splitlines()
    lines[1] = VALUE + lines[1][lines[1].index(",") :]
    stage.put(key, "\n".join(lines) + "\n")
    (run,) = stage.ended(key)
    return {**run, "key": key}


def lines_of(stage: Stage, run: str, *options: str) -> list[dict[str, Any]]:
    printed = stage.decant("logs", run, "--json", *options)
    return [json.loads(line) for line in printed.splitlines()]


def test_the_lines_of_every_step_are_shown_in_the_order_of_time(
    stage: Stage, rejected: dict[str, Any]
) -> None:
    lines = wait_for(
        lambda: [line for line in [lines_of(stage, rejected["name"])] if _has_ended(line)],
        "the line of the last step",
    )[0]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    steps = [line["step"] for line in lines if line["source"] == "function"]
    assert [step for step in steps if step != "file_landed"] == ["validate_file", "quarantine_file", "notify"]
    for line in lines:
        if line["source"] == "function":
            about = line["document"]
            assert (about["run"], about["pipeline"]) == (rejected["name"], "orders")
            assert about["file"] == rejected["key"]
            assert about["request_id"]
            assert VALUE not in json.dumps(about)
    shown = stage.decant("logs", rejected["name"])
    assert "the run ended as rejected" in shown
    assert "\x1b" not in shown


def _has_ended(lines: list[dict[str, Any]]) -> bool:
    return any(line["source"] == "function" and line["step"] == "notify" for line in lines)


def test_lines_can_be_chosen_and_followed_to_the_end(stage: Stage, rejected: dict[str, Any]) -> None:
    run = rejected["name"]
    assert {line["step"] for line in lines_of(stage, run, "--step", "quarantine_file")} == {"quarantine_file"}
    assert {line["level"] for line in lines_of(stage, run, "--level", "warning")} == {"WARNING"}
    followed = lines_of(stage, run, "--follow")
    assert len({line["id"] for line in followed}) == len(followed) >= 8
    refused = stage.decant("logs", "orders-000000000000000000000000", code=1)
    assert "there is no such run" in refused


def test_the_run_is_counted(stage: Stage, rejected: dict[str, Any]) -> None:
    cloudwatch = stage.client("cloudwatch")
    now = datetime.fromisoformat(rejected["ended"])
    dimensions = [
        {"Name": "App", "Value": "decant"},
        {"Name": "Stage", "Value": "local"},
        {"Name": "Pipeline", "Value": "orders"},
    ]

    def total(metric: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="Decant",
            MetricName=metric,
            Dimensions=dimensions,
            StartTime=now - timedelta(minutes=2),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    wait_for(lambda: total("RunsRejected") >= 1, "the count of the rejected run")
    assert total("RowsRejected") >= 1


def test_a_dead_letter_rings_an_alarm_that_says_what_to_do(stage: Stage) -> None:
    sqs, cloudwatch = stage.client("sqs"), stage.client("cloudwatch")
    queue = sqs.get_queue_url(QueueName="decant-local-dead-letters")["QueueUrl"]
    name = "decant-local-dead-letters"
    sqs.send_message(QueueUrl=queue, MessageBody=own("given-up"))

    def rings() -> bool:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm["StateValue"] == "ALARM"

    wait_for(rings, "the alarm for dead letters")
    wait_for(lambda: f'ALARM: "{name}"' in stage.decant("notices", "--limit", "200"), "its message")
    assert "An event or a run was given up after every retry." in stage.decant("notices", "--limit", "200")
    sqs.purge_queue(QueueUrl=queue)


def test_the_dashboard_is_there_and_names_every_alarm(stage: Stage) -> None:
    cloudwatch = stage.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName="decant-local")["DashboardBody"])
    shown = next(widget for widget in body["widgets"] if widget["type"] == "alarm")["properties"]["alarms"]
    known = cloudwatch.describe_alarms(AlarmNamePrefix="decant-local-")["MetricAlarms"]
    assert sorted(shown) == sorted(alarm["AlarmArn"] for alarm in known)
    assert all(alarm["AlarmDescription"] and alarm["TreatMissingData"] for alarm in known)
