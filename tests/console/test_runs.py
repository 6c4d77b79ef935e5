"""Runs in the browser: they come, go green or red, wait for people, and are acted on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.acceptance.conftest import own
from tests.console.browser import PATIENCE
from tests.console.conftest import ORDERS, PEOPLE, waiting_refund

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.acceptance.conftest import Stage
    from tests.console.browser import Console


def confirm(page: Page, button: str, reason: str | None = None) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    if reason is not None:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=button, exact=True).click()


def test_a_dropped_file_appears_by_itself_and_goes_green(console: Console) -> None:
    page = console.open("/runs")
    console.settled()
    name = f"{own('seen')}.csv"
    console.stage.put(f"incoming/people_csv/{name}", PEOPLE)
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("succeeded", timeout=PATIENCE)
    row.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    loaded = page.get_by_role("button", name=re.compile("^FileLoaded, Succeed, done"))
    expect(loaded).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^StartGlueJob, Task, not taken"))).to_be_visible()
    expect(page.locator("#about")).to_contain_text("2 of 2")


def test_the_first_list_is_asked_for_before_what_stands_around_it(
    console: Console, succeeded: dict[str, Any]
) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    console.page.route("**/runs?*", hold_the_first)
    with console.page.expect_request("**/runs?*"):
        console.open("/runs")
    asked = {urlsplit(url).path.rpartition("/")[2] for url in console.requests}
    assert asked & {"approvals", "statistics", "pipelines"} == set()
    with console.page.expect_request("**/statistics?*"):
        held[0].continue_()
    expect(console.page.get_by_role("link", name=succeeded["file"].rpartition("/")[2])).to_be_visible()


def test_a_state_shows_what_went_in_and_came_out(console: Console, succeeded: dict[str, Any]) -> None:
    page = console.open(f"/runs/{succeeded['name']}")
    page.get_by_role("button", name=re.compile("^ValidateFile, Task, done")).click()
    panel = page.locator(".panel")
    expect(panel.get_by_role("heading", name="ValidateFile")).to_be_focused()
    expect(panel.get_by_role("tabpanel")).to_contain_text('"valid": true')
    panel.get_by_role("tab", name="Input").click()
    expect(panel.get_by_role("tabpanel")).to_contain_text(succeeded["name"])
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_a_failing_glue_job_goes_red_with_its_message(console: Console) -> None:
    stage = console.stage
    with broken_glue_script(stage):
        name = f"{own('large')}.csv"
        rows = "".join(
            f"{number},2026-11-20T10:00:00,{'customer' * 8},,DE,Lamp,1,9.99,true,\n"
            for number in range(1, 80_001)
        )
        stage.put(f"incoming/orders/{name}", ORDERS + rows)
        page = console.open("/runs?pipeline=orders")
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text("failed", timeout=PATIENCE)
        expect(row).to_contain_text("$0.01")
        row.get_by_role("link", name=name).click()
        expect(page.locator(".what-failed").first).to_contain_text("the cellar is flooded")
        expect(page.get_by_role("button", name=re.compile("^RunFailed, Fail, failed"))).to_be_visible()
        expect(page.get_by_role("button", name="Redrive")).to_be_enabled()
    confirm(page, "Redrive")
    expect(page).to_have_url(re.compile("-2$"))


class broken_glue_script:  # noqa: N801 - read as a sentence: with broken_glue_script(stage)
    """Let the job for large CSV files fail as long as this lasts."""

    def __init__(self, stage: Stage) -> None:
        self.s3 = stage.client("s3")
        job = stage.client("glue").get_job(JobName="decant-local-process_csv")["Job"]
        self.bucket, _, self.key = job["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")

    def __enter__(self) -> None:
        self.whole = self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
        self.s3.put_object(
            Bucket=self.bucket, Key=self.key, Body=b"raise RuntimeError('the cellar is flooded')\n"
        )

    def __exit__(self, *_: object) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=self.whole)


def test_an_approver_lets_a_waiting_run_go_on(console: Console) -> None:
    run = waiting_refund(console.stage)
    page = console.open("/runs")
    page.get_by_role("region", name="Waiting for approval").get_by_role("link").first.wait_for()
    row = page.get_by_role("row").filter(has_text=run)
    expect(row).to_contain_text("waiting")
    key = console.stage.api.get(f"/runs/{run}")["file"]
    expect(row).to_contain_text(key.removeprefix("incoming/refunds/"))
    page = console.open("/files?pipeline=refunds")
    expect(page.get_by_role("row").filter(has_text=key)).to_contain_text("waiting")
    page = console.open("/pipelines/refunds")
    expect(page.locator(".page-head .badge")).to_have_text("waiting")
    page = console.open(f"/runs/{run}")
    expect(page.locator(".page-head .badge")).to_have_text("waiting")
    expect(page.get_by_role("region", name="Why it waits")).to_contain_text("this pipeline always asks")
    expect(page.get_by_text(f'decant approvals approve {run} --reason "..."').first).to_be_visible()
    confirm(page, "Approve", "looks right")
    expect(page.locator(".page-head .badge")).to_have_text("succeeded", timeout=PATIENCE)
    ended = console.stage.api.get(f"/runs/{run}")
    assert ended["output"]["request_approval"]["reason"] == "looks right"


def test_a_decision_without_a_reason_is_not_sent(console: Console) -> None:
    run = waiting_refund(console.stage)
    page = console.open(f"/runs/{run}")
    confirm(page, "Refuse")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Say why")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    confirm(page, "Stop", "enough seen")
    expect(page.locator(".page-head .badge")).to_have_text("stopped", timeout=PATIENCE)


def test_a_rejected_file_shows_its_offending_rows_and_is_put_back(
    console: Console, rejected: dict[str, Any]
) -> None:
    name = rejected["input"]["file"]["key"].rpartition("/")[2]
    page = console.open("/files?pipeline=orders")
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("rejected")
    page = console.open(f"/runs/{rejected['name']}")
    report = page.locator("#report")
    expect(report).to_contain_text("'three' is not an integer")
    expect(report.get_by_role("row").nth(1)).to_contain_text("quantity")
    expect(report.get_by_role("row").nth(1)).to_contain_text(",three,9.99")
    expect(page.get_by_role("button", name="Redrive")).to_have_count(0)
    confirm(page, "Requeue the file")
    expect(page).to_have_url(re.compile(rf"#/runs/{rejected['name']}-2$"))
    expect(page.locator(".page-head .badge")).to_have_text("rejected", timeout=PATIENCE)
    assert console.stage.api.get(f"/quarantine/{rejected['name']}")["requeued"]


def test_filters_are_in_the_address(
    console: Console, succeeded: dict[str, Any], rejected: dict[str, Any]
) -> None:
    page = console.open("/runs")
    page.get_by_label("Outcome").select_option("rejected")
    expect(page).to_have_url(re.compile(r"#/runs\?outcome=rejected$"))
    expect(page.locator("tbody")).to_contain_text(rejected["name"])
    expect(page.locator("tbody")).not_to_contain_text(succeeded["name"])
    page.go_back()
    expect(page.locator("tbody")).to_contain_text(succeeded["name"])
    page = console.open(f"/runs?pipeline=people_csv&search={succeeded['name'][-8:]}")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_ten_thousand_runs_are_drawn_a_page_at_a_time(console: Console) -> None:
    """The API's pages are played, so that no test has to make 10,000 runs."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        page_number = int((re.search(r"next=p(\d+)", route.request.url) or ["", "0"])[1])
        route.fulfill(
            json={
                "runs": [played(page_number * 50 + each) for each in range(50)],
                "next": f"p{page_number + 1}" if page_number < 199 else None,
            }
        )

    console.page.route(re.compile(r"/api/runs\?"), answer)
    page = console.open("/runs")
    expect(page.locator("tbody tr")).to_have_count(50)
    assert len(asked) == 1
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody")).to_contain_text("orders-000000000000000000000050")
    expect(page.locator("tbody tr")).to_have_count(50)
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
    page.get_by_role("button", name="Back").click()
    expect(page.locator("tbody")).to_contain_text("orders-000000000000000000000000")


