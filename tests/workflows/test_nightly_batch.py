"""Every arrow of nightly_batch, walked."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows
from tests.workflows.conftest import Workflow

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

READY = {"Crawler": {"State": "READY", "LastCrawl": {"Status": "SUCCEEDED"}}}
RUNNING = {"Crawler": {"State": "RUNNING"}}
BUSY = {"raise": "CrawlerRunningException"}
FACTS: dict[str, Any] = {"headline": "", "facts": {"Files there": 2}}
FOUND = {"QueryExecution": {"QueryExecutionId": "q"}}
QUERIES = {
    "view": "CREATE VIEW",
    "checks": [{"name": name, "sql": "SELECT 1", "values": ["'b'"]} for name in ("first", "second")],
    "analysis": [{"name": "totals", "sql": "SELECT 3"}],
}
GOOD: dict[str, list[dict[str, Any]]] = {
    "find_new_sales": [{"work": "clean", "batch": "b", "manifest": "s3://curated/files.json", **FACTS}],
    "plan_sales_queries": [QUERIES],
    "clean_sales": [{"Id": "jr", "ExecutionTime": 7}],
    "start_crawler": [{}],
    "look_at_crawl": [READY],
    "run_check": [FOUND],
    "judge_sales": [{"passed": True, "error": "", "cause": ""}],
    "publish_sales": [{"rows": 9, "files": 2}],
    "create_sales_view": [FOUND],
    "run_analysis_query": [FOUND],
    "report_sales": [{"headline": "9 sales", "facts": {"Rows read": 10}, "lines": [], "report": "s3://r"}],
}
CALLS = ["CleanSales", "StartCrawler", "LookAtCrawl", "RunCheck", "CreateSalesView", "RunAnalysisQuery"]
"""The tasks that call AWS itself, not a step."""

NOTHING = [{"work": "nothing", "batch": "", "manifest": "", "headline": "Nothing to do.", "facts": {}}]
REPORT = [{"work": "report", "batch": "b", "manifest": "", **FACTS}]
DEAF = [{"raise": "NotFoundException", "message": "no such topic"}]


def last_crawl(**found: str) -> list[dict[str, Any]]:
    return [{"Crawler": {"State": "READY", "LastCrawl": found}}]


@pytest.fixture(scope="session")
def nightly(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    return Workflow(
        scripted_aws,
        tmp_path_factory.mktemp("calls"),
        "nightly_batch",
        good=GOOD,
        work={"parameters": {"most_rejected": "10", "most_missing": "5"}},
        names={
            "CuratedBucket": "curated",
            "CleanSalesJob": "clean_sales",
            "SalesCrawler": "sales",
            "CatalogDatabase": "lake",
            "AthenaWorkgroup": "queries",
        },
        scripted=CALLS,
    )


WAYS: dict[str, tuple[dict[str, list[dict[str, Any]]], str]] = {
    "there are new exports": ({}, "SalesPublished"),
    "there is nothing new": ({"find_new_sales": NOTHING}, "NothingNew"),
    "only the report is missing": ({"find_new_sales": REPORT}, "SalesPublished"),
    "the crawl takes a while": (
        {"look_at_crawl": [RUNNING, {"Crawler": {"State": "STOPPING"}}, READY]},
        "SalesPublished",
    ),
    "another crawl runs": ({"start_crawler": [BUSY, BUSY, {}]}, "SalesPublished"),
    "the job works for another run": (
        {"clean_sales": [{"raise": "ConcurrentRunsExceededException"}, *GOOD["clean_sales"]]},
        "SalesPublished",
    ),
    "another run publishes at the same time": (
        {"publish_sales": [{"raise": "LedgerChanged"}, *GOOD["publish_sales"]]},
        "SalesPublished",
    ),
    "athena has a bad moment": (
        {"run_check": [{"raise": "TooManyRequestsException"}, FOUND]},
        "SalesPublished",
    ),
}
ENDS: dict[str, tuple[dict[str, list[dict[str, Any]]], str]] = {
    "a check fails": (
        {"judge_sales": [{"passed": False, "error": "ChecksFailed", "cause": "1 of 6 checks failed"}]},
        "ChecksFailed",
    ),
    "another run published a file": ({"publish_sales": [{"raise": "AlreadyPublished"}]}, "AlreadyPublished"),
    "the crawl failed": (
        {"look_at_crawl": last_crawl(Status="FAILED", ErrorMessage="no access")},
        "CrawlFailed",
    ),
    "the crawl was stopped": ({"look_at_crawl": last_crawl(Status="CANCELLED")}, "CrawlStopped"),
    "the crawl never ends": ({"look_at_crawl": [RUNNING]}, "CrawlTookTooLong"),
    "another crawl never ends": ({"start_crawler": [BUSY]}, "CrawlTookTooLong"),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_well_and_tells_when(nightly: Workflow, way: str) -> None:
    script, last = WAYS[way]
    ended = nightly.run(**script)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", last), ended.cause
    assert ended.calls["notify"] == 1


@pytest.mark.parametrize("way", ENDS)
def test_it_tells_and_ends_red_when(nightly: Workflow, way: str) -> None:
    script, error = ENDS[way]
    ended = nightly.run(**script)
    assert (ended.status, ended.error) == ("FAILED", error)
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]


@pytest.mark.parametrize("task", GOOD)
def test_a_failure_of_any_task_is_told_and_ends_red(nightly: Workflow, task: str) -> None:
    ended = nightly.run(**{task: [{"raise": "AccessDeniedException", "message": "no"}]})
    assert (ended.status, ended.error) == ("FAILED", "AccessDeniedException")
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]


def test_nothing_is_published_before_every_check_was_judged(nightly: Workflow) -> None:
    ended = nightly.run()
    assert ended.calls["run_check"] == len(QUERIES["checks"])
    order = [
        ended.states.index(state) for state in ("CleanSales", "StartCrawler", "JudgeSales", "PublishSales")
    ]
    assert order == sorted(order)
    failed = nightly.run(judge_sales=[{"passed": False, "error": "ChecksFailed", "cause": "why"}])
    assert "PublishSales" not in failed.states
    assert failed.cause == "why"


def test_a_night_without_news_starts_no_job(nightly: Workflow) -> None:
    ended = nightly.run(find_new_sales=NOTHING)
    assert ended.states == ["FindNewSales", "IsThereWork", "NotifyNothingNew", "NothingNew"]


def test_a_published_batch_without_its_report_is_not_cleaned_again(nightly: Workflow) -> None:
    ended = nightly.run(find_new_sales=REPORT)
    assert "CleanSales" not in ended.states
    assert "ReportSales" in ended.states


@pytest.mark.parametrize(
    ("script", "last"),
    [
        ({}, "NoticeNotSent"),
        ({"find_new_sales": NOTHING}, "NoticeNotSent"),
        ({"report_sales": [{"raise": "X"}]}, "RunFailed"),
    ],
)
def test_nobody_told_is_red(nightly: Workflow, script: dict[str, Any], last: str) -> None:
    ended = nightly.run(notify=DEAF, **script)
    assert (ended.status, ended.states[-1]) == ("FAILED", last)


def test_every_arrow_is_walked(nightly: Workflow) -> None:
    scripts = [script for script, _ in (*WAYS.values(), *ENDS.values())]
    scripts += [{task: [{"raise": "X"}]} for task in GOOD]
    scripts += [
        {"notify": DEAF},
        {"notify": DEAF, "find_new_sales": NOTHING},
        {"notify": DEAF, "clean_sales": [{"raise": "X"}]},
    ]
    executions = [nightly.start(**script) for script in scripts]
    ended = [nightly.end_of(execution) for execution in executions]
    walked = set().union(*(each.arrows() for each in ended))
    outer = nightly.definition["States"]
    drawn = {(name, target) for name, state in outer.items() for _, target in arrows(state)}
    maps = {name for name, state in outer.items() if state["Type"] == "Map"}
    inner = {state for name in maps for state in outer[name]["ItemProcessor"]["States"]}
    assert {(name, target) for name, target in drawn if name not in maps} - walked == set()
    for name, target in drawn:  # between a Map and what follows are the states of its items
        if name in maps:
            ways = [[state for state in each.states if state not in inner] for each in ended]
            assert any((name, target) in itertools.pairwise(way) for way in ways)
