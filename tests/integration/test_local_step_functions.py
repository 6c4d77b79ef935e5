"""Executions: their names, inputs, histories and ends."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.step_functions_client import ROLE, StateMachines, output

PASS = {"Only": {"Type": "Pass", "End": True}}
WAIT = {"Hold": {"Type": "Wait", "Seconds": 60, "End": True}}


@pytest.fixture(scope="module")
def machines(local_aws):
    return StateMachines(local_aws)


def error_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def test_an_execution_without_a_name_gets_one_of_its_own(machines):
    machine = machines.create(PASS)
    first, second = machines.start(machine), machines.start(machine)
    assert first != second
    assert uuid.UUID(first.rsplit(":", 1)[1])


@pytest.mark.parametrize(
    "name", ["a" * 81, "two words", "a/b", "a:b", "a*b", 'a"b', "tab\tname", "a#b", "a\x7fb"]
)
def test_a_name_that_aws_refuses_is_refused(machines, name):
    machine = machines.create(PASS)
    assert error_of(machines.client.start_execution, stateMachineArn=machine, name=name) == "InvalidName"


def test_a_name_of_80_characters_is_accepted(machines):
    machines.start(machines.create(PASS), name="a-_" + "b" * 77)


def test_an_input_that_is_not_json_is_refused(machines):
    machine = machines.create(PASS)
    for document in ("{", "NaN", '{"a": Infinity}'):
        start = machines.client.start_execution
        assert error_of(start, stateMachineArn=machine, input=document) == "InvalidExecutionInput"


def test_an_input_of_262144_bytes_is_accepted_and_one_more_is_refused(machines):
    machine = machines.create({"Only": {"Type": "Succeed", "InputPath": None}})
    largest = json.dumps("é" * 131_071, ensure_ascii=False)
    assert len(largest.encode()) == 262_144
    machines.client.start_execution(stateMachineArn=machine, input=largest)
    start = machines.client.start_execution
    assert error_of(start, stateMachineArn=machine, input=largest + " ") == "ValidationException"


def test_a_running_name_with_the_same_input_answers_with_the_same_execution(machines):
    machine = machines.create(WAIT)
    first = machines.client.start_execution(stateMachineArn=machine, name="one", input='{"a": 1, "b": 2}')
    second = machines.client.start_execution(stateMachineArn=machine, name="one", input='{"b":2,"a":1}')
    assert (second["executionArn"], second["startDate"]) == (first["executionArn"], first["startDate"])
    machines.client.stop_execution(executionArn=first["executionArn"])


def test_a_running_name_with_another_input_is_refused(machines):
    machine = machines.create(WAIT)
    execution = machines.start(machine, {"a": 1}, name="one")
    start = machines.client.start_execution
    assert (
        error_of(start, stateMachineArn=machine, name="one", input='{"a": true}') == "ExecutionAlreadyExists"
    )
    machines.client.stop_execution(executionArn=execution)


def test_a_closed_name_is_refused_whatever_the_input(machines):
    machine = machines.create(PASS)
    machines.ended(machines.start(machine, name="one"))
    start = machines.client.start_execution
    assert error_of(start, stateMachineArn=machine, name="one", input="{}") == "ExecutionAlreadyExists"


def test_one_name_from_16_threads_makes_one_execution(machines):
    machine = machines.create(WAIT)
    answers, barrier = [], threading.Barrier(16)

    def start(number: int) -> None:
        barrier.wait()
        try:
            answers.append(machines.start(machine, {"n": number % 2}, name="one"))
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=start, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(answers)
    assert counts.pop("ExecutionAlreadyExists") == 8
    [(execution, count)] = counts.items()
    assert count == 8
    assert len(machines.client.list_executions(stateMachineArn=machine)["executions"]) == 1
    machines.client.stop_execution(executionArn=execution)


BAD = {
    "an unknown StartAt": ({"StartAt": "X", "States": PASS}, "X at /StartAt"),
    "an unknown Next": ({"A": {"Type": "Pass", "Next": "B"}}, "/States/A/Next"),
    "an unknown Default": (
        {
            "A": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}],
                "Default": "C",
            },
            "B": {"Type": "Succeed"},
        },
        "/States/A/Default",
    ),
    "an unknown Catch target": (
        {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}],
                "End": True,
            }
        },
        "/States/A/Catch[0]/Next",
    ),
    "neither Next nor End": ({"A": {"Type": "Pass"}}, "'Next' and 'End: true'"),
    "both Next and End": ({"A": {"Type": "Pass", "Next": "A", "End": True}}, "'Next' and 'End: true'"),
    "no terminal state": ({"A": {"Type": "Pass", "Next": "A"}}, "ends the execution"),
    "an unreachable state": (PASS | {"B": {"Type": "Succeed"}}, "'B' cannot be reached"),
    "a name used twice": (
        {
            "A": {
                "Type": "Parallel",
                "End": True,
                "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}],
            }
        },
        "'A' is used 2 times",
    ),
    "an unknown type": ({"A": {"Type": "Ponder", "End": True}}, "Ponder"),
    "an unknown field": ({"A": {"Type": "Pass", "Colour": 1, "End": True}}, "Colour"),
    "a task without a resource": ({"A": {"Type": "Task", "End": True}}, "Resource"),
    "a bad intrinsic function": (
        {"A": {"Type": "Pass", "Parameters": {"a.$": "States.Format('{}', )"}, "End": True}},
        "States.Format",
    ),
    "States.ALL before another rule": (
        {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets",
                "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Other"]}],
                "End": True,
            }
        },
        "/Retry[0]/ErrorEquals",
    ),
    "http:invoke": (
        {"A": {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True}},
        "http:invoke",
    ),
    "an activity": (
        {"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "End": True}},
        "activities",
    ),
    "ItemBatcher": (
        {
            "A": {
                "Type": "Map",
                "ItemBatcher": {"MaxItemsPerBatch": 2},
                "ItemProcessor": {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}},
                "End": True,
            }
        },
        "ItemBatcher",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_definition_that_cannot_run_is_refused_with_its_place(machines, case):
    document, told = BAD[case]
    if "StartAt" not in document:
        document = {"StartAt": "A" if "A" in document else next(iter(document)), "States": document}
        if case == "an unreachable state":
            document["StartAt"] = "Only"
    with pytest.raises(ClientError) as caught:
        machines.client.create_state_machine(name="bad", definition=json.dumps(document), roleArn=ROLE)
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
    assert told in caught.value.response["Error"]["Message"]
    answer = machines.client.validate_state_machine_definition(definition=json.dumps(document))
    assert answer["result"] == "FAIL"
    assert answer["diagnostics"][0]["code"]


def test_a_definition_that_is_not_json_is_refused(machines):
    create = machines.client.create_state_machine
    assert error_of(create, name="bad", definition="{", roleArn=ROLE) == "InvalidDefinition"


def test_a_bad_jsonata_definition_leaves_nothing_behind_for_the_next(machines):
    bad = {"A": {"Type": "Pass", "Parameters": {}, "End": True}}
    with pytest.raises(ClientError, match="InvalidDefinition"):
        machines.create(bad, fields={"QueryLanguage": "JSONata"})
    assert output(machines.run({"A": {"Type": "Pass", "Parameters": {"x": 1}, "End": True}})) == {"x": 1}


def test_a_good_definition_is_valid(machines):
    definition = json.dumps({"StartAt": "Only", "States": PASS})
    answer = machines.client.validate_state_machine_definition(definition=definition)
    assert (answer["result"], answer["diagnostics"]) == ("OK", [])


def test_a_state_machine_of_the_same_name_must_be_the_same(machines):
    name = f"same-{uuid.uuid4().hex[:8]}"
    assert machines.create(PASS, name) == machines.create(PASS, name)
    with pytest.raises(ClientError, match="StateMachineAlreadyExists"):
        machines.create(WAIT, name)


def test_an_update_changes_new_executions_only(machines):
    machine = machines.create({"Hold": {"Type": "Wait", "Seconds": 1, "Next": "Say"}, "Say": say("old")})
    before = machines.start(machine)
    new = {"StartAt": "Say", "States": {"Say": say("new")}}
    machines.client.update_state_machine(stateMachineArn=machine, definition=json.dumps(new))
    assert output(machines.ended(machines.start(machine))) == "new"
    assert output(machines.ended(before)) == "old"
    asked = machines.client.describe_state_machine_for_execution(executionArn=before)
    assert "old" in asked["definition"]


def say(word: str) -> dict[str, Any]:
    return {"Type": "Pass", "Result": word, "End": True}


def test_an_update_to_a_bad_definition_is_refused(machines):
    update = machines.client.update_state_machine
    machine = machines.create(PASS)
    assert error_of(update, stateMachineArn=machine, definition='{"States": {}}') == "InvalidDefinition"


def test_a_deleted_state_machine_leaves_its_executions(machines):
    machine = machines.create(PASS)
    execution = machines.start(machine)
    machines.ended(execution)
    machines.client.delete_state_machine(stateMachineArn=machine)
    assert machines.client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
    assert machines.types(execution)[-1] == "ExecutionSucceeded"


def test_a_string_output_is_json(machines):
    assert machines.run({"A": say("Y")})["output"] == '"Y"'


def test_a_stopped_execution_ends_at_once_with_its_error_and_cause(machines):
    execution = machines.start(machines.create(WAIT))
    stopped = machines.client.stop_execution(executionArn=execution, error="Enough", cause="asked to")
    found = machines.client.describe_execution(executionArn=execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "asked to")
    assert found["stopDate"] == stopped["stopDate"]
    assert machines.events(execution)[-1]["executionAbortedEventDetails"] == {
        "error": "Enough",
        "cause": "asked to",
    }


def test_stopping_interrupts_parallel_branches_and_map_iterations(machines):
    inner = {"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 60, "End": True}}}
    machine = machines.create({"A": {"Type": "Map", "ItemProcessor": inner, "End": True}})
    execution = machines.start(machine, [1, 2, 3])
    machines.entered(execution, "B")
    machines.client.stop_execution(executionArn=execution)
    assert machines.client.describe_execution(executionArn=execution)["status"] == "ABORTED"
    assert machines.types(execution)[-1] == "ExecutionAborted"


def test_an_execution_that_takes_too_long_times_out_with_a_stop_date(machines):
    found = machines.run(WAIT, fields={"TimeoutSeconds": 1})
    assert found["status"] == "TIMED_OUT"
    assert found["startDate"] < found["stopDate"] < found["startDate"] + timedelta(seconds=10)
    assert machines.types(found["executionArn"])[-1] == "ExecutionTimedOut"


def test_a_fail_state_reads_its_error_and_cause_by_path(machines):
    fail = {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.Format('about {}', $.what)"}
    found = machines.run({"A": fail}, {"error": "Broken", "what": "that"})
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Broken", "about that")


def test_history_comes_in_pages_forwards_and_backwards(machines):
    states = {
        f"S{n}": {"Type": "Pass", **({"Next": f"S{n + 1}"} if n < 4 else {"End": True})} for n in range(5)
    }
    execution = machines.run(states)["executionArn"]
    numbers, token = [], None
    while True:
        options = {"nextToken": token} if token else {}
        page = machines.client.get_execution_history(executionArn=execution, maxResults=5, **options)
        numbers += [event["id"] for event in page["events"]]
        token = page.get("nextToken")
        if token is None:
            break
    assert numbers == list(range(1, 13))
    newest = machines.events(execution, maxResults=2, reverseOrder=True)
    assert [event["id"] for event in newest] == [12, 11]


def test_a_page_token_of_another_list_is_refused(machines):
    machine = machines.create(PASS)
    execution, other = (machines.ended(machines.start(machine))["executionArn"] for _ in range(2))
    history = machines.client.get_execution_history
    token = history(executionArn=execution, maxResults=1)["nextToken"]
    assert error_of(history, executionArn=other, nextToken=token) == "InvalidToken"
    assert error_of(history, executionArn=other, nextToken="nonsense") == "InvalidToken"


def test_history_leaves_data_out_when_asked(machines):
    execution = machines.run(PASS, {"secret": 1})["executionArn"]
    assert "secret" in str(machines.events(execution))
    assert "secret" not in str(machines.events(execution, includeExecutionData=False))


def test_executions_are_listed_newest_first_in_pages_by_status(machines):
    machine = machines.create({"A": {"Type": "Choice", "Choices": [ok_rule()], "Default": "No"}, **ends()})
    started = [machines.start(machine, {"ok": number % 2 == 0}) for number in range(6)]
    for execution in started:
        machines.ended(execution)
    listed, token = [], None
    while True:
        options = {"nextToken": token} if token else {}
        page = machines.client.list_executions(stateMachineArn=machine, maxResults=4, **options)
        listed += [found["executionArn"] for found in page["executions"]]
        token = page.get("nextToken")
        if token is None:
            break
    assert listed == started[::-1]
    failed = machines.client.list_executions(stateMachineArn=machine, statusFilter="FAILED")["executions"]
    assert [found["executionArn"] for found in failed] == started[5::-2]
    assert all(found["stopDate"] >= found["startDate"] for found in failed)


def ok_rule() -> dict[str, Any]:
    return {"Variable": "$.ok", "BooleanEquals": True, "Next": "Yes"}


def ends() -> dict[str, Any]:
    return {"Yes": {"Type": "Succeed"}, "No": {"Type": "Fail", "Error": "No"}}


def test_a_status_that_does_not_exist_is_refused(machines):
    machine = machines.create(PASS)
    call = machines.client.list_executions
    assert error_of(call, stateMachineArn=machine, statusFilter="PENDING") == "ValidationException"


def test_an_unknown_execution_does_not_exist(machines):
    arn = f"{machines.create(PASS).replace(':stateMachine:', ':execution:')}:nobody"
    for call in (machines.client.describe_execution, machines.client.stop_execution):
        assert error_of(call, executionArn=arn) == "ExecutionDoesNotExist"


def test_an_express_execution_runs_while_the_caller_waits(machines):
    machine = machines.create({"A": {"Type": "Pass", "Result": {"x": 1}, "End": True}}, type="EXPRESS")
    answer = machines.client.start_sync_execution(stateMachineArn=machine, input="{}")
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"x": 1})
    assert ":express:" in answer["executionArn"]
    assert error_of(machines.client.describe_execution, executionArn=answer["executionArn"]) == "InvalidArn"
    listing = machines.client.list_executions
    assert error_of(listing, stateMachineArn=machine) == "StateMachineTypeNotSupported"


def test_a_standard_execution_cannot_run_while_the_caller_waits(machines):
    call = machines.client.start_sync_execution
    assert error_of(call, stateMachineArn=machines.create(PASS)) == "StateMachineTypeNotSupported"


def test_an_express_execution_may_be_started_twice_under_one_name(machines):
    machine = machines.create(PASS, type="EXPRESS")
    assert machines.start(machine, name="one") != machines.start(machine, name="one")


def test_an_express_definition_may_not_wait_for_a_token(machines):
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    with pytest.raises(ClientError, match="InvalidDefinition"):
        machines.create({"A": task | {"Parameters": {"QueueUrl": "q", "MessageBody": "m"}}}, type="EXPRESS")


def test_a_version_and_an_alias_can_be_started(machines):
    machine = machines.create({"A": say("one")})
    version = machines.client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    route = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = machines.client.create_state_machine_alias(name="live", routingConfiguration=route)[
        "stateMachineAliasArn"
    ]
    two = {"StartAt": "A", "States": {"A": say("two")}}
    machines.client.update_state_machine(stateMachineArn=machine, definition=json.dumps(two))
    for arn in (version, alias):
        found = machines.ended(machines.start(arn))
        assert (output(found), found["stateMachineVersionArn"]) == ("one", version)
    assert output(machines.ended(machines.start(machine))) == "two"
    versions = machines.client.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    assert [found["stateMachineVersionArn"] for found in versions] == [version]


def test_history_is_logged_to_cloudwatch_as_the_state_machine_asks(machines):
    group, logs = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}", machines.aws.client("logs")
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    wanted = {"level": "ALL", "includeExecutionData": True, "destinations": [destination(arn)]}
    execution = machines.run(PASS, {"a": 1}, loggingConfiguration=wanted)["executionArn"]
    messages = until(lambda: logged(logs, group), 4)
    assert [message["type"] for message in messages] == machines.types(execution)
    assert messages[0]["execution_arn"] == execution
    assert messages[0]["details"]["input"] == '{"a": 1}'


def destination(arn: str) -> dict[str, Any]:
    return {"cloudWatchLogsLogGroup": {"logGroupArn": arn}}


def logged(logs: Any, group: str) -> list[dict[str, Any]]:
    return [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]]


def until(read: Any, count: int) -> list[Any]:
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    found: list[Any] = []
    while datetime.now(UTC) < deadline:
        found = read()
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} of {count}: {found}")


def test_errors_only_are_logged_at_level_error(machines):
    group, logs = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}", machines.aws.client("logs")
    logs.create_log_group(logGroupName=group)
    wanted = {"level": "ERROR", "includeExecutionData": False, "destinations": [destination(log_arn(group))]}
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Fail", "Error": "E", "Cause": "C"}}
    machines.run(states, loggingConfiguration=wanted)
    messages = until(lambda: logged(logs, group), 2)
    assert [message["type"] for message in messages] == ["FailStateEntered", "ExecutionFailed"]
    assert messages[1]["details"] == {"error": "E", "cause": "C"}


def log_arn(group: str) -> str:
    return f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"


def test_eventbridge_hears_how_an_execution_goes(machines):
    events, sqs, queue = machines.aws.client("events"), machines.aws.client("sqs"), machines.queue()
    machine = machines.create(PASS)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = f"rule-{uuid.uuid4().hex[:8]}"
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    execution = machines.ended(machines.start(machine, {"a": 1}))
    heard = [machines.message(queue) for _ in range(2)]
    assert [event["detail"]["status"] for event in heard] == ["RUNNING", "SUCCEEDED"]
    assert heard[0]["detail-type"] == "Step Functions Execution Status Change"
    assert heard[1]["detail"]["output"] == execution["output"]
    events.remove_targets(Rule=name, Ids=["q"])
    events.delete_rule(Name=name)


def test_a_state_can_be_tested_alone(machines):
    choice = {"Type": "Choice", "Choices": [ok_rule()], "Default": "No"}
    call = machines.client.test_state
    answer = call(definition=json.dumps(choice), input='{"ok": true}', roleArn=ROLE)
    assert (answer["status"], answer["nextState"]) == ("SUCCEEDED", "Yes")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:glue:getTable",
        "Parameters": {"DatabaseName": "none", "Name": "none"},
        "Retry": [{"ErrorEquals": ["Glue.EntityNotFoundException"]}],
        "End": True,
    }
    assert call(definition=json.dumps(task), roleArn=ROLE)["status"] == "RETRIABLE"
    del task["Retry"]
    answer = call(definition=json.dumps(task), roleArn=ROLE)
    assert (answer["status"], answer["error"]) == ("FAILED", "Glue.EntityNotFoundException")
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Mend"}]
    answer = call(definition=json.dumps(task), roleArn=ROLE)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Mend")


def test_an_endless_loop_ends_at_25000_history_events(machines):
    loop = {
        "Again": {"Type": "Pass", "Next": "Enough"},
        "Enough": {"Type": "Choice", "Choices": [ok_rule()], "Default": "Again"},
        "Yes": {"Type": "Succeed"},
    }
    found = machines.run(loop, {"ok": False})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    [last] = machines.events(found["executionArn"], maxResults=1, reverseOrder=True)
    assert last["type"] == "ExecutionFailed"
    assert 25_000 <= last["id"] < 26_000  # it is counted between states, while the loop goes on


def test_five_hundred_executions_wait_at_once(machines):
    machine = machines.create({"Hold": {"Type": "Wait", "Seconds": 3, "End": True}})
    started = [machines.start(machine) for _ in range(500)]
    for execution in started:
        assert machines.ended(execution)["status"] == "SUCCEEDED"
