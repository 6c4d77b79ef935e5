"""boto3 clients that reach moto inside this process, without a socket."""

from __future__ import annotations

from io import BytesIO
from typing import Any, cast

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from local_aws.dispatcher import answer
from local_aws.services.identity.principal import Principal, role_session


def in_process_client(service: str, region: str, account: str, role: str = "", session: str = "") -> Any:
    """Return a boto3 client for `service` whose requests moto answers in this thread.

    Args:
        service: boto3's name of the service, such as "stepfunctions".
        region: the AWS region that the request is signed for.
        account: twelve digits; the client calls with this account's own keys, unless there is a role.
        role: the ARN of the role to call as, or "".
        session: the name of the role's session.
    """
    caller = role_session(role, session) if role else Principal(account=account)
    identified = caller.headers()
    client = boto3.client(
        cast("Any", service),  # boto3-stubs lists the names as literals
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # nosec B106  # noqa: S106 - moto accepts any key; this one opens nothing
        config=Config(
            retries={"total_max_attempts": 1},
            inject_host_prefix=False,
            # An AWS_ENDPOINT_URL in the environment must not send the request out of the process.
            ignore_configured_endpoint_urls=True,
            s3={"addressing_style": "path"},
        ),
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        for name, value in identified.items():
            request.headers[name] = value
        status, headers, body = answer(request)
        content = body.encode() if isinstance(body, str) else bytes(body)
        return AWSResponse(request.url, status, headers, RawBody(content))

    client.meta.events.register_first("before-send", send)
    return client


class RawBody(BytesIO):
    """An answer's body as botocore reads it from urllib3."""

    def stream(self, amt: int = 1024 * 1024, **_: Any) -> Any:
        """Return the body in pieces."""
        while piece := self.read(amt):
            yield piece
