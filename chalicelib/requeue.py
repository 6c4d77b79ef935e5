"""Rejected files and rows put back to work, corrected or as they are, with nothing lost or repeated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, quarantine, quarantined, rows_file, runs, settings
from chalicelib.errors import InvalidRequest, RunConflict, UnknownRun
from chalicelib.history import iso
from chalicelib.run import RunName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.files import File
    from chalicelib.quarantined import Entry
    from chalicelib.runs import Started


@dataclass(frozen=True, kw_only=True)
class Work:
    """What goes back to work: a file, the run that it means, and the rows of the original that are in it."""

    file: File
    name: RunName
    rows: frozenset[int] = frozenset()


def requeue(states: StepFunctions, s3: S3, run: str, key: str | None = None) -> Started:
    """Start a run for what a run put into quarantine, where it stays.

    Args:
        states: Step Functions.
        s3: the buckets.
        run: the run that put it there.
        key: a correction in the landing bucket, under `corrections/<pipeline>/<run>/`: a file as the pipeline
            takes it, or the reject file with corrected rows. Without it what is there is tried again as it
            is, because the pipeline's rules changed.

    Raises:
        UnknownRun, NotInQuarantine: the run has nothing in quarantine.
        UnknownFile: there is no such correction.
        InvalidRequest: the key is not where corrections of this run belong, or a row cannot be read.
        RunConflict: the file, or one of the rows, was put back already by a run that goes on or succeeded.
    """
    entry = quarantined.find(s3, run)
    work = _correction(s3, entry, key) if key is not None else _as_it_is(s3, entry)
    _refuse_repeats(states, s3, entry, work)
    started = runs.start_again(states, work.name, work.file)
    about = {"run": started.run, "at": iso(datetime.now(UTC)), "correction": key, "rows": sorted(work.rows)}
    s3.put_json(settings.quarantine_bucket(), _marker(entry, started.run), about)
    return started


def _correction(s3: S3, entry: Entry, key: str) -> Work:
    """Return the corrected file, made of the reject file when that is what was corrected."""
    folder = quarantine.corrections(entry.pipeline, entry.run)
    if not key.startswith(folder):
        raise InvalidRequest(f"key {key!r}: upload the correction under {folder} of the landing bucket")
    file = s3.find(settings.landing_bucket(), key)
    if entry.kind == "rows" and _is_reject_file(s3, file):
        return _rows(s3, entry, file, correcting=True)
    return Work(file=file, name=RunName.of_correction(entry.pipeline, file))


def _as_it_is(s3: S3, entry: Entry) -> Work:
    """Return the same rows, or the same file as another attempt of the run: attempts share a token."""
    if entry.kind == "rows":
        return _rows(s3, entry, entry.held, correcting=False)
    key = quarantine.corrections(entry.pipeline, entry.run) + quarantine.name_of(entry.held.key)
    return Work(file=s3.copy(entry.held, settings.landing_bucket(), key), name=RunName.parse(entry.run))


def _refuse_repeats(states: StepFunctions, s3: S3, entry: Entry, work: Work) -> None:
    """Refuse what another run has put back, or is about to: nothing is loaded twice."""
    earlier = [(held, run) for held in quarantined.attempts(s3, entry) for run in held.requeued]
    for held, other in earlier:
        if RunName.parse(other).token == work.name.token or not _loads(states, other):
            continue
        if entry.kind == "file":
            raise RunConflict(f"run {entry.run!r}: its file was put back already, as run {other}")
        marker = s3.read_json(settings.quarantine_bucket(), _marker(held, other))
        if both := work.rows.intersection(marker["rows"]):
            raise RunConflict(
                f"row {min(both)} was put back already, as run {other}: leave out its line"
                f" ({len(both):,} such rows)"
            )


def _loads(states: StepFunctions, run: str) -> bool:
    """Tell whether a run may have loaded what it was given; Step Functions forgets a run after 90 days."""
    try:
        return runs.describe(states, run, with_steps=False).outcome in {"running", "succeeded"}
    except UnknownRun:
        return True


def _marker(entry: Entry, run: str) -> str:
    return f"{entry.folder}{quarantine.REQUEUED}{run}"


def _is_reject_file(s3: S3, file: File) -> bool:
    with s3.open(file) as stream:
        first = next(quarantine.lines(stream), b"")
    try:
        row = json.loads(first)
    except ValueError:
        return False
    return isinstance(row, dict) and {"row", "rule", "raw"} <= row.keys()


def _rows(s3: S3, entry: Entry, reject_file: File, *, correcting: bool) -> Work:
    """Write the rows as a file that the pipeline takes; equal rows always make the same key."""
    pipeline = pipelines.file_pipeline(entry.pipeline)
    columns = quarantined.report(s3, entry)["columns"]

    def rows() -> Iterator[dict[str, Any]]:
        with s3.open(reject_file) as stream:
            yield from rows_file.read(quarantine.lines(stream), correcting=correcting)

    numbers = [row.get("row") for row in rows()]
    if not numbers:
        raise InvalidRequest(f"{reject_file.uri}: there is no row in it")
    digest = hashlib.sha256()
    for part in rows_file.parts(rows(), pipeline, columns):
        digest.update(part)
    name = f"rows-{digest.hexdigest()[:24]}.{pipeline.format}"
    key = quarantine.corrections(entry.pipeline, entry.run) + name
    with s3.writing(settings.landing_bucket(), key) as sink:
        rows_file.write(rows(), pipeline, columns, sink)
    file = s3.find(settings.landing_bucket(), key)
    known = frozenset(number for number in numbers if isinstance(number, int))
    return Work(file=file, name=RunName.of_correction(entry.pipeline, file), rows=known)
