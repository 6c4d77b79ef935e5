"""SNS on the laptop: the outbox, its deliveries and its failures."""

from __future__ import annotations

import json
import queue
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.integration.waiting import until


@pytest.fixture
def sns(local_aws):
    return local_aws.client("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]


@pytest.fixture
def queue_arn(local_aws):
    sqs = local_aws.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{uuid4().hex[:8]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def outbox(aws, topic):
    with urllib.request.urlopen(f"{aws.endpoint_url}/_aws/sns/outbox") as answer:
        return [each for each in json.load(answer) if each["topic"] == topic]


def bodies(aws, url):
    answer = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@contextmanager
def endpoint(*, refusals=0):
    """An HTTP server that refuses the first requests; gives its URL and a queue of what arrived."""
    arrived, left = queue.Queue(), [refusals]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            refused, left[0] = left[0] > 0, left[0] - 1
            arrived.put((dict(self.headers), document))
            self.send_response(503 if refused else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", arrived
    finally:
        server.shutdown()
        server.server_close()


def test_a_message_to_a_topic_that_nobody_follows_is_in_the_outbox(local_aws, sns, topic):
    message_id = sns.publish(TopicArn=topic, Subject="Load failed", Message="row 3: déjà vu")["MessageId"]
    [delivery] = outbox(local_aws, topic)
    assert delivery["message_id"] == message_id
    assert delivery["subject"] == "Load failed"
    assert delivery["message"] == "row 3: déjà vu"
    assert delivery["status"] == "no subscription"
    assert delivery["timestamp"].endswith("Z")


def test_an_email_is_kept_in_the_outbox_for_its_address(local_aws, sns, topic):
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    sns.publish(TopicArn=topic, Message="done")
    [delivery] = outbox(local_aws, topic)
    assert (delivery["protocol"], delivery["endpoint"], delivery["status"]) == (
        "email",
        "ann@example.com",
        "kept",
    )


def test_a_queue_gets_the_message_in_an_envelope(local_aws, sns, topic, queue_arn):
    url, arn = queue_arn
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    attributes = {"pipeline": {"DataType": "String", "StringValue": "orders"}}
    message_id = sns.publish(TopicArn=topic, Subject="s", Message="m", MessageAttributes=attributes)[
        "MessageId"
    ]
    [body] = bodies(local_aws, url)
    assert body["Type"] == "Notification"
    assert (body["MessageId"], body["Subject"], body["Message"]) == (message_id, "s", "m")
    assert body["MessageAttributes"] == {"pipeline": {"Type": "String", "Value": "orders"}}


def test_a_filter_policy_keeps_other_messages_away(local_aws, sns, topic, queue_arn):
    url, arn = queue_arn
    policy = json.dumps({"outcome": ["failed"]})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": policy})
    for outcome in ("succeeded", "failed"):
        attributes = {"outcome": {"DataType": "String", "StringValue": outcome}}
        sns.publish(TopicArn=topic, Message=outcome, MessageAttributes=attributes)
    assert [body["Message"] for body in bodies(local_aws, url)] == ["failed"]


def test_an_http_endpoint_is_asked_to_confirm_and_gets_the_message(sns, topic):
    with endpoint() as (url, arrived):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        headers, confirmation = arrived.get(timeout=10)
        assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
        assert confirmation["TopicArn"] == topic
        sns.publish(TopicArn=topic, Message="hello")
        headers, document = arrived.get(timeout=10)
        assert headers["x-amz-sns-message-type"] == "Notification"
        assert document["Message"] == "hello"


def test_a_dead_endpoint_fails_no_publish_and_is_noted_in_the_outbox(fast_aws):
    sns = fast_aws.client("sns")
    topic = sns.create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:1/nobody")
    assert sns.publish(TopicArn=topic, Message="hello")["MessageId"]

    def failed():
        [delivery] = [each for each in outbox(fast_aws, topic) if each["kind"] == "Notification"]
        return delivery if delivery["status"] == "failed" else None

    assert "refused" in until(failed)["error"]


def test_an_http_delivery_is_tried_again(fast_aws):
    sns = fast_aws.client("sns")
    topic = sns.create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]
    with endpoint(refusals=3) as (url, arrived):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        sns.publish(TopicArn=topic, Message="persevere")
        messages = [arrived.get(timeout=20)[1]["Message"] for _ in range(5)]
        until(lambda: {each["status"] for each in outbox(fast_aws, topic)} == {"delivered"})
    assert "persevere" in messages


def test_publishing_to_a_deleted_topic_is_refused(sns, topic):
    sns.delete_topic(TopicArn=topic)
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Message="m")
    assert refused.value.response["Error"]["Code"] == "NotFound"


@pytest.mark.parametrize("request_", [{"Subject": "s" * 101, "Message": "m"}, {"Message": "é" * 140_000}])
def test_a_message_that_is_too_long_is_refused(sns, topic, request_):
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, **request_)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


def test_a_queue_that_is_gone_is_noted_in_the_outbox(local_aws, sns, topic, queue_arn):
    url, arn = queue_arn
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    local_aws.client("sqs").delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="m")
    [delivery] = outbox(local_aws, topic)
    assert delivery["status"] == "failed"
