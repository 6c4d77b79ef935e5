"""Rules match and deliver, schedules fire."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_aws.services.events.cron import InvalidScheduleError
from local_aws.services.events.pattern import InvalidPatternError, matches, parse
from local_aws.services.events.schedule import parse_schedule
from local_aws.services.events.target_input import input_for
from tests.integration.conftest import running_aws
from tests.integration.deployment import deploy, make_queue, queue_arn, take, write_project
from tests.integration.waiting import until

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)  # a Saturday


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An embedded AWS whose minutes last 0.5 s."""
    directory = tmp_path_factory.mktemp("events")
    with running_aws(directory / "state", write_project(directory / "project"), time_scale=120) as running:
        yield running


def put_rule(aws, target, *, pattern=None, **options):
    """Create a rule with one target and return its name."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    if pattern:
        options["EventPattern"] = json.dumps(pattern)
    aws.client("events").put_rule(Name=name, **options)
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "one"} | target])
    return name


def publish(aws, source, **detail):
    answer = aws.client("events").put_events(
        Entries=[{"Source": source, "DetailType": "test", "Detail": json.dumps(detail)}]
    )
    assert answer["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("a", "a", True),
        (1, 1.0, True),
        (1, True, False),
        (None, None, True),
        ({"prefix": "or"}, "orders", True),
        ({"prefix": {"equals-ignore-case": "OR"}}, "orders", True),
        ({"suffix": ".csv"}, "a.csv", True),
        ({"suffix": ".csv"}, "a.json", False),
        ({"equals-ignore-case": "A"}, "a", True),
        ({"anything-but": ["a", "b"]}, "c", True),
        ({"anything-but": ["a", "b"]}, "a", False),
        ({"anything-but": {"prefix": "a"}}, "ab", False),
        ({"anything-but": {"suffix": [".tmp", ".bak"]}}, "a.bak", False),
        ({"numeric": [">", 0, "<=", 5]}, 5, True),
        ({"numeric": [">", 0, "<=", 5]}, 6, False),
        ({"numeric": [">", 0]}, "1", False),
        ({"wildcard": "in/*/x\\*"}, "in/a/b/x*", True),
        ({"wildcard": "in/*.csv"}, "in/a.json", False),
        ({"cidr": "10.0.0.0/24"}, "10.0.0.7", True),
        ({"exists": True}, "a", True),
        ({"exists": False}, "a", False),
    ],
)
def test_a_condition_matches_as_on_aws(condition, value, expected):
    pattern = parse(json.dumps({"detail": {"field": [condition]}}))
    assert matches(pattern, {"detail": {"field": value}}) is expected


def test_a_missing_field_only_matches_that_it_does_not_exist():
    assert matches({"detail": {"a": [{"exists": False}]}}, {"detail": {}})
    assert not matches({"detail": {"a": [{"anything-but": "x"}]}}, {"detail": {}})


def test_one_element_of_a_list_is_enough():
    assert matches({"resources": ["b"]}, {"resources": ["a", "b"]})
    assert matches(
        {"detail": {"items": {"name": ["x"]}}}, {"detail": {"items": [{"name": "y"}, {"name": "x"}]}}
    )


def test_alternatives_need_only_one_to_match():
    pattern = {"detail": {"$or": [{"a": [1]}, {"b": [2]}]}}
    assert matches(pattern, {"detail": {"b": 2}})
    assert not matches(pattern, {"detail": {"b": 1}})


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"a": []}', '{"a": [{"like": "x"}]}', '{"a": [{"numeric": ["<"]}]}']
)
def test_a_pattern_that_could_never_match_is_refused(text):
    with pytest.raises(InvalidPatternError):
        parse(text)


@pytest.mark.parametrize(
    ("expression", "zone", "first", "second"),
    [
        ("cron(0 8 * * ? *)", "UTC", "2026-11-22T08:00", "2026-11-23T08:00"),
        ("cron(0 8 * * ? *)", "America/New_York", "2026-11-22T13:00", "2026-11-23T13:00"),
        ("cron(0/15 * ? * MON-FRI *)", "UTC", "2026-11-23T00:00", "2026-11-23T00:15"),
        ("cron(0 0 L * ? *)", "UTC", "2026-11-30T00:00", "2026-12-31T00:00"),
        ("cron(0 0 15W * ? *)", "UTC", "2026-12-15T00:00", "2027-01-15T00:00"),
        ("cron(0 0 1W 5 ? *)", "UTC", "2027-05-03T00:00", "2028-05-01T00:00"),
        ("cron(0 9 ? * 2#1 *)", "UTC", "2026-12-07T09:00", "2027-01-04T09:00"),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-11-27T09:00", "2026-12-25T09:00"),
        ("cron(0 0 29 2 ? *)", "UTC", "2028-02-29T00:00", "2032-02-29T00:00"),
        ("cron(0 0 1 1,7 ? 2027-2028)", "UTC", "2027-01-01T00:00", "2027-07-01T00:00"),
        ("rate(5 minutes)", "UTC", "2026-11-21T22:05", "2026-11-21T22:10"),
        ("rate(1 day)", "UTC", "2026-11-22T22:00", "2026-11-23T22:00"),
    ],
)
def test_a_schedule_fires_when_aws_would(expression, zone, first, second):
    schedule = parse_schedule(expression, anchor=NOW, zone_name=zone)
    one = schedule.next_after(NOW)
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in (one, schedule.next_after(one))] == [first, second]


def test_a_wall_clock_time_that_summer_time_skips_does_not_fire():
    schedule = parse_schedule("cron(30 2 * * ? *)", anchor=NOW, zone_name="America/New_York")
    after_the_7th = schedule.next_after(datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert after_the_7th == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)


def test_a_wall_clock_time_that_comes_twice_fires_once():
    schedule = parse_schedule("cron(30 1 * * ? *)", anchor=NOW, zone_name="America/New_York")
    first = schedule.next_after(datetime(2026, 11, 1, 0, tzinfo=UTC))
    assert first == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert schedule.next_after(first) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minutes)", "rate(0 minutes)", "rate(5 minute)", "cron(0 8 * * * *)", "cron(0 8 ? * ? *)",
     "cron(60 8 * * ? *)", "cron(0 8 * * ?)", "at(tomorrow)", "hourly"],
)  # fmt: skip
def test_a_schedule_that_aws_refuses_is_refused(expression):
    with pytest.raises(InvalidScheduleError):
        parse_schedule(expression, anchor=NOW)


EVENT = {"id": "1", "detail-type": "order", "source": "shop", "detail": {"total": 9, "name": 'a "b"'}}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"x": 1}'}, {"x": 1}),
        ({"InputPath": "$.detail.total"}, 9),
        ({"InputPath": "$.detail-type"}, "order"),
    ],
)
def test_a_target_gets_all_a_part_or_a_constant(target, expected):
    assert json.loads(input_for(target, EVENT, "arn")) == expected


def test_a_template_is_filled_inside_and_outside_of_strings():
    transformer = {
        "InputPathsMap": {"name": "$.detail.name", "total": "$.detail.total", "kind": "$.detail-type"},
        "InputTemplate": (
            '{"text": "<kind> of <name>: <total>", "name": <name>, "total": <total>,'
            ' "rule": "<aws.events.rule-name>"}'
        ),
    }
    filled = json.loads(
        input_for({"InputTransformer": transformer}, EVENT, "arn:aws:events:r:a:rule/nightly")
    )
    assert filled == {"text": 'order of a "b": 9', "name": 'a "b"', "total": 9, "rule": "nightly"}


def test_a_matching_event_reaches_its_target(aws):
    queue = make_queue(aws)
    source = uuid.uuid4().hex
    put_rule(
        aws,
        {"Arn": queue_arn(aws, queue)},
        pattern={"source": [source], "detail": {"total": [{"numeric": [">", 5]}]}},
    )
    publish(aws, source, total=5)
    publish(aws, source, total=6)
    (event,) = take(aws, queue)
    assert event["detail"] == {"total": 6}
    assert event["source"] == source
    assert datetime.fromisoformat(event["time"]).tzinfo


def test_a_disabled_rule_delivers_nothing(aws):
    queue = make_queue(aws)
    source = uuid.uuid4().hex
    name = put_rule(aws, {"Arn": queue_arn(aws, queue)}, pattern={"source": [source]})
    aws.client("events").disable_rule(Name=name)
    publish(aws, source)
    assert take(aws, queue) == []
    aws.client("events").enable_rule(Name=name)
    publish(aws, source)
    assert len(take(aws, queue)) == 1


def test_an_event_reaches_a_function(aws):
    queue = make_queue(aws)
    source = uuid.uuid4().hex
    name = deploy(aws, "remembers", variables={"QUEUE": queue})
    function = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    put_rule(aws, {"Arn": function, "InputPath": "$.detail"}, pattern={"source": [source]})
    publish(aws, source, n=1)
    assert until(lambda: take(aws, queue)) == [{"n": 1}]


def test_an_event_reaches_a_log_group(aws):
    group = f"/aws/events/{uuid.uuid4().hex}"
    source = uuid.uuid4().hex
    aws.client("logs").create_log_group(logGroupName=group)
    put_rule(
        aws, {"Arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"}, pattern={"source": [source]}
    )
    publish(aws, source, n=1)
    (event,) = aws.client("logs").filter_log_events(logGroupName=group)["events"]
    assert json.loads(event["message"])["detail"] == {"n": 1}


def test_a_rule_with_a_schedule_fires_and_matches_no_event(aws):
    queue = make_queue(aws)
    name = put_rule(aws, {"Arn": queue_arn(aws, queue)}, ScheduleExpression="rate(1 minute)")
    publish(aws, "anything", n=1)
    fired = until(lambda: take(aws, queue))
    assert {event["detail-type"] for event in fired} == {"Scheduled Event"}
    assert fired[0]["resources"][0].endswith(f":rule/{name}")
    aws.client("events").disable_rule(Name=name)


def test_a_delivery_that_fails_ends_as_a_dead_letter(aws):
    dead = make_queue(aws)
    source = uuid.uuid4().hex
    target = {
        "Arn": "arn:aws:sqs:us-east-1:123456789012:nowhere",
        "RetryPolicy": {"MaximumRetryAttempts": 1},
        "DeadLetterConfig": {"Arn": queue_arn(aws, dead)},
    }
    put_rule(aws, target, pattern={"source": [source]})
    publish(aws, source, n=1)
    (event,) = until(lambda: take(aws, dead))
    assert event["detail"] == {"n": 1}


def test_a_target_that_nothing_delivers_to_is_refused(aws):
    with pytest.raises(ClientError, match="does not deliver to arn:aws:ecs"):
        put_rule(aws, {"Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/c"}, pattern={"source": ["x"]})


def test_a_rule_with_an_invalid_schedule_is_refused(aws):
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        aws.client("events").put_rule(Name="wrong", ScheduleExpression="rate(1 minutes)")


def create_schedule(aws, queue, **options):
    name = f"schedule-{uuid.uuid4().hex[:8]}"
    target = {"Arn": queue_arn(aws, queue), "RoleArn": "arn:aws:iam::123456789012:role/r"} | options.pop(
        "target", {}
    )
    aws.client("scheduler").create_schedule(
        Name=name, FlexibleTimeWindow={"Mode": "OFF"}, Target=target, **options
    )
    return name


def test_a_one_time_schedule_fires_once_and_is_gone(aws):
    queue = make_queue(aws)
    when = datetime.now(UTC) + timedelta(seconds=2)
    name = create_schedule(
        aws,
        queue,
        ScheduleExpression=f"at({when:%Y-%m-%dT%H:%M:%S})",
        ActionAfterCompletion="DELETE",
        target={"Input": '{"due": "<aws.scheduler.scheduled-time>"}'},
    )
    assert until(lambda: take(aws, queue)) == [{"due": f"{when:%Y-%m-%dT%H:%M:%SZ}"}]
    until(lambda: name not in schedule_names(aws))


def schedule_names(aws):
    return [schedule["Name"] for schedule in aws.client("scheduler").list_schedules()["Schedules"]]


def test_a_schedule_at_a_rate_fires_again_and_again(aws):
    queue = make_queue(aws)
    name = create_schedule(aws, queue, ScheduleExpression="rate(2 minutes)")
    fired = []
    until(lambda: fired.extend(take(aws, queue)) or len(fired) >= 3)
    aws.client("scheduler").delete_schedule(Name=name)
    assert {event["source"] for event in fired} == {"aws.scheduler"}


def test_a_schedule_calls_any_api_by_its_universal_target(aws):
    queue = make_queue(aws)
    call = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
        "Input": json.dumps({"QueueUrl": queue, "MessageBody": "7"}),
    }
    name = create_schedule(aws, queue, ScheduleExpression="rate(1 hour)", target=call)
    assert until(lambda: take(aws, queue)) == [7]
    aws.client("scheduler").delete_schedule(Name=name)


def test_a_schedule_with_an_unknown_time_zone_is_refused(aws):
    with pytest.raises(ClientError, match="Invalid ScheduleExpressionTimezone"):
        create_schedule(
            aws,
            make_queue(aws),
            ScheduleExpression="cron(0 8 * * ? *)",
            ScheduleExpressionTimezone="Mars/Olympus",
        )
