"""Ask whether there is a sales export that no published batch holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, settings
from chalicelib.aws.s3 import S3
from chalicelib.errors import UnknownFile
from chalicelib.sales import ledger
from chalicelib.sales.batch import Batch, address, document_key, report_key

if TYPE_CHECKING:
    from chalicelib.files import File


def find_new_sales(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline": ...}`.

    Returns:
        `{"work", "batch", "manifest", "headline", "facts"}`. The work is `clean` when there is a new file,
        `report` when the last batch was published and its report never made, or `nothing`.
    """
    return look(S3(), str(pipelines.batch_pipeline(event["pipeline"]).reads))


def look(s3: S3, prefix: str) -> dict[str, Any]:
    """Compare the landed files with the ledger and write down which are new."""
    entries, _ = ledger.read(s3)
    landed = [file for file, _ in s3.listing(settings.landing_bucket(), prefix) if not _is_folder(file)]
    new = ledger.unpublished(entries, landed)
    facts = {"Folder": f"s3://{settings.landing_bucket()}/{prefix}", "Files there": len(landed)}
    if new:
        return {"work": "clean", **_write_down(s3, Batch.of(new), entries), "headline": "", "facts": facts}
    last = entries[-1]["batch"] if entries else None
    if last and not _exists(s3, report_key(last)):
        return {"work": "report", "batch": last, "manifest": "", "headline": "", "facts": facts}
    what = "every file there was published before" if landed else "there is no file"
    headline = f"Nothing to do: {what}."
    return {"work": "nothing", "batch": "", "manifest": "", "headline": headline, "facts": facts}


def _write_down(s3: S3, batch: Batch, entries: list[ledger.Entry]) -> dict[str, Any]:
    key = document_key(batch.name, "files")
    document = {
        "batch": batch.name,
        "files": [file.to_document() for file in batch.files],
        "published": [entry["batch"] for entry in entries],
    }
    s3.put_json(settings.curated_bucket(), key, document)
    return {"batch": batch.name, "manifest": address(key)}


def _is_folder(file: File) -> bool:
    return file.key.endswith("/") and file.size == 0


def _exists(s3: S3, key: str) -> bool:
    try:
        s3.find(settings.curated_bucket(), key)
    except UnknownFile:
        return False
    return True
