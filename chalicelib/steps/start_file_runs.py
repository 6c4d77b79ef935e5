"""Start a run of its own for each file that a group left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib import batches, settings
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.files import File

if TYPE_CHECKING:
    from collections.abc import Iterable


def start_file_runs(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "started", "pipeline", "files": [{"token", "file", "reason"}]}`.

    Returns:
        `{"runs": [...]}`: their names.
    """
    return start(StepFunctions(), event["pipeline"], event["files"], event["started"])


def start(
    states: StepFunctions, pipeline: str, files: Iterable[dict[str, Any]], started: str
) -> dict[str, Any]:
    """Start what does not exist; a file whose last run ended badly gets a new attempt."""
    machine = settings.state_machine(batches.FILE_WORKFLOW)
    names = []
    for each in files:
        item = batches.file_item(pipeline, File.from_document(each["file"]), started)
        item = batches.next_item(states, item)
        states.start(machine, item["name"], item["input"])
        names.append(item["name"])
    return {"runs": names}
