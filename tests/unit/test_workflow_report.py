"""What lint and the price list say of the workflows, as the console reads it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from infrastructure import workflow_report
from infrastructure.render import ROOT


def test_every_workflow_has_no_findings_and_a_price_for_each_way() -> None:
    found = workflow_report.report(ROOT, "us-east-1")["workflows"]
    assert set(found) == {path.name.removesuffix(".asl.json") for path in (ROOT / "workflows").glob("*.json")}
    for name, each in found.items():
        assert each["findings"] == [], name
        assert each["cost"]["ways"], name
        assert all(way["usd"] > 0 for way in each["cost"]["ways"]), name
        failing = {way["states"][-1]: way["error"] for way in each["cost"]["ways"] if way["fails"]}
        assert None not in failing.values(), (name, failing)
        assert not any(way["error"] for way in each["cost"]["ways"] if not way["fails"]), name
    small = [way for way in found["load_file"]["cost"]["ways"] if "transform_file" in way["results"]]
    assert {"catalogue", "notify", "validate_file"} <= set(small[0]["results"])


def test_a_way_that_fails_tells_the_error_that_its_run_ends_with() -> None:
    found = workflow_report.report(ROOT, "us-east-1")["workflows"]
    by_state = {
        (name, way["states"][-3]): way["error"]
        for name, each in found.items()
        for way in each["cost"]["ways"]
        if way["fails"]
    }
    assert by_state["load_file", "NotifyFailed"] == "GlueJobFailed"
    assert by_state["load_file", "QuarantineFile"] == "FileRejected"
    assert by_state["crawl_and_transform", "DescribeSlowCrawl"] == "CrawlTookTooLong"


def test_a_region_without_prices_is_told_those_of_another() -> None:
    found = workflow_report.report(ROOT, "ap-nowhere-1")["workflows"]["load_file"]["cost"]
    assert found["region"] == workflow_report.OTHER_REGION


class _Missing(Exception):
    def __init__(self) -> None:
        self.response = {"Error": {"Code": "404"}}


class _S3:
    def __init__(self) -> None:
        self.meta = SimpleNamespace(region_name="eu-west-1")
        self.exceptions = SimpleNamespace(ClientError=_Missing)
        self.objects: dict[str, dict[str, Any]] = {}
        self.puts = 0

    def head_object(self, **given: Any) -> dict[str, Any]:
        if given["Key"] not in self.objects:
            raise _Missing
        return self.objects[given["Key"]]

    def put_object(self, **given: Any) -> None:
        self.puts += 1
        self.objects[given["Key"]] = given


def test_the_report_is_made_once_for_the_same_workflows() -> None:
    s3 = _S3()
    for _ in range(2):
        workflow_report.upload_workflow_report(lambda _: s3, "artifacts")
    assert s3.puts == 1
    assert "load_file" in json.loads(s3.objects[workflow_report.KEY]["Body"])["workflows"]
