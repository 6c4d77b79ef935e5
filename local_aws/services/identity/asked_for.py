"""Which IAM action a request is about, and the ARNs of what it touches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

Values = dict[str, Any]

PREFIXES = {
    "stepfunctions": "states",
    "awslambda": "lambda",
    "monitoring": "cloudwatch",
    "redshiftdata": "redshift-data",
}
"""IAM's name of a service where moto has another."""

ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction", "lambda:InvokeAsync": "lambda:InvokeFunction"}
"""Actions that are not called as their operation is."""

FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""What everybody may do."""


class UnmappedRequestError(Exception):
    """Nobody wrote down yet which resource such a request is about."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a request is answered."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something here."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, kw_only=True)
class AskedFor:
    """An action on a resource, with the values of condition keys."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def asked_for(service: str, operation: str, values: Values, place: Place) -> list[AskedFor]:
    """Return every action and resource that the caller must be allowed.

    Args:
        service: moto's name of the service, such as "stepfunctions".
        operation: the API's name of the operation.
        values: the request's parameters by their names in the API.
        place: where it is answered.

    Raises:
        UnmappedRequestError: the operation is not known here.
    """
    prefix = PREFIXES.get(service, service)
    action = ACTIONS.get(f"{prefix}:{operation}", f"{prefix}:{operation}")
    if action in FREE:
        return []
    named = RESOURCES.get(action) or RESOURCES.get(prefix)
    resources = named(values, place) if named else []
    if not resources:
        raise UnmappedRequestError(f"the embedded AWS does not know which resource {action} is about")
    context = _context(action, values)
    return [AskedFor(action=action, resource=each, context=context) for each in resources]


def values_of(response: Any) -> Values:
    """Return the parameters of a request as moto's response object has read it."""
    body = response.body
    if body and (isinstance(body, bytes) or str(body).lstrip()[:1] == "{"):
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found | {"-path": response.path}
    plain = {name: value[0] if isinstance(value, list) else value for name, value in response.data.items()}
    return plain | {"-path": response.path}


def _context(action: str, values: Values) -> tuple[tuple[str, str], ...]:
    if action == "cloudwatch:PutMetricData" and "Namespace" in values:
        return (("cloudwatch:namespace", str(values["Namespace"])),)
    return ()


def _value(*names: str) -> Callable[[Values, Place], list[str]]:
    """Return the ARN that a parameter holds."""
    return lambda values, _place: [str(values[name]) for name in names if values.get(name)][:1]


def _in(service: str, kind: str, *names: str) -> Callable[[Values, Place], list[str]]:
    """Return the ARN of what a parameter names."""
    return lambda values, place: [
        place.arn(service, f"{kind}{values[name]}") for name in names if values.get(name)
    ][:1]


def _everything(_values: Values, _place: Place) -> list[str]:
    return ["*"]


def _catalogue(values: Values, place: Place) -> list[str]:
    """Return catalogue, database and table: Glue wants the action allowed on all of them."""
    database = values.get("DatabaseName") or values.get("DatabaseInput", {}).get("Name")
    found = ["catalog"]
    table = values.get("TableName") or values.get("TableInput", {}).get("Name")
    if values.get("DatabaseName"):
        table = table or values.get("Name")
    else:
        database = database or values.get("Name")
    if database:
        found.append(f"database/{database}")
    if table:
        found.append(f"table/{database}/{table}")
    return [place.arn("glue", each) for each in found]


def _workgroup(values: Values, place: Place) -> list[str]:
    return [place.arn("athena", f"workgroup/{values.get('WorkGroup') or 'primary'}")]


def _workgroup_of_query(values: Values, place: Place) -> list[str]:
    from moto.athena.models import athena_backends  # noqa: PLC0415 - the service is installed after this one

    query = str(values.get("QueryExecutionId"))
    execution = athena_backends[place.account][place.region].execution(query)
    return [place.arn("athena", f"workgroup/{execution.workgroup}")]


def _secret(values: Values, place: Place) -> list[str]:
    from moto.secretsmanager.models import secretsmanager_backends  # noqa: PLC0415 - as above

    asked = str(values.get("SecretId"))
    secrets = secretsmanager_backends[place.account][place.region].secrets
    secret = secrets.get(asked)
    return [str(secret.arn) if secret else asked]


