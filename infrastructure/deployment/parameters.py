"""The parameters of a stage that was destroyed, kept beside its data: the next deployment has them again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infrastructure.deployment.failures import code_of
from infrastructure.provision import Stack

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target

KEY = "deployment/parameters.json"


def remember(target: Target) -> None:
    """Put the parameters of the stage's stack, but no secret, into the artifacts bucket, if there is one."""
    found = Stack(target.stack, target.client("cloudformation")).description() or {}
    hidden = {"App", "Stage", *secret(target)}
    values = {
        each["ParameterKey"]: each["ParameterValue"]
        for each in found.get("Parameters", [])
        if each["ParameterKey"] not in hidden
    }
    try:
        target.client("s3").put_object(
            Bucket=target.artifacts_bucket, Key=KEY, Body=json.dumps(values, indent=2).encode()
        )
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise


def recall(target: Target) -> dict[str, str]:
    """Return what was kept of them, as far as the template still has them; nothing without a record."""
    try:
        answer = target.client("s3").get_object(Bucket=target.artifacts_bucket, Key=KEY)
    except ClientError as error:
        if code_of(error) in {"NoSuchKey", "NoSuchBucket"}:
            return {}
        raise
    with answer["Body"] as body:
        values: dict[str, str] = json.loads(body.read())
    return {name: value for name, value in values.items() if name in target.template["Parameters"]}


def secret(target: Target) -> set[str]:
    """Return the names of the parameters that nobody keeps."""
    return {name for name, each in target.template["Parameters"].items() if each.get("NoEcho")}
