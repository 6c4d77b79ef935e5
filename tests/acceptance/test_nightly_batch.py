"""Nights of sales on a whole stage: loaded once, checked before anybody sees them, reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.demos.nightly_batch import PUBLISHED, REPORT
from cli.demos.stage import DemoStage
from cli.sample_data.nightly_batch import write_all

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

FOLDER = "batch/sales/"


@pytest.fixture(scope="module")
def nights(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Four nights: two good exports, a tick without news, an export without a column, a broken one."""
    folder = tmp_path_factory.mktemp("sales")
    used = DemoStage(stage.running, folder, live=False)
    s3, bucket = used.client("s3"), used.bucket("landing")
    samples = write_all(folder, rows=200)
    for sample in samples[:2]:
        used.upload(sample.path, FOLDER + sample.path.name)
    good = used.follow(used.start("nightly_batch"))
    seen = used.athena(PUBLISHED)
    ticks = [tick(used, "2026-11-20T02:30:00Z"), tick(used, "2026-11-20T02:31:07Z")]
    quiet = used.follow(ticks[0])
    s3.put_object(Bucket=bucket, Key=f"{FOLDER}short.csv", Body=b"sale_id;sold_on\n1;2025-01-01\n")
    short = used.follow(used.start("nightly_batch"))
    s3.delete_object(Bucket=bucket, Key=f"{FOLDER}short.csv")
    used.upload(samples[2].path, FOLDER + samples[2].path.name)
    broken = used.follow(used.start("nightly_batch"))
    s3.delete_object(Bucket=bucket, Key=FOLDER + samples[2].path.name)
    runs = {"good": good, "quiet": quiet, "short": short, "broken": broken}
    return {**runs, "seen": seen, "ticks": ticks, "samples": samples, "stage": used}


def tick(stage: DemoStage, moment: str) -> str:
    """Do what EventBridge does at a moment; return the run's name."""
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": moment}
    event |= {"version": "0", "account": "", "region": "", "detail": {}, "resources": [], "id": "e"}
    answer = stage.client("lambda").invoke(
        FunctionName="decant-local-nightly_batch_due", Payload=json.dumps(event).encode()
    )
    return str(json.loads(answer["Payload"].read()))


def told(nights: dict[str, Any], night: str) -> dict[str, Any]:
    name = nights[night]["name"]
    return next(each for each in nights["stage"].notices(1) if name in each["body"])


def test_good_exports_are_published_once_and_reported(nights: dict[str, Any]) -> None:
    assert nights["good"]["outcome"] == "succeeded", nights["good"]
    ((rows, ids),) = nights["seen"]
    assert rows == ids
    read = sum(sample.rows for sample in nights["samples"][:2])
    notice = told(nights, "good")
    assert notice["subject"].startswith(f"[nightly_batch] succeeded: {int(rows):,} sales were added")
    assert f"Rows read:     {read}" in notice["body"]
    stage = nights["stage"]
    page = stage.client("s3").get_object(Bucket=stage.bucket("curated"), Key=REPORT)
    assert page["ContentType"] == "text/html; charset=utf-8"
    html = page["Body"].read().decode()
    assert html.count("<svg") == 7
    assert "Alimentación" in html


def test_a_tick_starts_one_run_and_a_night_without_news_is_green_and_told(nights: dict[str, Any]) -> None:
    assert nights["ticks"][0] == nights["ticks"][1]
    assert nights["quiet"]["outcome"] == "succeeded"
    assert nights["quiet"]["input"]["tick"] == "2026-11-20T02:30:00.000Z"
    assert "Nothing to do" in told(nights, "quiet")["subject"]


def test_an_export_without_a_column_ends_red_with_its_name(nights: dict[str, Any]) -> None:
    assert nights["short"]["outcome"] == "failed"
    assert "batch/sales/short.csv lacks the column region, customer" in told(nights, "short")["body"]


def test_a_broken_export_ends_red_with_the_numbers_and_changes_nothing(nights: dict[str, Any]) -> None:
    assert (nights["broken"]["outcome"], nights["broken"]["error"]) == ("failed", "ChecksFailed")
    assert (
        "FAILED  no_negative_amounts: 17 of 50 rows have a negative amount" in told(nights, "broken")["body"]
    )
    assert nights["stage"].athena(PUBLISHED) == nights["seen"]
