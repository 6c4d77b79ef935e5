"""Lambda: functions run in worker processes, from the source tree, without Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import moto.awslambda.urls
from moto.awslambda.models import lambda_backends

from local_aws.reality import Reality
from local_aws.services.lambda_functions.backend import Backend, Response, current, use
from local_aws.services.lambda_functions.engine import Engine
from local_aws.services.lambda_functions.public_layers import ACCOUNT
from local_aws.services.lambda_functions.resource_policy import lets_in

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.invocation import Outcome

REALITY = Reality(
    service="Lambda",
    executes=(
        "Each invocation runs the handler in a worker process, with its own environment, timeout, log group, "
        "reserved concurrency, queued events, retries, destinations and dead letters."
    ),
    differs=(
        "Handlers come from the project's source tree, from the uploaded zip only when the tree has none.",
        "A saved source file counts from the next invocation on, without a deployment.",
        "Functions with equal variables share workers; an invocation waits for a free one, AWS adds more.",
        "Tracing is accepted and no trace is kept: there is no X-Ray daemon.",
        "Memory and CPU are not limited, and layers are not mounted: modules come from the environment.",
        f"Every AWSSDKPandas layer of account {ACCOUNT} is there, with the size of one of them.",
        "GetAccountSettings tells an account's usual limits; nothing keeps to them.",
        "Without --enforce-iam every function may call every service.",
        "A version or alias runs the same source tree as $LATEST.",
        "Container images, other languages, function URLs and stream event sources are refused.",
        "A queued event is retried after 1 and then 2 minutes, divided by the time scale.",
    ),
)


def install(runtime: Runtime) -> None:
    """Have moto's Lambda run functions in this runtime's workers."""
    lambda_engine = Engine(runtime)
    use(lambda_engine)
    lambda_backends.backend = Backend
    paths = moto.awslambda.urls.url_paths
    paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = Response.dispatch
    paths.update(dict.fromkeys(paths, Response.dispatch))
    runtime.on_start(lambda_engine.start)
    runtime.on_stop(lambda_engine.stop)


def invoke(name_or_arn: str, event: bytes | str) -> Outcome:
    """Run a function and return its outcome; for services that call it without a client."""
    return current().invoke(name_or_arn, event)


def invoke_for_service(arn: str, event: str, service: str, source_arn: str, account: str) -> None:
    """Queue an event that a service sends for a resource, if the function's own policy lets it in."""
    if lets_in(current().find(arn), service, source_arn, account):
        current().invoke_async(arn, event)


def invoke_async(name_or_arn: str, event: bytes | str) -> str:
    """Queue an event for a function and return the request id; a crash cannot lose it any more."""
    return current().invoke_async(name_or_arn, event)
