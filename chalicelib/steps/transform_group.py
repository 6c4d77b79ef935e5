"""Turn a group of small files into one typed Parquet file; leave those that need a run of their own."""

from __future__ import annotations

import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from chalicelib import curated, pipelines, settings
from chalicelib.aws.s3 import S3, unbroken
from chalicelib.errors import InvalidFile, UnknownFile
from chalicelib.files import File
from chalicelib.steps.catalogue import Written, copy_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.pipeline import Pipeline

READERS = 8
"""Small files fetched at once: each costs a round trip and no processor time."""

LONGEST_REASON = 500


def transform_group(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "started": ..., "group": {"token", "pipeline", "files": [{"token", "file"}]}}`.

    Returns:
        `rows`; `manifest`, what COPY reads; `files`, each as `{"number", "token", "rows"}`; and `left`, the
        files that break a rule, are unusual or are gone, each as `{"token", "file", "reason"}`: a run of
        their own quarantines them and tells of them.
    """
    group = event["group"]
    folder = curated.folder(group["pipeline"], group["token"], event["started"])
    return transform(S3(), pipelines.file_pipeline(group["pipeline"]), group, folder, event["started"])


def transform(s3: S3, pipeline: Pipeline, group: dict[str, Any], folder: str, started: str) -> dict[str, Any]:
    """Write one Parquet file of all good files; another attempt writes the same name again."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "part-0.parquet"
        with path.open("wb") as sink:
            files, left = _write(s3, pipeline, group, sink, started)
        if not files:
            return {"rows": 0, "manifest": None, "files": [], "left": left}
        bucket, key = settings.curated_bucket(), f"{folder}part-0.parquet"
        s3.put_file(bucket, key, path)
        rows = sum(file["rows"] for file in files)
        written = Written(files=((key, path.stat().st_size),), rows=rows, columns=())
    manifest = f"_manifests/{pipeline.name}/{group['token']}.json"
    s3.put_json(bucket, manifest, copy_manifest(bucket, written))
    return {"rows": rows, "manifest": f"s3://{bucket}/{manifest}", "files": files, "left": left}


def _write(
    s3: S3, pipeline: Pipeline, group: dict[str, Any], sink: BinaryIO, started: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from chalicelib.group_parquet import GroupWriter  # noqa: PLC0415 - only this step needs pyarrow here

    writer = GroupWriter(pipeline, sink, curated.processing_date(started))
    files, left = [], []
    for number, (member, body) in enumerate(_fetched(s3, group["files"])):
        if isinstance(body, UnknownFile):
            left.append(_left(member, body))
            continue
        try:
            rows = writer.add(io.BytesIO(body), member["file"]["key"], number)
            files.append({"number": number, "token": member["token"], "rows": rows})
        except InvalidFile as error:
            left.append(_left(member, error))
    writer.finish()
    return files, left


def _left(member: dict[str, Any], error: Exception) -> dict[str, Any]:
    return {**member, "reason": str(error)[:LONGEST_REASON]}


def _fetched(s3: S3, members: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes | UnknownFile]]:
    """Yield each file's content in turn, or why there is none."""

    def fetch(member: dict[str, Any]) -> bytes | UnknownFile:
        file = File.from_document(member["file"])
        try:
            with unbroken(file), s3.open(file) as stream:
                return stream.read()
        except UnknownFile as error:
            return error

    with ThreadPoolExecutor(READERS) as threads:
        yield from zip(members, threads.map(fetch, members), strict=True)
