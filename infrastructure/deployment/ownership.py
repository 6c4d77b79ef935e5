"""Whose a thing is: a name alone says too little before something is taken up or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infrastructure.chalice_config import tags_of
from infrastructure.deployment.failures import code_of

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target

HOME = "us-east-1"
"""The region of a bucket that names none."""

STACK_TAG = "aws:cloudformation:stack-name"
"""What CloudFormation puts on what it made; it stays on what a stack leaves behind."""


def why_not_ours(target: Target, bucket: str) -> str:
    """Return why a bucket of this account is not known to be the stage's, or an empty text."""
    s3 = target.client("s3")
    region = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or HOME
    if region != target.region:
        return f"it is in {region}"
    try:
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        tags = {}
    return other_owner(target, tags)


def other_owner(target: Target, tags: dict[str, str]) -> str:
    """Return what in a thing's tags says that it is not the stage's, or an empty text."""
    for key, value in tags_of(target.app, target.stage).items():
        if tags.get(key) != value:
            return f"it has no tag {key}={value}"
    if tags.get(STACK_TAG, target.stack) != target.stack:
        return f"stack {tags[STACK_TAG]} made it"
    return ""
