"""Where the outcome of a queued event is told: on-success, on-failure and dead-letter targets."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.backend import Function
    from local_aws.services.lambda_functions.event_queue import QueuedEvent
    from local_aws.services.lambda_functions.invocation import Outcome

SUPPORTED = ("sqs", "sns", "lambda", "events")

log = logging.getLogger(__name__)


def succeeded(runtime: Runtime, function: Function, event: QueuedEvent, outcome: Outcome) -> None:
    """Tell the function's on-success destination, if it has one."""
    if target := _destination(function, "OnSuccess"):
        _send(runtime, target, _record(function, event, outcome, "Success", event.attempts + 1), {})


def failed(
    runtime: Runtime,
    function: Function,
    event: QueuedEvent,
    outcome: Outcome | None,
    condition: str,
    attempts: int,
) -> None:
    """Tell the on-failure destination and the dead-letter target; either may be missing."""
    if target := _destination(function, "OnFailure"):
        _send(runtime, target, _record(function, event, outcome, condition, attempts), {})
    if dead_letters := function.dead_letter_config.get("TargetArn"):
        _send(
            runtime, dead_letters, json.loads(event.payload or b"{}"), _dead_letter_attributes(event, outcome)
        )


def _destination(function: Function, when: str) -> str:
    if not function.event_invoke_config:
        return ""
    config = function.event_invoke_config[0].config.get("DestinationConfig") or {}
    return str(config.get(when, {}).get("Destination") or "")


def _record(
    function: Function, event: QueuedEvent, outcome: Outcome | None, condition: str, attempts: int
) -> dict[str, Any]:
    """Return the document that AWS sends to a destination."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.id,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event.payload or b"{}"),
    }
    if outcome:
        context = {"statusCode": 200, "executedVersion": "$LATEST"}
        record["responseContext"] = context | ({"functionError": outcome.error} if outcome.error else {})
        record["responsePayload"] = json.loads(outcome.payload)
    return record


def _dead_letter_attributes(event: QueuedEvent, outcome: Outcome | None) -> dict[str, Any]:
    attributes = {"RequestID": {"DataType": "String", "StringValue": event.id}}
    if outcome:
        message = str(json.loads(outcome.payload).get("errorMessage", ""))[:1024]
        attributes["ErrorCode"] = {"DataType": "Number", "StringValue": "200"}
        if message:
            attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message}
    return attributes


def _send(runtime: Runtime, target: str, document: Any, attributes: dict[str, Any]) -> None:
    """Deliver a document to the service that the ARN names."""
    service, region, account, name = target.split(":", 5)[2:6]
    client = runtime.client(service, region, account)
    body = json.dumps(document)
    if service == "sqs":
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    elif service == "sns":
        client.publish(TopicArn=target, Message=body, MessageAttributes=attributes)
    elif service == "lambda":
        client.invoke(FunctionName=target, InvocationType="Event", Payload=body)
    else:
        client.put_events(
            Entries=[
                {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {_result_word(document)}",
                    "Detail": body,
                    "EventBusName": name.removeprefix("event-bus/"),
                }
            ]
        )


def _result_word(record: dict[str, Any]) -> str:
    return "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