def played(number: int) -> dict[str, Any]:
    return {
        "name": f"orders-{number:024d}",
        "pipeline": "orders",
        "outcome": "succeeded",
        "redrives": 0,
        "started": "2026-11-22T04:00:00Z",
        "ended": "2026-11-22T04:00:02Z",
        "seconds": 2.0,
        "error": None,
        "cause": None,
        "input": None,
        "output": None,
        "file": f"incoming/orders/{number}.csv",
        "rows": {"read": 5, "loaded": 5, "rejected": 0},
        "cost": 0.0003,
    }


def test_names_are_shown_as_they_are_whatever_they_hold(console: Console) -> None:
    names = [
        "<script>alert(1)</script>.csv",
        "<img src=x onerror=alert(2)>.csv",
        "\u202egnp.exe\u05d0\u05d1.csv",
        f"{'long' * 60}.csv",
    ]
    tail = own("x")
    for name in names:
        console.stage.put(f"incoming/people_csv/{tail}{name}", PEOPLE + f"3,{tail},{len(name)},Rome\n")
    alerts: list[str] = []
    console.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page = console.open(f"/runs?pipeline=people_csv&search={tail}")
    expect(page.locator("tbody tr")).to_have_count(len(names), timeout=PATIENCE)
    expect(page.locator("tbody")).to_contain_text(names[1])
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.locator("tbody a.row-link").filter(has_text=names[0]).click()
    expect(page.locator("#about")).to_contain_text(names[0])
    assert alerts == []
