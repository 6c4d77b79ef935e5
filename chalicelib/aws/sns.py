"""SNS in our verbs: publish."""

from __future__ import annotations

from chalicelib.aws.client import call, client


class SNS:
    """The topic that notices go to."""

    def publish(self, topic: str, subject: str, body: str, attributes: dict[str, str]) -> str:
        """Publish one message and return its id.

        Args:
            topic: the topic's ARN.
            subject: at most 99 characters of ASCII, as SNS demands.
            body: text of at most 262,144 bytes.
            attributes: what subscribers may filter by.
        """
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        answer = call(
            client("sns").publish, TopicArn=topic, Subject=subject, Message=body, MessageAttributes=values
        )
        return str(answer["MessageId"])
