"""How a function becomes a REST endpoint: its route, its body, its answers, its errors."""

from __future__ import annotations

import functools
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from chalice import Response

from chalicelib import errors
from chalicelib.answers import Problem, body_of

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

LONGEST_BODY = 64 * 1024
"""Bytes of a request's body; the largest sensible one has about 2 KB."""

STATUS: dict[type[Exception], int] = {
    errors.InvalidRequest: 400,
    errors.UnknownPipeline: 404,
    errors.UnknownRun: 404,
    errors.UnknownFile: 404,
    errors.NotInQuarantine: 404,
    errors.UnknownAsset: 404,
    errors.UnknownWorkflow: 404,
    errors.RunConflict: 409,
    errors.BodyTooLarge: 413,
    errors.UnsupportedBody: 415,
    errors.Throttled: 503,
}
"""The one table from error to status; whatever is not in it is a fault of ours, and 500."""

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query parameter: its name, JSON schema and meaning."""

    name: str
    schema: dict[str, Any]
    description: str


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one path, as the OpenAPI document describes it.

    `media` holds the media types of its answer; one that is not JSON comes as Chalice's own Response.
    """

    method: str
    path: str
    summary: str
    answer: type | None
    media: tuple[str, ...]
    status: tuple[int, ...]
    body: type | None
    parameters: tuple[Parameter, ...]
    raises: tuple[type[Exception], ...]
    open: bool


def answered(endpoint: Endpoint, request: Callable[[], Any]) -> Callable[..., Any]:
    """Decorate a function so that what it returns and raises becomes a Response.

    Args:
        endpoint: what the function promises.
        request: gives the current Chalice request.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(function)
        def answer(*args: Any, **kwargs: Any) -> Response:
            try:
                if endpoint.body:
                    kwargs["body"] = parsed_body(request(), endpoint.body)
                result = function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the last place before the caller: no stack trace leaves it
                return problem(error)
            if isinstance(result, Response):
                return result
            status, value = result if isinstance(result, tuple) else (endpoint.status[0], result)
            return response(status, value)

        return answer

    return decorate


def parsed_body(request: Any, struct: type) -> Any:
    """Return the request's body as `struct`.

    Raises:
        BodyTooLarge, UnsupportedBody, InvalidRequest: it is too long, no JSON, or not as described.
    """
    raw = request.raw_body or b"{}"
    if len(raw) > LONGEST_BODY:
        raise errors.BodyTooLarge(f"the body has {len(raw):,} bytes; at most {LONGEST_BODY:,} are read")
    content_type = request.headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise errors.UnsupportedBody(f"Content-Type {content_type[:100]!r}: send application/json")
    try:
        json.loads(raw, object_pairs_hook=_once)
        return body_of(struct, raw)
    except RecursionError:
        raise errors.InvalidRequest("the body is nested too deeply") from None
    except (ValueError, msgspec.DecodeError) as error:  # UTF-8 and JSON of both readers
        raise errors.InvalidRequest(f"the body: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice: readers differ in which of its values they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise errors.InvalidRequest("the body: a name comes twice in one object")
    return found


def problem(error: Exception) -> Response:
    """Return the answer for an error: its own message when it is ours, none of its words otherwise."""
    for kind, status in STATUS.items():
        if isinstance(error, kind):
            return response(status, Problem(code=kind.__name__, message=str(error)))
    log.error("unexpected error", exc_info=error)
    return response(500, Problem(code="InternalError", message="Something failed here; the log tells what."))


def response(status: int, value: Any) -> Response:
    """Return a JSON answer."""
    return Response(
        body=json.loads(msgspec.json.encode(value)),
        status_code=status,
        headers={"Content-Type": "application/json", **HEADERS},
    )
