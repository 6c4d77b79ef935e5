"""What a role needs to be allowed for a request to S3, its key in KMS included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import unescape

from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from local_aws.services.identity.enforcement import DeniedError, current, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.identity.principal import Principal

ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
}
"""IAM's names of actions where moto has another."""

READS = frozenset({"GetObject", "GetObjectVersion"})
WRITES = frozenset({"PutObject"})
Asked = tuple[str, str, dict[str, str]]
"""An action, a resource's ARN, and the values of condition keys."""

LISTS = frozenset({"ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"})

_KEY = re.compile(r"<Key>([^<]*)</Key>")


def check(response: Any, caller: Principal, bucket: str | None, key: str | None) -> None:
    """Pass when the caller's role may do all that the request does.

    Raises:
        S3ClientError: AccessDenied otherwise.
    """
    if not current.on or not caller.role:
        return
    try:
        for action, resource, context in _asked(response, caller, bucket, key):
            current.check(caller, action, resource, context)
    except DeniedError as error:
        raise S3ClientError("AccessDenied", str(error)) from error


def _asked(response: Any, caller: Principal, bucket: str | None, key: str | None) -> Iterator[Asked]:
    action = ACTIONS.get(response.data["Action"], response.data["Action"])
    arn = f"arn:{response.partition}:s3:::{bucket}"
    query = parse_qs(response.parsed_url.query, keep_blank_values=True)
    if bucket is None:
        yield f"s3:{action}", "*", {}
    elif key is None:
        yield from _of_bucket(response, action, arn, query)
    else:
        if action == "GetObject" and "versionId" in query:
            action = "GetObjectVersion"
        yield f"s3:{action}", f"{arn}/{key}", {}
        if action in READS:
            _check_missing(caller, bucket, arn, key)
        if action in WRITES:
            yield from _with_a_write(response, f"{arn}/{key}")
        yield from _encryption(bucket, response.region, action)


def _of_bucket(response: Any, action: str, arn: str, query: dict[str, list[str]]) -> Iterator[Asked]:
    prefix = {"s3:prefix": query["prefix"][0]} if action in LISTS and "prefix" in query else {}
    deleted = _KEY.findall(_text(response.body)) if action == "DeleteObject" else []
    for each in deleted:
        yield f"s3:{action}", f"{arn}/{unescape(each)}", {}
    if not deleted:
        yield f"s3:{action}", arn, prefix


def _check_missing(caller: Principal, bucket: str, arn: str, key: str) -> None:
    """Refuse a read of nothing by a role that may not list: AWS does not tell it that nothing is there."""
    found = _bucket(bucket)
    if found is not None and key not in found.keys and not current.allows(caller, "s3:ListBucket", arn):
        refuse(caller, "s3:ListBucket", arn, f"because no identity-based policy allows it; {key} is missing")


def _with_a_write(response: Any, resource: str) -> Iterator[Asked]:
    """Yield what a write asks for beside s3:PutObject."""
    headers = response.headers
    if "x-amz-tagging" in headers:
        yield "s3:PutObjectTagging", resource, {}
    if "If-Match" in headers:
        yield "s3:GetObject", resource, {}
    if source := headers.get("x-amz-copy-source"):
        yield from _source(source, response.partition)


def _source(copied: str, partition: str) -> Iterator[Asked]:
    """Yield what the source of a copy asks for."""
    place, _, query = copied.partition("?")
    bucket, _, key = unquote(place).lstrip("/").partition("/")
    resource = f"arn:{partition}:s3:::{bucket}/{key}"
    action = "GetObjectVersion" if "versionId" in parse_qs(query) else "GetObject"
    yield f"s3:{action}", resource, {}
    yield from _encryption(bucket, "", action)


def _encryption(bucket: str, region: str, action: str) -> Iterator[Asked]:
    """Yield what the bucket's own KMS key asks for: S3 uses it with the caller's permissions."""
    if action not in READS | WRITES:
        return
    found = _bucket(bucket)
    rule = ((found and found.encryption) or {}).get("Rule") or {}
    default = (rule[0] if isinstance(rule, list) else rule).get("ApplyServerSideEncryptionByDefault") or {}
    master = str(default.get("KMSMasterKeyID") or "")
    if default.get("SSEAlgorithm") == "aws:kms" and master.startswith("arn:"):
        via = {"kms:viaservice": f"s3.{region or found.region_name}.amazonaws.com"}
        yield "kms:Decrypt" if action in READS else "kms:GenerateDataKey", master, via


def _bucket(name: str) -> Any:
    owner = s3_backends.bucket_accounts.get(name)
    return s3_backends[owner[1]][owner[0]].buckets.get(name) if owner else None


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)
