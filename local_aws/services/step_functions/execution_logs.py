"""Writes execution histories to CloudWatch Logs, as a state machine's loggingConfiguration asks."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.logs.models import logs_backends
from moto.stepfunctions.parser.asl.eval.event.logging import is_logging_enabled_for

if TYPE_CHECKING:
    from local_aws.services.step_functions.record import Record

DATA = frozenset({"input", "inputDetails", "output", "outputDetails", "parameters"})
INTERVAL = 1.0  # seconds between deliveries; AWS takes longer
EVENTS_KEPT = 10_000  # of one stream: moto keeps every event in memory

log = logging.getLogger(__name__)


class ExecutionLogs:
    """Delivers history events to log groups, in order, from one thread."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="execution-logs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver what is waiting and end the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join(5)

    def note(self, record: Record, event: dict[str, Any]) -> None:
        """Log one event, if the state machine's logging level includes it."""
        level = record.logging.get("level", "OFF")
        if level == "OFF" or not is_logging_enabled_for(level, event["type"]):
            return
        stream = f"states/{record.machine_name}/{datetime.now(UTC):%Y-%m-%d}"
        message = _message(record, event)
        for destination in record.logging.get("destinations", ()):
            arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
            with self._lock:
                self._waiting.setdefault((arn, stream), []).append(message)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            self._deliver_all()
        self._deliver_all()

    def _deliver_all(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for (arn, stream), messages in waiting.items():
            # Executions write side by side, and CloudWatch refuses a batch that is out of order.
            _deliver(arn, stream, sorted(messages, key=itemgetter("timestamp")))


def _deliver(arn: str, stream: str, messages: list[dict[str, Any]]) -> None:
    """Write to moto's own store: a request for each batch was 40 % of what a run cost the server."""
    _, _, _, region, account, _, group = arn.removesuffix(":*").split(":", 6)
    backend = logs_backends[account][region]
    try:
        backend.ensure_log_stream(group, stream)
        backend.put_log_events(group, stream, messages)
    except (JsonRESTError, ServiceException) as error:
        # AWS drops the delivery too when the group is gone; the operator sees why here.
        log.warning("Execution history was not logged to %s: %s", group, error)
        return
    del backend.groups[group].streams[stream].events[:-EVENTS_KEPT]


def _message(record: Record, event: dict[str, Any]) -> dict[str, Any]:
    found = (value for key, value in event.items() if key.endswith("EventDetails"))
    details: dict[str, Any] = next(found, {})
    if not record.logging.get("includeExecutionData", False):
        details = {key: value for key, value in details.items() if key not in DATA}
    milliseconds = int(event["timestamp"] * 1000)
    message = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "redrive_count": str(record.redrive_count),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(milliseconds),
        "execution_arn": record.arn,
    }
    return {"timestamp": milliseconds, "message": json.dumps(message, default=str)}
