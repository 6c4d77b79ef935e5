"""Tasks that wait after they were submitted: `.waitForTaskToken`, `.sync` and `.sync:2`."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501 - moto's own module path
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackTimeoutError, HeartbeatTimeoutError
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from local_aws.services.step_functions import shapes
from local_aws.services.step_functions.clients import client_of
from local_aws.services.step_functions.mending import mend
from local_aws.services.step_functions.tokens import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.environment import LocalEnvironment

FACTS = ("token", "submitted", "since", "outcome")
FIRST_POLL, SLOWEST_POLL = 0.05, 1.0  # seconds between two looks at a job

log = logging.getLogger(__name__)


def install(runtime: Runtime) -> None:
    """Mend the tasks that wait."""

    def poll_pause(env: LocalEnvironment, seconds: float) -> None:
        env.pause(max(0.02, seconds / runtime.configuration.time_scale))

    def integration(self: StateTaskServiceCallback, env: LocalEnvironment, *call: Any, **named: Any) -> None:
        _wait_for_outcome(self, env, poll_pause, *call, **named)

    # The token belongs to an attempt, not to the state: a retry must not meet the last attempt's outcome.
    mend(StateTaskServiceCallback, "_eval_body", CommonStateField._eval_body)  # noqa: SLF001 - skips moto's own token
    mend(StateTaskServiceCallback, "_eval_execution", _attempt)
    mend(StateTaskServiceCallback, "_after_eval_execution", _submitted)
    mend(StateTaskServiceCallback, "_eval_integration_pattern", integration)


def _attempt(self: StateTaskServiceCallback, env: LocalEnvironment) -> None:
    """Evaluate one attempt, or go on with the one that a killed process had submitted."""
    if self.resource.condition is None:
        StateTaskService._eval_execution(self, env)  # noqa: SLF001 - the rest of moto's evaluation
        return
    self._assert_integration_pattern_is_supported()
    running, tokens = env.running, env.running.engine.tokens
    left_behind = running.checkpoint if env.is_top_level and "submitted" in running.checkpoint else {}
    token = left_behind.get("token") or str(uuid.uuid4())
    waiting = Waiting(
        running.record.machine_arn,
        lambda outcome: running.remember(outcome=outcome) if env.is_top_level else None,
    )
    waiting.outcome = left_behind.get("outcome")
    env.waiting = waiting
    env.states.context_object.context_object_data["Task"] = {"Token": token}
    tokens.open(token, waiting)
    try:
        if left_behind:
            _go_on(self, env, left_behind)
        else:
            StateTaskService._eval_execution(self, env)  # noqa: SLF001 - the rest of moto's evaluation
    except BaseException:
        # After a success the facts stay until the next state is entered: a process killed between the two
        # finds the outcome again and does not submit the task anew.
        if env.is_top_level and env.is_running():
            running.forget(*FACTS)
        raise
    finally:
        tokens.close(token)


def _go_on(self: StateTaskServiceCallback, env: LocalEnvironment, left_behind: dict[str, Any]) -> None:
    """Wait on for what a killed process had submitted; nothing is submitted again."""
    self.resource.eval(env=env)
    part = env.stack.pop()
    parameters = self._eval_parameters(env=env)
    credentials = self._eval_state_credentials(env=env)
    self._normalise_parameters(parameters)
    env.stack.append(json.loads(left_behind["submitted"]))
    self._eval_integration_pattern(
        env=env,
        resource_runtime_part=part,
        normalised_parameters=parameters,
        state_credentials=credentials,
        since=left_behind["since"],
    )
    StateTaskService._after_eval_execution(self, env, part, parameters, credentials)  # noqa: SLF001 - adds TaskSucceeded


def _submitted(
    self: StateTaskServiceCallback,
    env: LocalEnvironment,
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    state_credentials: Any,
) -> None:
    """Record the submission durably, wait for the outcome, and record that."""
    call = (resource_runtime_part, normalised_parameters, state_credentials)
    if self.resource.condition is not None:
        output = to_json_str(env.stack[-1])
        details = {
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
            "output": output,
            "outputDetails": {"truncated": False},
        }
        env.event_manager.add_event(
            env.event_history_context, HistoryEventType.TaskSubmitted, {"taskSubmittedEventDetails": details}
        )
        since = time.time()
        if env.is_top_level:
            token = env.states.context_object.context_object_data["Task"]["Token"]
            env.running.remember(token=token, submitted=output, since=since)
        self._eval_integration_pattern(env, *call, since=since)
    StateTaskService._after_eval_execution(self, env, *call)  # noqa: SLF001 - adds TaskSucceeded


def _wait_for_outcome(
    self: StateTaskServiceCallback,
    env: LocalEnvironment,
    pause: Callable[[LocalEnvironment, float], None],
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    state_credentials: Any,
    since: float,
) -> None:
    """Leave the task's outcome on the stack."""
    submission = env.stack.pop()
    self.timeout.eval(env=env)
    deadline = time.monotonic() + env.stack.pop() - (time.time() - since)
    if self.resource.condition == ResourceCondition.WaitForTaskToken:
        env.stack.append(_called_back(self, env, deadline))
        return
    two = self.resource.condition == ResourceCondition.Sync2
    build = self._build_sync2_resolver if two else self._build_sync_resolver
    env.stack.append(submission)
    resolve = build(
        env=env,
        resource_runtime_part=resource_runtime_part,
        normalised_parameters=normalised_parameters,
        state_credentials=state_credentials,
    )
    outcome, delay = resolve(), FIRST_POLL
    while not outcome and env.is_running() and time.monotonic() < deadline:
        pause(env, min(delay, deadline - time.monotonic()))
        delay = min(delay * 1.5, SLOWEST_POLL)
        outcome = resolve() if env.is_running() else None
    if not outcome:
        _cancel(self, env, submission, state_credentials)
        raise CallbackTimeoutError
    env.stack.append(shapes.response(outcome, None, shapes.millisecond_dated))


