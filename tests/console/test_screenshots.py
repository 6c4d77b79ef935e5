"""The pictures of docs/console.md, taken anew when asked: `make screenshots`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import own
from tests.console.conftest import PEOPLE, waiting_refund

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.conftest import Stage
    from tests.console.browser import Console

FOLDER = os.environ.get("CONSOLE_SCREENSHOTS")

pytestmark = pytest.mark.skipif(not FOLDER, reason="pictures are taken by `make screenshots` alone")

MOST_BYTES = 150_000

PAGES = {
    "runs": "/runs",
    "run": "/runs/{succeeded}?state=ValidateFile",
    "rejected": "/runs/{rejected}",
    "approval": "/runs/{waiting}",
    "files": "/files",
    "file": "/files/{key}?pipeline=people_csv",
    "pipeline": "/pipelines/people_csv",
    "pipelines": "/pipelines",
    "workflow": "/workflows/load_file",
}


@pytest.fixture(scope="module")
def names(stage: Stage, succeeded: dict[str, Any], rejected: dict[str, Any]) -> dict[str, str]:
    """Return what the addresses of pages are filled in with, after some more files landed."""
    for word in ("berlin", "lisbon", "madrid"):
        key = f"incoming/people_csv/{own(word)}.csv"
        stage.put(key, PEOPLE + f"3,{word},30,{word}\n")
        stage.ended(key)
    return {
        "succeeded": succeeded["name"],
        "rejected": rejected["name"],
        "waiting": waiting_refund(stage),
        "key": succeeded["input"]["file"]["key"].replace("/", "%2F"),
    }


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_a_picture_of_each_page(
    tab: Callable[..., Console], names: dict[str, str], scheme: str, width: int
) -> None:
    assert FOLDER
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    console = tab(width, color_scheme=scheme, reduced_motion="reduce", timezone_id="Europe/Berlin")
    for name, where in PAGES.items():
        if width == 1280 or name in {"runs", "run"}:
            console.open(where.format(**names))
            _take(console, folder / f"{name}-{scheme if width == 1280 else width}.png")
    console.page.get_by_role("button", name="Sign out").click()
    expect(console.page.get_by_label("Bearer token")).to_be_visible()
    if width == 1280:
        _take(console, folder / f"sign_in-{scheme}.png")


LATER = {
    "runs": [".waits", ".strips", "tbody .badge:has-text('waiting')"],
    "pipelines": [".strip-cell svg"],
    "approval": [".waits time"],
}
"""What comes after the first list of a page."""


def _take(console: Console, path: Path) -> None:
    page = console.settled()
    for part in LATER.get(path.stem.partition("-")[0], []):
        page.locator(part).first.wait_for()
    page.wait_for_load_state("networkidle") if "sign_in" in path.name else None
    expect(page.locator(".chart canvas")).to_have_count(3 if re.match("pipeline-", path.name) else 0)
    page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size < MOST_BYTES
