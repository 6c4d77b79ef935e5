"""Forms with which a browser puts one object into S3 itself, signed beforehand."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Form:
    """A signed form: what it holds goes before the file, as multipart/form-data, to `url`."""

    url: str
    fields: dict[str, str]


def signed_form(bucket: str, key: str, *, most_bytes: int, seconds: int) -> Form:
    """Return a form that puts at most so many bytes, and at least one, under exactly this key.

    It holds for `seconds`, and no longer than the credentials that signed it.
    """
    signed = _client().generate_presigned_post(
        bucket, key, Conditions=[["content-length-range", 1, most_bytes]], ExpiresIn=seconds
    )
    return Form(url=signed["url"], fields=signed["fields"])


@functools.cache
def origin(bucket: str) -> str:
    """Return where such forms are sent to, as a browser names an origin."""
    url = urlsplit(_client().generate_presigned_post(bucket, "key")["url"])
    return f"{url.scheme}://{url.netloc}"


@functools.cache
def _client() -> Any:
    import boto3  # noqa: PLC0415 - as chalicelib.aws.client has it
    from botocore.config import Config  # noqa: PLC0415

    # Without these two boto3 signs for the global endpoint, which answers a browser's preflight for a bucket
    # of another region with a redirect that no browser follows.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
