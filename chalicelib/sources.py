"""Where a pipeline's files are: the landing bucket, or a bucket of another account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import settings
from chalicelib.aws.s3 import S3

if TYPE_CHECKING:
    from chalicelib.pipeline import Pipeline


def storage(pipeline: Pipeline, run: str) -> S3:
    """Return S3 as a run of the pipeline sees it: its source bucket through the pipeline's role."""
    return S3(pipeline.source_bucket, pipeline.source_access, run)


def bucket(pipeline: Pipeline) -> str:
    """Return the bucket that the pipeline's files are in."""
    return pipeline.source_bucket or settings.landing_bucket()


def is_within_reach(pipeline: Pipeline) -> bool:
    """Tell whether this stage trusts the role that the pipeline's files are read with."""
    return pipeline.source_access is None or pipeline.source_access.role in settings.trusted_roles()
