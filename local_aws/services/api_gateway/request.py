"""One request to a REST API, and the event that a Lambda proxy integration gets for it."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from local_aws.services.api_gateway.routes import Route


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """A request that has found its route.

    Attributes:
        api: moto's REST API.
        stage: moto's stage of it.
        path: below the stage, percent-encoded as it came; a slash at its end changes no route.
        headers: name and value pairs, in order.
    """

    api: Any
    stage: Any
    route: Route
    http_method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_address: str
    protocol: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @cached_property
    def _last_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers}

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return self._last_headers.get(name.lower(), "")

    @property
    def method_arn(self) -> str:
        """What an authorizer's policy is matched against."""
        place = f"{self.api.region_name}:{self.api.account_id}:{self.api.id}"
        return (
            f"arn:aws:execute-api:{place}/{self.stage.name}/{self.http_method}{self.path.rstrip('/') or '/'}"
        )

    def is_binary(self, media_types: str) -> bool:
        """Whether the API treats the first of these media types as binary."""
        media_type = media_types.split(",", maxsplit=1)[0].split(";", maxsplit=1)[0].strip().lower()
        binary = {kind.replace("~1", "/").lower() for kind in self.api.binaryMediaTypes}
        return "*/*" in binary or media_type in binary

    def proxy_event(self, authorizer_context: dict[str, str]) -> dict[str, Any]:
        """Return the event of a Lambda proxy integration, payload format 1.0."""
        query = parse_qsl(self.query, keep_blank_values=True)
        binary = bool(self.body) and self.is_binary(self.header("Content-Type"))
        text = base64.b64encode(self.body).decode() if binary else self.body.decode(errors="replace")
        return {
            "resource": self.route.resource_path,
            "path": self.path,
            "httpMethod": self.http_method,
            "headers": dict(self.headers) or None,
            "multiValueHeaders": _grouped(self.headers) or None,
            "queryStringParameters": dict(query) or None,
            "multiValueQueryStringParameters": _grouped(query) or None,
            "pathParameters": self.route.parameters or None,
            "stageVariables": self.stage.variables or None,
            "requestContext": self._context(authorizer_context),
            "body": text or None,
            "isBase64Encoded": binary,
        }

    def _context(self, authorizer_context: dict[str, str]) -> dict[str, Any]:
        context = {
            "accountId": self.api.account_id,
            "apiId": self.api.id,
            "stage": self.stage.name,
            "resourceId": self.route.resource_id,
            "resourcePath": self.route.resource_path,
            "httpMethod": self.http_method,
            "path": f"/{self.stage.name}{self.path}",
            "protocol": self.protocol,
            "requestId": self.id,
            "extendedRequestId": self.id,
            "domainName": self.header("Host"),
            "domainPrefix": self.api.id,
            "requestTime": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": self.source_address, "userAgent": self.header("User-Agent") or None},
        }
        return context | ({"authorizer": authorizer_context} if authorizer_context else {})


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
