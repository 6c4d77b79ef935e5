"""Bucket notifications: complete event records, delivered through queues only."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import ServiceException
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.s3 import notifications as moto_notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import NotificationConfiguration

from local_aws.services.s3 import changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.s3.models import FakeBucket, Notification

    from local_aws.runtime import Runtime

log = logging.getLogger(__name__)


class Deliveries:
    """Takes moto's calls for object events and puts each event into the queue of its destination."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sequencer = Sequencer()

    def check_destinations(self, notification_config: dict[str, Any]) -> None:
        """Refuse a configuration that names a destination which isn't there, as AWS does.

        Raises:
            S3ClientError: InvalidArgument.
        """
        for notification in destinations(_configuration(notification_config)):
            try:
                self._look_for(notification.arn)
            except (ClientError, ServiceException) as error:
                message = "Unable to validate the following destination configurations"
                raise S3ClientError("InvalidArgument", f"{message}: {notification.arn}") from error

    def _look_for(self, arn: str) -> None:
        service, region, account = arn.split(":")[2:5]
        client = self._runtime.client(service, region, account)
        if service == "lambda":
            client.get_function_configuration(FunctionName=arn)
        elif service == "sqs":
            client.get_queue_url(QueueName=arn.rpartition(":")[2])
        else:
            client.get_topic_attributes(TopicArn=arn)

    def send_event(self, account_id: str, event_name: str, bucket: FakeBucket, key: Any) -> None:
        """Deliver one event once the change it tells of is on disk."""
        if bucket.notification_configuration is None or key is None:
            return

        def deliver() -> None:
            self._deliver(account_id, event_name, bucket, key)

        recording = changes.current()
        if recording is None:
            deliver()
        elif event_name.startswith("s3:ObjectCreated:"):
            recording.created = deliver
        else:
            recording.events.append(deliver)

    def send_test_event(self, account_id: str, bucket: FakeBucket) -> None:  # noqa: ARG002 - moto's interface
        """Send the s3:TestEvent that AWS sends to every queue and topic of a new configuration."""
        configuration = bucket.notification_configuration
        event = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": iso_8601_datetime_with_milliseconds(),
            "Bucket": bucket.name,
            "RequestId": uuid.uuid4().hex[:16].upper(),
        }
        for arn in {n.arn for n in (*configuration.queue, *configuration.topic)}:
            self._send(arn, event)

    def _deliver(self, account_id: str, event_name: str, bucket: FakeBucket, key: Any) -> None:
        configuration = bucket.notification_configuration
        if configuration is None:
            return
        sequencer = self._sequencer.next()
        for notification in destinations(configuration):
            if notification.matches(event_name, key.name):
                self._send(
                    notification.arn,
                    {"Records": [_record(event_name, bucket, key, notification.id, sequencer)]},
                    str(bucket.arn),
                    str(bucket.account_id),
                )
        if configuration.event_bridge is not None:
            self._send_to_event_bridge(account_id, event_name, bucket, key, sequencer)

    def _send(self, arn: str, event: dict[str, Any], source: str = "", owner: str = "") -> None:
        """Queue `event` for `arn`; a destination that is gone loses it, as on AWS, and the log says so."""
        service, region, account = arn.split(":")[2:5]
        body = json.dumps(event)
        try:
            if service == "lambda":
                from local_aws.services import lambda_functions  # noqa: PLC0415 - the two know each other

                lambda_functions.invoke_for_service(arn, body, "s3.amazonaws.com", source, owner)
            elif service == "sqs":
                client = self._runtime.client("sqs", region, account)
                client.send_message(QueueUrl=_queue_url(arn), MessageBody=body)
            else:
                client = self._runtime.client("sns", region, account)
                client.publish(TopicArn=arn, Subject="Amazon S3 Notification", Message=body)
        except (ClientError, BotoCoreError, ServiceException) as error:
            log.warning("S3 event %s was not delivered to %s: %s", event, arn, error)

    def _send_to_event_bridge(
        self, account_id: str, event_name: str, bucket: FakeBucket, key: Any, sequencer: str
    ) -> None:
        detail = {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": {"key": key.name, "sequencer": sequencer} | _identity(key, "etag", "version-id"),
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject" if "ObjectCreated" in event_name else "DeleteObject",
        }
        entry = {
            "Source": "aws.s3",
            "DetailType": moto_notifications._detail_type(event_name),  # noqa: SLF001 - AWS's table of names
            "Resources": [bucket.arn],
            "Detail": json.dumps(detail),
        }
        answer = self._runtime.client("events", bucket.region_name, bucket.account_id).put_events(
            Entries=[entry]
        )
        if answer["FailedEntryCount"]:
            log.warning("S3 event was not delivered to EventBridge: %s", answer)


