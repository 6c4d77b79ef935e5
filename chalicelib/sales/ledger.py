"""The ledger: which batches are published. It is also the table `sales_batches`, one JSON line for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import AlreadyPublished, UnknownFile
from chalicelib.sales.batch import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

KEY = f"{FOLDER}sales_batches/batches.json"

Entry = dict[str, Any]
"""`batch`, `run`, `published_at`, `row_count` and `files`: each with `key` and `identity`."""


def read(s3: S3) -> tuple[list[Entry], str | None]:
    """Return the published batches, oldest first, and the ledger's ETag; None when there is no ledger yet."""
    try:
        content, etag = s3.read(settings.curated_bucket(), KEY)
    except UnknownFile:
        return [], None
    return [json.loads(line) for line in content.splitlines()], etag


def identity(file: File) -> str:
    """Return what the ledger knows a file's content by."""
    return file.version or file.etag


def unpublished(entries: Iterable[Entry], files: Iterable[File]) -> list[File]:
    """Return the files whose content no published batch holds."""
    known = {(each["key"], each["identity"]) for entry in entries for each in entry["files"]}
    return [file for file in files if (file.key, identity(file)) not in known]


def publish(s3: S3, entry: Entry) -> bool:
    """Add a batch, unless it is there; return whether this call did.

    The object is replaced only if nobody else replaced it since it was read, so of two runs that publish at
    once one reads again and finds the other's batch.

    Raises:
        LedgerChanged: another run was faster; try again.
        AlreadyPublished: another batch brought one of the files.
    """
    entries, etag = read(s3)
    for other in entries:
        if other["batch"] == entry["batch"]:
            return False
        both = [each["key"] for each in entry["files"] if each in other["files"]]
        if both:
            raise AlreadyPublished(
                f"{', '.join(both)}: batch {other['batch']} of run {other['run']} brought it while this run "
                "worked on it; start again, and only what is new will be taken"
            )
    lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in [*entries, entry]]
    s3.replace(settings.curated_bucket(), KEY, "".join(lines).encode(), etag)
    return True
