"""Writes execution histories to CloudWatch Logs, as a state machine's loggingConfiguration asks."""

from __future__ import annotations

import json
import logging
import queue
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.eval.event.logging import is_logging_enabled_for

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.record import Record

DATA = frozenset({"input", "inputDetails", "output", "outputDetails"})
BATCH = 500  # events to a PutLogEvents call

log = logging.getLogger(__name__)


class ExecutionLogs:
    """Delivers history events to log groups, in order, from one thread."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._queue: queue.SimpleQueue[tuple[str, str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._streams: set[tuple[str, str]] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="execution-logs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver what is queued and end the thread."""
        self._queue.put(None)
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
            self._queue.put((arn, stream, message))

    def _run(self) -> None:
        open_for_more = True
        while open_for_more:
            waiting = [self._queue.get()]
            while len(waiting) < BATCH and not self._queue.empty():
                waiting.append(self._queue.get())
            open_for_more = None not in waiting
            batches: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for item in waiting:
                if item is not None:
                    batches.setdefault(item[:2], []).append(item[2])
            for (arn, stream), messages in batches.items():
                self._deliver(arn, stream, messages)

    def _deliver(self, arn: str, stream: str, messages: list[dict[str, Any]]) -> None:
        _, _, _, region, account, _, group = arn.removesuffix(":*").split(":", 6)
        client = self._runtime.client("logs", region, account)
        try:
            if (arn, stream) not in self._streams:
                self._create(client, group, stream)
                self._streams.add((arn, stream))
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=messages)
        except ClientError as error:
            # AWS drops the delivery too when the group is gone; the operator sees why here.
            self._streams.discard((arn, stream))
            log.warning("Execution history was not logged to %s: %s", group, error)

    @staticmethod
    def _create(client: Any, group: str, stream: str) -> None:
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceAlreadyExistsException:
            return


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
