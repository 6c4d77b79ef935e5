"""Step Functions in our verbs: start, describe, list, stop and redrive an execution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from chalicelib.aws.client import call, client, code
from chalicelib.errors import InvalidRequest, RunConflict, UnknownRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

HISTORY_PAGE = 1000
"""Events that one request for history may return, by AWS's limit."""


class StepFunctions:
    """The executions of this stage's state machines."""

    def start(self, machine: str, name: str, document: dict[str, Any]) -> bool:
        """Start an execution; return False when one of that name exists, which is success."""
        states = client("stepfunctions")
        try:
            call(states.start_execution, stateMachineArn=machine, name=name, input=json.dumps(document))
        except states.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def created(self, machine: str) -> datetime:
        """Return when a state machine was made."""
        answer = call(client("stepfunctions").describe_state_machine, stateMachineArn=machine)
        return cast("datetime", answer["creationDate"])

    def time_limit(self, machine: str) -> int | None:
        """Return the seconds after which a state machine ends its executions, or None without a limit."""
        answer = call(client("stepfunctions").describe_state_machine, stateMachineArn=machine)
        return cast("int | None", json.loads(answer["definition"]).get("TimeoutSeconds"))

    def describe(self, machine: str, name: str) -> dict[str, Any]:
        """Return AWS's description of an execution.

        Raises:
            UnknownRun: there is none of that name.
        """
        states = client("stepfunctions")
        try:
            return cast(
                "dict[str, Any]", call(states.describe_execution, executionArn=execution_arn(machine, name))
            )
        except states.exceptions.ExecutionDoesNotExist as error:
            raise UnknownRun(f"run {name!r}: there is no such run") from error

    def page(
        self, machine: str, *, status: str | None, limit: int, token: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return one page of executions, newest first, and the token of the next page.

        Raises:
            InvalidRequest: the token is none that Step Functions gave, or too old: it holds for a day.
        """
        filters = {"statusFilter": status} if status else {}
        more = {"nextToken": token} if token else {}
        states = client("stepfunctions")
        try:
            answer = call(
                states.list_executions, stateMachineArn=machine, maxResults=limit, **filters, **more
            )
        except states.exceptions.ClientError as error:
            if token and code(error) in {"InvalidToken", "ValidationException"}:
                raise InvalidRequest("next: this cursor holds no longer; start again without it") from error
            raise
        return answer["executions"], answer.get("nextToken")

    def history(self, machine: str, name: str) -> Iterator[dict[str, Any]]:
        """Yield an execution's events, oldest first.

        Raises:
            UnknownRun: there is none of that name.
        """
        states = client("stepfunctions")
        pages = states.get_paginator("get_execution_history")
        try:
            for page in pages.paginate(
                executionArn=execution_arn(machine, name), PaginationConfig={"PageSize": HISTORY_PAGE}
            ):
                yield from page["events"]
        except states.exceptions.ExecutionDoesNotExist as error:
            raise UnknownRun(f"run {name!r}: there is no such run") from error

    def definition(self, machine: str) -> tuple[dict[str, Any], datetime]:
        """Return a state machine's definition as it is now, and when it was made."""
        answer = call(client("stepfunctions").describe_state_machine, stateMachineArn=machine)
        return json.loads(answer["definition"]), answer["creationDate"]

    def definition_of_run(self, machine: str, name: str) -> dict[str, Any]:
        """Return the definition that an execution was started with.

        Raises:
            UnknownRun: there is none of that name.
        """
        states = client("stepfunctions")
        try:
            answer = call(
                states.describe_state_machine_for_execution, executionArn=execution_arn(machine, name)
            )
        except states.exceptions.ExecutionDoesNotExist as error:
            raise UnknownRun(f"run {name!r}: there is no such run") from error
        return cast("dict[str, Any]", json.loads(answer["definition"]))

    def map_run(self, arn: str) -> dict[str, int]:
        """Return how many items of a Distributed Map stand how: `total`, `succeeded`, ..."""
        answer = call(client("stepfunctions").describe_map_run, mapRunArn=arn)
        return cast("dict[str, int]", answer["itemCounts"])

    def children(self, map_run: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest executions that a Distributed Map started; an Express one is not listed."""
        answer = call(client("stepfunctions").list_executions, mapRunArn=map_run, maxResults=limit)
        return cast("list[dict[str, Any]]", answer["executions"])

    def stop(self, machine: str, name: str, cause: str) -> None:
        """Stop a running execution."""
        call(
            client("stepfunctions").stop_execution,
            executionArn=execution_arn(machine, name),
            error="Stopped",
            cause=cause,
        )

    def redrive(self, machine: str, name: str) -> None:
        """Let an execution that failed go on from where it failed.

        Raises:
            RunConflict: Step Functions cannot redrive it.
        """
        states = client("stepfunctions")
        try:
            call(states.redrive_execution, executionArn=execution_arn(machine, name))
        except states.exceptions.ClientError as error:
            if code(error) in {"ExecutionNotRedrivable", "ExecutionLimitExceeded"}:
                raise RunConflict(f"run {name!r} cannot be redriven: {error}") from error
            raise

    def succeed_task(self, token: str, output: dict[str, Any]) -> None:
        """Let a task that waits for its token go on.

        Raises:
            RunConflict: it waits no longer.
        """
        self._tell_task("send_task_success", taskToken=token, output=json.dumps(output))

    def fail_task(self, token: str, error: str, cause: str) -> None:
        """Let a task that waits for its token fail.

        Raises:
            RunConflict: it waits no longer.
        """
        self._tell_task("send_task_failure", taskToken=token, error=error, cause=cause)

    def keep_task_alive(self, token: str) -> None:
        """Tell that somebody still looks after a task that waits for its token.

        Raises:
            RunConflict: it waits no longer.
        """
        self._tell_task("send_task_heartbeat", taskToken=token)

    def _tell_task(self, operation: str, **arguments: str) -> None:
        states = client("stepfunctions")
        try:
            call(getattr(states, operation), **arguments)
        except states.exceptions.ClientError as error:
            if code(error) in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
                raise RunConflict(
                    "the run waits for approval no longer: it was decided, ended or expired"
                ) from None
            raise


def execution_arn(machine: str, name: str) -> str:
    """Return the ARN of an execution."""
    return machine.replace(":stateMachine:", ":execution:") + ":" + name
