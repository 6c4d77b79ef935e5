"""One execution, as it is stored and as the API shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

REDRIVABLE_SECONDS = 14 * 24 * 3600.0
REDRIVABLE_EVENTS = 24_999
STANDARD, EXPRESS = "STANDARD", "EXPRESS"


def moment(seconds: float) -> datetime:
    """Return epoch seconds as the API's timestamp."""
    return datetime.fromtimestamp(seconds, UTC)


def stamp(seconds: float) -> float:
    """Return epoch seconds as JSON protocols send them: whole milliseconds."""
    return round(seconds * 1_000_000) // 1000 / 1000


LISTED = (
    "arn",
    "machine_arn",
    "name",
    "status",
    "start",
    "stop",
    "redrive_count",
    "redrive_date",
    "version_arn",
    "alias_arn",
    "map_run_arn",
)
"""What a list shows of a record, in the order that `shown_in_lists` takes it."""


def shown_in_lists(
    arn: str,
    machine_arn: str,
    name: str,
    status: str,
    start: float,
    stop: float | None,
    redrive_count: int,
    redrive_date: float | None,
    version_arn: str | None,
    alias_arn: str | None,
    map_run_arn: str | None,
) -> dict[str, Any]:
    """Return an execution as ListExecutions shows it, in plain JSON."""
    shown: dict[str, Any] = {
        "executionArn": arn,
        "stateMachineArn": machine_arn,
        "name": name,
        "status": status,
        "startDate": stamp(start),
        "redriveCount": redrive_count,
    }
    if stop is not None:
        shown["stopDate"] = stamp(stop)
    if redrive_date is not None:
        shown["redriveDate"] = stamp(redrive_date)
    if version_arn is not None:
        shown["stateMachineVersionArn"] = version_arn
    if alias_arn is not None:
        shown["stateMachineAliasArn"] = alias_arn
    if map_run_arn is not None:
        shown["mapRunArn"] = map_run_arn
    return shown


@dataclass(kw_only=True)
class Record:
    """An execution: what it was started with and, once it is closed, how it ended.

    Attributes:
        id: its row in the journal; 0 before it has one.
        machine_arn: the state machine, without version or alias.
        definition: the definition at the start; updates of the state machine don't touch it.
        start, stop, redrive_date: epoch seconds.
        input, output: JSON documents as text.
        map_run_arn: the Map Run that it is a child of, if any.

    """

    id: int = 0
    arn: str
    account: str
    region: str
    machine_arn: str
    machine_name: str
    name: str
    kind: str
    role_arn: str
    definition: str
    input: str
    logging: dict[str, Any] = field(default_factory=dict)
    version_arn: str | None = None
    alias_arn: str | None = None
    trace_header: str | None = None
    map_run_arn: str | None = None
    status: str = "RUNNING"
    start: float = field(default_factory=time.time)
    stop: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrive_count: int = 0
    redrive_date: float | None = None
    events: int = 0

    def why_not_redrivable(self) -> str | None:
        """Return the reason why a redrive would be refused, in AWS's words, or None."""
        if self.status == "RUNNING":
            return "Execution is RUNNING and cannot be redriven"
        if self.status == "SUCCEEDED":
            return "Execution is SUCCEEDED and cannot be redriven"
        if self.stop is not None and time.time() - self.stop > REDRIVABLE_SECONDS:
            return "Execution cannot be redriven because the 14-day redrivable period has passed"
        if self.events > REDRIVABLE_EVENTS:
            return "Execution cannot be redriven because its history would exceed 25,000 events"
        return None

    def redrive_status(self) -> str:
        """Return whether and how a redrive would be accepted."""
        if self.why_not_redrivable():
            return "NOT_REDRIVABLE"
        return "REDRIVABLE_BY_MAP_RUN" if self.map_run_arn else "REDRIVABLE"

    def listed(self) -> dict[str, Any]:
        """Return the execution as ListExecutions shows it."""
        return shown_in_lists(*(getattr(self, name) for name in LISTED))

    def described(self) -> dict[str, Any]:
        """Return the execution as DescribeExecution shows it, in plain JSON."""
        reason = self.why_not_redrivable()
        shown = self.listed() | {
            "input": self.input,
            "inputDetails": {"included": True},
            "redriveStatus": self.redrive_status(),
        }
        optional = {
            "redriveStatusReason": reason,
            "output": self.output,
            "outputDetails": None if self.output is None else {"included": True},
            "error": self.error,
            "cause": self.cause,
            "traceHeader": self.trace_header,
        }
        return shown | {key: value for key, value in optional.items() if value is not None}
