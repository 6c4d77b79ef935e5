"""S3 on the laptop: ranges, notifications, uploads, versions."""

from __future__ import annotations

import io
import json
import os
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote_plus
from uuid import uuid4

import psutil
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from local_aws.services.s3.content import BLOCK, Vault
from tests.integration.waiting import until

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def s3(local_aws):
    return local_aws.client("s3")


@pytest.fixture
def bucket(s3):
    name = f"bucket-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(local_aws):
    sqs = local_aws.client("sqs")
    url = sqs.create_queue(QueueName=f"events-{uuid4().hex[:8]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def notify(s3, bucket, arn, *rules, events=("s3:ObjectCreated:*",)):
    configuration = {"QueueArn": arn, "Events": list(events)}
    if rules:
        configuration["Filter"] = {"Key": {"FilterRules": [{"Name": n, "Value": v} for n, v in rules]}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )


def records(aws, url, count):
    """Return `count` event records from the queue, and fail when there are more."""
    sqs, found = aws.client("sqs"), []

    def enough():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found.extend(json.loads(message["Body"]).get("Records", []))
        return len(found) >= count

    until(enough)
    assert len(found) == count
    return found


def refusal(call, **request):
    with pytest.raises(ClientError) as refused:
        call(**request)
    return refused.value.response["Error"]["Code"]


def bytes_read(pid):
    """Bytes that the process has asked the kernel for, from files and sockets alike."""
    return int(re.search(r"rchar: (\d+)", Path(f"/proc/{pid}/io").read_text())[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts reads through Linux's /proc")
def test_a_ranged_get_reads_only_its_range(local_aws, s3, bucket):
    body = os.urandom(32 * MEGABYTE)
    s3.put_object(Bucket=bucket, Key="big", Body=body)
    before = bytes_read(local_aws.pid)
    for start in range(0, len(body), 4 * MEGABYTE):
        span = s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={start}-{start + 99}")
        assert span["Body"].read() == body[start : start + 100]
        assert span["ContentRange"] == f"bytes {start}-{start + 99}/{len(body)}"
    assert bytes_read(local_aws.pid) - before < MEGABYTE


def test_slicing_an_object_reads_nothing_until_it_is_sent(tmp_path):
    vault = Vault(tmp_path)
    kept = vault.keep(b"a" * 3 * BLOCK + b"tail")
    content = vault.open(kept.name, kept.size)
    Path(vault.path(kept.name)).write_bytes(b"b" * kept.size)
    assert bytes(content[3 * BLOCK :]) == b"bbbb"
    assert len(content[-2:]) == 2
    content.close()


@pytest.mark.parametrize(
    ("span", "expected"),
    [("bytes=2-", b"234"), ("bytes=-2", b"34"), ("bytes=0-0", b"0"), ("bytes=3-100", b"34")],
)
def test_open_and_suffix_ranges_are_answered(s3, bucket, span, expected):
    s3.put_object(Bucket=bucket, Key="k", Body=b"01234")
    assert s3.get_object(Bucket=bucket, Key="k", Range=span)["Body"].read() == expected


def test_a_range_beyond_the_end_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"01234")
    assert refusal(s3.get_object, Bucket=bucket, Key="k", Range="bytes=5-9") == "InvalidRange"


def test_an_object_can_be_read_while_it_is_overwritten(s3, bucket):
    bodies = [bytes([letter]) * 200_000 for letter in b"abcdef"]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    with ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(s3.put_object, Bucket=bucket, Key="k", Body=body) for body in bodies * 4]
        reads = [pool.submit(s3.get_object, Bucket=bucket, Key="k") for _ in range(40)]
        assert all(read.result()["Body"].read() in bodies for read in reads)
        assert all(write.result()["ETag"] for write in writes)


@pytest.mark.parametrize(
    "key", ["in/a+b c.csv", "in/naïve/日本.csv", 'in/it\'s "so" 100%=&.csv', "in/x\ty.csv"]
)
def test_an_event_names_an_odd_key_so_that_it_can_be_decoded(local_aws, s3, bucket, queue, key):
    url, arn = queue
    notify(s3, bucket, arn, ("prefix", "in/"), ("suffix", ".csv"))
    etag = s3.put_object(Bucket=bucket, Key=key, Body=b"12345")["ETag"]
    [record] = records(local_aws, url, 1)
    assert unquote_plus(record["s3"]["object"]["key"]) == key
    assert re.fullmatch(r"[\x21-\x7e]+", record["s3"]["object"]["key"])
    assert record["s3"]["object"]["eTag"] == etag.strip('"')
    assert record["s3"]["object"]["size"] == 5


def test_an_event_record_is_complete(local_aws, s3, bucket, queue):
    url, arn = queue
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    notify(s3, bucket, arn, events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
    version = s3.put_object(Bucket=bucket, Key="a b", Body=b"1", Tagging="k=v")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="a b")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a b", VersionId=version)
    created, marked, removed = records(local_aws, url, 3)
    assert created["eventName"] == "ObjectCreated:Put"
    assert created["s3"]["object"]["versionId"] == version
    assert created["s3"]["bucket"]["name"] == bucket
    assert created["s3"]["bucket"]["ownerIdentity"]["principalId"]
    assert created["userIdentity"]["principalId"]
    assert created["requestParameters"]["sourceIPAddress"]
    assert created["responseElements"]["x-amz-request-id"]
    assert created["awsRegion"] == "us-east-1"
    assert marked["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert marked["s3"]["object"]["versionId"] == marker
    assert removed["eventName"] == "ObjectRemoved:Delete"
    sequencers = [each["s3"]["object"]["sequencer"] for each in (created, marked, removed)]
    assert sequencers == sorted(set(sequencers))


def test_an_upload_in_parts_and_a_copy_are_each_told_of_once(local_aws, s3, bucket, queue):
    url, arn = queue
    notify(s3, bucket, arn)
    body = os.urandom(6 * MEGABYTE)
    s3.upload_fileobj(io.BytesIO(body), bucket, "big", Config=TransferConfig(multipart_threshold=MEGABYTE))
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big"})
    names = [record["eventName"] for record in records(local_aws, url, 2)]
    assert names == ["ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy"]


def test_filter_names_are_taken_in_any_case(local_aws, s3, bucket, queue):
    url, arn = queue
    notify(s3, bucket, arn, ("Prefix", "in/"), ("Suffix", ".csv"))
    for key in ("in/yes.csv", "in/no.txt", "out/no.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert [record["s3"]["object"]["key"] for record in records(local_aws, url, 1)] == ["in/yes.csv"]


def test_a_filter_by_anything_else_is_refused(s3, bucket, queue):
    with pytest.raises(ClientError) as refused:
        notify(s3, bucket, queue[1], ("infix", "x"))
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (("in/", ".csv"), ("in/", ".json"), False),
        (("in/", ".csv"), ("out/", ".csv"), False),
        (("in/", ".csv"), ("in/orders/", ".csv"), True),
        (("in/", ""), ("in/", ".csv"), True),
        (("", ".csv.gz"), ("in/", ".gz"), True),
    ],
)
def test_overlapping_filters_are_refused(s3, bucket, queue, one, other, overlap):
    def configuration(prefix, suffix, events):
        rules = [{"Name": n, "Value": v} for n, v in (("prefix", prefix), ("suffix", suffix)) if v]
        return {"QueueArn": queue[1], "Events": events, "Filter": {"Key": {"FilterRules": rules}}}

    configurations = [
        configuration(*one, ["s3:ObjectCreated:*"]),
        configuration(*other, ["s3:ObjectCreated:Put"]),
    ]
    request = {
        "Bucket": bucket,
        "NotificationConfiguration": {"QueueConfigurations": configurations},
    }
    if overlap:
        assert refusal(s3.put_bucket_notification_configuration, **request) == "InvalidArgument"
    else:
        s3.put_bucket_notification_configuration(**request)
    kept = s3.get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations", [])
    assert len(kept) == (0 if overlap else 2)


def test_a_destination_that_does_not_exist_is_refused(s3, bucket):
    with pytest.raises(ClientError) as refused:
        notify(s3, bucket, "arn:aws:sqs:us-east-1:123456789012:nobody")
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


def test_a_put_succeeds_when_its_queue_is_gone(local_aws, s3, bucket, queue):
    notify(s3, bucket, queue[1])
    local_aws.client("sqs").delete_queue(QueueUrl=queue[0])
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_sixteen_threads_put_and_read_back_what_they_put(s3, bucket):
    def put(number):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=str(number).encode() * 100)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(160)))
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert {item["Key"] for item in listed} == {f"k{number}" for number in range(160)}
    assert s3.get_object(Bucket=bucket, Key="k77")["Body"].read() == b"77" * 100


