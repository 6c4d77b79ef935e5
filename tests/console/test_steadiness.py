"""What a person looks at, types or comes back to stays, whatever the page asks meanwhile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import wait_for
from tests.console.browser import PATIENCE
from tests.console.test_runs import played

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.browser import Console

RUNS = re.compile(r"/api/runs\?")
LOST = re.compile(r"Failed to load resource: net::ERR_FAILED")


def play(console: Console) -> None:
    """Answer every question for runs with the same fifty."""
    fifty = {"runs": [played(each) for each in range(50)], "next": None}
    console.page.route(RUNS, lambda route: route.fulfill(json=fifty))


def test_what_is_typed_stays_while_the_list_is_asked_for_again(console: Console) -> None:
    play(console)
    page = console.open("/runs")
    console.settled()
    box = page.get_by_role("searchbox")
    box.press_sequentially("two ", delay=50)
    expect(page).to_have_url(re.compile("search=two$"))
    for _ in range(2):  # the first may have been under way already
        with page.expect_response(RUNS):
            pass
    expect(box).to_have_value("two ")
    box.press_sequentially("words", delay=50)
    expect(page).to_have_url(re.compile(r"search=two\+words$"))
    expect(box).to_have_value("two words")
    page.get_by_role("link", name="Clear").click()
    expect(box).to_have_value("")


def test_the_way_back_leads_to_the_same_place_of_a_list(console: Console) -> None:
    play(console)
    file = {"bucket": "landing", "key": "incoming/refunds/late.csv"}
    asked = {"run": "refunds-1", "pipeline": "refunds", "file": file, "why": ["it is large"], "rows": 1}
    times = {"asked": "2026-01-01T00:00:00Z", "expires": "2099-01-01T00:00:00Z"}
    waits = {"waiting": [{**asked, "bad_rows": 0, **times}]}
    console.page.route("**/approvals", lambda route: route.fulfill(json=waits))
    page = console.open("/runs")
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.locator(".waits")).to_contain_text("late.csv")
    expect(page.locator(".strips-wait")).to_have_count(0)
    page.evaluate("scrollTo(0, 900)")
    page.get_by_role("link", name="Workflows").click()
    page.get_by_role("heading", name="Workflows").wait_for()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)
    wait_for(lambda: page.evaluate("scrollY") == 900, "the place in the list")


def test_a_new_run_moves_neither_the_focus_nor_the_page(console: Console) -> None:
    newest = [0]
    console.page.route(
        RUNS,
        lambda route: route.fulfill(
            json={"runs": [played(each) for each in range(newest[0] + 50, newest[0], -1)], "next": None}
        ),
    )
    page = console.open("/runs")
    expect(page.locator("tbody tr")).to_have_count(50)
    link = page.locator("tbody a.row-link").nth(9)
    link.focus()
    name = link.inner_text()
    newest[0] = 3
    expect(page.locator("tbody tr").first).to_contain_text("53.csv")
    expect(page.locator("tbody tr.fresh")).to_have_count(3)
    expect(page.locator(":focus")).to_have_text(name)


def test_a_page_that_lost_the_api_says_so_and_goes_on_by_itself(console: Console) -> None:
    play(console)
    page = console.open("/runs")
    expect(page.locator("tbody tr")).to_have_count(50)
    console.page.unroute(RUNS)
    page.route(RUNS, lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator(".live")).to_contain_text("not reached since")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.unroute(RUNS)
    play(console)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".live")).to_have_text("live")
    assert all(LOST.search(told) for told in console.complaints)
    console.complaints.clear()


def test_a_token_that_was_taken_back_leads_to_the_way_in_and_back_to_the_same_page(console: Console) -> None:
    console.meant.add(401)
    page = console.open("/workflows/load_file?state=ValidateFile")
    console.settled()
    workflow = re.compile("/api/workflows/load_file$")
    page.route(workflow, lambda route: route.fulfill(status=401, json={"message": "Unauthorized"}))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("it has ended or was taken back")
    page.unroute(workflow)
    page.get_by_label("Bearer token").fill(console.stage.running.api_token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="ValidateFile")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_run_of_a_very_long_name_does_not_scroll_sideways(tab: Callable[..., Console], width: int) -> None:
    console = tab(width)
    run: dict[str, Any] = played(1) | {"file": f"incoming/orders/{'long' * 200}.csv", "input": {}}
    console.page.route(re.compile(f"/api/runs/{run['name']}$"), lambda route: route.fulfill(json=run))
    console.page.route(
        re.compile(f"/api/runs/{run['name']}/"),
        lambda route: route.fulfill(
            json={"states": [], "outcome": "succeeded", "started": run["started"], "ended": run["ended"]}
            | {
                "notices": [],
                "workflow": "load_file",
                "definition": {"StartAt": "A", "States": {"A": {"Type": "Pass"}}},
            }
        ),
    )
    page = console.open(f"/runs/{run['name']}")
    expect(page.locator("#about")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
