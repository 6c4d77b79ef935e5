"""One boto3 client per service, and AWS's throttling as an error of ours."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from chalicelib.errors import Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ServiceUnavailable",
        "InternalError",
        "InternalServerException",
        "InternalServiceException",
    }
)
"""Error codes that a later attempt may not meet."""


@functools.cache
def client(service: str) -> Any:
    """Return the process's client for a service; a client is safe to share between threads."""
    import boto3  # noqa: PLC0415 - a function that needs no AWS starts without its 0.2 s
    from botocore.config import Config  # noqa: PLC0415

    # 5 attempts with exponential backoff and full jitter before the workflow's own Retry takes over.
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))


def call(operation: Callable[..., Any], **arguments: Any) -> Any:
    """Call a client's operation.

    Raises:
        Throttled: AWS is busy or throttles, after the client's own attempts.
        botocore.exceptions.ClientError: AWS refused for another reason.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        return operation(**arguments)
    except ClientError as error:
        if code(error) in THROTTLES:
            raise Throttled(f"{error.operation_name}: {error}") from error
        raise


def code(error: Any) -> str:
    """Return AWS's code of a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))
