"""The console's address: each deployment writes it down once the API has one, and notices link to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from chalicelib import settings
from chalicelib.errors import UnknownFile

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3

KEY = "deployment/api.json"
"""In the artifacts bucket: `{"url": ...}`. No setting of a function can hold it: the API comes after them."""

RUNS = "runs"
LATE = "files?show=expected"


def address(s3: S3) -> str | None:
    """Return the console's address, or None while the first deployment has not written it down."""
    try:
        body, _ = s3.read(settings.artifacts_bucket(), KEY)
    except UnknownFile:
        return None
    return f"{json.loads(body)['url']}/console"


def of_run(run: str) -> str:
    """Return the page of a run."""
    return f"{RUNS}/{quote(run, safe='')}"


def of_runs(pipeline: str, outcome: str) -> str:
    """Return the page that lists a pipeline's runs that stand so."""
    return f"{RUNS}?{urlencode({'pipeline': pipeline, 'outcome': outcome})}"
