"""SQS event sources: batches of messages go to functions, and handled ones are deleted."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.sqs.models import sqs_backends

from local_aws.services.events import pattern
from local_aws.services.lambda_functions.invocation import TooManyRequestsError
from local_aws.services.lambda_functions.pool import PoolIsClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.invocation import Outcome

_IDLE_WAIT = 0.2  # seconds between two looks at empty queues; a look takes microseconds
_RECEIVE_LIMIT = 10  # messages that one ReceiveMessage returns

log = logging.getLogger(__name__)


class QueuePoller:
    """One thread that looks at the queues, and a bounded pool that runs the batches."""

    def __init__(self, runtime: Runtime, invoke: Callable[[str, str], Outcome]) -> None:
        self._runtime = runtime
        self._invoke = invoke
        self._stopped = threading.Event()
        self._busy: set[str] = set()  # the mappings with a batch at work: one at a time each
        self._waiting_since: dict[str, float] = {}  # for the batching window
        self._pool = ThreadPoolExecutor(runtime.configuration.function_workers, "queue-batches")
        self._thread = threading.Thread(target=self._run, name="queue-poller", daemon=True)

    def start(self) -> None:
        """Begin to look at the queues."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages; those at work reappear when their visibility timeout ends."""
        self._stopped.set()
        if self._thread.is_alive():  # the start may have failed before it
            self._thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopped.wait(_IDLE_WAIT):
            for mapping in _mappings():
                if mapping.uuid not in self._busy and self._is_due(mapping):
                    self._busy.add(mapping.uuid)
                    self._pool.submit(self._drain, mapping)

    def _is_due(self, mapping: Any) -> bool:
        """Whether there is a full batch, or any message after the batching window."""
        waiting = len(_queue_messages(mapping))
        if not waiting:
            self._waiting_since.pop(mapping.uuid, None)
            return False
        since = self._waiting_since.setdefault(mapping.uuid, time.monotonic())
        window = float(mapping.max_batch_window or 0)
        return waiting >= mapping.batch_size or time.monotonic() - since >= window

    def _drain(self, mapping: Any) -> None:
        """Handle batches until the queue is empty."""
        try:
            while not self._stopped.is_set() and mapping.enabled and (batch := self._receive(mapping)):
                self._handle(mapping, batch)
                if mapping.max_batch_window:
                    break
        except PoolIsClosedError:
            pass  # stopping: the messages become visible again
        except Exception:
            log.exception("the batch from %s for %s failed", mapping.event_source_arn, mapping.function_arn)
        finally:
            self._waiting_since.pop(mapping.uuid, None)
            self._busy.discard(mapping.uuid)

    def _client(self, mapping: Any) -> tuple[Any, str]:
        region, account, name = mapping.event_source_arn.split(":", 5)[3:6]
        client = self._runtime.client("sqs", region, account)
        return client, client.get_queue_url(QueueName=name)["QueueUrl"]

    def _receive(self, mapping: Any) -> list[dict[str, Any]]:
        client, url = self._client(mapping)
        batch: list[dict[str, Any]] = []
        while len(batch) < mapping.batch_size:
            received = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(mapping.batch_size - len(batch), _RECEIVE_LIMIT),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not received:
                break
            batch += received
        return batch

    def _handle(self, mapping: Any, batch: list[dict[str, Any]]) -> None:
        records = [_record(message, mapping) for message in batch]
        wanted = [record for record in records if _passes(mapping.filter_criteria, record)]
        failed: set[str] = set()
        if wanted:
            failed = self._run_function(mapping, wanted)
        self._delete(mapping, [record for record in records if record["messageId"] not in failed])

    def _run_function(self, mapping: Any, records: list[dict[str, Any]]) -> set[str]:
        """Return the ids of the messages that were not handled."""
        everything = {record["messageId"] for record in records}
        try:
            outcome = self._invoke(mapping.function_arn, json.dumps({"Records": records}))
        except (UnknownFunctionException, TooManyRequestsError) as error:
            log.warning("%s did not take a batch: %s", mapping.function_arn, error)
            return everything
        if outcome.error:
            return everything
        if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
            return set()
        return _reported_failures(json.loads(outcome.payload), everything)

    def _delete(self, mapping: Any, records: list[dict[str, Any]]) -> None:
        client, url = self._client(mapping)
        for start in range(0, len(records), _RECEIVE_LIMIT):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + _RECEIVE_LIMIT])
            ]
            client.delete_message_batch(QueueUrl=url, Entries=entries)


def _mappings() -> Iterator[Any]:
    for account in list(lambda_backends.values()):
        for backend in list(account.values()):
            for mapping in list(backend._event_source_mappings.values()):  # noqa: SLF001 - moto has no list
                if mapping.enabled and ":sqs:" in mapping.event_source_arn:
                    yield mapping


def _queue_messages(mapping: Any) -> list[Any]:
    region, account, name = mapping.event_source_arn.split(":", 5)[3:6]
    queue = sqs_backends[account][region].queues.get(name)
    return queue.messages if queue else []


def _record(message: dict[str, Any], mapping: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.event_source_arn,
        "awsRegion": mapping.region,
    }


def _passes(criteria: dict[str, Any] | None, record: dict[str, Any]) -> bool:
    """Whether any of the mapping's filters matches; a message that none matches is deleted, as on AWS."""
    filters = (criteria or {}).get("Filters", [])
    try:
        body = json.loads(record["body"])
    except ValueError:
        body = record["body"]
    return not filters or any(
        pattern.matches(json.loads(f["Pattern"]), record | {"body": body}) for f in filters
    )


def _reported_failures(answer: Any, everything: set[str]) -> set[str]:
    """Read batchItemFailures; an answer that makes no sense means that all failed."""
    if not answer:
        return set()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if failures is None:
        return everything if not isinstance(answer, dict) else set()
    failed = {item.get("itemIdentifier") for item in failures}
    return min(failed, everything)
