"""Hands a target its input: each kind of target in one function."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from local_aws.services import lambda_functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.runtime import Runtime

_UNIVERSAL = re.compile(r"arn:aws[\w-]*:scheduler:::aws-sdk:(?P<service>[^:]+):(?P<action>.+)")
# Where the name of an SDK's client is not boto3's.
_CLIENTS = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}


class UnsupportedTargetError(ValueError):
    """A kind of target that nothing here delivers to."""


def check_target(arn: str) -> None:
    """Refuse a target that could never be delivered to.

    Raises:
        UnsupportedTargetError: always with the ARN in its message.
    """
    if not _UNIVERSAL.fullmatch(arn) and _service(arn) not in _DELIVERIES:
        raise UnsupportedTargetError(
            f"the embedded AWS does not deliver to {arn}: it delivers to {', '.join(sorted(_DELIVERIES))}"
        )


def deliver(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    """Deliver `text` to the target once; whatever the target's service raises is the caller's."""
    arn = target["Arn"]
    if universal := _UNIVERSAL.fullmatch(arn):
        _call(runtime, universal["service"], universal["action"], json.loads(text or "{}"))
    else:
        _DELIVERIES[_service(arn)](runtime, target, text)


def _service(arn: str) -> str:
    return arn.split(":", 3)[2]


def _client(runtime: Runtime, arn: str) -> Any:
    service, region, account = arn.split(":", 5)[2:5]
    return runtime.client(
        _CLIENTS.get(service, service) if service != "states" else "stepfunctions", region, account
    )


def _to_lambda(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    del runtime  # the queue is Lambda's own, and durable
    lambda_functions.invoke_async(target["Arn"], text)


def _to_states(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    _client(runtime, target["Arn"]).start_execution(stateMachineArn=target["Arn"], input=text)


def _to_sns(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    _client(runtime, target["Arn"]).publish(TopicArn=target["Arn"], Message=text)


def _to_sqs(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    client = _client(runtime, target["Arn"])
    url = client.get_queue_url(QueueName=target["Arn"].rpartition(":")[2])["QueueUrl"]
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    client.send_message(QueueUrl=url, MessageBody=text, **({"MessageGroupId": group} if group else {}))


def _to_logs(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    client = _client(runtime, target["Arn"])
    group = target["Arn"].split(":log-group:")[1].removesuffix(":*")
    stream = str(uuid.uuid4())
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": text}
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def _to_glue(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    kind, _, name = target["Arn"].split(":", 5)[5].partition("/")
    client = _client(runtime, target["Arn"])
    if kind == "workflow":
        client.start_workflow_run(Name=name)
    else:
        arguments = json.loads(text or "{}")
        client.start_job_run(
            JobName=name, Arguments={k: v for k, v in arguments.items() if k.startswith("--")}
        )


def _to_event_bus(runtime: Runtime, target: dict[str, Any], text: str) -> None:
    event = json.loads(text)
    _client(runtime, target["Arn"]).put_events(
        Entries=[
            {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
                "Resources": event.get("resources", []),
                "EventBusName": target["Arn"].rpartition("/")[2],
            }
        ]
    )


_DELIVERIES: dict[str, Callable[[Runtime, dict[str, Any], str], None]] = {
    "lambda": _to_lambda,
    "states": _to_states,
    "sns": _to_sns,
    "sqs": _to_sqs,
    "logs": _to_logs,
    "glue": _to_glue,
    "events": _to_event_bus,
}


def _call(runtime: Runtime, service: str, action: str, parameters: dict[str, Any]) -> None:
    """Call an API by EventBridge Scheduler's universal target, whose parameters are in PascalCase."""
    client = runtime.client(_CLIENTS.get(service, service))
    operation = xform_name(action[0].upper() + action[1:])
    members = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[operation]
    ).input_shape
    names = {name.lower(): name for name in members.members} if members else {}
    getattr(client, operation)(**{names.get(name.lower(), name): value for name, value in parameters.items()})
