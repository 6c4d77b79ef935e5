"""boto3 clients of the stage that a command talks to: the one running here, or AWS."""

from __future__ import annotations

import os
from typing import Any

from cli import remote_stages
from cli.errors import NoStage
from cli.project import chosen_stage, running_stage


def stage_environment() -> dict[str, str]:
    """Return the variables that lead AWS clients to the stage; on AWS this process's own do, and its region.

    Raises:
        NoStage: none runs here, and neither DECANT_STAGE nor DECANT_API_URL names another.
    """
    if stage_name() != "local":
        known = remote_stages.find(stage_name())
        return {"AWS_REGION": known.region} if known else {}
    if os.environ.get("DECANT_API_URL"):
        return {}
    stage = running_stage()
    if stage is None:
        raise NoStage
    environment: dict[str, str] = stage["environment"]
    return environment


def stage_name() -> str:
    """Return the stage's name: `local`, or what --stage or DECANT_STAGE say."""
    return chosen_stage()


def stage_client(service: str) -> Any:
    """Return a boto3 client of the stage that the command talks to."""
    return client(stage_environment(), service)


def client(environment: dict[str, str], service: str) -> Any:
    """Return a boto3 client that `environment` leads to a stage; without variables it is AWS."""
    import boto3  # noqa: PLC0415 - 0.2 s that `decant --help` need not pay
    from botocore.config import Config  # noqa: PLC0415 - as above

    endpoint = environment.get("AWS_ENDPOINT_URL")
    return boto3.client(
        service,
        endpoint_url=endpoint,
        # A loopback address has no names below it: TestState would be sent to sync-127.0.0.1.
        config=Config(inject_host_prefix=endpoint is None),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
    )
