"""The two kinds of integration that run here: a Lambda proxy and a mock."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownFunctionException

from local_aws.services import lambda_functions
from local_aws.services.api_gateway import answer
from local_aws.services.api_gateway.answer import Answer, RefusedError
from local_aws.services.api_gateway.backend import function_arn
from local_aws.services.lambda_functions.invocation import Outcome, TooManyRequestsError

if TYPE_CHECKING:
    from local_aws.services.api_gateway.request import ApiRequest

_TIMEOUT = 29.0  # seconds: API Gateway's limit for an integration, whatever the function's own is


def respond(request: ApiRequest, authorizer_context: dict[str, str]) -> Answer:
    """Answer a request from its integration."""
    integration = request.route.method.method_integration
    kind = integration.integration_type if integration else None
    if kind == "MOCK":
        return _mock(integration)
    if kind == "AWS_PROXY" and (arn := function_arn(integration.uri)):
        return _proxied(request, _invoke(arn, json.dumps(request.proxy_event(authorizer_context))))
    raise RefusedError(answer.not_executed(f"{kind} integrations"))


def _invoke(arn: str, event: str) -> Outcome:
    """Run the function; give up waiting for it after API Gateway's own limit."""
    done: list[Outcome | Exception] = []

    def run() -> None:
        try:
            done.append(lambda_functions.invoke(arn, event))
        except Exception as error:  # noqa: BLE001 - raised again in the request's thread
            done.append(error)

    thread = threading.Thread(target=run, name="integration", daemon=True)
    thread.start()
    thread.join(_TIMEOUT)
    if not done:
        raise RefusedError(answer.TIMED_OUT)
    if isinstance(done[0], UnknownFunctionException | TooManyRequestsError):
        raise RefusedError(answer.INTERNAL_ERROR)
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]


def _proxied(request: ApiRequest, outcome: Outcome) -> Answer:
    """Turn what the function returned into an answer; anything malformed is a bad gateway."""
    result = json.loads(outcome.payload)
    if outcome.error or not isinstance(result, dict) or not _is_status(result.get("statusCode")):
        return answer.BAD_GATEWAY
    body = result.get("body") or ""
    if not isinstance(body, str) or result.keys() - _PROXY_KEYS:
        return answer.BAD_GATEWAY
    content = body.encode()
    if result.get("isBase64Encoded") and request.is_binary(request.header("Accept") or "*/*"):
        try:
            content = base64.b64decode(body, validate=True)
        except binascii.Error:
            return answer.BAD_GATEWAY
    return Answer(int(result["statusCode"]), content, _headers(result))


_PROXY_KEYS = {"statusCode", "body", "headers", "multiValueHeaders", "isBase64Encoded"}


def _is_status(value: Any) -> bool:
    return str(value).isdecimal() and 100 <= int(value) < 600  # noqa: PLR2004 - what HTTP allows


def _headers(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the function's headers; a name in multiValueHeaders wins over the same in headers."""
    headers = {name.lower(): [(name, value)] for name, value in (result.get("headers") or {}).items()}
    for name, values in (result.get("multiValueHeaders") or {}).items():
        headers[name.lower()] = [(name, value) for value in values]
    if "content-type" not in headers:
        headers["content-type"] = [("Content-Type", "application/json")]
    return [(name, _header_text(value)) for pairs in headers.values() for name, value in pairs]


def _header_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _mock(integration: Any) -> Answer:
    """Answer with the integration response of the status that the request template names."""
    template = (integration.request_templates or {}).get("application/json", "{}")
    status = str(json.loads(template).get("statusCode", 200))
    response = (integration.integration_responses or {}).get(status)
    if response is None:
        return answer.INTERNAL_ERROR
    prefix = "method.response.header."
    headers = [
        (name.removeprefix(prefix), value.strip("'"))
        for name, value in (response.response_parameters or {}).items()
        if name.startswith(prefix)
    ]
    body = (response.response_templates or {}).get("application/json") or ""
    if "$" in body or "#" in body:
        raise RefusedError(answer.not_executed("response templates with variables or directives"))
    return Answer(int(status), body.encode(), [("Content-Type", "application/json"), *headers])
