"""Functions for the tests of the embedded Lambda, and how to deploy them."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

HANDLERS = '''
import json, logging, os, subprocess, sys, time
import boto3

class InvalidOrder(Exception):
    pass

def same(event, context):
    return event

def who(event, context):
    return {
        "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"], "stage": os.environ.get("STAGE"),
        "pid": os.getpid(), "id": context.aws_request_id, "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb,
        "profile": os.environ.get("AWS_PROFILE"), "descriptors": sorted(os.listdir("/dev/fd")),
    }

def speaks(event, context):
    print("a printed line")
    logging.getLogger().warning("a logged line")
    subprocess.run(["echo", "a line of a child"])

def fails(event, context):
    raise InvalidOrder("order 7 has no total")

def hangs(event, context):
    subprocess.Popen(["sleep", "299.5"])
    time.sleep(60)

def ends(event, context):
    os._exit(3)

def large(event, context):
    return "x" * 6_291_600

def unreturnable(event, context):
    return {1, 2}

def naps(event, context):
    time.sleep(event["seconds"])

def remembers(event, context):
    """Append the event to a queue; fail when told to."""
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
    if isinstance(event, dict) and event.get("fail"):
        raise InvalidOrder("told to")

def batch(event, context):
    """Take SQS messages; report those that say bad."""
    bad = [r["messageId"] for r in event["Records"] if json.loads(r["body"]).get("bad")]
    handled = json.dumps([json.loads(r["body"]) for r in event["Records"]])
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=handled)
    return {"batchItemFailures": [{"itemIdentifier": i} for i in bad]}
'''


def write_project(directory):
    """Write the handlers as a project's source tree and return its directory."""
    directory.mkdir()
    (directory / "app.py").write_text(HANDLERS)
    return directory


def zipped(source):
    """Return a zip with `source` as its app.py."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", source)
    return content.getvalue()


def deploy(aws, handler, **options):
    """Create a function of a name of its own and return the name."""
    name = f"{handler}-{uuid.uuid4().hex[:8]}"
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    variables = options.pop("variables", {})
    settings = {
        "Timeout": 10,
        "Code": {"ZipFile": zipped("")},
        "Environment": {"Variables": variables},
    } | options
    aws.client("lambda").create_function(
        FunctionName=name, Role=role, Runtime="python3.12", Handler=f"app.{handler}", **settings
    )
    return name


def invoke(aws, name, event=None, **options):
    """Invoke a function and return its answer with the payload read."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
    payload = answer["Payload"].read()
    return answer | {"Payload": json.loads(payload) if payload else None}


def make_queue(aws, **attributes):
    """Create a queue of a name of its own and return its URL."""
    return aws.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}", Attributes=attributes)[
        "QueueUrl"
    ]


def queue_arn(aws, url):
    """Return a queue's ARN."""
    return aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]


def take(aws, url):
    """Take what is in a queue now, as JSON documents."""
    sqs = aws.client("sqs")
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
