"""The pipelines: one module each, which fills in a `Pipeline` or `BatchPipeline` and does nothing else."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline, UnknownPipeline
from chalicelib.pipeline import BatchPipeline, Pipeline
from chalicelib.unknown_names import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


@functools.cache
def every() -> Mapping[str, Pipeline | BatchPipeline]:
    """Return the pipelines by name.

    Raises:
        InvalidPipeline: a module lacks its `pipeline`, or two pipelines claim one name or one prefix.
    """
    found: dict[str, Pipeline | BatchPipeline] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        pipeline = getattr(_imported(module), "pipeline", None)
        if not isinstance(pipeline, Pipeline | BatchPipeline) or pipeline.name != module:
            raise InvalidPipeline(
                f"chalicelib/pipelines/{module}.py: fill in `pipeline = Pipeline(name={module!r}, ...)` "
                "or a BatchPipeline of that name"
            )
        if isinstance(pipeline, Pipeline):
            for other in found.values():
                if isinstance(other, Pipeline):
                    _refuse_overlap(pipeline, other)
        found[module] = pipeline
    return found


def of_files() -> list[Pipeline]:
    """Return the pipelines that work on each file that lands."""
    return [pipeline for pipeline in every().values() if isinstance(pipeline, Pipeline)]


def of_batches() -> list[BatchPipeline]:
    """Return the pipelines that work on what has gathered."""
    return [pipeline for pipeline in every().values() if isinstance(pipeline, BatchPipeline)]


def named(name: str) -> Pipeline | BatchPipeline:
    """Return the pipeline of this name.

    Raises:
        UnknownPipeline: there is none.
    """
    try:
        return every()[name]
    except KeyError:
        raise UnknownPipeline(unknown("pipeline", name, every())) from None


def file_pipeline(name: str) -> Pipeline:
    """Return the pipeline of this name, which works on files.

    Raises:
        UnknownPipeline: there is none.
    """
    found = named(name)
    if not isinstance(found, Pipeline):
        raise UnknownPipeline(f"pipeline {name!r} takes no single file: start it with its parameters")
    return found


def batch_pipeline(name: str) -> BatchPipeline:
    """Return the pipeline of this name, which works on what has gathered.

    Raises:
        UnknownPipeline: there is none.
    """
    found = named(name)
    if not isinstance(found, BatchPipeline):
        raise UnknownPipeline(f"pipeline {name!r} works on a file: name its key")
    return found


def of_key(key: str, bucket: str | None = None) -> Pipeline:
    """Return the pipeline whose landing prefix a key is under.

    Args:
        key: the key.
        bucket: another account's bucket, or None for the landing bucket.

    Raises:
        UnknownPipeline: there is none.
    """
    candidates = [pipeline for pipeline in of_files() if pipeline.source_bucket == bucket]
    for pipeline in candidates:
        if key.startswith(pipeline.landing_prefix):
            return pipeline
    if not candidates:
        raise UnknownPipeline(f"bucket {bucket!r} is no pipeline's source_bucket")
    prefixes = ", ".join(pipeline.landing_prefix for pipeline in candidates)
    raise UnknownPipeline(f"key {key!r} is under no pipeline's landing prefix ({prefixes})")


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{module}")
    except (TypeError, ImportError, NameError, SyntaxError, InvalidPipeline) as error:
        raise InvalidPipeline(f"chalicelib/pipelines/{module}.py: {error}") from error


def _refuse_overlap(pipeline: Pipeline, other: Pipeline) -> None:
    if pipeline.source_bucket != other.source_bucket:
        return
    mine, theirs = pipeline.landing_prefix, other.landing_prefix
    if mine.startswith(theirs) or theirs.startswith(mine):
        raise InvalidPipeline(
            f"{pipeline.name}: landing_prefix {mine!r} overlaps {theirs!r} of {other.name}: "
            "a file would belong to both"
        )
