"""One query execution: what was asked, how it stands, where its result is."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Self

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@dataclass(kw_only=True)
class Execution:
    """A row of the execution store. All fields are JSON.

    Attributes:
        kind: how its result is kept: "rows" (a CSV), "text" (tab separated), "files" (a manifest).
        result: ResultConfiguration as it applies, without the object's own name.
        role: the ARN of the role whose session asks, whose permissions Athena reads and writes with, or "".
        session: the name of that session.
        output: the s3:// address of the result, set when the query starts.
        cutoff: the most bytes that the query may scan, or None.
    """

    query: str
    account: str
    region: str
    database: str
    catalog: str
    workgroup: str
    statement_type: str
    substatement_type: str
    kind: str
    result: dict[str, Any]
    output: str
    role: str = ""
    session: str = ""
    parameters: list[str] = field(default_factory=list)
    token: str | None = None
    cutoff: int | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    error: dict[str, Any] | None = None
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    scanned: int = 0
    manifest: str | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    update_count: int | None = None
    input_rows: int = 0
    output_rows: int = 0
    output_bytes: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED

    def to_json(self) -> str:
        """Return the stored form."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the execution of a stored form."""
        return cls(**json.loads(text))

    def described(self) -> dict[str, Any]:
        """Return GetQueryExecution's QueryExecution."""
        context = {"Database": self.database, "Catalog": self.catalog.lower()}
        described = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "SubstatementType": self.substatement_type,
            "ResultConfiguration": self.result | {"OutputLocation": self.output},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {name: value for name, value in context.items() if value},
            "Status": self._status(),
            "EngineVersion": _ENGINE,
            "Statistics": self._statistics(),
            "WorkGroup": self.workgroup,
        }
        if self.parameters:
            described["ExecutionParameters"] = self.parameters
        return described

    def timeline(self) -> dict[str, int]:
        """Return the durations, in milliseconds, under AWS's names."""
        end = self.completed or time.time()
        started = self.started or end
        return {
            "EngineExecutionTimeInMillis": round((end - started) * 1000),
            "TotalExecutionTimeInMillis": round((end - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
        }

    def _statistics(self) -> dict[str, Any]:
        statistics: dict[str, Any] = self.timeline() | {"DataScannedInBytes": self.scanned}
        statistics["ResultReuseInformation"] = {"ReusedPreviousResult": False}
        if self.manifest and self.state == "SUCCEEDED":
            statistics["DataManifestLocation"] = self.manifest
        return statistics

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed is not None:
            status["CompletionDateTime"] = self.completed
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
        if self.error is not None:
            status["AthenaError"] = self.error
        return status
