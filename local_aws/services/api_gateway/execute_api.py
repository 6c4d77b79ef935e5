"""Serves deployed REST APIs, in front of the application that answers AWS requests."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends

from local_aws.services.api_gateway import answer, integration
from local_aws.services.api_gateway.answer import Answer, RefusedError
from local_aws.services.api_gateway.authorizer import Authorizers
from local_aws.services.api_gateway.request import ApiRequest
from local_aws.services.api_gateway.routes import find_route
from local_aws.services.api_gateway.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_LIMIT = 10_485_760  # bytes of a request body
_CHUNK = 1 << 20
_PATH = re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<path>/.*)?")
_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.")
_STAGE_PATH = re.compile(r"/(?P<stage>[^/]+)(?P<path>/.*)?")


class ExecuteApi:
    """WSGI middleware that answers requests to REST APIs and passes all others on."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._authorizers = Authorizers()
        self._throttle = Throttle()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        target = _target(environ)
        if target is None:
            return self._application(environ, start_response)
        reply = self._reply(environ, *target)
        head = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        start_response(reply.status_line, head)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def _reply(self, environ: WSGIEnvironment, api_id: str, stage: str, path: str) -> Answer:
        try:
            request = _request(environ, api_id, stage, path)
            self._throttle.check(request)
            _check_api_key(request)
            context = self._authorizers.authorize(request)
            reply = integration.respond(request, context)
        except RefusedError as refused:
            return refused.answer
        return Answer(reply.status, reply.body, [*reply.headers, ("x-amzn-RequestId", request.id)])


def _target(environ: WSGIEnvironment) -> tuple[str, str, str] | None:
    """Return API, stage and path when the request is for a REST API."""
    raw = environ.get("RAW_URI") or environ["PATH_INFO"]
    path = re.sub(r"^https?://[^/]+", "", raw).partition("?")[0]
    if match := _PATH.fullmatch(path):
        return match["api"], match["stage"], match["path"] or "/"
    host = _HOST.match(environ.get("HTTP_HOST", ""))
    if not host:
        return None
    below = _STAGE_PATH.fullmatch(path)
    return (host["api"], below["stage"], below["path"] or "/") if below else (host["api"], "", "/")


def _request(environ: WSGIEnvironment, api_id: str, stage_name: str, path: str) -> ApiRequest:
    """Read a request and find its route.

    Raises:
        RefusedError: no such API or stage, no such route, or too large a body.
    """
    api = _find_api(api_id)
    if api is None or stage_name not in api.stages:
        raise RefusedError(answer.FORBIDDEN)
    body = _body(environ)
    route = find_route(api, environ["REQUEST_METHOD"], path.rstrip("/") or "/")
    if route is None:
        raise RefusedError(answer.MISSING_TOKEN)
    return ApiRequest(
        api=api,
        stage=api.stages[stage_name],
        route=route,
        http_method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=_headers(environ),
        body=body,
        source_address=environ.get("REMOTE_ADDR", ""),
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )


def _body(environ: WSGIEnvironment) -> bytes:
    """Read the body; one that is too large is read to its end, so that the client hears why."""
    source = environ["wsgi.input"]
    chunked = environ.get("wsgi.input_terminated")
    left = sys.maxsize if chunked else int(environ.get("CONTENT_LENGTH") or 0)
    parts, size = [], 0
    while left and (part := source.read(min(left, _CHUNK))):
        left -= len(part)
        size += len(part)
        if size <= REQUEST_LIMIT:
            parts.append(part)
    if size > REQUEST_LIMIT:
        raise RefusedError(answer.TOO_LARGE)
    return b"".join(parts)


def _find_api(api_id: str) -> Any:
    for account in apigateway_backends.values():
        for backend in account.values():
            if api_id in backend.apis:
                return backend.apis[api_id]
    return None


def _headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").title(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    ]
    forwarded = {
        "X-Forwarded-For": environ.get("REMOTE_ADDR", ""),
        "X-Forwarded-Port": environ.get("SERVER_PORT", ""),
        "X-Forwarded-Proto": environ.get("wsgi.url_scheme", "http"),
    }
    return headers + list(forwarded.items())


def _check_api_key(request: ApiRequest) -> None:
    if not request.route.method.api_key_required:
        return
    backend = apigateway_backends[request.api.account_id][request.api.region_name]
    sent = request.header("x-api-key")
    if not any(key.value == sent and key.enabled for key in backend.keys.values()):
        raise RefusedError(answer.FORBIDDEN)
