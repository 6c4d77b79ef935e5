"""Nothing secret leaves in a text: credentials, task tokens and signed addresses are blotted out."""

from __future__ import annotations

import re
from typing import Any

BLOT = "[hidden]"

SECRETS = (
    re.compile(
        r"(?<=[?&])(?:X-Amz-[A-Za-z-]+|AWSAccessKeyId|Signature|Expires)=[^\s\"'<>&]+(?:&[^\s\"'<>]*)?"
    ),
    re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"),
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),
    re.compile(r"https://hooks\.[^\s\"'<>]+"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=\bBearer )\S+", re.IGNORECASE),
    re.compile(
        r"(?i)(?P<name>(?:password|passwd|pwd|secret|token|credential)[a-z_-]{0,20}[\"']?\s{0,3}[=:]\s{0,3})"
        r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"'}\])]+)"
    ),
    # A task token is several hundred characters of Base64; a key that long follows `s3:` or has a dot in it.
    re.compile(
        r"(?<![A-Za-z0-9+/=_:-])(?=[A-Za-z+/_-]*[0-9])(?=[a-z0-9+/_-]*[A-Z])(?=[A-Z0-9+/_-]*[a-z])"
        r"[A-Za-z0-9+/_-]{120,}={0,2}"
    ),
)
"""What a secret looks like. The AWS ones: the query of a presigned URL, access key ids, task tokens."""


def redacted(value: Any) -> Any:
    """Return a text, or every text inside a JSON document, without its secrets."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {name: redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each) for each in value]
    return value


def _text(text: str) -> str:
    for secret in SECRETS:
        text = secret.sub(_blot, text)
    return text


def _blot(found: re.Match[str]) -> str:
    return (found.groupdict().get("name") or "") + BLOT
