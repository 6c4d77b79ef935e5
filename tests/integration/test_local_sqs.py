"""SQS on the laptop: nothing lost between threads, FIFO, dead letters."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest


@pytest.fixture
def sqs(local_aws):
    return local_aws.client("sqs")


def make_queue(sqs, **attributes):
    name = f"queue-{uuid4().hex[:8]}" + (".fifo" if "FifoQueue" in attributes else "")
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def test_sixteen_threads_send_and_receive_every_message_once(sqs):
    url = make_queue(sqs)

    def send(number):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))

    def take(_):
        taken = []
        for _ in range(10):
            for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
                taken.append(int(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    with ThreadPoolExecutor(16) as pool:
        sent = pool.map(send, range(80))
        received = [number for taken in pool.map(take, range(16)) for number in taken]
        list(sent)
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        received += [int(message["Body"]) for message in messages]
    assert sorted(received) == list(range(80))


def test_a_fifo_queue_drops_a_duplicate(sqs):
    url = make_queue(sqs, FifoQueue="true", ContentBasedDeduplication="true")
    for body in ("one", "one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert [message["Body"] for message in answer["Messages"]] == ["one", "two"]


def test_a_message_received_too_often_moves_to_the_dead_letters(sqs):
    dead = make_queue(sqs)
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = make_queue(sqs, RedrivePolicy=redrive, VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"
