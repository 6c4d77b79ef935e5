"""Ask a stage with thousands of finished runs, by its API and in a browser."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.many_runs import file_name, multiply
from benchmarks.runs_engines import _orders, _put, _until, peak
from cli import local_stage
from cli.doctor import BROWSERS
from cli.service import Service
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

TURNS = 5
NOT_KEPT = (25, 26, 27)
"""Hours that the console does not ask for: all runs fall into them, and a process lists all of them again."""
LISTED_BEFORE = (20, 21, 22)
"""Hours whose runs the process has listed: it looks only for what is new."""
LONGER_THAN_BEFORE = 30
PATIENCE = 60_000
"""Milliseconds that the browser waits for anything."""


def waits(case: str, runs: int, told: Callable[[str], None], *, every_page: bool) -> list[dict[str, Any]]:
    """Make a stage with so many runs in a folder of its own, and return a row for each wait.

    Args:
        case: the case's name.
        runs: how many.
        told: is told what happens.
        every_page: go through all of them by cursors too, which describes each and takes minutes.
    """
    folder = Path(tempfile.mkdtemp(prefix="decant-bench-"))
    rows: list[dict[str, Any]] = []
    try:
        told("making the two runs that are multiplied")
        with _running(folder) as stage:
            api = Service(stage.api_url, stage.api_token)
            _two_runs(stage, api)
            rows.append(_row("GET /runs, with 2 runs", _turns(lambda: api.get("/runs", limit=50)), stage))
        told(f"writing {runs:,} runs into the journal")
        multiply(folder / "aws" / "executions.sqlite", runs)
        told("starting the stage again")
        with _running(folder) as stage:
            for what, seconds in _all_waits(stage, runs, every_page=every_page):
                rows.append(_row(what, seconds, stage))
                told(f"{what}: {rows[-1]['seconds']} s")
    finally:
        shutil.rmtree(folder)
    return [{"suite": "console_runs", "case": case, **row} for row in rows]


def _row(what: str, seconds: list[float], stage: local_stage.LocalStage) -> dict[str, Any]:
    return {
        "engine": what,
        "seconds": round(median(seconds), 4),
        "longest_seconds": round(max(seconds), 4),
        "compared_to": None,
        "ratio": None,
        "peak_rss_mb": round(peak(stage)["peak_rss_mb"], 1),
    }


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[local_stage.LocalStage]:
    stage = local_stage.start(folder)
    try:
        yield stage
    finally:
        stage.stop()


def _two_runs(stage: local_stage.LocalStage, api: Service) -> None:
    """Have one file loaded and one rejected."""
    s3 = client(stage.environment, "s3")
    _put(s3, "good", _orders(1))
    _put(s3, "bad", _orders(101) + b"a row,too short\n")

    def ended() -> bool:
        found = sorted(run["outcome"] for run in api.get("/runs", limit=10)["runs"])
        return found == ["rejected", "succeeded"]

    _until(ended, "a loaded and a rejected file", pause=0.5)


def _all_waits(
    stage: local_stage.LocalStage, runs: int, *, every_page: bool
) -> Iterator[tuple[str, list[float]]]:
    api = Service(stage.api_url, stage.api_token)
    with _browser() as browser:
        yield "chromium: navigation to about:blank", _turns(lambda: _nothing(browser))
        yield "console: navigation to first row, first visit after the start", [_first_row(stage, browser)]
        yield (
            "console: navigation to first row, visits after it",
            _turns(lambda: _first_row(stage, browser)),
        )
        yield from _requests(api, runs)
        yield "console: navigation to first row, while counting anew", _while_counting(stage, browser)
        yield "console: navigation to first row, afterwards", _turns(lambda: _first_row(stage, browser))
        yield "console: put of a file to its row", _drops(stage, browser)
    if every_page:
        yield from _last_page(api)


def _requests(api: Service, runs: int) -> Iterator[tuple[str, list[float]]]:
    """Time what the API answers; a search goes through descriptions of the newest 300 runs."""
    asked: dict[str, dict[str, Any]] = {
        "first page": {},
        "outcome=failed": {"outcome": "failed"},
        "outcome=rejected": {"outcome": "rejected"},
        "search, the file is among the newest 50": {"search": file_name(runs - 20), "limit": 1},
        "search, no such file": {"search": "there is no such file"},
    }
    for what, query in asked.items():
        yield f"GET /runs, {what}, asked first", [_timed(lambda query=query: api.get("/runs", **query))]
        yield f"GET /runs, {what}", _turns(lambda query=query: api.get("/runs", **query))
    yield (
        "GET /statistics, counted anew",
        [_timed(lambda hours=hours: api.get("/statistics", hours=hours)) for hours in NOT_KEPT],
    )
    yield (
        "GET /statistics, what is new counted",
        [_timed(lambda hours=hours: api.get("/statistics", hours=hours)) for hours in LISTED_BEFORE],
    )
    api.get("/statistics")
    yield "GET /statistics, kept", _turns(lambda: api.get("/statistics"))


def _last_page(api: Service) -> Iterator[tuple[str, list[float]]]:
    """Go through every page by its cursor, and ask for the last one again."""
    seconds, names, cursor, last = [], set(), None, None
    while True:
        started = time.perf_counter()
        page = api.get("/runs", limit=100, next=cursor)
        seconds.append(time.perf_counter() - started)
        names |= {run["name"] for run in page["runs"]}
        if not page["next"]:
            break
        cursor = last = page["next"]
    if len(names) != len(seconds) * 100 - 100 + len(page["runs"]):
        raise SystemExit(f"{len(names)} different runs on {len(seconds)} pages")
    yield "GET /runs, each page of 100 on the way to the last", seconds
    yield "GET /runs, last page", _turns(lambda: api.get("/runs", limit=100, next=last))


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # the other suites need no browser

    program = next(path for path in map(shutil.which, BROWSERS) if path)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


def _nothing(browser: Browser) -> float:
    """Open a page that asks for nothing; tell what the browser itself takes."""
    context = browser.new_context(viewport={"width": 1280, "height": 820})
    started = time.perf_counter()
    context.new_page().goto("about:blank")
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def _while_counting(stage: local_stage.LocalStage, browser: Browser) -> list[float]:
    """Open the console while one worker after the other counts all runs, as for another page."""
    api, counting = Service(stage.api_url, stage.api_token), threading.Event()

    def count() -> None:
        hours = LONGER_THAN_BEFORE
        while not counting.is_set():
            hours += 1  # more hours than a process has read: it lists all runs again
            api.get("/statistics", hours=hours)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        return _turns(lambda: _first_row(stage, browser))
    finally:
        counting.set()
        counter.join()


def _first_row(stage: local_stage.LocalStage, browser: Browser) -> float:
    """Open the console in a fresh profile; tell the time until the first run is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 820})
    started = time.perf_counter()
    _drawn(stage, context.new_page())
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def _drawn(stage: local_stage.LocalStage, page: Page) -> None:
    page.goto(
        f"{stage.api_url}/console#token={quote(stage.api_token)}&to=%2Fruns",
        wait_until="commit",
        timeout=PATIENCE,
    )
    page.locator("table.runs tbody tr").first.wait_for(timeout=PATIENCE)


def _drops(stage: local_stage.LocalStage, browser: Browser) -> list[float]:
    """Put file after file under an open page; tell how long each takes to appear."""
    s3, page, seconds = client(stage.environment, "s3"), browser.new_page(), []
    _drawn(stage, page)
    for turn in range(TURNS):
        body = _orders(1001 + 10 * turn)
        # Files fall anywhere between two questions of the page, which come every 1.5 s.
        time.sleep(1 + turn * 1.5 / TURNS)
        started = time.perf_counter()
        _put(s3, f"dropped-{turn}", body)
        page.get_by_text(f"dropped-{turn}.csv").wait_for(timeout=PATIENCE)
        seconds.append(time.perf_counter() - started)
        page.locator("table.runs tbody tr", has_text=f"dropped-{turn}.csv").get_by_text("succeeded").wait_for(
            timeout=PATIENCE
        )
    page.close()
    return seconds


def _turns(work: Callable[[], Any]) -> list[float]:
    return [_timed(work) for _ in range(TURNS)]


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
