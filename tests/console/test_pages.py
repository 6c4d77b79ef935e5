"""Every page: for all eyes, hands and screens, without a word to anybody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.acceptance.conftest import own
from tests.console.browser import PATIENCE
from tests.console.conftest import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.console.browser import Console

MOST_BYTES = 300_000


def pages(succeeded: dict[str, Any], rejected: dict[str, Any]) -> dict[str, str]:
    """Return the address of every page by its name."""
    return {
        "runs": "/runs",
        "run": f"/runs/{succeeded['name']}?state=ValidateFile",
        "rejected": f"/runs/{rejected['name']}",
        "files": "/files",
        "quarantine": "/files?show=quarantine",
        "expected": "/files?show=expected",
        "file": f"/files/{succeeded['input']['file']['key'].replace('/', '%2F')}?pipeline=people_csv",
        "pipelines": "/pipelines",
        "pipeline": "/pipelines/people_csv",
        "batch": "/pipelines/flight_metrics",
        "workflows": "/workflows",
        "workflow": "/workflows/load_file",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    tab: Callable[..., Console], scheme: str, succeeded: dict[str, Any], rejected: dict[str, Any]
) -> None:
    console = tab(color_scheme=scheme, reduced_motion="reduce")
    found = []
    for name, where in pages(succeeded, rejected).items():
        console.open(where)
        violations = Axe().run(console.settled()).response["violations"]
        found += [
            (name, each["id"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in violations
            if each["impact"] in {"serious", "critical"}
        ]
    assert found == []


@pytest.mark.parametrize("width", [360, 2560])
def test_no_page_scrolls_sideways(
    tab: Callable[..., Console], width: int, succeeded: dict[str, Any], rejected: dict[str, Any]
) -> None:
    console = tab(width)
    wide = {}
    for name, where in pages(succeeded, rejected).items():
        console.open(where)
        wide[name] = console.settled().evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in wide.items() if found > width} == {}


def test_all_that_a_page_needs_is_light(console: Console) -> None:
    page = console.page
    sizes: dict[str, int] = {}
    page.on(
        "response",
        lambda answer: sizes.update({answer.url: len(answer.body())} if "/console" in answer.url else {}),
    )
    console.open("/pipelines/people_csv")
    console.settled()
    assert len(sizes) >= 3
    assert sum(sizes.values()) < MOST_BYTES


def test_the_page_may_reach_the_stage_alone(console: Console) -> None:
    answer = requests.get(console.address, timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r'(?:src|href)="(?!console/|data:)', answer.text) == []


def test_the_keyboard_alone_leads_from_the_list_to_a_state(
    console: Console, succeeded: dict[str, Any]
) -> None:
    page = console.open(f"/runs?pipeline=people_csv&search={succeeded['name']}")
    console.settled()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to what the page is about")).to_be_focused()
    page.keyboard.press("Enter")
    link = page.locator("tbody a.row-link").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("each => each === document.activeElement"):
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    first = page.get_by_role("button", name=re.compile("^ValidateFile, Task, done"))
    expect(first).to_have_attribute("tabindex", "0")
    for _ in range(40):
        page.keyboard.press("Tab")
        if first.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name=re.compile("^IsFileValid, Choice, done"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#state-title")).to_be_focused()


def test_a_file_dropped_on_a_pipeline_lands_and_is_followed(console: Console, tmp_path: Path) -> None:
    file = tmp_path / f"{own('dropped')}.csv"
    file.write_text(PEOPLE)
    page = console.open("/pipelines/people_csv")
    page.get_by_label("Files to upload").set_input_files(file)
    sent = page.locator(".sent li").filter(has_text=file.name)
    expect(sent).to_contain_text("succeeded", timeout=PATIENCE)
    sent.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(file.name)


def test_a_batch_is_started_by_hand_with_its_parameters(console: Console) -> None:
    page = console.open("/pipelines/load_batch")
    console.settled()
    form = page.locator("#start")
    form.locator("label", has_text="Where the files are").get_by_role("textbox").fill(
        f"incoming/people_csv/{own('none')}/"
    )
    form.locator("label", has_text="what a file looks like").get_by_role("textbox").fill("people_csv")
    expect(form.locator(".command")).to_contain_text("decant runs start load_batch -p prefix=")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_text("Started:")).to_be_visible()


def test_what_is_not_there_says_so(console: Console) -> None:
    console.meant.add(404)
    page = console.open("/runs")
    page.goto(f"{console.address}#/runs/orders-000000000000000000000000")
    expect(page.get_by_role("alert")).to_contain_text("there is no such run")
    page.goto(f"{console.address}#/cellar")
    expect(page.get_by_text("There is no such page")).to_be_visible()
