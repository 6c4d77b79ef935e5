"""Files that landed: where they are, every run of them, and what became of their rows."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chalicelib import curated, listing, pipelines, quarantined, runs, settings, sources
from chalicelib.errors import InvalidRequest, NotInQuarantine, UnknownRun
from chalicelib.history import iso
from chalicelib.listing import Wanted
from chalicelib.run import RunName
from chalicelib.run_details import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.files import File
    from chalicelib.pipeline import Pipeline
    from chalicelib.run import Run

MOST_FILES = 100
"""Files on one page: each costs a request for its run."""

MOST_KEYS = 20_000
"""Keys of one pipeline that are looked through for the newest: S3 lists by name, not by time."""

MOST_ATTEMPTS = 10
"""Attempts at one content that are told of."""

MOST_OBJECTS = 100
"""Parquet objects of one run that are named."""


@dataclass(frozen=True, kw_only=True)
class Landed:
    """One file that landed, and its last run, or None while it has none.

    Attributes:
        pipeline: whose file it is.
        key: where it landed.
        file: where it is now: in the landing bucket, or in quarantine.
        since: since when it is there, ISO 8601 in UTC.
        rejected: whether it is in quarantine.
        run: the last run of it that is known.
    """

    pipeline: str
    key: str
    file: File
    since: str
    rejected: bool
    run: Run | None


class _Row(NamedTuple):
    since: str
    key: str
    pipeline: str
    file: File
    rejected: bool
    name: RunName


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What became of a key.

    Attributes:
        pipeline, key: which.
        contents: what is under the key now, newest first: each file and when it landed.
        runs: every run of it that is known, newest first.
        parquet: the objects that each run wrote, by its name.
        quarantine: what each run put into quarantine, by its name.
    """

    pipeline: Pipeline
    key: str
    contents: list[tuple[File, str]]
    runs: list[Run]
    parquet: dict[str, list[File]]
    quarantine: dict[str, quarantined.Entry]


def page(
    states: StepFunctions, s3: S3, *, pipeline: str | None, limit: int, cursor: str | None
) -> tuple[list[Landed], str | None, bool]:
    """Return files that landed, newest first, the cursor of the next page, and whether keys were left out.

    A rejected file is no longer where it landed: it comes by the time at which it went to quarantine.

    Raises:
        UnknownPipeline: no pipeline has this name.
        InvalidRequest: the limit or the cursor cannot be.
    """
    if not 1 <= limit <= MOST_FILES:
        raise InvalidRequest(f"limit {limit}: ask for 1 to {MOST_FILES} files")
    before = _place(cursor) if cursor else None
    chosen = [pipelines.file_pipeline(pipeline)] if pipeline else list(pipelines.of_files())
    found: list[_Row] = []
    truncated = False
    for each in chosen:
        found += _rejected(s3, each)
        if each.source_bucket is not None:
            continue  # another account's: what is there is theirs to list
        keys = list(itertools.islice(_listed(s3, each), MOST_KEYS + 1))
        truncated |= len(keys) > MOST_KEYS
        found += [
            _Row(iso(landed), file.key, each.name, file, rejected=False, name=RunName.of(each.name, file))
            for file, landed in keys[:MOST_KEYS]
        ]
    found.sort(key=lambda row: row[:2], reverse=True)
    if before:
        found = [row for row in found if row[:2] < before]
    shown, more = found[:limit], len(found) > limit
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        files = list(pool.map(lambda row: _landed(states, row), shown))
    return files, f"{shown[-1].since} {shown[-1].key}" if more else None, truncated


def lineage(states: StepFunctions, s3: S3, pipeline: str, key: str) -> Lineage:
    """Return what became of a key of a pipeline.

    Raises:
        UnknownPipeline: no pipeline has this name.
    """
    chosen = pipelines.file_pipeline(pipeline)
    storage = sources.storage(chosen, "lineage") if chosen.source_bucket else s3
    contents = [
        (file, iso(landed))
        for file, landed in storage.listing(sources.bucket(chosen), key)
        if file.key == key
    ]
    found = {run.name: run for file, _ in contents for run in _attempts(states, RunName.of(pipeline, file))}
    # A rejected file is in the landing bucket no longer: its runs are found by its name.
    recent, _ = listing.page(states, Wanted(pipeline=pipeline, search=key), listing.MOST_RUNS)
    for run in recent:
        if run.file == key and run.name not in found:
            found[run.name] = runs.from_execution(runs.execution(states, run.name)[1])
    every = sorted(found.values(), key=lambda run: run.started, reverse=True)
    return Lineage(
        pipeline=chosen,
        key=key,
        contents=contents,
        runs=every,
        parquet={run.name: _parquet(s3, run) for run in every if run.outcome == "succeeded"},
        quarantine={run.name: entry for run in every if (entry := _held(s3, run.name))},
    )


def _listed(s3: S3, pipeline: Pipeline) -> Iterator[tuple[File, datetime]]:
    for file, landed in s3.listing(settings.landing_bucket(), pipeline.landing_prefix):
        if not file.key.endswith("/"):
            yield file, landed


def _attempts(states: StepFunctions, name: RunName) -> Iterator[Run]:
    for _ in range(MOST_ATTEMPTS):
        try:
            yield runs.from_execution(runs.execution(states, str(name))[1])
        except UnknownRun:
            return
        name = name.next


def _rejected(s3: S3, pipeline: Pipeline) -> list[_Row]:
    """Return what is in quarantine as a whole file, each content once, by its newest attempt."""
    return [
        _Row(entry.since, entry.held.key, pipeline.name, entry.held, rejected=True, name=entry.name.first)
        for entry in quarantined.files_of(s3, pipeline.name)
    ]


def _landed(states: StepFunctions, row: _Row) -> Landed:
    first = last = None
    for run in _attempts(states, row.name):
        first, last = first or run, run
        if run.outcome in {"running", "succeeded"}:
            break  # one that went well or goes on is the last
    key = (first.file if first and row.rejected else None) or row.key
    return Landed(
        pipeline=row.pipeline, key=key, file=row.file, since=row.since, rejected=row.rejected, run=last
    )


def _parquet(s3: S3, run: Run) -> list[File]:
    name = RunName.parse(run.name)
    began = (run.input or {}).get("started") or run.started
    folder = curated.folder(name.pipeline, name.token, began)
    found = s3.listing(settings.curated_bucket(), folder)
    return [file for file, _ in itertools.islice(found, MOST_OBJECTS)]


def _held(s3: S3, run: str) -> quarantined.Entry | None:
    try:
        return quarantined.find(s3, run)
    except NotInQuarantine:
        return None


def _place(cursor: str) -> tuple[str, str]:
    landed, _, key = cursor.partition(" ")
    if not key:
        raise InvalidRequest("next: this is no cursor of an earlier answer; start again without it")
    return landed, key


def catalog_table(pipeline: Pipeline) -> str:
    """Return the Data Catalog table that holds the pipeline's Parquet."""
    return f"{settings.catalog_database()}.{pipeline.name}"
