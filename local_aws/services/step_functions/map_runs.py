"""Distributed Map: every item is an execution of its own, and the Map Run counts how they end."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.services.step_functions.names import PAYLOAD_LIMIT
from local_aws.services.step_functions.record import STANDARD, Record

if TYPE_CHECKING:
    from local_aws.services.step_functions.engine import Engine
    from local_aws.services.step_functions.execution import Running

CONCURRENCY = 40  # AWS's default is 10,000; each child needs a thread here
COUNTED = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}


@dataclass(kw_only=True)
class MapRun:
    """One Map Run while it runs.

    Attributes:
        parent: the execution that contains the Map state.
        label: the Map state's Label, or a UUID.
        definition: the ItemProcessor as a definition of its own.
        inputs: each child's input.
        concurrency: how many children run at once; 0 is AWS's "no limit" and means 40 here.
        tolerated_count, tolerated_percentage: 0 is "not given".

    """

    engine: Engine
    parent: Record
    label: str
    definition: str
    inputs: list[Any]
    concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    status: str = "RUNNING"
    start: float = field(default_factory=time.time)
    stop: float | None = None
    children: list[Record | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine = self.parent.machine_arn
        self.machine_arn = f"{machine}/{self.label}"
        self.arn = f"{machine.replace(':stateMachine:', ':mapRun:', 1)}/{self.label}:{uuid.uuid4()}"
        self.set_inputs(self.inputs)
        self._next = 0
        self._active: dict[str, Running] = {}
        self._numbers: dict[str, int] = {}
        self._ended = 0
        self._lock = threading.Lock()
        self.over = threading.Event()

    def set_inputs(self, inputs: list[Any]) -> None:
        """Say what the children work on, before `begin`."""
        self.inputs = inputs
        self.children = [None] * len(inputs)

    def begin(self) -> None:
        """Start as many children as may run at once."""
        self.engine.map_runs[self.arn] = self
        self.save()
        if not self.inputs:
            self.over.set()
        for _ in range(min(self.concurrency or CONCURRENCY, CONCURRENCY, len(self.inputs))):
            self._start_next()

    def abort(self) -> None:
        """Start no more children and end those that run."""
        with self._lock:
            self._next = len(self.inputs)
            active = list(self._active.values())
        for child in active:
            child.stop(None, "The Map Run was ended")
        self.over.set()

    def finish(self, status: str) -> None:
        """Store how the Map Run ended."""
        self.status, self.stop = status, time.time()
        self.save()
        self.engine.map_runs.pop(self.arn, None)

    def save(self) -> None:
        """Store how the Map Run stands."""
        self.engine.journal.save_map_run(self.arn, self.parent.arn, self.described())

    def failures(self) -> int:
        """Return how many children did not succeed."""
        return sum(
            1 for child in self.children if child and child.status in COUNTED and child.status != "SUCCEEDED"
        )

    def exceeded(self) -> bool:
        """Return whether more children failed than the Map state tolerates."""
        failed = self.failures()
        if not self.tolerated_count and not self.tolerated_percentage:
            return failed > 0
        beyond_count = 0 < self.tolerated_count < failed
        beyond_share = 0 < self.tolerated_percentage < 100 * failed / max(1, len(self.inputs))
        return beyond_count or beyond_share

    def outputs(self) -> list[Any]:
        """Return the children's outputs in the order of their items; null for one that failed."""
        return [json.loads(child.output) if child and child.output else None for child in self.children]

    def described(self) -> dict[str, Any]:
        """Return the Map Run as DescribeMapRun shows it; dates are epoch seconds."""
        counts = dict.fromkeys(("aborted", "failed", "running", "succeeded", "timedOut"), 0)
        for child in self.children:
            if child:
                counts[COUNTED.get(child.status, "running")] += 1
        counts |= {
            "pending": sum(child is None for child in self.children),
            "total": len(self.children),
            "resultsWritten": counts["succeeded"],
            "failuresNotRedrivable": 0,
            "pendingRedrive": 0,
        }
        return {
            "mapRunArn": self.arn,
            "executionArn": self.parent.arn,
            "stateMachineArn": self.machine_arn,
            "status": self.status,
            "startDate": self.start,
            "maxConcurrency": self.concurrency,
            "toleratedFailureCount": self.tolerated_count,
            "toleratedFailurePercentage": self.tolerated_percentage,
            "itemCounts": counts,
            "executionCounts": counts,
            "redriveCount": 0,
        } | ({"stopDate": self.stop} if self.stop else {})

    def _start_next(self) -> None:
        with self._lock:
            if self._next >= len(self.inputs):
                return
            number, self._next = self._next, self._next + 1
            record = self.children[number] = self._child(self.inputs[number])
            self._numbers[record.arn] = number
        child = self.engine.launch(record, self._ended_child)
        with self._lock:
            if not child.done.is_set():
                self._active[record.arn] = child

    def _ended_child(self, child: Running) -> None:
        with self._lock:
            self._active.pop(child.record.arn, None)
            self.children[self._numbers[child.record.arn]] = child.record
            self._ended += 1
            over = self._ended == len(self.inputs) or self.exceeded()
        if over:
            self.over.set()
        else:
            self._start_next()

    def _child(self, item: Any) -> Record:
        name = str(uuid.uuid4())
        document = json.dumps(item, separators=(",", ":"))
        if len(document.encode()) > PAYLOAD_LIMIT:
            raise ValueError(f"An item of the Map Run exceeds {PAYLOAD_LIMIT} bytes")
        prefix = self.parent.arn.split(":execution:", 1)[0]
        return Record(
            arn=f"{prefix}:execution:{self.parent.machine_name}/{self.label}:{name}",
            account=self.parent.account,
            region=self.parent.region,
            machine_arn=self.machine_arn,
            machine_name=f"{self.parent.machine_name}/{self.label}",
            name=name,
            kind=STANDARD,
            role_arn=self.parent.role_arn,
            definition=self.definition,
            input=document,
            logging=self.parent.logging,
            map_run_arn=self.arn,
        )
