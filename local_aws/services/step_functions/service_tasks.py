"""Tasks that call AWS services: names, values, errors, and the services that moto leaves out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_factory,
    state_task_service_glue,
    state_task_service_sfn,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501 - moto's own module path
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from local_aws.services.step_functions import shapes
from local_aws.services.step_functions.clients import client_of
from local_aws.services.step_functions.mending import mend

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.environment import LocalEnvironment

# The SDK for Java's names, which Step Functions uses, where boto3 has another.
CLIENT_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "redshiftdata": "redshift-data",
    "redshiftserverless": "redshift-serverless",
    "cloudwatch": "cloudwatch",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "costexplorer": "ce",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "apigatewayv2": "apigatewayv2",
}
ERROR_PREFIXES = {
    "athena": "Athena",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "ec2": "Ec2",
    "eventbridge": "EventBridge",
    "glue": "Glue",
    "iam": "Iam",
    "kms": "Kms",
    "lambda": "Lambda",
    "redshift": "Redshift",
    "redshiftdata": "RedshiftData",
    "redshiftserverless": "RedshiftServerless",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
    "sts": "Sts",
}
GLUE_FAILURES = frozenset({"FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"})
QUERY_FAILURES = frozenset({"FAILED", "CANCELLED"})
FORWARDED = frozenset({"athena"})  # services whose optimized integration is a plain call, plus .sync


def install(runtime: Runtime) -> None:
    """Mend the integrations with AWS services."""

    def operation(state: StateTaskService, action: str | None = None) -> Any:
        client = runtime.client(state._get_boto_service_name())  # noqa: SLF001 - moto's names for the same thing
        method = state._get_boto_service_action(action)  # noqa: SLF001 - as above
        model = client.meta.service_model
        name = client.meta.method_to_api_mapping.get(method)
        if name is None:
            raise ValueError(f"The API action in the resource {state.resource.resource_arn} does not exist")
        return model.operation_model(name)

    def normalise_parameters(
        self: StateTaskService,
        parameters: dict[str, Any],
        *_: Any,
        service_action_name: str | None = None,
        **__: Any,
    ) -> None:
        renamed = shapes.request(parameters, operation(self, service_action_name))
        parameters.clear()
        parameters.update(renamed)

    def normalise_response(
        self: StateTaskService, response: Any, *_: Any, service_action_name: str | None = None, **__: Any
    ) -> None:
        if not isinstance(response, dict) or self.resource.service_name == "lambda":
            return  # a function's payload is the function's own business
        dated = shapes.iso_dated if isinstance(self, StateTaskServiceAwsSdk) else shapes.millisecond_dated
        model = operation(self, service_action_name)
        renamed = shapes.response(response, model.output_shape, dated)
        response.clear()
        response.update(renamed)

    mend(StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", CLIENT_NAMES)
    mend(StateTaskService, "_normalise_parameters", normalise_parameters)
    mend(StateTaskService, "_normalise_response", normalise_response)
    mend(StateTaskServiceAwsSdk, "_from_error", _sdk_error)
    mend(state_task_service_factory, "StateTaskServiceUnsupported", ForwardedService)
    # moto takes a run that somebody stopped for a success; here every run that did not succeed is a failure.
    mend(state_task_service_glue, "_JOB_RUN_STATE_ABNORMAL_TERMINAL_VALUE", GLUE_FAILURES)
    mend(state_task_service_glue, "_JOB_RUN_STATE_TERMINAL_VALUES", GLUE_FAILURES | {"SUCCEEDED"})
    mend(StateTaskServiceSfn, "_from_error", _sfn_error)
    for module in (state_task_service_sfn, state_task_service_glue):  # AWS's causes have no spaces
        mend(module, "to_json_str", _compact)


class ForwardedService(StateTaskServiceCallback):
    """An optimized integration that is a plain API call: `athena:startQueryExecution` and its kin."""

    def __init__(self) -> None:
        super().__init__(supported_integration_patterns=frozenset({"sync"}))

    def _get_supported_parameters(self) -> None:
        """Take every parameter: the service refuses those that it doesn't know."""

    def _validate_service_integration_is_supported(self) -> None:
        if self.resource.service_name not in FORWARDED:
            raise ValueError(
                f"{self.resource.resource_arn}: this embedded AWS has no optimized integration with "
                f"{self.resource.service_name}; use aws-sdk:{self.resource.service_name}"
            )

    def _eval_service_task(
        self,
        env: LocalEnvironment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],
        state_credentials: Any,
    ) -> None:
        client = _client(self, env, resource_runtime_part.region, state_credentials)
        answer = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        answer.pop("ResponseMetadata", None)
        env.stack.append(answer)

    def _build_sync_resolver(
        self,
        env: LocalEnvironment,
        resource_runtime_part: Any,
        normalised_parameters: dict[str, Any],  # noqa: ARG002 - moto's interface
        state_credentials: Any,
    ) -> Callable[[], Any]:
        query = env.stack.pop()["QueryExecutionId"]
        client = _client(self, env, resource_runtime_part.region, state_credentials)

        def resolve() -> Any:
            answer = client.get_query_execution(QueryExecutionId=query)
            execution = shapes.response(answer["QueryExecution"], None, shapes.millisecond_dated)
            state = execution["Status"]["State"]
            if state in QUERY_FAILURES:
                cause = json.dumps({"QueryExecution": execution}, separators=(",", ":"))
                raise FailureEventException(task_failure(self, env, "States.TaskFailed", cause))
            return {"QueryExecution": execution} if state == "SUCCEEDED" else None

        return resolve

    def _from_error(self, env: LocalEnvironment, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            return task_failure(
                self, env, f"{_prefix(self)}.{ex.response['Error']['Code']}", _cause(self, ex)
            )
        failure: FailureEvent = super()._from_error(env=env, ex=ex)
        return failure


def task_failure(state: StateTaskService, env: LocalEnvironment, error: str, cause: str) -> FailureEvent:
    """Return the failure of a service task."""
    details = {
        "error": error,
        "cause": cause,
        "resource": state._get_sfn_resource(),  # noqa: SLF001 - moto's names of the resource
        "resourceType": state._get_sfn_resource_type(),  # noqa: SLF001 - as above
    }
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details={"taskFailedEventDetails": details},
    )


