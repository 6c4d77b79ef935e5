"""Crawl and transform delivery reports: nothing to do, two good runs, and a report that lost a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.local_stage import STAGE
from cli.sample_data.crawl_and_transform import write_all

if TYPE_CHECKING:
    from cli.demos.stage import DemoStage

PIPELINE = "deliveries"
FOLDER = "batch/deliveries/"

HOURS = """SELECT carrier, count(*), count(delivered_at), round(avg(hours), 1)
FROM deliveries GROUP BY carrier ORDER BY carrier"""


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Run the workflow on no file, on one, and on two while somebody else's crawl runs."""
    first, second = write_all(stage.folder)
    empty = stage.follow(stage.start(PIPELINE))
    stage.upload(first.path, FOLDER + first.path.name)
    one = stage.follow(stage.start(PIPELINE))
    rows_of_one = _count(stage)
    stage.upload(second.path, FOLDER + second.path.name)
    stage.client("glue").start_crawler(Name=f"decant-{STAGE}-deliveries")
    two = stage.follow(stage.start(PIPELINE))
    hours = stage.athena(HOURS)
    notices = stage.notices(3)
    report: dict[str, Any] = {
        "runs": [_described(run) for run in (empty, one, two)],
        "rows": {"after_one_file": rows_of_one, "after_two_files": _count(stage)},
        "expected_rows": {"after_one_file": first.good, "after_two_files": first.good + second.good},
        "waited_for_the_other_crawl": "WaitForOtherCrawl" in _states(stage, two),
        "hours_by_carrier": hours,
        "notices": [notice["subject"] for notice in notices],
    }
    report["ok"] = (
        [run["outcome"] for run in (empty, one, two)] == ["failed", "succeeded", "succeeded"]
        and empty["error"] == "NoFiles"
        and report["rows"] == report["expected_rows"]
        and len(notices) == len(report["runs"])
    )
    _print(stage, report)
    return report


def _count(stage: DemoStage) -> int:
    return int(stage.athena("SELECT count(*) FROM deliveries")[0][0] or 0)


def _states(stage: DemoStage, run: dict[str, Any]) -> set[str]:
    events = stage.api.get(f"/runs/{run['name']}/events")["events"]
    return {event["details"]["name"] for event in events if event["type"].endswith("StateEntered")}


def _described(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("name", "outcome", "seconds", "error", "cause")}


def _print(stage: DemoStage, report: dict[str, Any]) -> None:
    words = ("no file", "one file", "two files, while another crawl ran")
    rows = [
        (what, run["outcome"], run["seconds"], run["cause"] or "")
        for what, run in zip(words, report["runs"], strict=True)
    ]
    stage.show(("there was", "outcome", "seconds", "why"), rows, "\nThe runs")
    counted = [
        (after.replace("_", " "), rows, report["expected_rows"][after])
        for after, rows in report["rows"].items()
    ]
    stage.show(("deliveries in the table", "rows", "good ones in the files"), counted)
    waited = "waited for" if report["waited_for_the_other_crawl"] else "over already, so not waited for"
    stage.say(f"the crawl that ran when the third run began was {waited}")
    stage.show(
        ("carrier", "deliveries", "arrived", "hours"), [tuple(row) for row in report["hours_by_carrier"]]
    )
    stage.show(("notices sent",), [(subject,) for subject in report["notices"]])
