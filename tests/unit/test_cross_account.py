"""Pipelines whose files, job or warehouse are in another account."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import pipelines, runs, settings, sources
from chalicelib.access import Access, Warehouse
from chalicelib.aws import assumed, client
from chalicelib.aws.s3 import S3
from chalicelib.errors import AccessRefused, InvalidPipeline, InvalidSettings, UnknownPipeline
from chalicelib.pipeline import GlueJob, Table
from chalicelib.steps.copy_to_redshift import load_of
from chalicelib.steps.keep_good_rows import keep
from chalicelib.steps.start_glue_job import job_arguments, start
from tests.factories import STARTED, a_file, a_pipeline
from tests.fakes import FakeGlue, FakeS3, FakeStepFunctions

PARTNER = "210987654321"
READER = f"arn:aws:iam::{PARTNER}:role/decant-reader"
BUCKET = f"partner-orders-{PARTNER}"


@pytest.mark.parametrize(
    "role", ["decant-reader", f"arn:aws:iam::{PARTNER}:user/x", "arn:aws:iam::12:role/x", ""]
)
def test_what_is_no_role_s_arn_is_refused_with_the_remedy(role: str) -> None:
    with pytest.raises(InvalidPipeline, match=r"write a role's ARN, arn:aws:iam::"):
        Access(role=role)
    with pytest.raises(InvalidPipeline, match=r"write a role's ARN"):
        a_pipeline(
            landing_prefix="x/", source_bucket=BUCKET, receipt_role=role or "x", workflow="load_partner_file"
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_access": Access(role=READER)}, "need a source_bucket"),
        ({"source_bucket": "Not A Bucket"}, "write a bucket's name"),
        ({"source_bucket": BUCKET, "landing_prefix": "/x"}, "write '<folder>/'"),
        ({"source_bucket": BUCKET, "landing_prefix": "x/", "receipt_role": READER}, "give both or neither"),
        (
            {"source_bucket": BUCKET, "landing_prefix": "x/", "workflow": "load_partner_file"},
            "give both or neither",
        ),
    ],
)
def test_a_pipeline_says_what_is_missing(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPipeline, match=words):
        a_pipeline(**changes)


def test_a_warehouse_of_another_account_needs_its_secret_and_its_roles() -> None:
    secret = f"arn:aws:secretsmanager:us-east-1:{PARTNER}:secret:warehouse-a1b2c3"
    with pytest.raises(InvalidPipeline, match=r"write its ARN"):
        Warehouse(secret="warehouse", copy_roles=(READER,))
    with pytest.raises(InvalidPipeline, match=r"at least the role attached"):
        Warehouse(secret=secret, copy_roles=())
    with pytest.raises(InvalidPipeline, match=r"copy role 'x'"):
        Warehouse(secret=secret, copy_roles=("x",))


def test_copy_goes_through_the_chain_of_the_warehouse_s_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = f"arn:aws:secretsmanager:us-east-1:{PARTNER}:secret:warehouse-a1b2c3"
    ours = settings.warehouse_role()
    warehouse = Warehouse(secret=secret, access=Access(role=READER), copy_roles=(READER, ours))
    pipeline = a_pipeline(table=Table(name="things", warehouse=warehouse))
    monkeypatch.setattr(pipelines, "file_pipeline", lambda _: pipeline)
    catalogue = {"columns": ["id"], "rows": 1, "manifest": "s3://curated/m"}
    document = {"file": a_file().to_document(), "pipeline": "things", "catalogue": catalogue}
    assert load_of({"token": "t", "run": "r", **document}).role == f"{READER},{ours}"


def test_a_file_of_a_partner_s_bucket_belongs_to_the_pipeline_that_names_the_bucket() -> None:
    states = FakeStepFunctions()
    file = a_file(bucket=BUCKET, key="outgoing/orders/a.csv")
    started = runs.start_for_file(states, file)
    assert started.run.startswith("partner_orders-")
    work = runs.describe(states, started.run, with_steps=False).input
    assert work["receipt_to"] == {"role": f"arn:aws:iam::{PARTNER}:role/decant-receipts", "bucket": BUCKET}
    with pytest.raises(UnknownPipeline, match=r"no pipeline's source_bucket"):
        runs.start_for_file(states, a_file(bucket="somebody-s", key="incoming/orders/a.csv"))
    with pytest.raises(UnknownPipeline, match=r"under no pipeline's landing prefix"):
        runs.start_for_file(states, a_file(bucket=BUCKET, key="incoming/orders/a.csv"))


def test_every_attempt_at_a_partner_s_file_ends_with_a_receipt_in_the_same_bucket() -> None:
    states = FakeStepFunctions()
    first = runs.start_for_file(states, a_file(bucket=BUCKET, key="outgoing/orders/a.csv"))
    states.describe("m", first.run).update(status="FAILED", error="AccessRefused", stopDate=datetime.now(UTC))
    second = runs.redrive(states, first.run)
    inputs = [runs.describe(states, name, with_steps=False).input for name in (first.run, second.run)]
    assert second.new
    assert inputs[0]["receipt_to"] == inputs[1]["receipt_to"]


def test_an_external_id_is_found_by_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECANT_EXTERNAL_IDS", f"111122223333=other,{PARTNER}=a=b:c")
    assert settings.external_id(PARTNER) == "a=b:c"
    assert settings.external_id("999999999999") is None
    monkeypatch.setenv("DECANT_EXTERNAL_IDS", "none")
    assert settings.external_id(PARTNER) is None
    monkeypatch.setenv("DECANT_EXTERNAL_IDS", "secret-thing")
    with pytest.raises(InvalidSettings, match=r"DECANT_EXTERNAL_IDS: write <12 digits>=") as wrong:
        settings.external_id(PARTNER)
    assert "secret-thing" not in str(wrong.value)


def test_a_role_that_the_stage_does_not_trust_is_never_asked_for() -> None:
    with pytest.raises(AccessRefused, match=r"add it to the parameter TrustedSourceRoles"):
        client.client("s3", Access(role=READER), "run-1")


def test_a_session_is_named_after_the_run_within_aws_s_limits() -> None:
    digest = "0123456789abcdef01234567"
    assert assumed.session_name(f"orders-{digest}") == f"orders-{digest}"
    long = assumed.session_name("x" * 47 + f"-{digest}-12")
    assert (len(long), long.endswith(f"-{digest}-12")) == (64, True)
    assert assumed.session_name("a b/c") == "a-b-c"


def test_only_the_source_bucket_is_reached_through_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("chalicelib.aws.s3.client", lambda *who: asked.append(who))
    storage = S3(BUCKET, Access(role=READER), "run-1")
    for bucket in (BUCKET, "landing"):
        storage._client(bucket)
    assert asked == [("s3", Access(role=READER), "run-1"), ("s3",)]


def test_good_rows_of_a_partner_s_file_are_kept_in_our_landing_bucket() -> None:
    s3 = FakeS3()
    file = s3.put(BUCKET, "outgoing/orders/a.csv", b"id,label\n1,a\nx,b\n")
    s3.put("quarantine", "rows.ndjson", b'{"row": 2}\n')
    found = {"rows": 2, "good_rows": 1, "reject_file": "s3://quarantine/rows.ndjson"}
    kept = keep(s3, a_pipeline(), file, "things-1", found)
    assert kept["file"]["bucket"] == "landing"
    assert {bucket for bucket, _ in s3.objects} == {BUCKET, "landing", "quarantine"}


def test_a_job_of_another_account_is_called_by_its_whole_name() -> None:
    s3, glue = FakeS3(), FakeGlue()
    file = s3.put(BUCKET, "outgoing/orders/a.csv", b"id,label\n")
    job = GlueJob(name="partner-process-csv", access=Access(role=READER))
    arguments = job_arguments(a_pipeline(), file, "things/", STARTED, "things-1")
    assert start(s3, glue, job, file, arguments)["job"] == "partner-process-csv"


def test_a_bucket_that_cannot_be_listed_keeps_no_other_file_from_its_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3, now = FakeS3(), datetime.now(UTC)
    s3.put("landing", "incoming/orders/lost.csv", b"x", age=timedelta(hours=1))

    class Closed(FakeS3):
        def listing(self, bucket: str, prefix: str) -> Any:
            raise AccessRefused(f"s3://{bucket}/{prefix}")
            yield

    monkeypatch.setattr(sources, "storage", lambda *_: Closed())
    assert [file.key for file, _ in runs.missing(FakeStepFunctions(), s3, now)] == [
        "incoming/orders/lost.csv"
    ]
    partner = pipelines.file_pipeline("partner_orders")
    monkeypatch.setenv("DECANT_TRUSTED_ROLES", f"none,{partner.source_access.role}")
    states = FakeStepFunctions()
    found = list(runs.missing(states, s3, now))  # an account that was never connected is no failure
    assert [file.key for file, _ in found] == ["incoming/orders/lost.csv"]
    runs.start_for_file(states, a_file(key="outgoing/orders/first.csv"), pipeline="partner_orders")
    again = runs.missing(states, s3, now)
    assert next(again)[0].key == "incoming/orders/lost.csv"
    with pytest.raises(AccessRefused):
        next(again)


def test_a_partner_s_file_is_copied_into_quarantine_and_stays_where_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[str, str, str]] = []

    class Client:
        def upload_fileobj(self, stream: Any, bucket: str, key: str) -> None:
            calls.append((bucket, key, stream.read().decode()))

    monkeypatch.setattr("chalicelib.aws.s3.client", lambda *_: Client())
    storage = S3(BUCKET, Access(role=READER), "run-1")
    monkeypatch.setattr(storage, "open", lambda _: io.BytesIO(b"bad"))
    storage.move(a_file(bucket=BUCKET), "quarantine", "k")
    assert calls == [("quarantine", "k", "bad")]
