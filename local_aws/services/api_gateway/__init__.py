"""API Gateway: REST APIs imported from Swagger or OpenAPI, and really served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.apigateway.models import apigateway_backends

from local_aws.reality import Reality
from local_aws.services.api_gateway.backend import Backend
from local_aws.services.api_gateway.execute_api import ExecuteApi

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="API Gateway",
    executes=(
        "A deployed REST API answers at /_aws/execute-api/<api>/<stage>/ and by its Host name: routes, "
        "Lambda proxy and mock integrations, token authorizers with their cache, API keys, binary types, "
        "size limits, a stage's throttling for each method."
    ),
    differs=(
        "A changed API is live at once; AWS serves what the last deployment of the stage held.",
        "IAM and Cognito authorization and HTTP or VPC integrations answer 501 with the reason.",
        "An account's own limit on requests is not applied, only what a stage's method settings say.",
        "Usage plans, caching, compression, WAF and request validators are not applied.",
        "Path parameters arrive percent-encoded as the client sent them.",
    ),
)


def install(runtime: Runtime) -> None:
    """Have moto keep what it imports, and serve execute-api in front of it."""
    apigateway_backends.backend = Backend
    runtime.wrap(ExecuteApi)