class Sequencer:
    """Hexadecimal strings that grow with every event, also after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        """Return the next one."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:018X}"


def destinations(configuration: NotificationConfiguration) -> Iterator[Notification]:
    """Return every notification of a bucket that names a destination."""
    return itertools.chain(configuration.cloud_function, configuration.queue, configuration.topic)


def refuse_overlaps(notification_config: dict[str, Any]) -> None:
    """Refuse two notifications that the same object and event could match, as AWS does.

    Raises:
        S3ClientError: InvalidArgument.
    """
    for one, other in itertools.combinations(destinations(_configuration(notification_config)), 2):
        if _share_an_event(one, other) and _share_a_key(one, other):
            raise S3ClientError(
                "InvalidArgument",
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
                "prefixes are overlapping for the same event type.",
            )


def _configuration(notification_config: dict[str, Any]) -> NotificationConfiguration:
    return NotificationConfiguration(
        topic=notification_config.get("TopicConfiguration"),
        queue=notification_config.get("QueueConfiguration"),
        cloud_function=notification_config.get("CloudFunctionConfiguration"),
    )


def _share_an_event(one: Notification, other: Notification) -> bool:
    return any(a.rstrip("*").startswith(b.rstrip("*")) or b.rstrip("*").startswith(a.rstrip("*"))
               for a in one.events for b in other.events)  # fmt: skip


def _share_a_key(one: Notification, other: Notification) -> bool:
    (prefix, suffix), (other_prefix, other_suffix) = _filter(one), _filter(other)
    prefixes = prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
    suffixes = suffix.endswith(other_suffix) or other_suffix.endswith(suffix)
    return prefixes and suffixes


def _filter(notification: Notification) -> tuple[str, str]:
    rules = notification.filters.get("S3Key", {}).get("FilterRule", [])
    values = {rule["Name"]: rule["Value"] for rule in rules}
    return values.get("prefix", ""), values.get("suffix", "")


def _record(
    event_name: str, bucket: FakeBucket, key: Any, notification_id: str, sequencer: str
) -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": iso_8601_datetime_with_milliseconds(),
        "eventName": event_name.removeprefix("s3:"),
        "userIdentity": {"principalId": f"AWS:{bucket.account_id}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": uuid.uuid4().hex[:16].upper(),
            "x-amz-id-2": uuid.uuid4().hex * 2,
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": notification_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": bucket.account_id},
                "arn": bucket.arn,
            },
            # AWS encodes a key as a form field, but for its slashes
            "object": {"key": quote_plus(key.name, safe="/"), "sequencer": sequencer}
            | _identity(key, "eTag", "versionId", described=not event_name.endswith(":Delete")),
        },
    }


def _identity(key: Any, etag_name: str, version_name: str, *, described: bool = True) -> dict[str, Any]:
    identity: dict[str, Any] = {}
    if described and hasattr(key, "etag"):  # a delete marker has neither size nor ETag
        identity |= {"size": key.size, etag_name: key.etag.strip('"')}
    if key.version_id != "null":
        identity[version_name] = key.version_id
    return identity


def _queue_url(arn: str) -> str:
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"
