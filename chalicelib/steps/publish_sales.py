"""Make a batch that passed its checks visible, all of it at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.s3 import S3
from chalicelib.files import File
from chalicelib.history import iso
from chalicelib.sales import ledger
from chalicelib.sales.batch import read_document


def publish_sales(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "batch": ...}`.

    Returns:
        `{"rows", "files"}`.
    """
    return publish(S3(), event["run"], event["batch"], datetime.now(UTC))


def publish(s3: S3, run: str, batch: str, now: datetime) -> dict[str, Any]:
    """Enter the batch in the ledger. Safe to repeat."""
    files = [File.from_document(each) for each in read_document(s3, batch, "files")["files"]]
    rows = read_document(s3, batch, "summary")["kept"]
    entry = {
        "batch": batch,
        "run": run,
        "published_at": iso(now),
        "row_count": rows,
        "files": [{"key": file.key, "identity": ledger.identity(file)} for file in files],
    }
    ledger.publish(s3, entry)
    return {"rows": rows, "files": len(files)}
