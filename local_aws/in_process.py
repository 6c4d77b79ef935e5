"""boto3 clients that reach moto inside this process, without a socket."""

from __future__ import annotations

from typing import Any, cast

import boto3
from botocore.config import Config
from moto.core.botocore_stubber import BotocoreStubber

_stubber = BotocoreStubber()
_stubber.enabled = True


def in_process_client(service: str, region: str, account: str) -> Any:
    """Return a boto3 client for `service` whose requests moto answers in this thread.

    Args:
        service: boto3's name of the service, such as "stepfunctions".
        region: the AWS region that the request is signed for.
        account: twelve digits; moto keeps the accounts apart by this header.
    """
    client = boto3.client(
        cast("Any", service),  # boto3-stubs lists the names as literals
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto accepts any key; this one opens nothing
        endpoint_url=f"https://{service}.{region}.amazonaws.com" if service == "s3" else None,
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )
    client.meta.events.register_first(
        "before-send", lambda request, **kwargs: _send(request, account, **kwargs)
    )
    return client


def _send(request: Any, account: str, **kwargs: Any) -> Any:
    request.headers["x-moto-account-id"] = account
    return _stubber(kwargs.pop("event_name"), request, **kwargs)
