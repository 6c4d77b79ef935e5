"""How an endpoint is registered: its route, its token, its place in the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib import auth, errors, settings
from chalicelib.aws.secrets import Secrets
from chalicelib.endpoints import Endpoint, answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import AuthRequest, AuthResponse

api = Blueprint(__name__)

ENDPOINTS: list[Endpoint] = []
"""Every endpoint, in the order of registration; the OpenAPI document is made from it."""

AUTHORIZED_SECONDS = 60
"""How long API Gateway keeps an authorizer's answer for a token."""

LONGEST_QUERY = 8192
"""Characters of a query parameter; a cursor over every workflow has less."""

_secrets = Secrets()


@api.authorizer(ttl_seconds=AUTHORIZED_SECONDS)  # type: ignore[untyped-decorator]
def authorize(request: AuthRequest) -> AuthResponse:
    """Let a bearer token do what its role may."""
    return auth.respond(request.token, _secrets.read(settings.api_tokens_secret())["tokens"])


def endpoint(
    method: str, path: str, summary: str, *, opened: bool = False, **described: Any
) -> Callable[..., Any]:
    """Register a function for a method of a path. Every endpoint needs a token unless it is `opened`."""
    what = Endpoint(
        method=method,
        path=path,
        summary=summary,
        open=opened,
        answer=described.get("answer"),
        media=described.get("media", ("application/json",)),
        status=described.get("status", (200,)),
        body=described.get("body"),
        parameters=described.get("parameters", ()),
        raises=described.get("raises", ()),
    )
    ENDPOINTS.append(what)
    guard = None if opened else authorize

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        wrapped = answered(what, lambda: api.current_request)(function)
        api.route(path, methods=[method], authorizer=guard, content_types=[])(wrapped)
        return function

    return register


def caller() -> str:
    """Return the name of the token that the caller showed."""
    return str(api.current_request.context["authorizer"]["name"])


def query(*names: str) -> dict[str, str]:
    """Return the query parameters.

    Raises:
        InvalidRequest: one has another name than these, or is too long.
    """
    asked = dict(api.current_request.query_params or {})
    for name, value in asked.items():
        if name not in names:
            raise errors.InvalidRequest(f"query parameter {name[:40]!r}: there is only {', '.join(names)}")
        if len(value) > LONGEST_QUERY:
            raise errors.InvalidRequest(
                f"{name}: it has {len(value):,} characters; at most {LONGEST_QUERY:,}"
            )
    return asked


def number(asked: dict[str, str], name: str, default: int) -> int:
    """Return a query parameter as a whole number.

    Raises:
        InvalidRequest: it is none.
    """
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - fits 32 bits
        raise errors.InvalidRequest(f"{name} {text[:40]!r}: write a whole number")
    return int(text)