def _client(state: StateTaskService, env: LocalEnvironment, region: str, credentials: Any) -> Any:
    service = state._get_boto_service_name()  # noqa: SLF001 - as above
    return client_of(env.running.engine.runtime, service, region, credentials)


def _compact(document: Any, separators: tuple[str, str] = (",", ":")) -> str:
    return str(to_json_str(document, separators))


def _prefix(state: StateTaskService) -> str:
    name = state.resource.api_name.lower()
    return ERROR_PREFIXES.get(name, name.capitalize())


def _cause(state: StateTaskService, error: ClientError) -> str:
    metadata = error.response["ResponseMetadata"]
    answered = f"Status Code: {metadata['HTTPStatusCode']}, Request ID: {metadata['RequestId']}"
    return f"{error.response['Error']['Message']} (Service: {_prefix(state)}, {answered})"


def _sdk_error(self: StateTaskServiceAwsSdk, env: LocalEnvironment, ex: Exception) -> FailureEvent:
    """Name a service's error as AWS does: `Glue.EntityNotFoundException`."""
    if isinstance(ex, ClientError):
        code = ex.response["Error"]["Code"].rsplit(".", 1)[-1]
        code = code if code.endswith("Exception") else f"{code}Exception"
        return task_failure(self, env, f"{_prefix(self)}.{code}", _cause(self, ex))
    return super(StateTaskServiceAwsSdk, self)._from_error(env=env, ex=ex)


def _sfn_error(self: StateTaskServiceSfn, env: LocalEnvironment, ex: Exception) -> FailureEvent:
    """Name an error of a child execution: `StepFunctions.ExecutionAlreadyExistsException`."""
    if isinstance(ex, ClientError):
        code = ex.response["Error"]["Code"]
        code = code if code.endswith("Exception") else f"{code}Exception"
        return task_failure(self, env, f"StepFunctions.{code}", _cause(self, ex))
    return super(StateTaskServiceSfn, self)._from_error(env=env, ex=ex)
