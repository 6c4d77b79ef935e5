"""The way in: a token for the tab, and what each role may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.console.browser import Console


def test_a_token_signs_in_for_this_tab_only(console: Console) -> None:
    page = console.page
    page.goto(console.address)
    page.get_by_label("Bearer token").fill(console.stage.running.api_token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage)") == []
    other = console.context.new_page()
    other.goto(console.address)
    expect(other.get_by_label("Bearer token")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Bearer token")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_a_wrong_token_is_refused_in_words(console: Console) -> None:
    console.meant.update({401, 403})
    page = console.page
    page.goto(console.address)
    page.get_by_label("Bearer token").fill("not-a-token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not accepted")


def test_a_slash_at_the_end_of_the_address_is_the_same_page(console: Console) -> None:
    page = console.page
    page.goto(f"{console.address}/#token={console.stage.running.api_token}&to=%2Fpipelines")
    expect(page.get_by_role("heading", name="Pipelines")).to_be_visible()
    assert page.url == f"{console.address}#/pipelines"


def test_a_link_with_a_token_leaves_none_in_the_address(console: Console) -> None:
    page = console.open("/pipelines")
    expect(page.get_by_role("heading", name="Pipelines")).to_be_visible()
    assert page.url.endswith("#/pipelines")
    page.go_back()
    assert console.stage.running.api_token not in page.url


def test_the_link_of_a_notice_leads_to_its_run_after_signing_in(
    console: Console, rejected: dict[str, Any]
) -> None:
    link = console.stage.notice(rejected)["facts"]["console"]
    assert link.endswith(f"/console#/runs/{rejected['name']}")
    page = console.page
    page.goto(link)
    page.get_by_label("Bearer token").fill(console.stage.tokens["viewer"])
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile(rejected["name"]))
    expect(page.get_by_role("heading", name="Notices sent")).to_be_visible()


@pytest.mark.parametrize(
    ("role", "requeues", "uploads"), [("viewer", False, False), ("operator", True, True)]
)
def test_a_role_sees_what_it_may_do(
    console: Console, rejected: dict[str, Any], role: str, requeues: bool, uploads: bool
) -> None:
    token = console.stage.tokens[role]
    page = console.open(f"/runs/{rejected['name']}", token)
    expect(page.locator(".role")).to_have_text(role)
    button = page.get_by_role("button", name="Requeue the file", exact=True)
    expect(button).to_be_enabled() if requeues else expect(button).to_be_disabled()
    page = console.open("/pipelines/orders", token)
    choose = page.get_by_role("button", name=re.compile("Choose files"))
    expect(choose).to_be_enabled() if uploads else expect(choose).to_be_disabled()
