"""The stage's REST API, found by the function that it calls: its name is that of every stage's."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target


def rest_apis(target: Target) -> list[str]:
    """Return the ids of the REST APIs that call the stage's function; there should be one at most."""
    gateway = target.client("apigateway")
    pages = gateway.get_paginator("get_rest_apis").paginate()
    named = [api["id"] for page in pages for api in page["items"] if api["name"] == target.app]
    return [api for api in named if _calls(gateway, api, f":function:{target.prefix}/invocations")]


def _calls(gateway: Any, api: str, function: str) -> bool:
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"])
    resources = itertools.chain.from_iterable(page["items"] for page in pages)
    methods = itertools.chain.from_iterable(each.get("resourceMethods", {}).values() for each in resources)
    return any(str(each.get("methodIntegration", {}).get("uri", "")).endswith(function) for each in methods)
