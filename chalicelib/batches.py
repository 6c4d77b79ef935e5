"""What a batch keeps in the artifacts bucket: its items, how each ended, and its summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.errors import UnknownFile, UnknownRun
from chalicelib.run import RunName
from chalicelib.runs import from_execution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.files import File
    from chalicelib.run import Run

FILE_WORKFLOW = "load_file"
"""The workflow of a file that has a load of its own."""


def folder(run: str) -> str:
    """Return the key prefix of what one run of a batch keeps."""
    return f"batches/{run}/"


def items_key(run: str) -> str:
    """Return where the list is that the Distributed Map works through."""
    return f"{folder(run)}items.json"


def summary_key(run: str) -> str:
    """Return where the summary is."""
    return f"{folder(run)}summary.json"


def file_item(pipeline: str, file: File, started: str) -> dict[str, Any]:
    """Return the item of a file with a load of its own: the name and the input of its run."""
    name = RunName.of(pipeline, file)
    return {"kind": "file", "name": str(name), "input": file_input(name, file.to_document(), started)}


def file_input(name: RunName, file: dict[str, Any], started: str) -> dict[str, Any]:
    """Return the input of a file's run, as S3's event would give it."""
    return {
        "run": str(name),
        "token": name.token,
        "pipeline": name.pipeline,
        "file": file,
        "started": started,
    }


def group_item(pipeline: str, batch: str, number: int, files: tuple[File, ...]) -> dict[str, Any]:
    """Return the item of files that share a load; its token is the same in every attempt at the batch."""
    token = RunName.of_identity(pipeline, "group", batch, str(number)).token
    members = [{"token": RunName.of(pipeline, file).token, "file": file.to_document()} for file in files]
    return {"kind": "group", "token": token, "pipeline": pipeline, "files": members}


def files_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the files of an item, each as `{"token", "file"}`."""
    if item["kind"] == "group":
        return list(item["files"])
    return [{"token": item["input"]["token"], "file": item["input"]["file"]}]


def latest_run(states: StepFunctions, token: str) -> Run:
    """Return the last attempt at a file.

    Raises:
        UnknownRun: there is none.
    """
    machine, name = settings.state_machine(FILE_WORKFLOW), RunName.parse(token)
    found = from_execution(states.describe(machine, str(name)))
    while True:
        name = name.next
        try:
            found = from_execution(states.describe(machine, str(name)))
        except UnknownRun:
            return found


def next_item(states: StepFunctions, item: dict[str, Any]) -> dict[str, Any]:
    """Return an item to be worked on again: a file's run that ended badly gets a new name.

    A run that succeeded meanwhile, or is under way, keeps its name: the batch then meets it.
    """
    if item["kind"] == "group":
        return item
    try:
        run = latest_run(states, item["input"]["token"])
    except UnknownRun:
        return item
    name = RunName.parse(run.name)
    if run.outcome in {"failed", "stopped", "timed_out"}:
        name = name.next
    started = (run.input or item["input"])["started"]
    return {**item, "name": str(name), "input": file_input(name, item["input"]["file"], started)}


def left_by_earlier_attempts(s3: S3, run: str) -> list[dict[str, Any]] | None:
    """Return the items that the last attempt before this one did not bring to a good end.

    None when no earlier attempt got as far as a plan.
    """
    bucket, name = settings.artifacts_bucket(), RunName.parse(run)
    for attempt in range(name.attempt - 1, 0, -1):
        earlier = str(replace(name, attempt=attempt))
        for key in (summary_key(earlier), items_key(earlier)):
            try:
                found = s3.read_json(bucket, key)
            except UnknownFile:
                continue
            return list(found["again"] if isinstance(found, dict) else found)
    return None


def results(s3: S3, bucket: str, manifest: str) -> Iterator[dict[str, Any]]:
    """Yield how each child of the Distributed Map ended, from the files that Step Functions wrote."""
    for files in s3.read_json(bucket, manifest)["ResultFiles"].values():
        for file in files:
            yield from s3.read_json(bucket, file["Key"])
