"""Small files put together into groups, each of which becomes one load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from chalicelib.files import File
    from chalicelib.pipeline import Pipeline

SMALL = 1024 * 1024
"""Bytes of the largest file that shares a load: the step that reads a group holds one file at a time."""

FILES, CONCURRENCY = 400, 1000

LONGEST_ITEM = 100_000
"""Bytes of JSON that describe a group's files: with what its steps add it stays far below 256 KB."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much may be put together.

    Attributes:
        files: the most files in a group.
        bytes: the most bytes in a group.
        oldest: a group that is neither full of files nor of bytes waits until its oldest file is so old.
    """

    files: int
    bytes: int
    oldest: timedelta

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Limits:
        """Read the limits from a run's parameters.

        Raises:
            InvalidRequest: one is out of bounds.
        """
        return cls(
            files=bounded(parameters, "most_files_together", FILES),
            bytes=bounded(parameters, "most_bytes_together", 64 * SMALL),
            oldest=timedelta(seconds=bounded(parameters, "oldest_seconds", 30 * 86_400, least=0)),
        )


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """What becomes of the files: groups, oldest first, files with a load of their own, files that wait."""

    groups: tuple[tuple[File, ...], ...]
    alone: tuple[File, ...]
    waiting: tuple[File, ...] = ()


def bounded(parameters: Mapping[str, str], name: str, most: int, least: int = 1) -> int:
    """Return a parameter as a number.

    Raises:
        InvalidRequest: it is out of bounds.
    """
    value = int(parameters[name])
    if not least <= value <= most:
        raise InvalidRequest(f"parameter {name} {value}: write a number from {least} to {most}")
    return value


def why_alone(pipeline: Pipeline, prefix: str) -> str | None:
    """Return why each file needs a load of its own, or None when small files may share one."""
    table = pipeline.table
    reasons = {
        f"files under {pipeline.landing_prefix} have a run each, which S3's event starts": prefix.startswith(
            pipeline.landing_prefix
        ),
        "the pipeline names no table, whose tokens would tell which files are loaded": table is None,
        "the table is in another account's warehouse": bool(table and table.warehouse),
        "a person is asked before a file is loaded": pipeline.approval is not None,
        "each file replaces the whole table": table is not None and table.mode == "overwrite",
        "the pipeline keeps undeclared columns, and COPY takes columns by position": (
            pipeline.extra_columns == "keep"
        ),
    }
    return next((reason for reason, stands in reasons.items() if stands), None)


def group(found: Iterable[tuple[File, datetime]], limits: Limits, now: datetime) -> Grouped:
    """Put small files together in the order in which they landed.

    Args:
        found: files, with the time at which each landed.
        limits: how much may be put together.
        now: what a file's age is counted to.
    """
    groups: list[_Open] = []
    alone: list[File] = []
    for file, landed in sorted(found, key=lambda each: (each[1], each[0].key)):
        if file.size > min(SMALL, limits.bytes):
            alone.append(file)
        elif not (groups and groups[-1].takes(file, limits)):
            groups.append(_Open(file, landed))
    last = groups[-1] if groups else None
    if last and len(last.files) < limits.files and now - last.oldest < limits.oldest:
        return _separated(groups[:-1], alone, waiting=tuple(last.files))
    return _separated(groups, alone)


class _Open:
    """A group that may take more files."""

    def __init__(self, file: File, landed: datetime) -> None:
        self.files = [file]
        self.oldest = landed
        self._bytes, self._described = file.size, _description(file)

    def takes(self, file: File, limits: Limits) -> bool:
        """Take the file in, unless the group is full."""
        size, described = self._bytes + file.size, self._described + _description(file)
        if len(self.files) == limits.files or size > limits.bytes or described > LONGEST_ITEM:
            return False
        self.files.append(file)
        self._bytes, self._described = size, described
        return True


def _description(file: File) -> int:
    return len(json.dumps(file.to_document())) + 2


def _separated(groups: list[_Open], alone: list[File], waiting: tuple[File, ...] = ()) -> Grouped:
    """Take a group of one file for a file alone."""
    single = [each.files[0] for each in groups if len(each.files) == 1]
    several = tuple(tuple(each.files) for each in groups if len(each.files) > 1)
    return Grouped(groups=several, alone=(*single, *alone), waiting=waiting)
