"""SNS in our verbs: publish."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.aws.client import call, client

if TYPE_CHECKING:
    from collections.abc import Mapping


class SNS:
    """The topic that notices go to."""

    def publish(
        self, topic: str, subject: str, texts: Mapping[str, str], attributes: Mapping[str, str]
    ) -> str:
        """Publish one message and return its id.

        Args:
            topic: the topic's ARN.
            subject: at most 99 characters of ASCII, as SNS demands.
            texts: the message by protocol; `default` is for all others. 262,144 bytes in all.
            attributes: what subscribers may filter by.
        """
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        answer = call(
            client("sns").publish,
            TopicArn=topic,
            Subject=subject,
            MessageStructure="json",
            Message=json.dumps(dict(texts), ensure_ascii=False),
            MessageAttributes=values,
        )
        return str(answer["MessageId"])
