"""One boto3 client per service, and AWS's throttling as an error of ours."""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from chalicelib.aws import assumed
from chalicelib.errors import AccessRefused, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.access import Access

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


DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "403"})
"""Error codes of a missing permission; a HEAD has only the number."""


@functools.lru_cache(maxsize=64)
def client(service: str, access: Access | None = None, session: str = "") -> Any:
    """Return the process's client for a service; a client is safe to share between threads.

    Args:
        service: boto3's name of it.
        access: the role of another account to call as, or None for this function's own.
        session: who calls with that role, such as a run's name.

    Raises:
        AccessRefused: the stage does not trust the role.
    """
    from botocore.config import Config  # noqa: PLC0415 - a function that needs no AWS starts without its 0.2 s

    caller = assumed.session(access, session) if access else _own_session()
    # 5 attempts with exponential backoff and full jitter before the workflow's own Retry takes over.
    return caller.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))


def make_usual_clients() -> None:
    """Make the clients that nearly every event needs while a Lambda starts: it has a whole core then."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for service in ("stepfunctions", "s3"):
            client(service)


@functools.cache
def _own_session() -> Any:
    """Return the session of this function's own role."""
    import boto3  # noqa: PLC0415 - as above
    from botocore.session import get_session  # noqa: PLC0415

    made = get_session()
    made.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=read_time)
    return boto3.Session(botocore_session=made)


def read_time(value: Any) -> datetime:
    """Return a time of an answer. botocore's own way of reading a number takes ten times as long."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - as above

    return cast("datetime", parse_timestamp(value))


def call(operation: Callable[..., Any], **arguments: Any) -> Any:
    """Call a client's operation.

    Raises:
        Throttled: AWS is busy or throttles, after the client's own attempts.
        AccessRefused: a permission is missing, here or in another account.
        botocore.exceptions.ClientError: AWS refused for another reason.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        return operation(**arguments)
    except ClientError as error:
        if code(error) in THROTTLES:
            raise Throttled(f"{error.operation_name}: {error}") from error
        if code(error) in DENIALS:
            raise AccessRefused(_refused(error, arguments)) from error
        raise


def _refused(error: Any, arguments: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in arguments.items() if name in _TOLD)
    return (
        f"{error.operation_name} of {told or 'the resource'}: {error}: give the calling role this permission"
    )


_TOLD = ("Bucket", "Key", "JobName", "SecretId", "TopicArn", "stateMachineArn")


def code(error: Any) -> str:
    """Return AWS's code of a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))
