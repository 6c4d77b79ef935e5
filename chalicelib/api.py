"""The REST API: every resource, and what is told of the service itself."""

from __future__ import annotations

from typing import Any

from chalicelib import answers, auth, openapi, settings
from chalicelib.rest import (
    approvals,
    console,
    files,
    logs,
    notices,
    pipelines,
    quarantine,
    runs,
    service_levels,
    states,
    statistics,
    uploads,
    workflows,
)
from chalicelib.rest.registration import ENDPOINTS, api, caller, endpoint

__all__ = [
    "ENDPOINTS",
    "api",
    "approvals",
    "console",
    "files",
    "logs",
    "notices",
    "pipelines",
    "quarantine",
    "runs",
    "service_levels",
    "states",
    "statistics",
    "uploads",
    "workflows",
]


@endpoint("GET", "/health", "Tell that the service answers", opened=True, answer=answers.Health)
def health() -> answers.Health:
    """Tell that the service answers."""
    return answers.Health(status="ok", stage=settings.stage())


@endpoint("GET", "/openapi.json", "This document", opened=True)
def show_openapi() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return openapi.document(ENDPOINTS)


@endpoint("GET", "/me", "Tell whom the token belongs to and what it may do", answer=answers.Me)
def show_me() -> answers.Me:
    """Tell whom the token belongs to."""
    role = api.current_request.context["authorizer"]["role"]
    return answers.Me(name=caller(), role=role, may=auth.may(role), stage=settings.stage())
