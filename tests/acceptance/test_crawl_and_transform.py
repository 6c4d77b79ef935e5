"""Delivery reports on a whole stage: crawled, cleaned, published, and each state tried alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.demos.stage import DemoStage
from cli.sample_data.crawl_and_transform import report
from tests.integration.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Stage

FOLDER = "batch/deliveries/"
LOGS = "/aws/vendedlogs/states/decant-local-crawl_and_transform"


@pytest.fixture(scope="module")
def published(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run on an empty folder, then one on a small report."""
    folder = tmp_path_factory.mktemp("reports")
    used = DemoStage(stage.running, folder, live=False)
    empty = used.follow(used.start("deliveries"))
    sample = report(folder, day=0, count=100)
    used.upload(sample.path, FOLDER + sample.path.name)
    return {"empty": empty, "run": used.follow(used.start("deliveries")), "sample": sample, "stage": used}


def test_no_file_ends_red_with_the_remedy(published: dict[str, Any]) -> None:
    run = published["empty"]
    assert (run["outcome"], run["error"]) == ("failed", "NoFiles")
    assert "put one there" in run["cause"]


def test_the_good_rows_of_a_report_can_be_queried(published: dict[str, Any]) -> None:
    assert published["run"]["outcome"] == "succeeded", published["run"]
    stage, sample = published["stage"], published["sample"]
    assert stage.athena("SELECT count(*), count(DISTINCT delivery_id) FROM deliveries") == [
        [str(sample.good), str(sample.good)]
    ]
    assert stage.athena("SELECT count(*) FROM deliveries WHERE hours < 0 OR weight_kg <= 0") == [["0"]]


def test_people_read_how_many_rows_there_are(published: dict[str, Any]) -> None:
    (notice,) = (
        notice for notice in published["stage"].notices(1) if published["run"]["name"] in notice["body"]
    )
    assert (
        notice["subject"] == f"[deliveries] succeeded: {published['sample'].good} deliveries can be queried."
    )
    assert f"Rows read:   {published['sample'].rows}" in notice["body"]


def test_every_state_is_in_the_log(published: dict[str, Any]) -> None:
    logs = published["stage"].client("logs")
    states = {step["state"] for step in published["run"]["steps"]} | {"IsCrawlDone", "DeliveriesPublished"}

    def all_entered() -> bool:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=LOGS)
        events = [json.loads(event["message"]) for page in pages for event in page["events"]]
        return states <= {
            event["details"]["name"]
            for event in events
            if event["type"].endswith("StateEntered")
            and event["execution_arn"].endswith(published["run"]["name"])
        }

    until(all_entered)  # the log is delivered after the event, as on AWS


def test_a_state_can_be_tried_with_the_input_it_had_in_a_run(
    published: dict[str, Any], stage: Stage, tmp_path: Path
) -> None:
    run = published["run"]["name"]
    tried = stage.decant_json("steps", "try", "crawl_and_transform.IsThereAFile", "--run", run)
    assert tried["next"] == "BeginCrawl"
    own = tmp_path / "input.json"
    own.write_text('{"list_deliveries": {"count": 0}}')
    tried = stage.decant_json("steps", "try", "crawl_and_transform.IsThereAFile", "--input", str(own))
    assert tried["next"] == "DescribeNoFile"


def test_a_step_can_be_tried_alone_and_says_what_its_input_lacks(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    path.write_text('{"file": {}}')
    assert "the input lacks 'pipeline'" in stage.decant(
        "steps", "try", "validate_file", "--input", str(path), code=1
    )
    path.write_text("{")
    assert "not JSON" in stage.decant("steps", "try", "validate_file", "--input", str(path), code=1)
    path.write_text("{}")
    assert "there is none of this name" in stage.decant(
        "steps", "try", "nothing", "--input", str(path), code=1
    )