def test_one_of_sixteen_conditional_puts_wins(s3, bucket):
    def put(number):
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return number

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(put, range(16)))
    [winner] = [answer for answer in answers if answer != "PreconditionFailed"]
    assert s3.get_object(Bucket=bucket, Key="lock")["Body"].read() == str(winner).encode()


def test_a_put_over_another_version_than_expected_is_refused(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"3", IfMatch=etag) == "PreconditionFailed"


def test_concurrent_versions_are_all_kept(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=bucket, Key="k", Body=str(n).encode()), range(40)))
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    bodies = {
        s3.get_object(Bucket=bucket, Key="k", VersionId=v["VersionId"])["Body"].read() for v in versions
    }
    assert bodies == {str(number).encode() for number in range(40)}


def test_versions_are_listed_whatever_their_names_hold(s3, bucket):
    names = ["v/x\x1b[2J", "v/a\nb\r", "v/100% + 50%41 & a=b", "v/\U0001f4a5 \u202e", "v/<&>"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"1")
    versions = s3.list_object_versions(Bucket=bucket, Prefix="v/")["Versions"]
    assert {found["Key"] for found in versions} == set(names)
    objects = s3.list_objects_v2(Bucket=bucket, Prefix="v/")["Contents"]
    assert {found["Key"] for found in objects} == set(names)


