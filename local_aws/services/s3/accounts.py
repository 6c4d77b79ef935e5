"""Whether a caller of another account may do something with a bucket: its policy decides."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from local_aws.services.identity.policy import Request, UnknownPolicyElementError, decide

if TYPE_CHECKING:
    from local_aws.services.identity.principal import Principal

# Actions whose permission has another name, by moto's names of them.
PERMISSIONS = {"HeadBucket": "ListBucket"}

# The door of a laptop is plain HTTP; a policy that asks for TLS means callers from elsewhere.
CONTEXT = {"aws:securetransport": "true"}


def check(caller: Principal, bucket: str, key: str | None, action: str) -> None:
    """Pass when the caller's account owns the bucket, or when the bucket's policy allows the action.

    Raises:
        S3ClientError: AccessDenied otherwise.
    """
    owner = s3_backends.bucket_accounts.get(bucket)
    if owner is None or owner[1] == caller.account or action == "CreateBucket":
        return
    partition, account = owner
    resource = f"arn:{partition}:s3:::{bucket}" + (f"/{key}" if key else "")
    permission = f"s3:{PERMISSIONS.get(action, action)}"
    context = {
        **CONTEXT,
        "aws:principalarn": caller.role or caller.arn,
        "aws:principalaccount": caller.account,
    }
    policy = s3_backends[account][partition].get_bucket(bucket).policy
    refusal = f"User: {caller.arn} is not authorized to perform: {permission} on resource: {resource}"
    try:
        request = Request(caller=caller, action=permission, resource=resource, context=context)
        allowed = bool(policy) and decide(policy, request) == "allow"
    except UnknownPolicyElementError as error:
        raise S3ClientError(
            "AccessDenied", f"{refusal}: the embedded AWS cannot work out its {error}"
        ) from error
    if not allowed:
        raise S3ClientError("AccessDenied", f"{refusal} because no resource-based policy allows it")


def check_source(caller: Principal, copy_source: str) -> None:
    """Pass when the caller may read what a copy names as its source, as `bucket/key?versionId=...`.

    Raises:
        S3ClientError: AccessDenied otherwise.
    """
    bucket, _, key = unquote(copy_source.partition("?")[0]).lstrip("/").partition("/")
    check(caller, bucket, key, "GetObject")
