"""Tasks: Lambda functions, AWS services, callbacks, and what their errors are called."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.step_functions_client import StateMachines, output

RAISES = """
class Base(Exception):
    pass
class Refused(Base):
    pass
def handler(event, context):
    raise Refused(event["why"])
"""
ECHO = "def handler(event, context):\n    return event\n"
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'done'\n"


@pytest.fixture(scope="module")
def machines(local_aws):
    return StateMachines(local_aws)


@pytest.fixture(scope="module")
def echo(machines):
    return machines.function(ECHO)


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True} | fields


def test_a_function_gets_the_input_and_gives_the_result(machines, echo):
    found = machines.run({"A": task(echo, TimeoutSeconds=30, ResultPath="$.result")}, {"n": 1})
    assert output(found) == {"n": 1, "result": {"n": 1}}
    assert machines.types(found["executionArn"])[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]


def test_lambda_invoke_wraps_the_payload(machines, echo):
    parameters = {"FunctionName": echo, "Payload": {"n.$": "$.n"}}
    found = machines.run({"A": task("arn:aws:states:::lambda:invoke", Parameters=parameters)}, {"n": 1})
    assert {key: output(found)[key] for key in ("Payload", "StatusCode")} == {
        "Payload": {"n": 1},
        "StatusCode": 200,
    }


@pytest.mark.parametrize("way", ["the function's ARN", "lambda:invoke"])
def test_a_functions_error_has_its_classs_name_and_its_whole_report(machines, way):
    function = machines.function(RAISES)
    if way == "lambda:invoke":
        parameters = {"FunctionName": function, "Payload.$": "$"}
        state = task("arn:aws:states:::lambda:invoke", Parameters=parameters)
    else:
        state = task(function)
    found = machines.run({"A": state}, {"why": "because"})
    assert (found["status"], found["error"]) == ("FAILED", "Refused")
    report = json.loads(found["cause"])
    assert (report["errorMessage"], report["errorType"]) == ("because", "Refused")
    assert any("raise Refused" in line for line in report["stackTrace"])


def test_a_missing_function_is_named_as_aws_does(machines):
    found = machines.run({"A": task("arn:aws:lambda:us-east-1:123456789012:function:nobody")})
    assert found["error"] == "Lambda.ResourceNotFoundException"


def test_a_throttled_function_is_named_as_aws_does(machines):
    function = machines.function(ECHO)
    machines.aws.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )
    found = machines.run({"A": task(function)})
    assert found["error"] == "Lambda.TooManyRequestsException"


def test_a_function_that_exceeds_its_own_timeout_is_sandbox_timedout(machines):
    found = machines.run({"A": task(machines.function(SLOW, Timeout=1))}, 20)
    assert found["error"] == "Sandbox.Timedout"


def test_a_task_that_exceeds_the_states_timeout_is_left_at_once(machines):
    function, begun = machines.function(SLOW), time.monotonic()
    machines.run({"A": task(function)}, 0)
    found = machines.run({"A": task(function, TimeoutSeconds=1)}, 15)
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    assert machines.types(found["executionArn"])[-2] == "LambdaFunctionTimedOut"
    assert time.monotonic() - begun < 14


def test_stopping_an_execution_does_not_wait_for_its_task(machines):
    execution = machines.start(machines.create({"A": task(machines.function(SLOW), TimeoutSeconds=60)}), 15)
    machines.entered(execution, "A")
    begun = time.monotonic()
    machines.client.stop_execution(executionArn=execution)
    assert machines.ended(execution)["status"] == "ABORTED"
    assert time.monotonic() - begun < 10


MISSING_TABLE = task(
    "arn:aws:states:::aws-sdk:glue:getTable", Parameters={"DatabaseName": "none", "Name": "none"}
)


def test_a_retry_waits_its_interval_with_backoff_up_to_the_largest_delay(machines):
    retry = {"ErrorEquals": ["Glue.EntityNotFoundException"], "IntervalSeconds": 1, "MaxAttempts": 3}
    retry |= {"BackoffRate": 3.0, "MaxDelaySeconds": 2}
    found = machines.run({"A": MISSING_TABLE | {"Retry": [retry]}})
    assert found["error"] == "Glue.EntityNotFoundException"
    failures = [e["timestamp"] for e in machines.events(found["executionArn"]) if e["type"] == "TaskFailed"]
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(failures)]
    assert len(waits) == 3
    for waited, wanted in zip(waits, (1, 2, 2), strict=True):
        assert wanted <= waited < wanted + 0.9


def test_full_jitter_waits_between_nothing_and_the_interval(machines):
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 1, "JitterStrategy": "FULL"}
    runs = [machines.start(machines.create({"A": MISSING_TABLE | {"Retry": [retry]}})) for _ in range(8)]
    waits = []
    for execution in runs:
        machines.ended(execution)
        first, second = [e["timestamp"] for e in machines.events(execution) if e["type"] == "TaskFailed"]
        waits.append((second - first).total_seconds())
    assert max(waits) < 3
    assert min(waits) < 1.9
    assert len(set(waits)) == 8


def test_states_all_does_not_catch_a_path_that_leads_nowhere(machines):
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    bad = task("arn:aws:states:::aws-sdk:s3:headBucket", Parameters={"Bucket.$": "$.nothing"}, Catch=catch)
    found = machines.run({"A": bad, "Caught": {"Type": "Succeed"}})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")


def test_task_failed_catches_a_service_error_but_no_timeout(machines):
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    caught = {"Caught": {"Type": "Succeed"}}
    assert machines.run({"A": MISSING_TABLE | {"Catch": catch}} | caught)["status"] == "SUCCEEDED"
    slow = task(machines.function(SLOW), TimeoutSeconds=1, Catch=catch)
    assert machines.run({"A": slow} | caught, 5)["error"] == "States.Timeout"


def asks(queue: str, **fields: Any) -> dict[str, Any]:
    body = {"token.$": "$$.Task.Token", "input.$": "$"}
    parameters = {"QueueUrl": queue, "MessageBody": body}
    return task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=parameters) | fields


def test_a_task_waits_for_its_token(machines):
    queue = machines.queue()
    execution = machines.start(machines.create({"Ask": asks(queue)}), {"n": 1})
    asked = machines.message(queue)
    assert asked["input"] == {"n": 1}
    machines.client.send_task_heartbeat(taskToken=asked["token"])
    machines.client.send_task_success(taskToken=asked["token"], output='{"ok": 1}')
    assert output(machines.ended(execution)) == {"ok": 1}
    with pytest.raises(ClientError, match="TaskTimedOut"):
        machines.client.send_task_success(taskToken=asked["token"], output="1")


def test_a_failed_token_fails_the_task_with_its_error_and_cause(machines):
    queue = machines.queue()
    execution = machines.start(machines.create({"Ask": asks(queue)}))
    token = machines.message(queue)["token"]
    machines.client.send_task_failure(taskToken=token, error="Rejected", cause="by Ann")
    found = machines.ended(execution)
    assert (found["error"], found["cause"]) == ("Rejected", "by Ann")


def test_a_retried_token_task_asks_again_with_another_token(machines):
    queue = machines.queue()
    retry = [{"ErrorEquals": ["Later"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    execution = machines.start(machines.create({"Ask": asks(queue, Retry=retry)}))
    first = machines.message(queue)["token"]
    machines.client.send_task_failure(taskToken=first, error="Later")
    second = machines.message(queue)["token"]
    assert second != first
    machines.client.send_task_success(taskToken=second, output="2")
    assert output(machines.ended(execution)) == 2


def test_a_missing_heartbeat_times_the_task_out_and_can_be_caught_as_such(machines):
    queue = machines.queue()
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent"}]
    states = {
        "Ask": asks(queue, HeartbeatSeconds=1, TimeoutSeconds=60, Catch=catch),
        "Silent": {"Type": "Succeed"},
    }
    found = machines.ended(machines.start(machines.create(states)))
    assert output(found)["Error"] == "States.Timeout"
    assert "TaskTimedOut" in machines.types(found["executionArn"])


def test_heartbeats_keep_a_task_waiting(machines):
    queue = machines.queue()
    execution = machines.start(machines.create({"Ask": asks(queue, HeartbeatSeconds=2, TimeoutSeconds=60)}))
    token, begun = machines.message(queue)["token"], time.monotonic()
    while time.monotonic() - begun < 4:
        machines.client.send_task_heartbeat(taskToken=token)
    machines.client.send_task_success(taskToken=token, output="1")
    assert output(machines.ended(execution)) == 1


def test_a_token_nobody_has_is_invalid(machines):
    with pytest.raises(ClientError, match="InvalidToken"):
        machines.client.send_task_success(taskToken="made-up", output="1")


def test_an_output_that_is_not_json_is_refused_and_the_task_waits_on(machines):
    queue = machines.queue()
    execution = machines.start(machines.create({"Ask": asks(queue)}))
    token = machines.message(queue)["token"]
    with pytest.raises(ClientError, match="InvalidOutput"):
        machines.client.send_task_success(taskToken=token, output="{")
    machines.client.send_task_success(taskToken=token, output="{}")
    assert output(machines.ended(execution)) == {}


def test_an_execution_starts_another_and_waits_for_it(machines):
    child = machines.create({"A": {"Type": "Pass", "Result": {"c": 1}, "End": True}})
    parameters = {"StateMachineArn": child, "Input": {"x": 1}}
    started = "arn:aws:states:::states:startExecution"
    once = output(machines.run({"A": task(started, Parameters=parameters)}))
    assert set(once) == {"ExecutionArn", "StartDate"}
    text = output(machines.run({"A": task(f"{started}.sync", Parameters=parameters)}))
    assert (text["Status"], json.loads(text["Output"]), json.loads(text["Input"])) == (
        "SUCCEEDED",
        {"c": 1},
        {"x": 1},
    )
    parsed = output(machines.run({"A": task(f"{started}.sync:2", Parameters=parameters)}))
    assert (parsed["Output"], parsed["Input"]) == ({"c": 1}, {"x": 1})


def test_a_child_that_fails_fails_the_task_that_waits_for_it(machines):
    child = machines.create({"A": {"Type": "Fail", "Error": "E"}})
    parameters = {"StateMachineArn": child}
    found = machines.run({"A": task("arn:aws:states:::states:startExecution.sync:2", Parameters=parameters)})
    assert found["error"] == "States.TaskFailed"
    assert json.loads(found["cause"])["Error"] == "E"


def test_a_child_that_nobody_waits_for_any_more_is_stopped(machines):
    child = machines.create({"A": {"Type": "Wait", "Seconds": 60, "End": True}})
    state = task("arn:aws:states:::states:startExecution.sync", Parameters={"StateMachineArn": child})
    execution = machines.start(machines.create({"A": state}))
    machines.wait(execution, lambda _: machines.client.list_executions(stateMachineArn=child)["executions"])
    machines.client.stop_execution(executionArn=execution)
    [started] = machines.client.list_executions(stateMachineArn=child)["executions"]
    assert machines.ended(started["executionArn"])["status"] == "ABORTED"


def test_results_of_the_sdk_are_json_with_dates_and_bodies(machines):
    s3, bucket = machines.aws.client("s3"), f"bucket-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    got = task("arn:aws:states:::aws-sdk:s3:getObject", Parameters={"Bucket": bucket, "Key": "k"})
    found = output(machines.run({"A": got}))
    assert found["Body"] == "text"
    assert found["LastModified"].endswith("Z")
    listed = task("arn:aws:states:::aws-sdk:s3:listObjectsV2", Parameters={"Bucket": bucket})
    assert output(machines.run({"A": listed}))["Contents"][0]["Key"] == "k"


def test_parameters_of_the_sdk_are_in_pascal_case(machines):
    child = machines.create({"A": {"Type": "Succeed"}})
    state = task("arn:aws:states:::aws-sdk:sfn:describeStateMachine", Parameters={"StateMachineArn": child})
    assert output(machines.run({"A": state}))["StateMachineArn"] == child


def test_messages_are_published_and_sent(machines):
    queue = machines.queue()
    sent = task("arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": queue, "MessageBody": {"a": 1}})
    assert "MessageId" in output(machines.run({"A": sent}))
    assert machines.message(queue) == {"a": 1}
    topic = machines.aws.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    published = task("arn:aws:states:::sns:publish", Parameters={"TopicArn": topic, "Message": {"a": 1}})
    assert "MessageId" in output(machines.run({"A": published}))


def test_items_are_put_and_got(machines):
    table = f"table-{uuid.uuid4().hex[:8]}"
    machines.aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = task(
        "arn:aws:states:::dynamodb:putItem",
        Parameters={"TableName": table, "Item": {"id": {"S": "1"}, "n": {"N": "5"}}},
        ResultPath=None,
        Next="Get",
    )
    del put["End"]
    key = {"TableName": table, "Key": {"id": {"S": "1"}}}
    got = task("arn:aws:states:::dynamodb:getItem", Parameters=key)
    assert output(machines.run({"Put": put, "Get": got}))["Item"]["n"] == {"N": "5"}


def test_events_are_put_with_the_execution_as_resource(machines):
    events, sqs, queue = machines.aws.client("events"), machines.aws.client("sqs"), machines.queue()
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = f"rule-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Source": name, "DetailType": "t", "Detail": {"n.$": "$.n"}}
    put = task("arn:aws:states:::events:putEvents", Parameters={"Entries": [entry]})
    found = machines.run({"A": put}, {"n": 5})
    assert output(found)["FailedEntryCount"] == 0
    heard = machines.message(queue)
    assert heard["detail"] == {"n": 5}
    assert found["executionArn"] in heard["resources"]


def test_a_service_without_an_integration_is_refused_by_name(machines):
    with pytest.raises(ClientError, match="bedrock"):
        machines.create({"A": task("arn:aws:states:::bedrock:invokeModel", Parameters={})})


def test_an_action_that_does_not_exist_fails_the_execution(machines):
    found = machines.run({"A": task("arn:aws:states:::aws-sdk:s3:makeCoffee")})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")


@pytest.fixture(scope="module")
def glue_job(machines):
    s3, glue = machines.aws.client("s3"), machines.aws.client("glue")
    bucket, name = f"scripts-{uuid.uuid4().hex[:8]}", f"job-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    script = "import sys\nif '--fail' in sys.argv:\n    raise ValueError('broken')\n"
    s3.put_object(Bucket=bucket, Key="job.py", Body=script.encode())
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/job.py", "PythonVersion": "3.9"}
    role = "arn:aws:iam::123456789012:role/glue"
    glue.create_job(Name=name, Role=role, Command=command, ExecutionProperty={"MaxConcurrentRuns": 5})
    return name


def test_a_task_waits_for_its_glue_job(machines, glue_job):
    state = task(
        "arn:aws:states:::glue:startJobRun.sync", Parameters={"JobName": glue_job}, TimeoutSeconds=60
    )
    found = output(machines.run({"A": state}))
    assert (found["JobRunState"], found["JobName"]) == ("SUCCEEDED", glue_job)
    assert isinstance(found["StartedOn"], int)


def test_a_glue_job_that_fails_fails_its_task(machines, glue_job):
    parameters = {"JobName": glue_job, "Arguments": {"--fail": "1"}}
    state = task("arn:aws:states:::glue:startJobRun.sync", Parameters=parameters, TimeoutSeconds=60)
    found = machines.run({"A": state})
    assert found["error"] == "States.TaskFailed"
    assert json.loads(found["cause"])["JobRunState"] == "FAILED"


def test_a_missing_glue_job_is_named_as_aws_does(machines):
    state = task("arn:aws:states:::glue:startJobRun", Parameters={"JobName": "nobody"})
    assert machines.run({"A": state})["error"] == "Glue.EntityNotFoundException"


def query(text: str, bucket: str) -> dict[str, Any]:
    where = {"OutputLocation": f"s3://{bucket}/"}
    parameters = {"QueryString": text, "WorkGroup": "primary", "ResultConfiguration": where}
    return task("arn:aws:states:::athena:startQueryExecution.sync", Parameters=parameters, TimeoutSeconds=60)


def test_a_task_waits_for_its_athena_query(machines):
    bucket = f"results-{uuid.uuid4().hex[:8]}"
    machines.aws.client("s3").create_bucket(Bucket=bucket)
    found = output(machines.run({"A": query("SELECT 1", bucket)}))
    assert found["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    failed = machines.run({"A": query("SELECT nonsense FROM nowhere", bucket)})
    assert failed["error"] == "States.TaskFailed"
    assert json.loads(failed["cause"])["QueryExecution"]["Status"]["State"] == "FAILED"
