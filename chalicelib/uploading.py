"""Files that a person hands over in a browser: where they land and how they get there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib import settings
from chalicelib.aws import uploads
from chalicelib.errors import InvalidRequest
from chalicelib.history import iso
from chalicelib.pipeline import BatchPipeline, Pipeline

SECONDS = 300
"""How long a form holds: it is asked for when a file is dropped, and used at once."""

MOST_BYTES = 5 * 1024**3
"""What S3 takes in one request."""

NAME = re.compile(r"\w[\w .,()+=@-]{0,199}")
"""What a file may be called: letters and digits of any script, and no character that leads elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A signed form for one file; `expires` is ISO 8601 in UTC."""

    url: str
    fields: dict[str, str]
    key: str
    expires: str


def form(pipeline: Pipeline | BatchPipeline, name: str, size: int) -> Upload:
    """Return the form that puts a file of at most `size` bytes where the pipeline finds it.

    Raises:
        InvalidRequest: the name or the size cannot be, or the pipeline takes no files here.
    """
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"name {name[:80]!r}: use letters, digits, space and . , ( ) + = @ - _, at most 200 characters"
        )
    if not 0 < size <= MOST_BYTES:
        raise InvalidRequest(
            f"size {size}: a file has 1 to {MOST_BYTES:,} bytes; put a larger one with the AWS CLI"
        )
    key = f"{_prefix(pipeline)}{name}"
    signed = uploads.signed_form(settings.landing_bucket(), key, most_bytes=size, seconds=SECONDS)
    expires = datetime.now(UTC) + timedelta(seconds=SECONDS)
    return Upload(url=signed.url, fields=signed.fields, key=key, expires=iso(expires))


def _prefix(pipeline: Pipeline | BatchPipeline) -> str:
    if isinstance(pipeline, BatchPipeline):
        if pipeline.reads is None:
            raise InvalidRequest(f"{pipeline.name} works on no files: start it with its parameters")
        return pipeline.reads
    if pipeline.source_bucket is not None:
        raise InvalidRequest(f"the files of {pipeline.name} are in {pipeline.source_bucket}: put them there")
    return pipeline.landing_prefix
