"""A batch: the exports that one run cleans, checks and publishes together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

FOLDER = "nightly_batch/"
"""Everything of this system in the curated bucket is below it."""

LATEST_REPORT = f"{FOLDER}reports/latest.html"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some exports, each with one content; the same ones always make the batch of the same name."""

    name: str
    files: tuple[File, ...]

    @classmethod
    def of(cls, files: Iterable[File]) -> Batch:
        """Name the batch after the content of its files."""
        ordered = tuple(sorted(files, key=lambda file: file.identity))
        identity = "\0".join(part for file in ordered for part in file.identity)
        return cls(name=hashlib.sha256(identity.encode()).hexdigest()[:16], files=ordered)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.size for file in self.files)


def address(key: str) -> str:
    """Return the S3 address of a key in the curated bucket."""
    return f"s3://{settings.curated_bucket()}/{key}"


def document_key(batch: str, name: str) -> str:
    """Return the key of what is known about a batch: `files`, `summary` or `checks`."""
    return f"{FOLDER}_batches/{batch}/{name}.json"


def report_key(batch: str) -> str:
    """Return the key of the report that was made when a batch had been published."""
    return f"{FOLDER}reports/{batch}.html"


def read_document(s3: S3, batch: str, name: str) -> Any:
    """Return `files`, `summary` or `checks` of a batch."""
    return s3.read_json(settings.curated_bucket(), document_key(batch, name))
