"""The wrappers of chalicelib/aws through a role of another account."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.credentials
import pytest

from chalicelib.access import Access
from chalicelib.aws import assumed, client
from chalicelib.aws.glue import Glue
from chalicelib.aws.s3 import S3
from chalicelib.aws.secrets import Secrets
from chalicelib.errors import AccessRefused, UnknownFile
from tests.integration.conftest import running_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import RunningAWS

OURS, PARTNER = "123456789012", "210987654321"
EXTERNAL_ID = "decant-7f3a"


def theirs(aws: RunningAWS, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=PARTNER,
        aws_secret_access_key="any",
    )


@dataclass(frozen=True)
class Partner:
    """A partner's bucket and the access to it."""

    aws: RunningAWS
    bucket: str
    access: Access


@pytest.fixture
def partner(local_aws: RunningAWS, monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    """A role that trusts our account with an external id; this process calls as our account."""
    name = f"reader-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = theirs(local_aws, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    bucket = f"partner-{uuid.uuid4().hex[:10]}"
    theirs(local_aws, "s3").create_bucket(Bucket=bucket)
    theirs(local_aws, "s3").put_object(Bucket=bucket, Key="in/a.csv", Body=b"id\n1\n")
    for variable, value in local_aws.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DECANT_TRUSTED_ROLES", role["Role"]["Arn"])
    monkeypatch.setenv("DECANT_EXTERNAL_IDS", f"{PARTNER}={EXTERNAL_ID}")
    _forget()
    yield Partner(local_aws, bucket, Access(role=role["Role"]["Arn"]))
    _forget()


def _forget() -> None:
    client.client.cache_clear()
    assumed.session.cache_clear()


def test_a_partner_s_file_is_found_read_and_listed_through_the_role(partner: Partner) -> None:
    storage = S3(partner.bucket, partner.access, "run-1")
    file = storage.find(partner.bucket, "in/a.csv")
    assert storage.open(file).read() == b"id\n1\n"
    assert [found for found, _ in storage.listing(partner.bucket, "in/")] == [file]
    with pytest.raises(UnknownFile):
        storage.find(partner.bucket, "in/none.csv")


def test_a_copy_of_a_partner_s_file_comes_into_our_bucket(partner: Partner) -> None:
    own = f"own-{uuid.uuid4().hex[:10]}"
    partner.aws.client("s3").create_bucket(Bucket=own)
    storage = S3(partner.bucket, partner.access, "run-1")
    file = storage.find(partner.bucket, "in/a.csv")
    storage.move(file, own, "copy.csv")
    assert storage.open(storage.find(own, "copy.csv")).read() == b"id\n1\n"
    assert storage.is_current(file)


def test_without_the_role_the_bucket_is_refused_by_name(partner: Partner) -> None:
    for call in (
        lambda: S3().find(partner.bucket, "in/a.csv"),
        lambda: list(S3().listing(partner.bucket, "in/")),
    ):
        with pytest.raises(AccessRefused, match=partner.bucket):
            call()


def test_a_wrong_external_id_is_named_with_the_role_and_what_to_compare(
    partner: Partner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DECANT_EXTERNAL_IDS", f"{PARTNER}=somebody-else")
    with pytest.raises(AccessRefused) as refused:
        S3(partner.bucket, partner.access, "run-1").find(partner.bucket, "in/a.csv")
    for words in (partner.access.role, "'somebody-else'", "trust policy", "sts:ExternalId"):
        assert words in str(refused.value)
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


def test_the_role_is_assumed_once_for_all_calls_of_a_run_and_again_for_the_next(partner: Partner) -> None:
    def keys(run: str) -> str:
        return str(assumed.session(partner.access, run).get_credentials().get_frozen_credentials().access_key)

    assert keys("run-1") == keys("run-1")
    assert keys("run-1") != keys("run-2")
    who = assumed.session(partner.access, "run-2").client("sts").get_caller_identity()
    assert who["Arn"].endswith("/run-2")


def test_credentials_that_are_about_to_expire_are_renewed(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = assumed.session(partner.access, "run-1").get_credentials()
    first = credentials.get_frozen_credentials().access_key
    soon = datetime.now(UTC) + timedelta(minutes=50)  # they last an hour
    monkeypatch.setattr(botocore.credentials, "_local_now", lambda: soon)
    credentials._time_fetcher = lambda: soon
    assert credentials.get_frozen_credentials().access_key != first


def test_a_secret_and_a_job_of_the_other_account_are_reached(partner: Partner) -> None:
    name = f"warehouse-{uuid.uuid4().hex[:8]}"
    secret = theirs(partner.aws, "secretsmanager").create_secret(
        Name=name, SecretString=json.dumps({"host": "h"})
    )
    assert Secrets(partner.access, "decant-load").read(secret["ARN"]) == {"host": "h"}
    job = f"job-{uuid.uuid4().hex[:8]}"
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{partner.bucket}/none.py"}
    theirs(partner.aws, "glue").create_job(Name=job, Role="r", Command=command)
    glue = Glue(partner.access, "run-1")
    started = glue.start_job_run(job, {"--run": "run-1"})
    found = glue.find_job_run(job, "--run", "run-1")
    assert found is not None
    assert found.id == started.id
    with pytest.raises(client.client("glue").exceptions.EntityNotFoundException):
        Glue().job_run(job, started.id)


def test_accounts_sessions_and_owners_outlive_a_restart(tmp_path: Path) -> None:
    bucket = f"partner-{uuid.uuid4().hex[:10]}"
    with running_aws(tmp_path) as aws:
        theirs(aws, "s3").create_bucket(Bucket=bucket)
        theirs(aws, "s3").put_object(Bucket=bucket, Key="a", Body=b"1")
        keys = theirs(aws, "sts").get_session_token()["Credentials"]
    with running_aws(tmp_path) as aws:
        session = boto3.client(
            "s3",
            endpoint_url=aws.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        assert session.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
        with pytest.raises(aws.client("s3").exceptions.ClientError, match="AccessDenied"):
            aws.client("s3").get_object(Bucket=bucket, Key="a")
