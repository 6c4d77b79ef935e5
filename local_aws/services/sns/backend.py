"""moto's topics, publishing through the outbox."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import moto.sns.urls
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.moto_api._internal import mock_random
from moto.sns.exceptions import InvalidParameterValue, TopicNotFound
from moto.sns.models import MAXIMUM_MESSAGE_LENGTH, SNSBackend, Subscription, Topic

from local_aws.services.sns.outbox import Delivery

if TYPE_CHECKING:
    from local_aws.services.sns.sender import Sender

SUBJECT_LIMIT = 100  # characters

_senders: list[Sender] = []


def use(sender: Sender) -> None:
    """Publish through `sender` from now on."""
    _senders[:] = [sender]


class LocalTopic(Topic):
    """A topic that keeps no messages itself; moto's sends to each subscription inside Publish."""

    def publish(
        self,
        message: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        """Put the message into the outbox, once for each subscription that wants it."""
        published = {
            "topic": self.arn,
            "message_id": str(mock_random.uuid4()),
            "timestamp": iso_8601_datetime_with_milliseconds(),
            "subject": subject,
            "message_attributes": _readable(message_attributes or {}),
            "group_id": group_id,
            "deduplication_id": deduplication_id,
        }
        subscriptions = self.sns_backend.subscriptions_of(self)
        wanted = [
            Delivery(**published, message=_for_protocol(message, message_structure, each), **_target(each))
            for each in subscriptions
            if _wants(each, message_attributes, message)
        ]
        if not subscriptions:
            plain = _text_for(message, message_structure, "default")
            wanted = [Delivery(**published, message=plain)]
        _senders[0].publish(wanted)
        return published["message_id"]


class LocalSNSBackend(SNSBackend):
    """All topics of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.sns.urls

    def subscriptions_of(self, topic: Topic) -> list[Subscription]:
        """Return every subscription of `topic`; moto's own listing ends after 100."""
        return list(self._get_topic_subscriptions(topic))

    def subscribe(self, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
        """Subscribe, and send an HTTP endpoint the confirmation message that AWS sends."""
        known = self._find_subscription(topic_arn, endpoint, protocol)
        subscription = super().subscribe(topic_arn, endpoint, protocol)
        if known is None and protocol in {"http", "https"}:
            confirmation = Delivery(
                kind="SubscriptionConfirmation",
                topic=topic_arn,
                message_id=str(mock_random.uuid4()),
                timestamp=iso_8601_datetime_with_milliseconds(),
                message=f"You have chosen to subscribe to the topic {topic_arn}.",
                **_target(subscription),
            )
            _senders[0].publish([confirmation])
        return subscription

    def publish(
        self,
        message: str,
        arn: str | None,
        phone_number: str | None = None,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        """Publish to a topic, an endpoint of an application or a phone number.

        Raises:
            InvalidParameterValue: the message is empty or too long, or the subject is.
            TopicNotFound: there is no such topic.
        """
        if not message:
            raise InvalidParameterValue("Invalid parameter: Empty message")
        if len(message.encode()) > MAXIMUM_MESSAGE_LENGTH:
            raise InvalidParameterValue("Invalid parameter: Message too long")
        if subject is not None and (len(subject) > SUBJECT_LIMIT or not subject.isprintable() or not subject):
            raise InvalidParameterValue("Invalid parameter: Subject")
        if not phone_number and arn not in self.topics and arn not in self.platform_endpoints:
            raise TopicNotFound
        message_id = super().publish(
            message,
            arn,
            phone_number,
            subject,
            message_attributes,
            group_id,
            deduplication_id,
            message_structure,
        )
        if phone_number:
            timestamp = iso_8601_datetime_with_milliseconds()
            text = Delivery(
                topic="",
                message_id=message_id,
                timestamp=timestamp,
                message=message,
                protocol="sms",
                endpoint=phone_number,
            )
            _senders[0].publish([text])
        return message_id


def _wants(subscription: Subscription, attributes: dict[str, Any] | None, message: str) -> bool:
    matcher = subscription._filter_policy_matcher  # noqa: SLF001 - moto has no public name for it
    return matcher is None or matcher.matches(attributes, message)


def _target(subscription: Subscription) -> dict[str, Any]:
    redrive = subscription.attributes.get("RedrivePolicy")
    policy = json.loads(redrive) if isinstance(redrive, str) and redrive else redrive or {}
    raw = subscription.attributes.get("RawMessageDelivery")
    return {
        "subscription": subscription.arn,
        "protocol": subscription.protocol,
        "endpoint": subscription.endpoint,
        "raw": str(raw).lower() == "true",
        "dead_letters": policy.get("deadLetterTargetArn"),
    }


def _for_protocol(message: str, structure: str | None, subscription: Subscription) -> str:
    return _text_for(message, structure, subscription.protocol)


def _text_for(message: str, structure: str | None, protocol: str) -> str:
    if structure != "json":
        return message
    try:
        texts = json.loads(message)
        return str(texts.get(protocol) or texts["default"])
    except json.JSONDecodeError as error:
        raise InvalidParameterValue(
            "Invalid parameter: Message Structure - JSON message body failed to parse"
        ) from error
    except KeyError as error:
        raise InvalidParameterValue(
            "Invalid parameter: Message Structure - No default entry in JSON message body"
        ) from error


def _readable(attributes: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {name: {"Type": each["Type"], "Value": _value(each["Value"])} for name, each in attributes.items()}


def _value(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
