"""What API Gateway itself says to a client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        headers: name and value pairs; a name may come more than once.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def message(status: int, text: str | None, error_type: str, *, key: str = "message") -> Answer:
    """Return one of API Gateway's own error answers."""
    body = json.dumps({key: text}).encode()
    return Answer(status, body, [("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type)])


class RefusedError(Exception):
    """A request that API Gateway answers without the integration."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


UNAUTHORIZED = message(401, "Unauthorized", "UnauthorizedException")
FORBIDDEN = message(403, "Forbidden", "ForbiddenException")
MISSING_TOKEN = message(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
TOO_MANY = message(429, "Too Many Requests", "TooManyRequestsException")
TOO_LARGE = message(413, "Request Too Long", "RequestTooLargeException")
INTERNAL_ERROR = message(500, "Internal server error", "InternalServerErrorException")
AUTHORIZER_FAILED = message(500, None, "AuthorizerConfigurationException")
BAD_GATEWAY = message(502, "Internal server error", "InternalServerErrorException")
TIMED_OUT = message(504, "Endpoint request timed out", "InternalServerErrorException")
_NOT_AUTHORIZED = "User is not authorized to access this resource"
IMPLICIT_DENY = message(403, _NOT_AUTHORIZED, "AccessDeniedException", key="Message")
EXPLICIT_DENY = message(
    403, f"{_NOT_AUTHORIZED} with an explicit deny", "AccessDeniedException", key="Message"
)


def not_executed(what: str) -> Answer:
    """Refuse something that AWS does and this does not."""
    return message(501, f"The embedded AWS does not execute {what}", "NotImplementedException")
