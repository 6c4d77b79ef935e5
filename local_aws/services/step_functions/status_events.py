"""Tells EventBridge when an execution changes its status."""

from __future__ import annotations

import json
import logging
import queue
import threading
from typing import Any

from moto.events.models import events_backends

from local_aws.services.cloudwatch import recorder as metrics
from local_aws.services.step_functions.record import EXPRESS, Record

DETAIL_TYPE = "Step Functions Execution Status Change"

METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
"""The metric that counts executions which came to a status."""

log = logging.getLogger(__name__)


class StatusEvents:
    """Puts status changes on the default event bus, in order, from one thread.

    Nothing is queued while the bus has no rule: then nobody could see the event.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="status-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Put what is queued and end the thread."""
        self._queue.put(None)
        if self._thread:
            self._thread.join(5)

    def changed(self, record: Record) -> None:
        """Count and tell the record's present status; Express executions emit no event, as on AWS."""
        _count(record)
        if record.kind == EXPRESS or not self._heard(record):
            return
        event = {
            "Source": "aws.states",
            "DetailType": DETAIL_TYPE,
            "Resources": [record.arn],
            "Detail": json.dumps(_detail(record)),
        }
        self._queue.put((record.account, record.region, event))

    def _heard(self, record: Record) -> bool:
        bus = events_backends[record.account][record.region].event_buses.get("default")
        return bool(bus and bus.rules)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            account, region, event = item
            try:
                events_backends[account][region].put_events([event])
            except Exception:
                log.exception("EventBridge did not take %s", event)


def _count(record: Record) -> None:
    """Add to the metrics that AWS keeps of a state machine."""
    name = METRICS.get(record.status)
    if name:
        about = {"StateMachineArn": record.machine_arn}
        metrics.note(record.account, record.region, ("AWS/States", name), about)
        if record.stop:
            milliseconds = (record.stop - record.start) * 1000
            metrics.note(record.account, record.region, ("AWS/States", "ExecutionTime"), about, milliseconds)


def _detail(record: Record) -> dict[str, Any]:
    return {
        "executionArn": record.arn,
        "stateMachineArn": record.machine_arn,
        "name": record.name,
        "status": record.status,
        "startDate": int(record.start * 1000),
        "stopDate": int(record.stop * 1000) if record.stop else None,
        "input": record.input,
        "inputDetails": {"included": True},
        "output": record.output,
        "outputDetails": {"included": True} if record.output is not None else None,
        "error": record.error,
        "cause": record.cause,
        "stateMachineVersionArn": record.version_arn,
        "stateMachineAliasArn": record.alias_arn,
        "redriveCount": record.redrive_count,
        "redriveDate": int(record.redrive_date * 1000) if record.redrive_date else None,
        "redriveStatus": record.redrive_status(),
        "redriveStatusReason": record.why_not_redrivable(),
    }
