"""moto's Lambda registry, with functions that really run."""

from __future__ import annotations

import base64
import json
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import moto.awslambda.urls
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import (
    EventInvokeConfig,
    EventSourceMapping,
    LambdaBackend,
    LambdaFunction,
    LayerVersion,
)
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import get_backend
from moto.sqs.models import sqs_backends

from local_aws.services.lambda_functions.public_layers import public_layer

if TYPE_CHECKING:
    from local_aws.services.lambda_functions.engine import Engine

SYNC_LIMIT = 6_291_456  # bytes of an event with InvocationType=RequestResponse
ASYNC_LIMIT = 1_048_576  # bytes of an event with InvocationType=Event
CONCURRENCY = 1_000  # functions at work at once, in an account that asked for no more

_engines: list[Engine] = []


def use(engine: Engine) -> None:
    """Have every function run by `engine` from now on."""
    _engines[:] = [engine]


def current() -> Engine:
    """Return what runs the functions."""
    return _engines[0]


class Function(LambdaFunction):
    """A function whose code is kept once on disk and whose invocations run in the worker pool."""

    code_bytes: bytes = b""

    def __init__(
        self, account_id: str, spec: dict[str, Any], region: str, version: str | int = "$LATEST"
    ) -> None:
        super().__init__(account_id, spec, region, version)
        self.dead_letter_config: dict[str, str] = spec.get("DeadLetterConfig") or {}
        # moto keeps the whole log service as an attribute, and the server pickles each service apart.
        del self.logs_backend

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        super()._set_function_code(updated_spec)
        if self.code_bytes:
            current().invoker.uploads.keep(self.code_sha_256, self.code_bytes)
        self.code_bytes = b""
        self.code.pop("ZipFile", None)

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change what the request names; moto leaves out some of it."""
        if "DeadLetterConfig" in config_updates:
            self.dead_letter_config = config_updates["DeadLetterConfig"] or {}
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        super().update_configuration(config_updates)
        current().prepare_soon(self)
        return self.get_configuration()

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Return the function as the API shows it."""
        configuration = super().get_configuration(on_create)
        if self.dead_letter_config:
            configuration["DeadLetterConfig"] = self.dead_letter_config
        return configuration

    def invoke(self, body: Any, request_headers: Any, response_headers: Any) -> str | bytes:
        """Run the function, or queue the event when the caller does not wait for an answer.

        moto's other services call this with empty headers: they deliver events, so they never wait.
        """
        event = body.encode() if isinstance(body, str) else body or b""
        kind = request_headers.get("X-Amz-Invocation-Type", "RequestResponse") if request_headers else "Event"
        if kind == "DryRun":
            return b""
        _check_event(event, SYNC_LIMIT if kind == "RequestResponse" else ASYNC_LIMIT)
        if kind == "Event":
            response_headers["x-amzn-requestid"] = current().invoke_async(self.function_arn, event)
            return b""
        request_id = response_headers["x-amzn-requestid"] = str(uuid.uuid4())
        context = _client_context(request_headers)
        outcome = current().invoker.invoke(self, event, request_id=request_id, client_context=context)
        response_headers["x-amz-executed-version"] = str(self.version)
        response_headers["x-amz-log-result"] = outcome.log_tail
        if outcome.error:
            response_headers["x-amz-function-error"] = outcome.error
        return outcome.payload


