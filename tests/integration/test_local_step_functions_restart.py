"""Executions that outlive their process, and those that are driven again."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import running_aws
from tests.integration.step_functions_client import StateMachines, output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN_TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "End": True,
}


@contextmanager
def started(directory: Path, **options: Any) -> Iterator[StateMachines]:
    with running_aws(directory, **options) as running:
        yield StateMachines(running)


def asks(queue: str, **fields: Any) -> dict[str, Any]:
    body = {"token.$": "$$.Task.Token"}
    return TOKEN_TASK | {"Parameters": {"QueueUrl": queue, "MessageBody": body}} | fields


@pytest.fixture(scope="module")
def machines(local_aws):
    return StateMachines(local_aws)


@dataclass
class Killed:
    """What was under way when an embedded AWS was killed, and the one that took over."""

    machines: StateMachines
    restarted: float
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("killed")
    facts: dict[str, Any] = {}
    with started(directory) as machines:
        leave_closed(machines, facts)
        leave_in_flight(machines, facts)
        leave_tokens(machines, facts)
        facts["wait begun"] = time.time()
        facts["wait"] = machines.start(machines.create({"A": {"Type": "Wait", "Seconds": 12, "End": True}}))
        machines.entered(facts["wait"], "A")
        just_started = machines.create({"A": {"Type": "Pass", "Result": 1, "End": True}})
        facts["just started"] = [machines.start(just_started) for _ in range(30)]
        machines.client.send_task_success(taskToken=facts["approved token"], output='"yes"')
        machines.aws.kill()
    with started(directory) as machines:
        yield Killed(machines, time.time(), facts)


def leave_closed(machines: StateMachines, facts: dict[str, Any]) -> None:
    machine = machines.create({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Fail", "Error": "E"}})
    closed = [machines.start(machine, {"n": n}) for n in range(20)]
    facts["closed"] = [machines.ended(execution) for execution in closed]
    facts["histories"] = [machines.events(execution) for execution in closed]


def leave_in_flight(machines: StateMachines, facts: dict[str, Any]) -> None:
    function = machines.function(
        "import time\ndef handler(event, context):\n    time.sleep(4)\n    return event\n"
    )
    first = {
        "Type": "Pass",
        "Parameters": {"id.$": "States.UUID()"},
        "Assign": {"kept.$": "$"},
        "Next": "Slow",
    }
    task = {
        "Type": "Task",
        "Resource": function,
        "TimeoutSeconds": 60,
        "ResultPath": "$.again",
        "Next": "Last",
    }
    last = {"Type": "Pass", "Parameters": {"kept.$": "$kept", "again.$": "$.again"}, "End": True}
    execution = facts["in flight"] = machines.start(
        machines.create({"First": first, "Slow": task, "Last": last})
    )
    machines.entered(execution, "Slow")
    exited = next(event for event in machines.events(execution) if event["type"] == "PassStateExited")
    facts["first output"] = json.loads(exited["stateExitedEventDetails"]["output"])


def leave_tokens(machines: StateMachines, facts: dict[str, Any]) -> None:
    for name in ("asked", "approved"):
        queue = machines.queue()
        execution = facts[name] = machines.start(machines.create({"Ask": asks(queue, TimeoutSeconds=600)}))
        facts[f"{name} token"] = machines.message(queue)["token"]
        machines.wait(execution, lambda found: "TaskSubmitted" in machines.types(found["executionArn"]))


def test_a_killed_process_forgets_no_closed_execution(killed):
    machines, executions = killed.machines, killed.facts["closed"]
    for known, history in zip(executions, killed.facts["histories"], strict=True):
        found = machines.client.describe_execution(executionArn=known["executionArn"])
        assert without_metadata(found) == without_metadata(known)
        assert machines.events(known["executionArn"]) == history
    machine = executions[0]["stateMachineArn"]
    listed = machines.client.list_executions(stateMachineArn=machine)["executions"]
    assert [found["name"] for found in listed] == [found["name"] for found in executions][::-1]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        machines.start(machine, {}, name=executions[0]["name"])


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_an_acknowledged_start_survives_a_kill_that_follows_at_once(killed):
    for execution in killed.facts["just started"]:
        assert output(killed.machines.ended(execution)) == 1
        whole = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
        assert killed.machines.types(execution) == whole


def test_a_wait_goes_on_with_the_time_that_is_left(killed):
    found = killed.machines.ended(killed.facts["wait"])
    due = killed.facts["wait begun"] + 12
    assert due - 0.1 <= found["stopDate"].timestamp() < max(due, killed.restarted) + 5
    assert killed.machines.types(found["executionArn"]).count("WaitStateEntered") == 1


def test_the_task_that_was_in_flight_runs_again_and_earlier_ones_do_not(killed):
    execution, first = killed.facts["in flight"], killed.facts["first output"]
    assert output(killed.machines.ended(execution)) == {"kept": first, "again": first}
    types = killed.machines.types(execution)
    assert types.count("PassStateEntered") == 2
    assert types.count("TaskStateEntered") == 1
    assert types.count("LambdaFunctionSucceeded") == 1


def test_a_token_that_was_handed_out_is_good_after_a_kill_and_nothing_is_asked_twice(killed):
    killed.machines.client.send_task_success(
        taskToken=killed.facts["asked token"], output='{"approved": true}'
    )
    execution = killed.facts["asked"]
    assert output(killed.machines.ended(execution)) == {"approved": True}
    assert killed.machines.types(execution).count("TaskScheduled") == 1


def test_an_acknowledged_approval_survives_a_kill_that_follows_at_once(killed):
    assert output(killed.machines.ended(killed.facts["approved"])) == "yes"


def test_a_process_that_ends_in_order_leaves_executions_to_go_on(tmp_path):
    with started(tmp_path) as machines:
        code = "import time\ndef handler(event, context):\n    time.sleep(3)\n    return 'done'\n"
        task = {"Type": "Task", "Resource": machines.function(code), "TimeoutSeconds": 60, "End": True}
        execution = machines.start(machines.create({"Slow": task}))
        machines.wait(execution, lambda _: "LambdaFunctionStarted" in machines.types(execution))
        machines.aws.stop()
    with started(tmp_path) as machines:
        assert output(machines.ended(execution)) == "done"


def test_a_redrive_runs_the_failed_state_again_with_its_input(machines, tmp_path):
    flag = tmp_path / "mended"
    code = (
        "import pathlib\n"
        "def handler(event, context):\n"
        f"    if not pathlib.Path({str(flag)!r}).exists():\n"
        "        raise RuntimeError('not yet')\n"
        "    return event\n"
    )
    task = {"Type": "Task", "Resource": machines.function(code), "TimeoutSeconds": 60, "End": True}
    first = {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "Next": "Try"}
    failed = machines.ended(machines.start(machines.create({"First": first, "Try": task})))
    execution = failed["executionArn"]
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == (
        "FAILED",
        "REDRIVABLE",
        0,
    )
    assert failed["error"] == "RuntimeError"
    flag.touch()
    redriven = machines.client.redrive_execution(executionArn=execution)
    found = machines.ended(execution)
    identity = next(e for e in machines.events(execution) if e["type"] == "PassStateExited")
    assert output(found) == json.loads(identity["stateExitedEventDetails"]["output"])
    assert (found["redriveCount"], found["redriveDate"]) == (1, redriven["redriveDate"])
    assert found["redriveStatus"] == "NOT_REDRIVABLE"
    types = machines.types(execution)
    assert types.count("PassStateEntered") == 1
    assert types[types.index("ExecutionFailed") + 1] == "ExecutionRedriven"
    machine = found["stateMachineArn"]
    for chosen, count in (("REDRIVEN", 1), ("NOT_REDRIVEN", 0)):
        listed = machines.client.list_executions(stateMachineArn=machine, redriveFilter=chosen)["executions"]
        assert len(listed) == count


def test_a_redrive_of_a_fail_state_fails_again(machines):
    fail = {"Type": "Fail", "Error": "E"}
    failed = machines.run({"A": {"Type": "Pass", "Next": "B"}, "B": fail})
    machines.client.redrive_execution(executionArn=failed["executionArn"])
    found = machines.ended(failed["executionArn"])
    assert (found["status"], found["error"], found["redriveCount"]) == ("FAILED", "E", 1)
    types = machines.types(failed["executionArn"])
    assert (types.count("PassStateEntered"), types.count("FailStateEntered")) == (1, 2)


@pytest.mark.parametrize("state", ["Succeed", "Wait"])
def test_only_an_execution_that_ended_badly_can_be_redriven(machines, state):
    states = {"Succeed": {"Type": "Succeed"}, "Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    execution = machines.start(machines.create({"A": states[state]}))
    if state == "Succeed":
        machines.ended(execution)
    with pytest.raises(ClientError) as caught:
        machines.client.redrive_execution(executionArn=execution)
    assert caught.value.response["Error"]["Code"] == "ExecutionNotRedrivable"


def test_time_scale_shortens_waits_and_retries_but_not_timeouts(tmp_path):
    with started(tmp_path, time_scale=60) as machines:
        begun = time.monotonic()
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getTable",
            "Parameters": {"DatabaseName": "none", "Name": "none"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Hold"}],
            "End": True,
        }
        hold = {"Type": "Wait", "Seconds": 60, "Next": "Slow"}
        slow = {"Type": "Task", "Resource": machines.function(SLOW), "TimeoutSeconds": 30, "End": True}
        found = machines.run({"Try": task, "Hold": hold, "Slow": slow})
        assert output(found) == "done"
        assert 3.5 < time.monotonic() - begun < 20
        assert machines.types(found["executionArn"]).count("TaskFailed") == 3


SLOW = "import time\ndef handler(event, context):\n    time.sleep(1)\n    return 'done'\n"
