"""Say how each file of a batch ended, and all of them together."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib import batches
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.batch_summary import FileEnd, Summary
from chalicelib.errors import UnknownRun
from chalicelib.files import File
from chalicelib.history import readable_cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.batch_summary import FileOutcome
    from chalicelib.run import Run

WAIT_SECONDS = 10
"""Between two looks at the runs of single files that are still under way."""

LONGEST_REASON = 500

OUTCOMES: dict[str, FileOutcome] = {
    "succeeded": "loaded",
    "rejected": "rejected",
    "running": "running",
}
"""What a run's outcome means for its file; every other outcome means that it failed."""


def summarise_batch(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "started", "began", "plan_batch": {...}, "load_each": {"ResultWriterDetails"}}`.

    `ResultWriterDetails` says where Step Functions wrote how the items ended; null when there were none.

    Returns:
        `{"done": false, "wait_seconds": 10}` while a file's own run is under way; else counts (`loaded`,
        `rejected`, `failed`, ...), `rows`, `seconds`, the notice's `headline`, `facts` and `lines`,
        the `error` and `cause` of an incomplete batch, and `summary`, where every file is named.
    """
    return summarise(S3(), StepFunctions(), event, time.time())


def summarise(s3: S3, states: StepFunctions, event: dict[str, Any], now: float) -> dict[str, Any]:
    """Look at every item; a file whose load is in doubt is looked up by its run."""
    plan = event["plan_batch"]
    items = s3.read_json(plan["bucket"], plan["key"])
    found = list(_ends(s3, states, items, event["load_each"]["ResultWriterDetails"]))
    ends = [end for _, ends in found for end in ends]
    if running := [end.run for end in ends if end.outcome == "running"]:
        return {"done": False, "wait_seconds": WAIT_SECONDS, "running": len(running)}
    summary = Summary(
        ends=ends,
        again=list(_again(found, event["started"])),
        already=plan["already"],
        waiting=plan["waiting"],
        groups=plan["groups"],
        seconds=now - datetime.fromisoformat(event["began"]).timestamp(),
        why_alone=plan["why_alone"],
    )
    key = batches.summary_key(event["run"])
    s3.put_json(plan["bucket"], key, summary.to_document())
    return _told(summary, f"s3://{plan['bucket']}/{key}")


def _told(summary: Summary, address: str) -> dict[str, Any]:
    counts = summary.counts
    return {
        "done": True,
        "wait_seconds": 0,
        **{outcome: counts[outcome] for outcome in ("loaded", "rejected", "failed")},
        "already": summary.already,
        "waiting": summary.waiting,
        "rows": summary.rows,
        "seconds": round(summary.seconds, 1),
        "headline": summary.headline,
        "facts": summary.facts,
        "lines": [*summary.lines, f"Every file: {address}"],
        "summary": address,
        "error": {"Error": "BatchIncomplete" if counts["failed"] else "", "Cause": summary.cause},
    }


def _again(found: list[tuple[dict[str, Any], list[FileEnd]]], started: str) -> Iterator[dict[str, Any]]:
    """Yield what another attempt has to work on: a group whose load failed as a whole, or single files."""
    for item, ends in found:
        failed = {end.token for end in ends if end.outcome == "failed"}
        members = [each for each in batches.files_of(item) if each["token"] in failed]
        if members and (item["kind"] == "file" or all(end.run is None for end in ends)):
            yield item
            continue
        for member in members:
            file = File.from_document(member["file"])
            yield batches.file_item(item["pipeline"], file, started)


def _ends(
    s3: S3, states: StepFunctions, items: list[dict[str, Any]], written: dict[str, str] | None
) -> Iterator[tuple[dict[str, Any], list[FileEnd]]]:
    children = {}
    for child in batches.results(s3, written["Bucket"], written["Key"]) if written else ():
        given = json.loads(child["Input"])
        children[_identity(given["item"])] = child
    for item in items:
        child = children.get(_identity(item), {"Status": "PENDING"})
        yield item, (_of_file if item["kind"] == "file" else _of_group)(states, item, child)


def _identity(item: dict[str, Any]) -> str:
    return str(item["name"] if item["kind"] == "file" else item["token"])


def _of_file(states: StepFunctions, item: dict[str, Any], child: dict[str, Any]) -> list[FileEnd]:
    file, token = File.from_document(item["input"]["file"]).uri, item["input"]["token"]
    if child["Status"] == "SUCCEEDED":
        rows = json.loads(child["Output"])["load_file"]["rows"]
        return [FileEnd(file=file, token=token, outcome="loaded", rows=rows, run=item["name"])]
    return [_looked_up(states, file, token, _reason(child))]


def _of_group(states: StepFunctions, item: dict[str, Any], child: dict[str, Any]) -> list[FileEnd]:
    if child["Status"] != "SUCCEEDED":
        return [
            FileEnd(
                file=File.from_document(each["file"]).uri,
                token=each["token"],
                outcome="failed",
                reason=_reason(child),
            )
            for each in item["files"]
        ]
    output = json.loads(child["Output"])
    rows = {file["token"]: file["rows"] for file in output.get("copy_group", {"files": ()})["files"]}
    left = {each["token"]: each["reason"] for each in output["transform_group"]["left"]}
    ends = []
    for each in item["files"]:
        file, token = File.from_document(each["file"]).uri, each["token"]
        if token in rows:
            ends.append(FileEnd(file=file, token=token, outcome="loaded", rows=rows[token]))
        else:
            ends.append(_looked_up(states, file, token, left[token]))
    return ends


def _looked_up(states: StepFunctions, file: str, token: str, reason: str) -> FileEnd:
    """Say how a file ended by its own run."""
    try:
        run = batches.latest_run(states, token)
    except UnknownRun:
        return FileEnd(file=file, token=token, outcome="failed", reason=reason)
    outcome = OUTCOMES.get(run.outcome, "failed")
    if outcome == "loaded":
        return FileEnd(file=file, token=token, outcome=outcome, rows=_rows(run), run=run.name)
    told = (run.cause,) if outcome == "rejected" else (run.error, run.cause)
    said = ": ".join(each for each in told if each)
    return FileEnd(
        file=file, token=token, outcome=outcome, run=run.name, reason=(said or reason)[:LONGEST_REASON]
    )


def _rows(run: Run) -> int:
    return int((run.output or {}).get("catalogue", {}).get("rows", 0))


def _reason(child: dict[str, Any]) -> str:
    """Say why a child of the Distributed Map did not succeed."""
    if child["Status"] == "PENDING":
        return "it was not begun"
    said = (child.get("Error"), readable_cause(child.get("Cause") or ""))
    return ": ".join(each for each in said if each)[:LONGEST_REASON] or child["Status"]
