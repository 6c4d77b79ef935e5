"""A killed embedded AWS comes back with everything that it had acknowledged."""

from __future__ import annotations

import io
import json
import pickle
import threading
import time
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.sns.models import SNSBackend
from moto.sqs.models import SQSBackend

from local_aws.journal import Journal
from local_aws.persistence import IncompatibleStateError, Persistence
from local_aws.pickling import BLOB_SIZE, Blobs, UnsavableStateError, dump, load
from tests.integration.conftest import running_aws
from tests.integration.test_local_sns import outbox

ROLE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kept-bucket/*"}
        ],
    }
)
API = json.dumps(
    {
        "swagger": "2.0",
        "info": {"title": "kept", "version": "1"},
        "paths": {"/": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}},
    }
)
ARN = "arn:aws:{}:us-east-1:123456789012:{}"


def code():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
        archive.writestr("padding", bytes(range(256)) * 1024)
    return target.getvalue()


def make_iam(iam):
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=ROLE)["Role"]["Arn"]
    iam.put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=POLICY)
    return role


def make_sqs(sqs):
    sqs.create_queue(QueueName="targets")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": ARN.format("sqs", "dead"), "maxReceiveCount": 3})
    url = sqs.create_queue(QueueName="queue", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="poison")
    for body in ("one", "two", "three"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def queued(sqs, name):
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in messages]


def make_sns(sns):
    topic = sns.create_topic(Name="topic", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    policy = json.dumps({"k": ["v"]})
    sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="a@example.com", Attributes={"FilterPolicy": policy}
    )


def make_events(events):
    events.put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": ARN.format("sqs", "targets")}])


def make_scheduler(scheduler):
    scheduler.create_schedule(
        Name="schedule",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": ARN.format("sqs", "targets"), "RoleArn": "arn:aws:iam::123456789012:role/role"},
    )


def make_glue(glue):
    glue.create_database(DatabaseInput={"Name": "base"})
    columns = [{"Name": "id", "Type": "bigint"}]
    storage = {"Columns": columns, "Location": "s3://kept-bucket/t/"}
    glue.create_table(
        DatabaseName="base",
        TableInput={
            "Name": "orders",
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": "dt", "Type": "date"}],
        },
    )
    glue.create_job(
        Name="job",
        Role="role",
        Command={"Name": "glueetl", "ScriptLocation": "s3://kept-bucket/job.py"},
        GlueVersion="5.0",
    )
    glue.create_partition(
        DatabaseName="base",
        TableName="orders",
        PartitionInput={"Values": ["2026-01-02"], "StorageDescriptor": storage},
    )


def make_lambda(functions):
    functions.create_function(
        FunctionName="function",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::123456789012:role/role",
        Code={"ZipFile": code()},
        Environment={"Variables": {"STAGE": "local"}},
    )


def make_cloudformation(cloudformation):
    resource = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "from-stack"}}
    template = json.dumps({"Resources": {"Topic": resource}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}})
    cloudformation.create_stack(StackName="stack", TemplateBody=template)


def make_s3(s3):
    s3.create_bucket(Bucket="kept-bucket")
    where = {"Bucket": "kept-bucket"}
    s3.put_bucket_versioning(**where, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(**where, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(**where, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_bucket_policy(**where, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    configuration = {"QueueArn": ARN.format("sqs", "targets"), "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        **where, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    for body in (b"old", b"new"):
        s3.put_object(**where, Key="in/a b.csv", Body=body, Metadata={"run": "7"}, Tagging="colour=blue")
    upload = s3.create_multipart_upload(**where, Key="half")["UploadId"]
    s3.upload_part(**where, Key="half", UploadId=upload, PartNumber=1, Body=b"first half, ")


def s3_kept(s3):
    where = {"Bucket": "kept-bucket"}
    versions = s3.list_object_versions(**where)["Versions"]
    newest, oldest = (
        s3.get_object(**where, Key=each["Key"], VersionId=each["VersionId"]) for each in versions
    )
    [upload] = s3.list_multipart_uploads(**where)["Uploads"]
    part = s3.list_parts(**where, Key="half", UploadId=upload["UploadId"])["Parts"][0]
    s3.complete_multipart_upload(
        **where,
        Key="half",
        UploadId=upload["UploadId"],
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    return (
        newest["Body"].read(),
        oldest["Body"].read(),
        newest["Metadata"],
        s3.get_object_tagging(**where, Key="in/a b.csv")["TagSet"],
        s3.get_bucket_versioning(**where)["Status"],
        s3.get_bucket_tagging(**where)["TagSet"],
        len(s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]["Rules"]),
        "Statement" in s3.get_bucket_policy(**where)["Policy"],
        len(s3.get_bucket_notification_configuration(**where)["QueueConfigurations"]),
        s3.get_object(**where, Key="half")["Body"].read(),
    )


# service: (make it, look at it, what is seen)
KEPT = {
    "iam": (make_iam, lambda c: c.list_role_policies(RoleName="role")["PolicyNames"], ["p"]),
    "sqs": (make_sqs, lambda c: (queued(c, "queue"), queued(c, "dead")), (["two", "three"], ["poison"])),
    "sns": (
        make_sns,
        lambda c: c.list_subscriptions_by_topic(TopicArn=ARN.format("sns", "topic"))["Subscriptions"][0][
            "Endpoint"
        ],
        "a@example.com",
    ),
    "s3": (
        make_s3,
        s3_kept,
        (
            b"new",
            b"old",
            {"run": "7"},
            [{"Key": "colour", "Value": "blue"}],
            "Enabled",
            [{"Key": "k", "Value": "v"}],
            1,
            True,
            1,
            b"first half, ",
        ),
    ),
    "secretsmanager": (
        lambda c: c.create_secret(Name="secret", SecretString='{"port": 5439}'),
        lambda c: c.get_secret_value(SecretId="secret")["SecretString"],
        '{"port": 5439}',
    ),
    "ssm": (
        lambda c: c.put_parameter(Name="/p", Value="v", Type="String"),
        lambda c: c.get_parameter(Name="/p")["Parameter"]["Value"],
        "v",
    ),
    "lambda": (
        make_lambda,
        lambda c: c.get_function_configuration(FunctionName="function")["Environment"]["Variables"],
        {"STAGE": "local"},
    ),
    "events": (
        make_events,
        lambda c: c.list_targets_by_rule(Rule="rule")["Targets"][0]["Arn"],
        ARN.format("sqs", "targets"),
    ),
    "scheduler": (
        make_scheduler,
        lambda c: c.get_schedule(Name="schedule")["ScheduleExpression"],
        "rate(1 day)",
    ),
    "glue": (
        make_glue,
        lambda c: (
            c.get_partitions(DatabaseName="base", TableName="orders")["Partitions"][0]["Values"],
            c.get_job(JobName="job")["Job"]["GlueVersion"],
        ),
        (["2026-01-02"], "5.0"),
    ),
    "athena": (
        lambda c: c.create_work_group(Name="group", Configuration={}),
        lambda c: c.get_work_group(WorkGroup="group")["WorkGroup"]["Name"],
        "group",
    ),
    "apigateway": (
        lambda c: c.import_rest_api(body=API),
        lambda c: [api["name"] for api in c.get_rest_apis()["items"]],
        ["kept"],
    ),
    "cloudformation": (
        make_cloudformation,
        lambda c: c.describe_stacks(StackName="stack")["Stacks"][0]["Outputs"][0]["OutputValue"],
        ARN.format("sns", "from-stack"),
    ),
    "stepfunctions": (
        lambda c: c.create_state_machine(
            name="machine",
            roleArn="arn:aws:iam::123456789012:role/role",
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        ),
        lambda c: [each["name"] for each in c.list_state_machines()["stateMachines"]],
        ["machine"],
    ),
    "dynamodb": (
        lambda c: c.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        ),
        lambda c: c.list_tables()["TableNames"],
        ["t"],
    ),
}


def make_and_delete(aws):
    s3, sns = aws.client("s3"), aws.client("sns")
    s3.create_bucket(Bucket="gone-bucket")
    for key in ("a", "b"):
        s3.put_object(Bucket="gone-bucket", Key=key, Body=b"1")
    s3.delete_object(Bucket="gone-bucket", Key="a")
    s3.delete_objects(Bucket="gone-bucket", Delete={"Objects": [{"Key": "b"}]})
    s3.delete_bucket(Bucket="gone-bucket")
    sns.delete_topic(TopicArn=sns.create_topic(Name="gone")["TopicArn"])


def write_a_log_line(aws):
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/kept")
    logs.create_log_stream(logGroupName="/kept", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "kept"}
    logs.put_log_events(logGroupName="/kept", logStreamName="s", logEvents=[event])


@pytest.fixture(scope="module")
def restarted(tmp_path_factory):
    """An embedded AWS that was told to end, started, filled, killed and started again."""
    directory, project = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("project")
    (project / "app.py").write_text("def handler(event, context):\n    return event\n")
    with running_aws(directory, project) as aws:
        write_a_log_line(aws)
        aws.stop()
    with running_aws(directory, project) as aws:
        for service, (make, _, _) in KEPT.items():
            make(aws.client(service))
        make_and_delete(aws)
        aws.client("sns").publish(TopicArn=ARN.format("sns", "from-stack"), Message="before the kill")
        aws.kill()
    with running_aws(directory, project) as aws:
        yield aws


@pytest.mark.parametrize("service", KEPT)
def test_a_killed_process_comes_back_with(restarted, service):
    _, look, expected = KEPT[service]
    assert look(restarted.client(service)) == expected


def test_the_outbox_survives_a_kill(restarted):
    [delivery] = outbox(restarted, ARN.format("sns", "from-stack"))
    assert delivery["message"] == "before the kill"


def test_a_function_still_runs_after_a_kill(restarted):
    answer = restarted.client("lambda").invoke(FunctionName="function", Payload=b'{"still": "here"}')
    assert json.load(answer["Payload"]) == {"still": "here"}


def test_what_is_deleted_stays_deleted(restarted):
    assert [each["Name"] for each in restarted.client("s3").list_buckets()["Buckets"]] == ["kept-bucket"]
    topics = [each["TopicArn"] for each in restarted.client("sns").list_topics()["Topics"]]
    assert topics == [ARN.format("sns", "topic"), ARN.format("sns", "from-stack")]


def test_only_the_files_of_living_objects_are_kept(restarted):
    versions = restarted.client("s3").list_object_versions(Bucket="kept-bucket")["Versions"]
    uploads = restarted.client("s3").list_multipart_uploads(Bucket="kept-bucket").get("Uploads", [])
    files = list((restarted.directory / "s3" / "objects").glob("??/*"))
    assert len(files) == len(versions) + len(uploads)


def test_every_acknowledged_put_survives_a_kill_in_the_middle_of_a_burst(tmp_path):
    acknowledged = []

    def put(client, number):
        try:
            client.put_object(Bucket="burst-bucket", Key=f"k{number % 40}", Body=f"{number}".encode())
        except Exception:  # noqa: BLE001 - the process is being killed: any failure means not acknowledged
            return
        acknowledged.append(number)
        if len(acknowledged) > 100:
            enough.set()

    enough = threading.Event()
    with running_aws(tmp_path) as aws:
        client = aws.client("s3")
        client.create_bucket(Bucket="burst-bucket")
        with ThreadPoolExecutor(8) as pool:
            # each key is written by one thread at a time, in rising order
            work = [pool.submit(lambda n=n: [put(client, n + 40 * r) for r in range(50)]) for n in range(40)]
            enough.wait(30)
            aws.kill()
            for each in work:
                each.result()
    newest = defaultdict(int)
    for number in acknowledged:
        newest[number % 40] = max(newest[number % 40], number)
    assert len(acknowledged) > 100
    with running_aws(tmp_path) as aws:
        client = aws.client("s3")
        for key, number in newest.items():
            body = client.get_object(Bucket="burst-bucket", Key=f"k{key}")["Body"].read()
            assert int(body) in {number, number + 40}  # the last one may have been written, unacknowledged


def test_a_state_that_another_moto_wrote_is_refused(tmp_path):
    (tmp_path / "version").write_text("5.0.0")
    with pytest.raises(IncompatibleStateError, match=r"moto 5\.0\.0"):
        Persistence(tmp_path)


def test_a_broken_state_file_is_refused_by_name(tmp_path):
    (tmp_path / "sns.state").write_bytes(b"broken")
    with pytest.raises(IncompatibleStateError, match=r"sns\.state"):
        Persistence(tmp_path).restore()


def test_locks_come_back_open_and_backends_by_name(tmp_path):
    lock = threading.RLock()
    lock.acquire()
    state = {
        "lock": lock,
        "condition": threading.Condition(lock),
        "queues": SQSBackend("us-east-1", "1" * 12),
    }
    back = load(dump(state, Blobs(tmp_path), attempts=1), Blobs(tmp_path))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(back["lock"].acquire, blocking=False).result()
    assert back["queues"].account_id == "1" * 12


def test_a_large_value_is_written_once(tmp_path):
    blobs, zip_ = Blobs(tmp_path), bytes(BLOB_SIZE + 1)
    first = dump({"code": zip_}, blobs, attempts=1)
    second = dump({"code": zip_, "more": 1}, blobs, attempts=1)
    assert len(first) + len(second) < 1000
    assert len(list(tmp_path.iterdir())) == 1
    assert load(second, Blobs(tmp_path)) == {"code": zip_, "more": 1}


def test_additions_since_the_last_save_come_back_and_a_cut_one_does_not(tmp_path):
    journal = Journal(tmp_path, "glue")
    journal.add(("kept", 1))
    journal.add(("kept", 2))
    journal.close()
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + pickle.dumps(("cut", "x" * 100))[:50])
    again = Journal(tmp_path, "glue")
    assert again.restored(0) == [("kept", 1), ("kept", 2)]
    again.add(("kept", 3))
    again.close()
    assert Journal(tmp_path, "glue").restored(0) == [("kept", 1), ("kept", 2), ("kept", 3)]


def test_an_addition_is_not_repeated_once_a_later_state_was_saved(tmp_path):
    journal = Journal(tmp_path, "glue")
    journal.add(("deleted since",))
    journal.close()
    saved = journal.next_number()  # the process is killed after this state is written, before `renew`
    assert Journal(tmp_path, "glue").restored(saved) == []


def test_what_cannot_be_saved_is_an_error(tmp_path):
    with pytest.raises(UnsavableStateError):
        dump({"thread": threading.current_thread()}, Blobs(tmp_path), attempts=1)
    captured = 3
    with pytest.raises(UnsavableStateError):
        dump(lambda: captured, Blobs(tmp_path), attempts=1)


def test_a_backend_is_named_and_not_copied(tmp_path):
    content = dump({"sns": SNSBackend("us-east-1", "123456789012")}, Blobs(tmp_path), attempts=1)
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(content)


def test_a_process_that_is_told_to_end_saves_the_newest_log_lines(restarted):
    found = restarted.client("logs").get_log_events(logGroupName="/kept", logStreamName="s")
    assert [each["message"] for each in found["events"]] == ["kept"]
