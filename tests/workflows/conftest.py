"""Workflows run on the real interpreter, with scripted steps and time that jumps."""

from __future__ import annotations

import io
import itertools
import json
import re
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.render import snake_case
from tests.integration.conftest import RunningAWS, running_aws
from tests.workflows.script import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
SCRIPTED = Path(__file__).parent / "scripted"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
        }
    ],
}


@dataclass(frozen=True)
class Ended:
    """How one execution ended, and the way that it took."""

    status: str
    error: str | None
    cause: str | None
    states: list[str]
    events: list[dict[str, Any]]
    calls: dict[str, int]
    run: str

    def input_of(self, state: str) -> dict[str, Any]:
        """What the step of a Task state was called with, the first time."""
        entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in self.events]
        calls = (
            event.get("lambdaFunctionScheduledEventDetails") for event in self.events[entered.index(state) :]
        )
        found: dict[str, Any] = json.loads(next(filter(None, calls))["input"])
        return found

    def arrows(self, level: Mapping[str, Any] | None = None) -> set[tuple[str, str]]:
        """The arrows that were walked, of all states or of those of one level of the definition."""
        states = [state for state in self.states if level is None or state in level]
        return set(itertools.pairwise(states))


class Workflow:
    """One workflow of the project on one embedded AWS.

    Args:
        aws: where it runs.
        calls: a folder that counts the calls of each step.
        name: the workflow's.
        good: what each step returns when all goes well; a test changes what it is about.
        work: what its runs work on: `file`, or `parameters`.
        names: what placeholders other than `<Step>Arn` stand for.
        scripted: Task states, on any level, that call an AWS service and are scripted here, under their names
            in snake case; their errors are raised without the service's name.
    """

    def __init__(
        self,
        aws: RunningAWS,
        calls: Path,
        name: str,
        *,
        good: dict[str, list[dict[str, Any]]],
        work: dict[str, Any],
        names: Mapping[str, str] | None = None,
        scripted: Sequence[str] = (),
    ) -> None:
        self.good = good
        self.names = names or {}
        self.queue = aws.client("sqs")
        self.work = work
        self.name = name
        self.calls = calls
        self.states = aws.client("stepfunctions")
        self.functions = aws.client("lambda")
        self.prefix = f"w{uuid.uuid4().hex[:8]}"
        role = aws.client("iam").create_role(RoleName=self.prefix, AssumeRolePolicyDocument=json.dumps(TRUST))
        self.role = role["Role"]["Arn"]
        text = (ROOT / "workflows" / f"{name}.asl.json").read_text(encoding="utf-8")
        self.definition = json.loads(text)
        for placeholder, value in (names or {}).items():
            text = text.replace(f"${{{placeholder}}}", value)
        definition = json.loads(text)
        for state in scripted:
            task = next(level[state] for level in _levels(definition) if state in level)
            task["Resource"] = self._function(snake_case(state))
            task["Parameters"] = {"run.$": "$$.Execution.Name"}  # an item of a Map has no $.run
            for rule in (*task.get("Retry", ()), *task.get("Catch", ())):
                rule["ErrorEquals"] = [_as_raised(name) for name in rule["ErrorEquals"]]
        text = json.dumps(definition)
        for placeholder in sorted(set(re.findall(r"\$\{(\w+)Arn\}", text))):
            text = text.replace(f"${{{placeholder}Arn}}", self._function(snake_case(placeholder)))
        self.arn = self.states.create_state_machine(name=self.prefix, definition=text, roleArn=self.role)[
            "stateMachineArn"
        ]

    def start(self, **script: list[dict[str, Any]]) -> str:
        run = uuid.uuid4().hex
        (self.calls / f"script-{run}.json").write_text(json.dumps({**self.good, **script}))
        document = {
            "run": run,
            "token": run,
            "pipeline": "p",
            **self.work,
            "started": "2026-11-20T00:00:00Z",
        }
        answer = self.states.start_execution(stateMachineArn=self.arn, name=run, input=json.dumps(document))
        return str(answer["executionArn"])

    def run(self, **script: list[dict[str, Any]]) -> Ended:
        """Start an execution whose steps do as scripted, and wait for its end."""
        return self.end_of(self.start(**script))

    def end_of(self, execution: str, seconds: float = 60) -> Ended:
        deadline = time.monotonic() + seconds
        while True:
            found = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                break
            assert time.monotonic() < deadline, f"still running: {self.history(execution)[-3:]}"
            time.sleep(0.02)
        events = self.history(execution)
        entered = [
            event["stateEnteredEventDetails"]["name"]
            for event in events
            if "stateEnteredEventDetails" in event
        ]
        calls, run = self.called(execution), execution.rpartition(":")[2]
        return Ended(found["status"], found.get("error"), found.get("cause"), entered, events, calls, run)

    def called(self, execution: str) -> dict[str, int]:
        """Return how often each step was called so far."""
        run = execution.rpartition(":")[2]
        return {path.suffix[1:]: path.stat().st_size for path in self.calls.glob(f"{run}.*")}

    def history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def dead_letter(self, run: str, seconds: float = 30) -> dict[str, Any]:
        """Take letters from the dead-letter queue until a run's own comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            taken = self.queue.receive_message(QueueUrl=self.names["DeadLetters"], MaxNumberOfMessages=10)
            for message in taken.get("Messages", []):
                letter: dict[str, Any] = json.loads(message["Body"])
                if letter["run"] == run:
                    return letter
        raise AssertionError(f"no dead letter of {run}")

    def token_of(self, execution: str, seconds: float = 60) -> str:
        """Wait until a step was given a task token, and return it."""
        path = self.calls / f"token-{execution.rpartition(':')[2]}"
        deadline = time.monotonic() + seconds
        while not (path.exists() and path.read_text()):
            assert time.monotonic() < deadline, f"no token: {self.history(execution)[-3:]}"
            time.sleep(0.02)
        return path.read_text()

    def function_name(self, step: str) -> str:
        return f"{self.prefix}__{step}"

    def _function(self, step: str) -> str:
        answer = self.functions.create_function(
            FunctionName=self.function_name(step),
            Runtime="python3.12",
            Role=self.role,
            Handler="app.step",
            Code={"ZipFile": _zip()},
            Timeout=20,
            Environment={"Variables": {"SCRIPT_CALLS": str(self.calls)}},
        )
        return str(answer["FunctionArn"])


def _levels(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the states of a definition by name, then those inside each of its Map and Parallel states."""
    yield definition["States"]
    for state in definition["States"].values():
        for inner in (*filter(None, [state.get("ItemProcessor")]), *state.get("Branches", ())):
            yield from _levels(inner)


def _as_raised(error: str) -> str:
    """Return Glue.ThrottlingException as ThrottlingException: a function's error is a bare class name."""
    service, _, name = error.rpartition(".")
    return error if service in {"", "States", "Lambda", "Sandbox"} else name


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(SCRIPTED / "app.py", "app.py")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def scripted_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAWS]:
    """An embedded AWS whose functions are scripted and whose waits pass 1,000 times faster."""
    with running_aws(tmp_path_factory.mktemp("scripted"), SCRIPTED, time_scale=1000) as running:
        yield running


@pytest.fixture(scope="session")
def load_file(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    queue = scripted_aws.client("sqs").create_queue(QueueName="load_file-dead-letters")["QueueUrl"]
    return Workflow(
        scripted_aws,
        tmp_path_factory.mktemp("calls"),
        "load_file",
        good=GOOD,
        work={"file": {"bucket": "b", "key": "k"}},
        names={"DeadLetters": queue},
    )
