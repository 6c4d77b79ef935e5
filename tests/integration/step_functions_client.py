"""State machines for a test: created under names of their own, run to their end."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/decant-test-states"
TRUSTED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class StateMachines:
    """A Step Functions client in a test's words."""

    def __init__(self, running: Any) -> None:
        self.aws = running
        self.client = running.client("stepfunctions", read_timeout=120)

    def create(self, states: dict[str, Any], name: str | None = None, **options: Any) -> str:
        """Create a state machine that starts with the first state; return its ARN."""
        fields, role = options.pop("fields", {}), options.pop("role", ROLE)
        definition = json.dumps({"StartAt": next(iter(states)), "States": states} | fields)
        name = name or f"machine-{uuid.uuid4().hex[:12]}"
        made = self.client.create_state_machine(name=name, definition=definition, roleArn=role, **options)
        return made["stateMachineArn"]

    def start(self, machine: str, document: Any = None, **options: Any) -> str:
        """Start an execution; return its ARN."""
        started = self.client.start_execution(
            stateMachineArn=machine, input=json.dumps({} if document is None else document), **options
        )
        return started["executionArn"]

    def run(self, states: dict[str, Any], document: Any = None, **options: Any) -> dict[str, Any]:
        """Run states to their end; return the description of the execution."""
        return self.ended(self.start(self.create(states, **options), document))

    def ended(self, execution: str, timeout: float = 60) -> dict[str, Any]:
        """Return the description of an execution once it has ended."""
        return self.wait(execution, lambda found: found["status"] in ENDED, timeout)

    def wait(self, execution: str, condition: Any, timeout: float = 60) -> dict[str, Any]:
        """Return the description of an execution once it meets a condition."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.client.describe_execution(executionArn=execution)
            if condition(found):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{execution} is still {found['status']}: {self.types(execution)}")

    def events(self, execution: str, **options: Any) -> list[dict[str, Any]]:
        """Return the first page of the execution's history."""
        return self.client.get_execution_history(executionArn=execution, **options)["events"]

    def types(self, execution: str, **options: Any) -> list[str]:
        """Return the types of the execution's history events."""
        return [event["type"] for event in self.events(execution, **options)]

    def entered(self, execution: str, state: str, timeout: float = 30) -> None:
        """Wait until an execution has entered a state."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            events = self.events(execution)
            if any(event.get("stateEnteredEventDetails", {}).get("name") == state for event in events):
                return
            time.sleep(0.02)
        raise AssertionError(f"{execution} has not entered {state}: {self.types(execution)}")

    def function(self, code: str, **options: Any) -> str:
        """Create a Lambda function from `def handler(event, context)`; return its ARN."""
        module = f"handler_{uuid.uuid4().hex[:8]}"
        role = self.aws.client("iam").create_role(RoleName=module, AssumeRolePolicyDocument=TRUSTED)["Role"][
            "Arn"
        ]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as writer:
            writer.writestr(f"{module}.py", code)
        made = self.aws.client("lambda").create_function(
            FunctionName=module,
            Runtime="python3.11",
            Role=role,
            Handler=f"{module}.handler",
            Code={"ZipFile": archive.getvalue()},
            **{"Timeout": 30, **options},
        )
        return made["FunctionArn"]

    def queue(self) -> str:
        """Create an SQS queue; return its URL."""
        return self.aws.client("sqs").create_queue(QueueName=f"queue-{uuid.uuid4().hex[:12]}")["QueueUrl"]

    def message(self, queue: str) -> Any:
        """Return the body of the next message of a queue, parsed."""
        received = self.aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        return json.loads(received["Messages"][0]["Body"])


def output(execution: dict[str, Any]) -> Any:
    """Return the output of an execution that succeeded."""
    assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
    return json.loads(execution["output"])
