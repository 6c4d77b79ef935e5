"""A partner's account beside the stage's: files read, converted, loaded and refused across the two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli import partner
from cli.errors import Failure
from cli.partner_names import ACCOUNT, BUCKET
from cli.sample_data.cross_account import Sample, orders
from tests.acceptance.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.conftest import Stage

FOLDER = "outgoing/orders/"
READER = f"arn:aws:iam::{ACCOUNT}:role/decant-reader"


@pytest.fixture(scope="module")
def theirs(stage: Stage) -> Callable[[str], Any]:
    """Give the clients of a partner whose side has been set up."""
    partner.connect(stage.running.environment)
    clients: Callable[[str], Any] = partner.clients(stage.running.environment)
    return clients


def ended(stage: Stage, sample: Sample, seconds: float = 120) -> dict[str, Any]:
    key = FOLDER + sample.path.name

    def found() -> dict[str, Any] | None:
        for row in stage.api.get("/runs", pipeline="partner_orders", limit=100)["runs"]:
            run = stage.api.get(f"/runs/{row['name']}")
            if run["input"]["file"]["key"] == key and run["outcome"] != "running":
                return dict(run)
        return None

    return dict(wait_for(found, f"an ended run of {key}", seconds))


def export(theirs: Callable[[str], Any], sample: Sample) -> None:
    theirs("s3").upload_file(str(sample.path), BUCKET, FOLDER + sample.path.name)


def receipt(theirs: Callable[[str], Any], run: str) -> dict[str, Any]:
    body = theirs("s3").get_object(Bucket=BUCKET, Key=f"receipts/{run}.json")["Body"]
    return dict(json.loads(body.read()))


def test_files_of_the_other_account_are_loaded_by_both_ways_and_answered(
    stage: Stage, theirs: Callable[[str], Any], tmp_path: Path
) -> None:
    small = orders(tmp_path, "acceptance_small.csv", first=200_000, rows=30)
    large = orders(tmp_path, "acceptance_large.csv", first=300_000, rows=9_000)
    for sample in (small, large):
        export(theirs, sample)
    for sample in (small, large):
        run = ended(stage, sample)
        assert run["outcome"] == "succeeded", run
        assert receipt(theirs, run["name"])["rows"] == sample.rows
    jobs = theirs("glue").get_job_runs(JobName="partner-process-csv")["JobRuns"]
    assert [job["JobRunState"] for job in jobs] == ["SUCCEEDED"]
    with pytest.raises(stage.client("glue").exceptions.EntityNotFoundException):
        stage.client("glue").get_job(JobName="partner-process-csv")
    between = "order_id BETWEEN 200000 AND 399999"
    assert stage.sql(f"SELECT count(*) FROM public.partner_orders WHERE {between}") == [[9_030]]


def test_a_rejected_file_stays_with_the_partner_and_a_copy_is_in_quarantine(
    stage: Stage, theirs: Callable[[str], Any], tmp_path: Path
) -> None:
    dirty = orders(tmp_path, "acceptance_dirty.csv", first=400_000, rows=20, bad=True)
    export(theirs, dirty)
    run = ended(stage, dirty)
    assert run["outcome"] == "rejected"
    assert receipt(theirs, run["name"])["loaded"] is False
    kept = theirs("s3").get_object(Bucket=BUCKET, Key=FOLDER + dirty.path.name)["Body"].read()
    key = f"partner_orders/{run['name']}/file/{dirty.path.name}"
    quarantine = f"decant-local-quarantine-{stage.client('sts').get_caller_identity()['Account']}"
    assert stage.client("s3").get_object(Bucket=quarantine, Key=key)["Body"].read() == kept


def test_a_wrong_external_id_is_red_and_the_notice_says_what_to_compare(
    stage: Stage, theirs: Callable[[str], Any], tmp_path: Path
) -> None:
    late = orders(tmp_path, "acceptance_late.csv", first=500_000, rows=10)
    partner.connect(stage.running.environment, external_id="somebody-else")
    try:
        export(theirs, late)
        run = ended(stage, late)
    finally:
        partner.connect(stage.running.environment)
    assert (run["outcome"], run["error"]) == ("failed", "AccessRefused")
    assert run["steps"][0]["attempts"] == 1  # nothing tries it again
    notice = stage.notice(run)
    for words in (READER, "external id 'decant-local-7f3a'", "trust policy", "sts:ExternalId", "redrive"):
        assert words in notice["body"]
    again = stage.api.post(f"/runs/{run['name']}/redrive", {})["run"]
    wait_for(lambda: stage.api.get(f"/runs/{again}")["outcome"] == "succeeded", f"{again} succeeded")


def test_only_the_pipeline_s_own_bucket_can_be_named_by_hand(
    stage: Stage, theirs: Callable[[str], Any], tmp_path: Path
) -> None:
    sample = orders(tmp_path, "by_hand.csv", first=600_000, rows=5)
    theirs("s3").upload_file(str(sample.path), BUCKET, FOLDER + "by_hand.csv")
    body = {"key": FOLDER + "by_hand.csv", "bucket": BUCKET}
    path = "/pipelines/partner_orders/runs"
    with pytest.raises(Failure, match=r"the files of orders are in"):
        stage.api.post("/pipelines/orders/runs", body)
    with pytest.raises(Failure, match=r"there is no such file"):
        stage.api.post(path, body | {"key": FOLDER + "none.csv"})
    run = stage.api.post(path, body)["run"]
    wait_for(lambda: stage.api.get(f"/runs/{run}")["outcome"] == "succeeded", f"{run} succeeded")
