"""Tasks that invoke Lambda functions, and what AWS calls their errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils import (
    LambdaFunctionErrorException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda

from local_aws.services.step_functions.mending import mend
from local_aws.services.step_functions.service_tasks import task_failure

if TYPE_CHECKING:
    from local_aws.services.step_functions.environment import LocalEnvironment


def install() -> None:
    """Name the errors of functions as AWS does."""
    mend(StateTaskLambda, "_from_error", _function_error)
    mend(StateTaskServiceLambda, "_from_error", _invoke_error)


def named(error: Exception) -> tuple[str, str] | None:
    """Return (Error, Cause) of what an invocation raised, or None when it is not Lambda's.

    A function's own error has its class's bare name, and the function's whole answer as cause.
    """
    if isinstance(error, LambdaFunctionErrorException):
        return _error_type(error.payload), error.payload
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        metadata = error.response["ResponseMetadata"]
        facts = (
            f"Service: Lambda, Status Code: {metadata['HTTPStatusCode']}, Request ID: {metadata['RequestId']}"
        )
        return f"Lambda.{code}", f"{message} ({facts})"
    return None


def _error_type(answer: str) -> str:
    try:
        report = json.loads(answer)
    except ValueError:
        return "Lambda.Unknown"
    if not isinstance(report, dict):
        return "Lambda.Unknown"
    if report.get("errorType"):
        return str(report["errorType"]).rsplit(".", 1)[-1] if _is_class(report) else str(report["errorType"])
    return "Sandbox.Timedout" if "Task timed out" in str(report.get("errorMessage")) else "Lambda.Unknown"


def _is_class(report: dict[str, Any]) -> bool:
    """Return whether errorType is a Python class with its module, not one of Lambda's own names."""
    return not str(report["errorType"]).startswith(("Sandbox.", "Runtime.", "Lambda.", "Extension."))


def _function_error(self: StateTaskLambda, env: LocalEnvironment, ex: Exception) -> FailureEvent:
    pair = named(ex)
    if pair is None:
        if isinstance(ex, TimeoutError):
            return _timed_out(env)
        return super(StateTaskLambda, self)._from_error(env=env, ex=ex)
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(pair[0]),
        event_type=HistoryEventType.LambdaFunctionFailed,
        event_details={"lambdaFunctionFailedEventDetails": {"error": pair[0], "cause": pair[1]}},
    )


def _invoke_error(self: StateTaskServiceLambda, env: LocalEnvironment, ex: Exception) -> FailureEvent:
    pair = named(ex)
    if pair is None:
        return super(StateTaskServiceLambda, self)._from_error(env=env, ex=ex)
    return task_failure(self, env, *pair)


def _timed_out(env: LocalEnvironment) -> FailureEvent:
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=StatesErrorNameType.StatesTimeout),
        event_type=HistoryEventType.LambdaFunctionTimedOut,
        event_details={"lambdaFunctionTimedOutEventDetails": {"error": "States.Timeout"}},
    )
