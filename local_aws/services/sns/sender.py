"""Makes the deliveries that the outbox holds: to queues at once, to HTTP endpoints from a thread."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import ServiceException

from local_aws.services.sns.messages import envelope, function_event, queue_attributes

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.sns.outbox import Delivery, Outbox

LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
RETRIES = 3  # AWS's default for HTTP endpoints: 3 retries, 20 seconds apart
RETRY_AFTER = 20.0  # seconds
HTTP_TIMEOUT = 15.0  # seconds; AWS gives an endpoint 15

log = logging.getLogger(__name__)


class Sender:
    """Delivers what is published, and after a restart what a killed process still owed."""

    def __init__(self, runtime: Runtime, outbox: Outbox) -> None:
        self._runtime = runtime
        self._outbox = outbox
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._http = urllib3.PoolManager(retries=False, timeout=HTTP_TIMEOUT)
        self._thread = threading.Thread(target=self._send_to_endpoints, name="sns sender", daemon=True)

    def publish(self, deliveries: list[Delivery]) -> None:
        """Write the deliveries to the outbox, then make those that only take a queue."""
        statuses = [_first_status(delivery) for delivery in deliveries]
        numbers = self._outbox.add(list(zip(statuses, deliveries, strict=True)))
        for number, status, delivery in zip(numbers, statuses, deliveries, strict=True):
            if status == "queueing":
                self._queue(number, delivery)
        if "waiting" in statuses:
            self._wake.set()

    def start(self) -> None:
        """Make the deliveries that a killed process had accepted, and begin with HTTP."""
        for number, _, _, delivery in self._outbox.waiting("queueing"):
            self._queue(number, delivery)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what still waits is sent after the next start."""
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():  # the start may have failed before it
            self._thread.join(1.0)  # an endpoint may hold it longer; the delivery then stays waiting
        self._http.clear()

    def _queue(self, number: int, delivery: Delivery) -> None:
        try:
            if delivery.protocol == "lambda":
                from local_aws.services import lambda_functions  # noqa: PLC0415 - each knows the other

                event = function_event(delivery, self._runtime.endpoint_url)
                lambda_functions.invoke_async(delivery.endpoint or "", json.dumps(event))
            else:
                self._send_to_queue(delivery)
        except (ClientError, BotoCoreError, ServiceException) as error:
            self._give_up(number, delivery, str(error))
        else:
            self._outbox.settle(number, "delivered")

    def _send_to_queue(self, delivery: Delivery) -> None:
        document = envelope(delivery, self._runtime.endpoint_url)
        request: dict[str, Any] = {"MessageBody": delivery.message if delivery.raw else json.dumps(document)}
        if delivery.raw and delivery.message_attributes:
            request["MessageAttributes"] = queue_attributes(delivery)
        if delivery.group_id is not None:
            request["MessageGroupId"] = delivery.group_id
        if delivery.deduplication_id is not None:
            request["MessageDeduplicationId"] = delivery.deduplication_id
        self._send_message(delivery.endpoint or "", request)

    def _give_up(self, number: int, delivery: Delivery, error: str) -> None:
        """Note that a delivery failed for good, and send it to the subscription's dead-letter queue."""
        log.warning("SNS message %s did not reach %s: %s", delivery.message_id, delivery.endpoint, error)
        if delivery.dead_letters:
            body = json.dumps(envelope(delivery, self._runtime.endpoint_url))
            try:
                self._send_message(delivery.dead_letters, {"MessageBody": body})
            except (ClientError, BotoCoreError) as second:
                error = f"{error}; and its dead-letter queue refused it: {second}"
        self._outbox.settle(number, "failed", error)

    def _send_message(self, arn: str, request: dict[str, Any]) -> None:
        _, _, _, region, account, name = arn.split(":")
        url = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
        self._runtime.client("sqs", region, account).send_message(QueueUrl=url, **request)

    def _send_to_endpoints(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            waiting = self._outbox.waiting("waiting")
            for number, attempts, due, delivery in waiting:
                if due <= time.time() and not self._ended.is_set():
                    self._post(number, attempts, delivery)
            later = [due for _, _, due, _ in self._outbox.waiting("waiting")]
            self._wake.wait(max(0.0, min(later) - time.time()) if later else None)

    def _post(self, number: int, attempts: int, delivery: Delivery) -> None:
        document = envelope(delivery, self._runtime.endpoint_url)
        raw = delivery.raw and delivery.kind == "Notification"
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": delivery.kind,
            "x-amz-sns-message-id": delivery.message_id,
            "x-amz-sns-topic-arn": delivery.topic,
            "x-amz-sns-subscription-arn": delivery.subscription or "",
        } | ({"x-amz-sns-rawdelivery": "true"} if raw else {})
        body = delivery.message if raw else json.dumps(document)
        try:
            answer = self._http.request("POST", delivery.endpoint or "", body=body.encode(), headers=headers)
            error = None if answer.status < 400 else f"HTTP {answer.status}"  # noqa: PLR2004 - HTTP
        except urllib3.exceptions.HTTPError as failure:
            error = str(failure)
        if error is None:
            self._outbox.settle(number, "delivered")
        elif attempts < RETRIES:
            due = time.time() + RETRY_AFTER / self._runtime.configuration.time_scale
            self._outbox.postpone(number, due, error)
        else:
            self._give_up(number, delivery, error)


def _first_status(delivery: Delivery) -> str:
    if delivery.protocol is None:
        return "no subscription"
    if delivery.protocol in {"sqs", "lambda"}:
        return "queueing"
    host = urlsplit(delivery.endpoint or "").hostname
    if delivery.protocol in {"http", "https"} and host in LOOPBACK_HOSTS:
        return "waiting"
    return "kept"
