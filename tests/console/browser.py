"""Debian's chromium on the console of a stage, and what it must never do there."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from playwright.sync_api import expect

from cli.doctor import BROWSERS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

    from tests.acceptance.conftest import Stage

PATIENCE = 90_000
"""Milliseconds that a page may take to show what a run does; the stage shares two cores with other tests."""


def chromium() -> str | None:
    """Return where the browser is, or None. CI has to have one: there it is a failure."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None and os.environ.get("CI"):
        raise FileNotFoundError("CI has no chromium: apt-get install chromium")
    return found


@dataclass
class Console:
    """One tab: the pages of a stage's console, and all that the browser complained about."""

    stage: Stage
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    meant: set[int] = field(default_factory=set)
    """Statuses of 400 and above that the test itself provokes."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    @property
    def address(self) -> str:
        return f"{self.stage.running.api_url}/console"

    def open(self, where: str = "/runs", token: str | None = None) -> Page:
        """Sign in through the address, as the terminal's link does, and go to a page."""
        shown = token or self.stage.running.api_token
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#token={quote(shown)}&to={quote(where, safe='')}")
        self.page.locator("main h1").first.wait_for()
        return self.page

    def settled(self) -> Page:
        """Wait until nothing is shown as loading."""
        expect(self.page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE)
        return self.page

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.requests if not url.startswith(("data:", "about:"))}

    def _heard(self, message: ConsoleMessage) -> None:
        told = message.text
        about = re.match(r"Failed to load resource: the server responded with a status of (\d+)", told)
        if message.type in {"error", "warning"} and not (about and int(about[1]) in self.meant):
            self.complaints.append(told)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status not in self.meant:
            self.complaints.append(f"{answer.status} {answer.url}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)
