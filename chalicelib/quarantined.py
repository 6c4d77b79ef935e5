"""What is in quarantine: rejected files and rows that were set aside, each with its reasons."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, quarantine, settings
from chalicelib.errors import InvalidRequest, NotInQuarantine
from chalicelib.file_lines import lines_at
from chalicelib.history import iso
from chalicelib.run import RunName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

MOST_ENTRIES = 100
"""Entries on one page: each costs a request for its report."""

ROWS_SHOWN = 20
"""Offending rows that are shown of one entry."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one run put into quarantine.

    Attributes:
        run, pipeline: which run it was.
        kind: `file` when the whole file was rejected, `rows` when the other rows were loaded.
        since: when, ISO 8601 in UTC.
        held: the rejected file or the reject file.
        requeued: the runs that were started with it, corrected or not.
    """

    run: str
    pipeline: str
    kind: str
    since: str
    held: File
    requeued: tuple[str, ...]

    @property
    def name(self) -> RunName:
        """The run's name, taken apart."""
        return RunName.parse(self.run)

    @property
    def folder(self) -> str:
        """The key prefix of everything of this entry."""
        return quarantine.folder(self.pipeline, self.run)


def page(
    s3: S3, *, pipeline: str | None, everything: bool, limit: int, cursor: str | None
) -> tuple[list[Entry], str | None]:
    """Return at most `limit` entries, newest first, and the cursor of the next page, or None at the end.

    Args:
        s3: the buckets.
        pipeline: only this pipeline's entries.
        everything: also those that were put back.
        limit: entries on the page.
        cursor: what an earlier page returned.

    Raises:
        UnknownPipeline: no pipeline has this name.
        InvalidRequest: the limit cannot be.
    """
    if not 1 <= limit <= MOST_ENTRIES:
        raise InvalidRequest(f"limit {limit}: ask for 1 to {MOST_ENTRIES} entries")
    prefix = f"{pipelines.file_pipeline(pipeline).name}/" if pipeline else ""
    found = _newest_attempts(_entries(s3, prefix))
    found = [entry for entry in found if everything or not entry.requeued]
    found.sort(key=_place, reverse=True)
    if cursor:
        found = [entry for entry in found if _place(entry) < _read_cursor(cursor)]
    more = len(found) > limit
    return found[:limit], " ".join(_place(found[limit - 1])) if more else None


def files_of(s3: S3, pipeline: str) -> list[Entry]:
    """Return a pipeline's files that are in quarantine whole, each content by its newest attempt."""
    newest: dict[str, Entry] = {}
    for entry in _entries(s3, f"{pipeline}/"):
        other = newest.get(entry.name.token)
        if entry.kind == "file" and (other is None or other.name.attempt < entry.name.attempt):
            newest[entry.name.token] = entry
    return list(newest.values())


def find(s3: S3, run: str) -> Entry:
    """Return what a run put into quarantine.

    Raises:
        UnknownRun: no run can be called that.
        NotInQuarantine: it put nothing there, or it was deleted since.
    """
    pipeline = RunName.parse(run).pipeline
    for entry in _entries(s3, quarantine.folder(pipeline, run)):
        return entry
    raise NotInQuarantine(f"run {run!r} has nothing in quarantine")


def attempts(s3: S3, entry: Entry) -> list[Entry]:
    """Return what every attempt at the same content put into quarantine, this entry among them."""
    token = entry.name.token
    prefix = f"{entry.pipeline}/{token}"
    return [other for other in _entries(s3, prefix) if other.name.token == token]


def report(s3: S3, entry: Entry) -> dict[str, Any]:
    """Return what validation found."""
    found: dict[str, Any] = s3.read_json(settings.quarantine_bucket(), f"{entry.folder}report.json")
    return found


def offending(s3: S3, entry: Entry, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the first offending rows: `row`, `line`, `column`, `rule`, `message`, and `raw` or None."""
    if entry.kind == "file":
        lines = lines_at(s3, entry.held, {defect["line"] for defect in found["defects"] if defect["line"]})
        return [{**defect, "raw": lines.get(defect["line"])} for defect in found["defects"]]
    return list(itertools.islice(quarantine.rows(s3, entry.held.uri), ROWS_SHOWN))


def why(found: dict[str, Any]) -> str:
    """Say in one sentence why it is in quarantine."""
    if found["reason"]:
        return str(found["reason"])
    first = found["defects"][0]
    where = f"line {first['line']}" if first["line"] else f"row {first['row']}"
    where += f", column {first['column']}" if first["column"] else ""
    rows = f"{found['bad_rows']:,} of {found['rows']:,} rows were set aside"
    return f"{rows}; the first: {where}: {first['message']}"


def _newest_attempts(found: Iterable[Entry]) -> list[Entry]:
    """Leave out rows that a later attempt at the same file set aside again."""
    newest: dict[tuple[str, str], Entry] = {}
    for entry in found:
        place = (entry.name.token, entry.kind if entry.kind == "rows" else entry.run)
        other = newest.get(place)
        if other is None or other.name.attempt < entry.name.attempt:
            newest[place] = entry
    return list(newest.values())


def _entries(s3: S3, prefix: str) -> Iterator[Entry]:
    listing = s3.listing(settings.quarantine_bucket(), prefix)
    for folder, objects in itertools.groupby(listing, key=lambda found: found[0].key.split("/")[:2]):
        entry = _entry(folder, {file.key.split("/", 2)[-1]: (file, landed) for file, landed in objects})
        if entry:
            yield entry


def _entry(folder: list[str], objects: dict[str, Any]) -> Entry | None:
    """Make an entry of a folder's objects; None while only the report is written."""
    held = next(
        (name for name in objects if name.startswith("file/") or name == quarantine.REJECT_FILE), None
    )
    if held is None or "report.json" not in objects:
        return None
    put_back = [
        name.removeprefix(quarantine.REQUEUED) for name in objects if name.startswith(quarantine.REQUEUED)
    ]
    return Entry(
        run=folder[1],
        pipeline=folder[0],
        kind="rows" if held == quarantine.REJECT_FILE else "file",
        since=iso(objects["report.json"][1]),
        held=objects[held][0],
        requeued=tuple(put_back),
    )


def _place(entry: Entry) -> tuple[str, str]:
    return entry.since, entry.run


def _read_cursor(cursor: str) -> tuple[str, str]:
    since, _, run = cursor.partition(" ")
    if not run:
        raise InvalidRequest("next: this is no cursor of an earlier answer; start again without it")
    return since, run
