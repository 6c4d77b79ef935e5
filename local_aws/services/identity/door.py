"""Middleware that finds out who signed a request and tells the services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local_aws.services.identity.principal import (
    ACCOUNT_HEADER,
    CALLER_HEADER,
    ExpiredSessionError,
    of_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


CALLER_KEY, ACCOUNT_KEY = _key(CALLER_HEADER), _key(ACCOUNT_HEADER)


class Door:
    """Adds the account and the caller to each request; refuses a session that has expired."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ.pop(CALLER_KEY, None)
        try:
            caller = of_request(environ)
        except ExpiredSessionError as error:
            return _refused(environ, start_response, str(error))
        if caller:
            headers = caller.headers()
            environ[ACCOUNT_KEY], environ[CALLER_KEY] = headers[ACCOUNT_HEADER], headers[CALLER_HEADER]
        return self._application(environ, start_response)


def _refused(environ: WSGIEnvironment, start_response: StartResponse, message: str) -> Iterable[bytes]:
    """Answer in the protocol of the service that was asked."""
    if "HTTP_X_AMZ_TARGET" in environ or "json" in environ.get("CONTENT_TYPE", ""):
        kind = "application/json"
        body = json.dumps({"__type": "ExpiredTokenException", "message": message})
    else:
        kind = "text/xml"
        error = f"<Code>ExpiredToken</Code><Message>{escape(message)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
    content = body.encode()
    start_response("403 Forbidden", [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return [content]
