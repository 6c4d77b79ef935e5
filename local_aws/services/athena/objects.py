"""The S3 objects below a table's location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local_aws.services.athena.failure import QueryFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class S3Object:
    """One object with content."""

    bucket: str
    key: str
    size: int

    @property
    def uri(self) -> str:
        """Its s3:// address."""
        return f"s3://{self.bucket}/{self.key}"


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key (or prefix) of an s3:// address, as it stands.

    Raises:
        QueryFailedError: it is no s3:// address.
    """
    scheme, bucket, path, *_ = urlsplit(uri, allow_fragments=False)
    query = uri.partition("?")[1:]
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise QueryFailedError("", f"FAILED: SemanticException {uri!r} is not an s3:// location")
    return bucket, path.removeprefix("/") + "".join(query)


def as_folder(uri: str) -> str:
    """Return an s3:// address with the slash that makes it a folder."""
    return uri if uri.endswith("/") else uri + "/"


def objects_below(s3: Any, location: str) -> Iterator[S3Object]:
    """List the data below a location, recursively, as Athena does.

    Names that begin with `_` or `.`, of folders too, and empty objects hold no data.

    Raises:
        QueryFailedError: the bucket does not exist.
    """
    bucket, prefix = split_uri(as_folder(location))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        for page in pages:
            for found in page.get("Contents", ()):
                below = found["Key"][len(prefix) :]
                if found["Size"] and not any(part.startswith(("_", ".")) for part in below.split("/")):
                    yield S3Object(bucket, found["Key"], found["Size"])
    except ClientError as error:
        raise QueryFailedError(
            "HIVE_METASTORE_ERROR",
            f"Failed to list {as_folder(location)}: {error.response['Error']['Message']}"
            f" (Service: Amazon S3; Error Code: {error.response['Error']['Code']})",
        ) from error


def is_empty(s3: Any, location: str) -> bool:
    """Tell whether no object at all is below a location."""
    bucket, prefix = split_uri(as_folder(location))
    return not s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount", 0)
