"""Logs, metrics and alarms of the embedded AWS."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.integration.waiting import until


@pytest.fixture
def name():
    return f"watched-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def cloudwatch(local_aws):
    return local_aws.client("cloudwatch")


def an_alarm(cloudwatch, name, **changes):
    given = {
        "AlarmName": name,
        "Namespace": name,
        "MetricName": "Failures",
        "Dimensions": [{"Name": "Stage", "Value": "test"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    cloudwatch.put_metric_alarm(**{**given, **changes})


def a_group(logs, name):
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")


def a_line(name, value):
    now = int(time.time() * 1000)
    directive = {
        "Namespace": name,
        "Dimensions": [["Stage"], ["Stage", "Pipeline"]],
        "Metrics": [{"Name": "Failures", "Unit": "Count"}],
    }
    about = {"Timestamp": now, "CloudWatchMetrics": [directive]}
    document = {"_aws": about, "Stage": "test", "Pipeline": "orders", "Failures": value}
    return {"timestamp": now, "message": json.dumps(document)}


def state_of(cloudwatch, name):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def test_a_line_in_the_embedded_metric_format_is_a_metric_for_each_set_of_dimensions(local_aws, name):
    logs, cloudwatch = local_aws.client("logs"), local_aws.client("cloudwatch")
    a_group(logs, name)
    logs.put_log_events(
        logGroupName=name, logStreamName="one", logEvents=[a_line(name, 2), a_line(name, [3, 4])]
    )
    until(lambda: len(cloudwatch.list_metrics(Namespace=name)["Metrics"]) == 2)
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=name,
        MetricName="Failures",
        Dimensions=[{"Name": "Pipeline", "Value": "orders"}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=600,
        Statistics=["Sum", "Maximum", "SampleCount"],
    )
    (point,) = answer["Datapoints"]
    assert (point["Sum"], point["Maximum"], point["SampleCount"]) == (9, 4, 3)


def test_an_alarm_rings_once_and_tells_its_topic(local_aws, cloudwatch, name):
    logs, sns, sqs = local_aws.client("logs"), local_aws.client("sns"), local_aws.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    an_alarm(cloudwatch, name, AlarmActions=[topic], AlarmDescription="Mend it.")
    assert state_of(cloudwatch, name) in {"INSUFFICIENT_DATA", "OK"}
    a_group(logs, name)
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=[a_line(name, 3)])
    until(lambda: state_of(cloudwatch, name) == "ALARM")
    (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"], told["AlarmDescription"]) == (name, "ALARM", "Mend it.")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_an_alarm_on_a_sum_of_metrics_looks_at_all_of_them(cloudwatch, name):
    metrics = [
        {
            "Id": each,
            "ReturnData": False,
            "MetricStat": {"Stat": "Sum", "Period": 60, "Metric": {"Namespace": name, "MetricName": each}},
        }
        for each in ("first", "second")
    ]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Metrics=[{"Id": "all", "Expression": "SUM(METRICS())", "ReturnData": True}, *metrics],
        EvaluationPeriods=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    for each in ("first", "second"):
        cloudwatch.put_metric_data(Namespace=name, MetricData=[{"MetricName": each, "Value": 2}])
    until(lambda: state_of(cloudwatch, name) == "ALARM")


def test_messages_that_wait_in_a_queue_are_a_metric(local_aws, cloudwatch, name):
    sqs = local_aws.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    an_alarm(
        cloudwatch,
        name,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        Statistic="Maximum",
        Threshold=0,
    )
    until(lambda: state_of(cloudwatch, name) == "OK")
    sqs.send_message(QueueUrl=queue, MessageBody="given up")
    until(lambda: state_of(cloudwatch, name) == "ALARM")


def test_an_alarm_that_nobody_would_judge_is_refused(cloudwatch, name):
    with pytest.raises(ClientError, match="only SUM"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Metrics=[{"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m)", "ReturnData": True}],
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    with pytest.raises(ClientError, match="percentiles"):
        an_alarm(cloudwatch, name, ExtendedStatistic="p90")


def test_lines_are_found_by_a_pattern_in_a_span_of_time(local_aws, name):
    logs = local_aws.client("logs")
    a_group(logs, name)
    now = int(time.time() * 1000)
    events = [
        {"timestamp": now - 5000 + number, "message": json.dumps({"run": f"a-{number % 2}", "n": number})}
        for number in range(6)
    ]
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)
    found = logs.filter_log_events(
        logGroupName=name, startTime=now - 4999, endTime=now, filterPattern='{ $.run = "a-1" && $.n < 5 }'
    )
    assert [json.loads(event["message"])["n"] for event in found["events"]] == [1, 3]
    with pytest.raises(ClientError, match="not supported here"):
        logs.filter_log_events(logGroupName=name, filterPattern="[a, b]")
