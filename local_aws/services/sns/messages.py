"""SNS messages in the shapes that queues, functions and HTTP endpoints get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.services.sns.outbox import Delivery

UNSIGNED = "unsigned"


def envelope(delivery: Delivery, endpoint_url: str) -> dict[str, Any]:
    """Return the JSON document that a queue or an HTTP endpoint gets."""
    document: dict[str, Any] = {
        "Type": delivery.kind,
        "MessageId": delivery.message_id,
        "TopicArn": delivery.topic,
        "Message": delivery.message,
        "Timestamp": delivery.timestamp,
        "SignatureVersion": "1",
        "Signature": UNSIGNED,
        "SigningCertURL": f"{endpoint_url}/unsigned.pem",
    }
    if delivery.subject is not None:
        document["Subject"] = delivery.subject
    if delivery.message_attributes:
        document["MessageAttributes"] = delivery.message_attributes
    if delivery.kind == "Notification":
        document["UnsubscribeURL"] = (
            f"{endpoint_url}/?Action=Unsubscribe&SubscriptionArn={delivery.subscription}"
        )
    else:
        document["Token"] = delivery.message_id
        document["SubscribeURL"] = (
            f"{endpoint_url}/?Action=ConfirmSubscription&TopicArn={delivery.topic}&Token={delivery.message_id}"
        )
    return document


def function_event(delivery: Delivery, endpoint_url: str) -> dict[str, Any]:
    """Return the event that a Lambda function gets."""
    document = envelope(delivery, endpoint_url)
    document["SigningCertUrl"] = document.pop("SigningCertURL")
    document["UnsubscribeUrl"] = document.pop("UnsubscribeURL")
    document |= {"Subject": delivery.subject, "MessageAttributes": delivery.message_attributes}
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": delivery.subscription,
                "Sns": document,
            }
        ]
    }


def queue_attributes(delivery: Delivery) -> dict[str, dict[str, str]]:
    """Return the message's attributes as SQS takes them; only raw deliveries carry them so."""
    return {
        name: {
            "DataType": attribute["Type"],
            "BinaryValue" if attribute["Type"].startswith("Binary") else "StringValue": attribute["Value"],
        }
        for name, attribute in delivery.message_attributes.items()
    }
