"""One browser for all tests of the console, and runs of every kind to look at."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.acceptance.conftest import own, settings, stage, wait_for  # noqa: F401 - fixtures are found by name
from tests.console.browser import Console, chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.acceptance.conftest import Stage

PEOPLE = "id,name,age,city\n1,Ada,36,London\n2,Grace,45,New York\n"
REFUND = "refund_id,order_id,refunded_on,amount,reason\n{number},1,2026-11-20,9.99,late\n"
ORDERS = "order_id,ordered_at,customer,email,country,product,quantity,unit_price,gift,deliver_on\n"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no chromium on this machine: `apt-get install chromium`, and see `decant doctor`")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser, stage: Stage) -> Iterator[Callable[..., Console]]:  # noqa: F811 - the fixture
    """Open tabs; at the end, none may have complained or asked another host than the stage's."""
    opened: list[Console] = []

    def new(width: int = 1280, **options: Any) -> Console:
        context = browser.new_context(viewport={"width": width, "height": 820}, **options)
        opened.append(Console(stage, context, context.new_page()))
        return opened[-1]

    yield new
    for each in opened:
        each.context.close()
        assert each.complaints == []
        assert each.hosts <= {urlsplit(stage.running.api_url).netloc}


@pytest.fixture
def console(tab: Callable[..., Console]) -> Console:
    return tab()


@pytest.fixture(scope="session")
def succeeded(stage: Stage) -> dict[str, Any]:  # noqa: F811 - the fixture
    key = f"incoming/people_csv/{own('people')}.csv"
    stage.put(key, PEOPLE)
    (run,) = stage.ended(key)
    assert run["outcome"] == "succeeded"
    return run


@pytest.fixture(scope="session")
def rejected(stage: Stage) -> dict[str, Any]:  # noqa: F811 - the fixture
    key = f"incoming/orders/{own('dirty')}.csv"
    stage.put(key, dirty_orders())
    (run,) = stage.ended(key)
    assert run["outcome"] == "rejected"
    return run


def dirty_orders() -> str:
    """Return a good and a bad order."""
    number = secrets.randbelow(10**9)
    good = f"{number},2026-11-20T10:00:00,Ada,,DE,Lamp,1,9.99,true,\n"
    return ORDERS + good + good.replace(str(number), str(number + 1)).replace(",1,9.99", ",three,9.99")


def waiting_refund(stage: Stage) -> str:  # noqa: F811 - the fixture
    """Drop a refund and return the run that waits for approval."""
    key = f"incoming/refunds/november/{own('refund')}.csv"
    stage.put(key, REFUND.format(number=secrets.randbelow(10**9)))

    def waits() -> Any:
        asked = stage.api.get("/approvals")["waiting"]
        return next((each["run"] for each in asked if each["file"]["key"] == key), None)

    return str(wait_for(waits, f"a run of {key} that waits"))
