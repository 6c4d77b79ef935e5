"""The bodies that the REST API takes and gives; the OpenAPI document is made from these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

OutcomeText = Literal["running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out"]
Key = Annotated[str, Meta(min_length=1, max_length=1024, description="A key in the pipeline's bucket.")]
Bucket = Annotated[
    str, Meta(min_length=3, max_length=63, description="The pipeline's bucket; another one is refused.")
]
ParameterValue = Annotated[str, Meta(max_length=1024)]
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=r"^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$",
        description="Why; it is kept with the run. No control characters: it is shown to people.",
    ),
]


class Problem(Struct):
    """What went wrong: a code for programs, a message for people."""

    code: str
    message: str


class StartRun(Struct, forbid_unknown_fields=True):
    """Start a run: for a file of the pipeline's bucket by its `key`, or of a batch with `parameters`.

    `request` makes the call safe to repeat: the same request and parameters always mean the same run.
    """

    key: Key | None = None
    bucket: Bucket | None = None
    version: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None
    parameters: dict[str, ParameterValue] | None = None
    request: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class StopRun(Struct, forbid_unknown_fields=True):
    """Stop a run."""

    reason: Reason = "stopped through the API"


class Decision(Struct, forbid_unknown_fields=True):
    """Decide on a run that waits for approval."""

    reason: Reason


class Waiting(Struct):
    """A run that waits for approval; times are ISO 8601 in UTC."""

    run: str
    pipeline: str
    file: dict[str, Any]
    rows: int
    bad_rows: int
    why: list[str]
    asked: str
    expires: str


class Approvals(Struct):
    """Every run that waits for approval."""

    waiting: list[Waiting]


class RunStarted(Struct):
    """The run's name; `new` is false when it existed."""

    run: str
    new: bool


class PipelineAnswer(Struct):
    """A pipeline as it is filled in; a `file` one has a landing prefix, a `batch` one parameters."""

    name: str
    kind: Literal["file", "batch"]
    description: str
    workflow: str
    landing_prefix: str | None = None
    bucket: str | None = None
    format: str | None = None
    columns: list[dict[str, Any]] = []
    table: str | None = None
    glue_job: str | None = None
    largest_for_lambda: int | None = None
    tolerate: dict[str, Any] | None = None
    usual_rows: Annotated[list[int], Meta(min_length=2, max_length=2)] | None = None
    parameters: list[dict[str, Any]] = []
    schedule: str | None = None
    next_tick: str | None = None
    reads: str | None = None


class Pipelines(Struct):
    """Every pipeline."""

    pipelines: list[PipelineAnswer]


class StepAnswer(Struct):
    """One visit of a Task state; times are ISO 8601 in UTC."""

    state: str
    started: str
    ended: str | None
    seconds: float | None
    attempts: int
    error: str | None
    cause: str | None


class RowsAnswer(Struct):
    """How many rows a run read, loaded and rejected; null where it does not count them."""

    read: int | None
    loaded: int | None
    rejected: int | None


class RunAnswer(Struct):
    """A run; times are ISO 8601 in UTC.

    `file` is the key that it works on; `cost` an estimate in US dollars, null while the run goes on.
    """

    name: str
    pipeline: str
    outcome: OutcomeText
    started: str
    ended: str | None
    seconds: float | None
    error: str | None = None
    cause: str | None = None
    input: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    steps: list[StepAnswer] | None = None
    redrives: int = 0
    file: str | None = None
    rows: RowsAnswer | None = None
    cost: float | None = None


class Runs(Struct):
    """One page of runs, newest first; `next` asks for the page after it."""

    runs: list[RunAnswer]
    next: str | None


class Event(Struct):
    """One event of a run's history; `details` depends on its type."""

    id: int
    previous: int
    type: str
    time: str
    details: dict[str, Any]


class Events(Struct):
    """One page of a run's history, oldest event first; `next` is the id to ask for as `after`."""

    events: list[Event]
    next: int | None


class OffendingRow(Struct):
    """A bad row with the first rule that it breaks.

    `raw` is the row as the file has it, of a rejected file the line; null beyond the first 8 MB and in
    formats without lines.
    """

    row: int
    line: int | None
    column: str | None
    rule: str
    message: str
    raw: str | None


class Quarantined(Struct):
    """What a run put into quarantine: a rejected file, or the rows that were set aside.

    `held` is where it is, `report` where its reasons are; `requeued` names the runs started with it since.
    """

    run: str
    pipeline: str
    kind: Literal["file", "rows"]
    since: str
    file: str
    rows: int
    bad_rows: int
    reason: str
    held: str
    bytes: int
    report: str
    requeued: list[str]
    offending: list[OffendingRow] | None = None


class Quarantine(Struct):
    """One page of what is in quarantine, newest first; `next` asks for the page after it."""

    quarantine: list[Quarantined]
    next: str | None


class Requeue(Struct, forbid_unknown_fields=True):
    """Put back what a run put into quarantine.

    `key` names a correction in the landing bucket, under `corrections/<pipeline>/<run>/`: a corrected file,
    or the reject file with corrected rows. Without it everything is tried again as it is.
    """

    key: Key | None = None


class Me(Struct):
    """Whom the token belongs to, which actions its role may take, and on which stage."""

    name: str
    role: Literal["viewer", "operator", "approver"]
    may: list[Literal["start", "upload", "stop", "redrive", "requeue", "approve", "refuse"]]
    stage: str


class Health(Struct):
    """The service answers."""

    status: Literal["ok"]
    stage: str


def body_of(struct: type[Struct], raw: bytes) -> Any:
    """Decode and check a request's body.

    Raises:
        msgspec.ValidationError: names the field and what it should be.
        msgspec.DecodeError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    return msgspec.json.decode(raw, type=struct)
