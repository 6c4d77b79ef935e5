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
        shown: dict[str, Any] = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": moment(self.start),
            "redriveCount": self.redrive_count,
        }
        optional = {
            "stopDate": self.stop and moment(self.stop),
            "redriveDate": self.redrive_date and moment(self.redrive_date),
            "stateMachineVersionArn": self.version_arn,
            "stateMachineAliasArn": self.alias_arn,
            "mapRunArn": self.map_run_arn,
        }
        return shown | {key: value for key, value in optional.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """Return the execution as DescribeExecution shows it."""
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