def _called_back(self: StateTaskServiceCallback, env: LocalEnvironment, deadline: float) -> Any:
    """Return the output of SendTaskSuccess, or raise the failure, the timeout or the missing heartbeat."""
    waiting = env.waiting
    heartbeat = None
    if self.heartbeat:
        self.heartbeat.eval(env=env)
        heartbeat = env.stack.pop()
    waiting.beat = time.monotonic()
    with env.waking(waiting.bell.set):
        while waiting.outcome is None and env.is_running():
            until = deadline if heartbeat is None else min(deadline, waiting.beat + heartbeat)
            left = until - time.monotonic()
            if left <= 0:
                raise CallbackTimeoutError if until == deadline else HeartbeatTimeoutError
            waiting.bell.wait(min(left, threading.TIMEOUT_MAX))
            waiting.bell.clear()
    outcome = waiting.outcome or {"error": "States.TaskFailed", "cause": "The execution ended"}
    if "output" in outcome:
        return json.loads(outcome["output"])
    raise FailureEventException(_failure(self, env, outcome))


def _failure(self: StateTaskServiceCallback, env: LocalEnvironment, outcome: dict[str, Any]) -> FailureEvent:
    given = {key: outcome[key] for key in ("error", "cause") if outcome.get(key) is not None}
    names = {"resource": self._get_sfn_resource(), "resourceType": self._get_sfn_resource_type()}
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error_name=outcome.get("error")),
        event_type=HistoryEventType.TaskFailed,
        event_details={"taskFailedEventDetails": given | names},
    )


def _cancel(
    self: StateTaskServiceCallback, env: LocalEnvironment, submission: dict[str, Any], credentials: Any
) -> None:
    """Ask the service to end the job that nobody waits for any more, as AWS does."""
    region = env.aws_execution_details.region
    client = client_of(env.running.engine.runtime, self._get_boto_service_name(), region, credentials)
    try:
        if self.resource.service_name == "glue":
            client.batch_stop_job_run(JobName=submission["JobName"], JobRunIds=[submission["JobRunId"]])
        elif self.resource.service_name == "athena":
            client.stop_query_execution(QueryExecutionId=submission["QueryExecutionId"])
        elif self.resource.service_name == "states":
            client.stop_execution(executionArn=submission["ExecutionArn"])
    except ClientError:
        log.warning("%s could not be cancelled", submission, exc_info=True)