class Backend(LambdaBackend):
    """moto's Lambda service with `Function` for its functions."""

    @property
    def _url_module(self) -> Any:
        return moto.awslambda.urls

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        # moto's are weak dictionaries and one with a local function, which cannot be written to disk.
        self._lambdas._arns = {}  # noqa: SLF001 - its only seam
        self._lambdas._aliases = defaultdict(dict)  # noqa: SLF001 - likewise
        self._layers._arns = {}  # noqa: SLF001 - likewise

    def create_function(self, spec: dict[str, Any]) -> LambdaFunction:
        """Register a function.

        Raises:
            InvalidParameterValueException: no name, or a kind of function that does not run here.
        """
        if not spec.get("FunctionName"):
            raise InvalidParameterValueException("Missing FunctionName")
        if not str(spec.get("Runtime")).startswith("python") or spec.get("PackageType") == "Image":
            what = spec.get("Runtime") or "container images"
            raise InvalidParameterValueException(f"The embedded AWS runs Python functions, not {what}")
        function = Function(account_id=self.account_id, spec=spec, region=self.region_name)
        self._lambdas.put_function(function)
        if spec.get("Publish"):
            self.publish_version(function.function_name)
        current().prepare_soon(function)
        return function

    def get_layer_version(self, layer_name: str, layer_version: str) -> LayerVersion:
        """Return a layer's version: one that AWS publishes, or one of this account."""
        if public := public_layer(layer_name, int(layer_version)):
            return public
        return super().get_layer_version(layer_name, layer_version)

    def layers_versions_by_arn(self, layer_version_arn: str) -> LayerVersion | None:
        """Return the version that a function asks for."""
        layer, _, version = layer_version_arn.rpartition(":")
        if public := public_layer(layer, int(version)):
            return public
        return super().layers_versions_by_arn(layer_version_arn)

    def create_function_url_config(self, name_or_arn: str, config: dict[str, Any]) -> Any:
        """Refuse: nothing would answer at the URL."""
        del config
        message = f"The embedded AWS serves no function URLs: invoke {name_or_arn}, or put an API before it"
        raise InvalidParameterValueException(message)

    def create_event_source_mapping(self, spec: dict[str, Any]) -> EventSourceMapping:
        """Have a queue's messages delivered to a function, by the poller."""
        if ":sqs:" not in str(spec.get("EventSourceArn")):
            source = spec.get("EventSourceArn")
            raise InvalidParameterValueException(f"The embedded AWS polls SQS queues only, not {source}")
        for known in self._event_source_mappings.values():
            if known.event_source_arn == spec.get("EventSourceArn") and known.function_arn == _arn(
                self, spec
            ):
                raise _ConflictError(known.uuid)
        mapping = super().create_event_source_mapping(spec)
        for queue in sqs_backends[self.account_id][self.region_name].queues.values():
            queue.lambda_event_source_mappings.clear()  # moto would run the function inside SendMessage
        return mapping

    def put_function_event_invoke_config(self, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Replace how the function's queued events are retried; moto keeps answering with the first."""
        function = self.get_function(function_name)
        function.event_invoke_config = [
            EventInvokeConfig(function.function_arn, function.last_modified, config)
        ]
        return function.event_invoke_config[0].response()

    def update_function_event_invoke_config(
        self, function_name: str, config: dict[str, Any]
    ) -> dict[str, Any]:
        """Change only what the request names."""
        configs = self.get_function(function_name).event_invoke_config
        return self.put_function_event_invoke_config(
            function_name, (configs[0].config if configs else {}) | config
        )


class Response(LambdaResponse):
    """moto's Lambda responses with the statuses and headers of a real invocation."""

    @property
    def backend(self) -> LambdaBackend:
        """The Lambda service of the request's account and region."""
        return get_backend(self.current_account, self.region)

    def invoke(self) -> tuple[int, dict[str, str], str | bytes]:
        """Answer an Invoke request."""
        headers: dict[str, str] = {}
        name = self.path.rsplit("/", 2)[-2]
        function = self.backend.get_function(unquote(name), self._get_param("Qualifier"))
        payload = function.invoke(self.body, self.headers or {"-": "-"}, headers)
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if self.headers.get("X-Amz-Log-Type") != "Tail":
            headers.pop("x-amz-log-result", None)
        headers["content-type"] = "application/json"
        headers.setdefault("x-amzn-requestid", str(uuid.uuid4()))
        status = {"Event": 202, "DryRun": 204}.get(kind, 200)
        headers["status"] = str(status)  # moto takes the status from here
        return status, headers, payload

    def get_account_settings(self) -> str:
        """Answer GetAccountSettings: the limits of an account that asked for nothing."""
        functions = self.backend.list_functions()
        reserved = sum(int(each.reserved_concurrency or 0) for each in functions)
        return json.dumps(
            {
                "AccountLimit": {
                    "TotalCodeSize": 80_530_636_800,
                    "CodeSizeUnzipped": 262_144_000,
                    "CodeSizeZipped": 52_428_800,
                    "ConcurrentExecutions": CONCURRENCY,
                    "UnreservedConcurrentExecutions": CONCURRENCY - reserved,
                },
                "AccountUsage": {
                    "TotalCodeSize": sum(int(each.code_size) for each in functions),
                    "FunctionCount": len(functions),
                },
            }
        )

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """Keep the invocation's own request id, which is in the log; moto draws another one."""
        request_id = headers.get("x-amzn-requestid")
        headers, body = LambdaResponse._enrich_response(headers, body)  # noqa: SLF001 - overridden here
        return headers | ({"x-amzn-requestid": request_id} if request_id else {}), body


def _client_context(headers: Any) -> Any:
    """Decode the document that a mobile client may send along."""
    encoded = headers.get("X-Amz-Client-Context")
    return json.loads(base64.b64decode(encoded)) if encoded else None


def _check_event(event: bytes, limit: int) -> None:
    if len(event) > limit:
        raise _RequestTooLargeError(limit)
    try:
        json.loads(event or b"{}")
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise LambdaClientError("InvalidRequestContentException", message) from None


def _arn(backend: Backend, spec: dict[str, Any]) -> str:
    return str(backend.get_function(spec.get("FunctionName", "")).function_arn)


class _ConflictError(LambdaClientError):
    code = 409

    def __init__(self, uuid: str) -> None:
        message = f"An event source mapping with this source and function exists already: {uuid}"
        super().__init__("ResourceConflictException", message)


class _RequestTooLargeError(LambdaClientError):
    code = 413

    def __init__(self, limit: int) -> None:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        super().__init__("RequestTooLargeException", message)