def _function(values: Values, place: Place) -> list[str]:
    name = unquote(str(values["-path"])).split("/functions/")[1].split("/")[0]
    return [name if name.startswith("arn:") else place.arn("lambda", f"function:{name}")]


def _queue(values: Values, place: Place) -> list[str]:
    if values.get("QueueUrl"):
        return [place.arn("sqs", str(values["QueueUrl"]).rpartition("/")[2])]
    return [place.arn("sqs", str(values.get("QueueName", "*")))]


def _log_stream(values: Values, place: Place) -> list[str]:
    group = f"log-group:{values.get('logGroupName')}"
    stream = f":log-stream:{values['logStreamName']}" if values.get("logStreamName") else ":*"
    return [place.arn("logs", group + stream)]


def _waiting_task(values: Values, place: Place) -> list[str]:
    """Return the state machine whose execution waits for the token."""
    from local_aws.services.step_functions.state_machines import (  # noqa: PLC0415 - as above
        LocalStepFunctionsBackend,
    )

    machine = LocalStepFunctionsBackend.engine.tokens.machine_of(str(values.get("taskToken")))
    return [machine or place.arn("states", "stateMachine:of-an-unknown-token")]


RESOURCES: dict[str, Callable[[Values, Place], list[str]]] = {
    "athena:StartQueryExecution": _workgroup,
    "athena:GetWorkGroup": _workgroup,
    "athena:GetQueryExecution": _workgroup_of_query,
    "athena:GetQueryResults": _workgroup_of_query,
    "athena:StopQueryExecution": _workgroup_of_query,
    "athena:GetQueryRuntimeStatistics": _workgroup_of_query,
    "cloudwatch:PutMetricData": _everything,
    "events:PutEvents": _in("events", "event-bus/", "EventBusName"),
    "glue": _catalogue,
    "glue:StartJobRun": _in("glue", "job/", "JobName"),
    "glue:GetJobRun": _in("glue", "job/", "JobName"),
    "glue:GetJobRuns": _in("glue", "job/", "JobName"),
    "glue:BatchStopJobRun": _in("glue", "job/", "JobName"),
    "glue:GetJob": _in("glue", "job/", "JobName"),
    "glue:StartCrawler": _in("glue", "crawler/", "Name"),
    "glue:GetCrawler": _in("glue", "crawler/", "Name"),
    "glue:StopCrawler": _in("glue", "crawler/", "Name"),
    "lambda:InvokeFunction": _function,
    "lambda:GetFunction": _function,
    "lambda:GetFunctionConfiguration": _function,
    "logs:CreateLogGroup": _log_stream,
    "logs:CreateLogStream": _log_stream,
    "logs:PutLogEvents": _log_stream,
    "logs:FilterLogEvents": _log_stream,
    "logs:GetLogEvents": _log_stream,
    "logs:DescribeLogStreams": _log_stream,
    "logs:DescribeLogGroups": _everything,
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:DescribeSecret": _secret,
    "secretsmanager:PutSecretValue": _secret,
    "sns:Publish": _value("TopicArn", "TargetArn"),
    "sns:PublishBatch": _value("TopicArn"),
    "sqs": _queue,
    "states:StartExecution": _value("stateMachineArn"),
    "states:StartSyncExecution": _value("stateMachineArn"),
    "states:DescribeStateMachine": _value("stateMachineArn"),
    "states:DescribeStateMachineForExecution": _value("executionArn"),
    "states:ListExecutions": _value("mapRunArn", "stateMachineArn"),
    "states:DescribeExecution": _value("executionArn"),
    "states:GetExecutionHistory": _value("executionArn"),
    "states:StopExecution": _value("executionArn"),
    "states:RedriveExecution": _value("executionArn"),
    "states:ListMapRuns": _value("executionArn"),
    "states:DescribeMapRun": _value("mapRunArn"),
    "states:SendTaskSuccess": _waiting_task,
    "states:SendTaskFailure": _waiting_task,
    "states:SendTaskHeartbeat": _waiting_task,
    "sts:AssumeRole": _value("RoleArn"),
}
"""The resources of each action, or of all a service's actions, that roles have used here."""
