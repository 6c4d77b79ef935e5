"""Bearer tokens: who they belong to and what their role may do."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from chalice import AuthResponse, AuthRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

Role = Literal["viewer", "operator", "approver"]
Action = Literal["start", "upload", "stop", "redrive", "requeue", "approve", "refuse"]

ROUTES: dict[str, list[AuthRoute]] = {
    "viewer": [AuthRoute("*", ["GET"])],
    "operator": [
        AuthRoute("*", ["GET"]),
        AuthRoute("/pipelines/*", ["POST"]),
        AuthRoute("/runs/*/stop", ["POST"]),
        AuthRoute("/runs/*/redrive", ["POST"]),
        AuthRoute("/quarantine/*", ["POST"]),
    ],
    "approver": [AuthRoute("*", ["GET", "POST"])],
}
"""What each role may call; only an approver decides on runs that wait.

API Gateway keeps the answer per token, so it covers every route of the role.
"""


ACTIONS: dict[Action, str] = {
    "start": "/pipelines/any/runs",
    "upload": "/pipelines/any/uploads",
    "stop": "/runs/any/stop",
    "redrive": "/runs/any/redrive",
    "requeue": "/quarantine/any/requeue",
    "approve": "/runs/any/approve",
    "refuse": "/runs/any/refuse",
}
"""What changes something, and the path that it is posted to."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whom a token belongs to."""

    name: str
    role: Role


def holder(token: str, known: Iterable[dict[str, Any]]) -> Holder | None:
    """Return whom a token belongs to, or None.

    Args:
        token: what came after `Bearer `.
        known: the stored entries: `name`, `role` and `sha256` (64 hexadecimal digits) of each token.
    """
    digest = hashlib.sha256(token.encode()).hexdigest()
    found = None
    for entry in known:  # every entry is compared, so that the time tells nothing about which one matched
        if hmac.compare_digest(digest, str(entry["sha256"])) and entry["role"] in ROUTES:
            found = Holder(name=entry["name"], role=entry["role"])
    return found


def may(role: Role) -> list[Action]:
    """Return the actions that a role's routes allow."""
    routes = [route.path for route in ROUTES[role] if "POST" in route.methods]
    return [action for action, path in ACTIONS.items() if any(fnmatchcase(path, route) for route in routes)]


def respond(header: str, known: Iterable[dict[str, Any]]) -> AuthResponse:
    """Answer API Gateway's question about an Authorization header.

    Raises:
        PermissionError: with the one message that API Gateway turns into status 401.
    """
    scheme, _, token = header.partition(" ")
    found = holder(token.strip(), known) if scheme.lower() == "bearer" else None
    if found is None:
        raise PermissionError("Unauthorized")
    return AuthResponse(
        routes=ROUTES[found.role], principal_id=found.name, context={"role": found.role, "name": found.name}
    )
