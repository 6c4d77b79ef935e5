"""Every arrow of crawl_and_transform, walked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows
from tests.workflows.conftest import Workflow

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

READY = {"Crawler": {"State": "READY", "LastCrawl": {"Status": "SUCCEEDED"}}}
RUNNING = {"Crawler": {"State": "RUNNING"}}
BUSY = {"raise": "CrawlerRunningException"}
NO_TABLE = {"raise": "EntityNotFoundException"}
GOOD: dict[str, list[dict[str, Any]]] = {
    "list_deliveries": [{"KeyCount": 1}],
    "start_crawler": [{}],
    "check_crawl": [READY],
    "transform_deliveries": [{"Id": "jr", "ExecutionTime": 7}],
    "publish_table": [{}],
    "create_table": [{}],
    "count_rows": [{"QueryExecution": {"QueryExecutionId": "q"}}],
    "read_counts": [{"ResultSet": {"Rows": [{}, {"Data": [{"VarCharValue": "9"}, {"VarCharValue": "8"}]}]}}],
}
TASKS = list(GOOD)
NEEDED: dict[str, dict[str, list[dict[str, Any]]]] = {"create_table": {"publish_table": [NO_TABLE]}}
"""What has to happen before a task's turn comes."""


def last_crawl(**found: str) -> list[dict[str, Any]]:
    return [{"Crawler": {"State": "READY", "LastCrawl": found}}]


@pytest.fixture(scope="session")
def crawl(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    return Workflow(
        scripted_aws,
        tmp_path_factory.mktemp("calls"),
        "crawl_and_transform",
        good=GOOD,
        work={"parameters": {}},
        names={
            "CuratedBucket": "curated",
            "DeliveriesCrawler": "deliveries",
            "CatalogDatabase": "lake",
        },
        scripted=["".join(word.capitalize() for word in task.split("_")) for task in TASKS],
    )


WAYS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "the table exists": {},
    "the table is new": {"publish_table": [NO_TABLE]},
    "somebody else made the table meanwhile": {
        "publish_table": [NO_TABLE, {}],
        "create_table": [{"raise": "AlreadyExistsException"}],
    },
    "the crawl takes a while": {"check_crawl": [RUNNING, {"Crawler": {"State": "STOPPING"}}, READY]},
    "another crawl runs": {"start_crawler": [BUSY, BUSY, {}]},
    "the crawler is throttled": {"start_crawler": [{"raise": "ThrottlingException"}, {}]},
    "the job is at its limit": {
        "transform_deliveries": [
            {"raise": "ConcurrentRunsExceededException"},
            {"Id": "j", "ExecutionTime": 1},
        ]
    },
}
ENDS: dict[str, tuple[dict[str, list[dict[str, Any]]], str]] = {
    "no file": ({"list_deliveries": [{"KeyCount": 0}]}, "NoFiles"),
    "the crawl failed": (
        {"check_crawl": last_crawl(Status="FAILED", ErrorMessage="no access")},
        "CrawlFailed",
    ),
    "the crawl was stopped": ({"check_crawl": last_crawl(Status="CANCELLED")}, "CrawlStopped"),
    "the crawl never ends": ({"check_crawl": [RUNNING]}, "CrawlTookTooLong"),
    "another crawl never ends": ({"start_crawler": [BUSY]}, "CrawlTookTooLong"),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_well_when(crawl: Workflow, way: str) -> None:
    ended = crawl.run(**WAYS[way])
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "DeliveriesPublished"), ended.cause
    assert ended.calls["notify"] == 1


@pytest.mark.parametrize("way", ENDS)
def test_it_tells_and_ends_red_when(crawl: Workflow, way: str) -> None:
    script, error = ENDS[way]
    ended = crawl.run(**script)
    assert (ended.status, ended.error) == ("FAILED", error)
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]


@pytest.mark.parametrize("task", TASKS)
def test_a_failure_of_any_task_is_told_and_ends_red(crawl: Workflow, task: str) -> None:
    ended = crawl.run(**NEEDED.get(task, {}), **{task: [{"raise": "AccessDeniedException", "message": "no"}]})
    assert (ended.status, ended.error) == ("FAILED", "AccessDeniedException")
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]


def test_nobody_told_is_red(crawl: Workflow) -> None:
    deaf = [{"raise": "NotFoundException", "message": "no such topic"}]
    ended = crawl.run(notify=deaf)
    assert (ended.status, ended.error) == ("FAILED", "NoticeNotSent")
    assert crawl.run(notify=deaf, read_counts=[{"raise": "X"}]).states[-1] == "RunFailed"


def test_a_crawl_that_ended_well_is_not_taken_for_ours_while_another_runs(crawl: Workflow) -> None:
    ended = crawl.run(start_crawler=[BUSY, {}])
    assert ended.states.index("WaitForOtherCrawl") < ended.states.index("CheckCrawl")
    assert ended.calls["start_crawler"] == 2


def test_the_table_points_at_the_folder_of_its_run_alone(crawl: Workflow) -> None:
    text = json.dumps(crawl.definition["States"]["TransformDeliveries"]["Parameters"])
    place = "States.Format('s3://${CuratedBucket}/deliveries/{}/', $.run)"
    assert place in text
    for state in ("PublishTable", "CreateTable"):
        table = crawl.definition["States"][state]["Parameters"]["TableInput"]
        assert table["StorageDescriptor"]["Location.$"] == place


def test_every_arrow_is_walked(crawl: Workflow) -> None:
    scripts = [*WAYS.values(), *(script for script, _ in ENDS.values())]
    scripts += [{"notify": [{"raise": "X"}]}, {"notify": [{"raise": "X"}], "read_counts": [{"raise": "X"}]}]
    scripts += [{**NEEDED.get(task, {}), task: [{"raise": "X"}]} for task in TASKS]
    executions = [crawl.start(**script) for script in scripts]
    walked = set().union(*(crawl.end_of(execution).arrows() for execution in executions))
    states = crawl.definition["States"]
    drawn = {(name, target) for name, state in states.items() for _, target in arrows(state)}
    assert drawn - walked == set()
