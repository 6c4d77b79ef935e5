"""List what a batch is to load, leave out what is loaded, and put small files together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import batches, pipelines, settings
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.errors import EmptyPrefix, InvalidRequest, WrongPrefix
from chalicelib.group_loading import loaded_tokens
from chalicelib.grouping import CONCURRENCY, Grouped, Limits, bounded, group, why_alone
from chalicelib.loading import tokens_of
from chalicelib.run import RunName
from chalicelib.warehouse import warehouse_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.files import File
    from chalicelib.pipeline import Pipeline

    Found = tuple[File, datetime]

BATCHES = "batch/"
"""Where files gather in the landing bucket without an event of their own."""


def plan_batch(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "token": ..., "parameters": {"prefix", "pipeline", ...}, "started": ...}`.

    Returns:
        Where the items are (`bucket`, `key`) and where results go (`results`), with `concurrency`, and how
        many there are: `files`, `already` loaded, `waiting`, `items`, `groups`; `why_alone` says why small
        files are not put together, or is None.
    """
    pipeline = pipelines.file_pipeline(event["parameters"]["pipeline"])
    return plan(S3(), StepFunctions(), pipeline, _loaded, event)


def plan(
    s3: S3,
    states: StepFunctions,
    pipeline: Pipeline,
    loaded: Callable[[Pipeline, list[str]], set[str]],
    event: dict[str, Any],
) -> dict[str, Any]:
    """Write the list of items; an attempt after one that failed works on what that one left alone.

    Raises:
        WrongPrefix: the files under it are not this pipeline's to load.
        EmptyPrefix: there are none.
        InvalidRequest: a limit is out of bounds, or the pipeline has another workflow than load_file.
    """
    run, parameters = event["run"], event["parameters"]
    if pipeline.workflow != batches.FILE_WORKFLOW:
        raise InvalidRequest(
            f"parameter pipeline {pipeline.name}: its files go through {pipeline.workflow}; "
            f"a batch starts {batches.FILE_WORKFLOW} for a single file"
        )
    if pipeline.source_bucket:
        raise WrongPrefix(
            f"pipeline {pipeline.name} reads from the bucket {pipeline.source_bucket}: "
            f"a batch loads what lies in {settings.landing_bucket()}"
        )
    concurrency = bounded(parameters, "concurrency", CONCURRENCY)
    prefix = prefix_of(pipeline, parameters["prefix"])
    left = batches.left_by_earlier_attempts(s3, run)
    if left is None:
        items, told = _items(s3, pipeline, loaded, prefix, event)
    else:
        items = [batches.next_item(states, item) for item in left]
        told = {"files": sum(len(batches.files_of(item)) for item in items), "already": 0, "waiting": 0}
    bucket, key = settings.artifacts_bucket(), batches.items_key(run)
    s3.put_json(bucket, key, items)
    return {
        "bucket": bucket,
        "key": key,
        "results": f"{batches.folder(run)}results",
        "concurrency": concurrency,
        **told,
        "items": len(items),
        "groups": sum(item["kind"] == "group" for item in items),
        "why_alone": why_alone(pipeline, prefix),
    }


def prefix_of(pipeline: Pipeline, given: str) -> str:
    """Return the prefix in the landing bucket.

    Raises:
        WrongPrefix: it leads out of the bucket, or to files that are not this pipeline's to load.
    """
    bucket = settings.landing_bucket()
    prefix = given
    if "://" in given:
        place = f"s3://{bucket}/"
        if not given.startswith(place):
            raise WrongPrefix(f"prefix {given!r} is outside of the landing bucket: write one under {place}")
        prefix = given.removeprefix(place)
    if ".." in prefix.split("/") or not _is_ours(pipeline, prefix):
        raise WrongPrefix(
            f"prefix {given!r}: a batch of {pipeline.name} loads what is under {pipeline.landing_prefix} "
            f"or under a folder of {BATCHES} that is no other pipeline's"
        )
    return prefix


def _is_ours(pipeline: Pipeline, prefix: str) -> bool:
    if prefix.startswith(pipeline.landing_prefix):
        return True
    others = [batch.reads for batch in pipelines.of_batches() if batch.reads]
    taken = any(prefix.startswith(other) or other.startswith(prefix) for other in others)
    return prefix.startswith(BATCHES) and prefix != BATCHES and not taken


def _items(
    s3: S3,
    pipeline: Pipeline,
    loaded: Callable[[Pipeline, list[str]], set[str]],
    prefix: str,
    event: dict[str, Any],
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    limits = Limits.of(event["parameters"])
    found = [each for each in s3.listing(settings.landing_bucket(), prefix) if not _is_marker(each[0])]
    if not found:
        raise EmptyPrefix(f"there is no file under s3://{settings.landing_bucket()}/{prefix}")
    fresh, already = _fresh(pipeline, loaded, found)
    if why_alone(pipeline, prefix):
        grouped = Grouped(groups=(), alone=tuple(file for file, _ in fresh))
    else:
        grouped = group(fresh, limits, datetime.now(UTC))
    items = [
        batches.group_item(pipeline.name, event["token"], number, files)
        for number, files in enumerate(grouped.groups)
    ]
    items += [batches.file_item(pipeline.name, file, event["started"]) for file in grouped.alone]
    return items, {"files": len(found), "already": already, "waiting": len(grouped.waiting)}


def _fresh(
    pipeline: Pipeline, loaded: Callable[[Pipeline, list[str]], set[str]], found: list[Found]
) -> tuple[list[Found], int]:
    """Return the files that the warehouse has no token of, and how many it has one of."""
    tokens: Mapping[str, Found] = {
        RunName.of(pipeline.name, file).token: (file, landed) for file, landed in found
    }
    done = loaded(pipeline, list(tokens))
    return [each for token, each in tokens.items() if token not in done], len(done)


def _loaded(pipeline: Pipeline, tokens: list[str]) -> set[str]:
    if pipeline.table is None or pipeline.table.warehouse:
        return set()  # without tokens within reach, each file's own run tells
    table = tokens_of(pipeline.table)
    return loaded_tokens(warehouse_of(pipeline.table, table), table, tokens)


def _is_marker(file: File) -> bool:
    """Say whether it is what the console makes for a folder."""
    return file.key.endswith("/") and file.size == 0
