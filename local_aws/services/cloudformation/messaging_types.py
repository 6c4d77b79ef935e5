"""Resource types of SNS and SQS."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    UnsupportedError,
    picked,
    tag_map,
    tags,
)


def _text(value: Any) -> str:
    """Return an attribute as SNS and SQS want it: documents as JSON, booleans in lower case."""
    return json.dumps(value) if isinstance(value, (dict, list, bool)) else str(value)


def _topics(sns: Any) -> Any:
    return sns.get_paginator("list_topics").paginate()


class Topic(ResourceType):
    """An SNS topic."""

    type = "AWS::SNS::Topic"
    import_identifier = "TopicArn"
    name_property = "TopicName"
    attribute_names = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication")
    accepts = frozenset({*attribute_names, "Subscription", "Tags"})
    replaces = frozenset({"FifoTopic", "Subscription"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the topic; one that exists is another's."""
        sns = aws("sns")
        fifo = ".fifo" if properties.get("FifoTopic") in (True, "true") and not name.endswith(".fifo") else ""
        attributes = {key: _text(value) for key, value in picked(properties, *self.attribute_names).items()}
        arn = self.identifier(aws, name + fifo, properties)
        if any(arn == each["TopicArn"] for page in _topics(sns) for each in page["Topics"]):
            raise UnsupportedError(f"{name + fifo} already exists")
        sns.create_topic(Name=name + fifo, Attributes=attributes, Tags=tags(properties))
        return arn

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the topic's ARN."""
        account = aws("sts").get_caller_identity()["Account"]
        return f"arn:aws:sns:{aws('sns').meta.region_name}:{account}:{name}"

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a topic."""
        return any(identifier == each["TopicArn"] for page in _topics(aws("sns")) for each in page["Topics"])

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Subscribe the inline subscribers."""
        for each in properties.get("Subscription", []):
            aws("sns").subscribe(TopicArn=identifier, Protocol=each["Protocol"], Endpoint=each["Endpoint"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the attributes and tags that differ."""
        sns = aws("sns")
        for name in self.attribute_names:
            if properties.get(name) != before.get(name):
                value = _text(properties.get(name, ""))
                sns.set_topic_attributes(TopicArn=identifier, AttributeName=name, AttributeValue=value)
        if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
            sns.untag_resource(ResourceArn=identifier, TagKeys=gone)
        if tags(properties):
            sns.tag_resource(ResourceArn=identifier, Tags=tags(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the topic with its subscriptions."""
        sns = aws("sns")
        for each in sns.list_subscriptions_by_topic(TopicArn=identifier)["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
        sns.delete_topic(TopicArn=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the topic's ARN and name."""
        return {"TopicArn": identifier, "TopicName": identifier.rpartition(":")[2]}


class TopicPolicy(ResourceType):
    """The policy of some topics. It is kept and shown, not enforced."""

    type = "AWS::SNS::TopicPolicy"
    accepts = frozenset({"PolicyDocument", "Topics"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Put the policy on its topics."""
        self.update(aws, name, properties, {})
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Replace the policy."""
        for arn in properties["Topics"]:
            aws("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=_text(properties["PolicyDocument"])
            )

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Do nothing: a topic cannot be without a policy, and AWS too leaves the last one."""


class Subscription(ResourceType):
    """One subscriber of a topic."""

    type = "AWS::SNS::Subscription"
    attribute_names = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    accepts = frozenset({*attribute_names, "Endpoint", "Protocol", "TopicArn"})
    replaces = frozenset({"Endpoint", "Protocol", "TopicArn"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Subscribe the endpoint."""
        attributes = {key: _text(value) for key, value in picked(properties, *self.attribute_names).items()}
        answer = aws("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the attributes that differ."""
        for name in self.attribute_names:
            if properties.get(name) != before.get(name):
                aws("sns").set_subscription_attributes(
                    SubscriptionArn=identifier,
                    AttributeName=name,
                    AttributeValue=_text(properties.get(name, "")),
                )

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Unsubscribe the endpoint."""
        aws("sns").unsubscribe(SubscriptionArn=identifier)


class Queue(ResourceType):
    """An SQS queue; its physical id is the URL."""

    type = "AWS::SQS::Queue"
    import_identifier = "QueueUrl"
    name_property = "QueueName"
    attribute_names = (
        "ContentBasedDeduplication",
        "DelaySeconds",
        "FifoQueue",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    )
    defaults: ClassVar[dict[str, str]] = {
        "DelaySeconds": "0",
        "KmsDataKeyReusePeriodSeconds": "300",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }
    accepts = frozenset({*attribute_names, "Tags"})
    replaces = frozenset({"FifoQueue"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the queue; one that exists is another's."""
        sqs = aws("sqs")
        fifo = ".fifo" if properties.get("FifoQueue") in (True, "true") and not name.endswith(".fifo") else ""
        if self._exists(sqs, name + fifo):
            raise UnsupportedError(f"{name + fifo} already exists")
        attributes = {key: _text(value) for key, value in picked(properties, *self.attribute_names).items()}
        answer = sqs.create_queue(QueueName=name + fifo, Attributes=attributes, tags=tag_map(properties))
        return str(answer["QueueUrl"])

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the queue's URL."""
        return str(aws("sqs").get_queue_url(QueueName=name)["QueueUrl"])

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a queue."""
        return self._exists(aws("sqs"), identifier.rpartition("/")[2])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the attributes and tags that differ."""
        sqs = aws("sqs")
        changed = {
            name: _text(properties.get(name, self.defaults.get(name, "")))
            for name in self.attribute_names
            if properties.get(name) != before.get(name)
        }
        if changed:
            sqs.set_queue_attributes(QueueUrl=identifier, Attributes=changed)
        if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
            sqs.untag_queue(QueueUrl=identifier, TagKeys=gone)
        if tag_map(properties):
            sqs.tag_queue(QueueUrl=identifier, Tags=tag_map(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the queue with what is in it."""
        aws("sqs").delete_queue(QueueUrl=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the queue's ARN, name and URL."""
        answer = aws("sqs").get_queue_attributes(QueueUrl=identifier, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        return {"Arn": arn, "QueueName": arn.rpartition(":")[2], "QueueUrl": identifier}

    def _exists(self, sqs: Any, name: str) -> bool:
        try:
            sqs.get_queue_url(QueueName=name)
        except ClientError as error:
            if "NonExistentQueue" in error.response["Error"]["Code"]:
                return False
            raise
        return True


class QueuePolicy(ResourceType):
    """The policy of some queues. It is kept and shown, not enforced."""

    type = "AWS::SQS::QueuePolicy"
    accepts = frozenset({"PolicyDocument", "Queues"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Put the policy on its queues."""
        self.update(aws, name, properties, {})
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Replace the policy, and take it from the queues that are no longer named."""
        policy = _text(properties["PolicyDocument"])
        for url in sorted(set(before.get("Queues", [])) - set(properties["Queues"])):
            aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        for url in properties["Queues"]:
            aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the policy from its queues."""
        for url in properties["Queues"]:
            aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