def test_versioning_cannot_be_suspended(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    suspended = {"Status": "Suspended"}
    assert (
        refusal(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=suspended)
        == "NotImplemented"
    )


def test_a_presigned_url_puts_and_gets(s3, bucket):
    where = {"Bucket": bucket, "Key": "a b/ü.txt"}
    request = urllib.request.Request(
        s3.generate_presigned_url("put_object", where), b"\xff=signed", method="PUT"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", where)) as answer:
        assert answer.read() == b"\xff=signed"


def test_a_large_object_in_parts_needs_little_memory(local_aws, s3, bucket, tmp_path):
    size = 200 * MEGABYTE
    source, target = tmp_path / "source", tmp_path / "target"
    block = os.urandom(MEGABYTE)
    with source.open("wb") as file:
        for _ in range(size // MEGABYTE):
            file.write(block)
    process = psutil.Process(local_aws.pid)
    before, files = process.memory_info().rss, process.num_fds()
    s3.upload_file(str(source), bucket, "big")
    s3.download_file(bucket, "big", str(target))
    assert process.memory_info().rss - before < size / 2
    assert process.num_fds() < files + 50
    assert target.stat().st_size == size
    assert target.read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-25"')
    s3.delete_object(Bucket=bucket, Key="big")


def test_parts_must_be_listed_in_order_and_exist(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    where = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**where, PartNumber=n, Body=b"x" * 6 * MEGABYTE)["ETag"]}
        for n in (1, 2)
    ]
    complete = s3.complete_multipart_upload
    assert refusal(complete, **where, MultipartUpload={"Parts": parts[::-1]}) == "InvalidPartOrder"
    missing = [*parts, {"PartNumber": 3, "ETag": parts[0]["ETag"]}]
    assert refusal(complete, **where, MultipartUpload={"Parts": missing}) == "InvalidPart"
    complete(**where, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 12 * MEGABYTE


def test_an_unknown_upload_is_refused(s3, bucket):
    where = {"Bucket": bucket, "Key": "k", "UploadId": "nothing"}
    assert refusal(s3.upload_part, **where, PartNumber=1, Body=b"x") == "NoSuchUpload"


def test_a_range_of_another_object_becomes_a_part(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    where = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "source"}
    part = s3.upload_part_copy(**where, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-4")
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"234"
