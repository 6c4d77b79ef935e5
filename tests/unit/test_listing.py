"""Pages of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import listing
from chalicelib.errors import InvalidRequest
from chalicelib.run import RunName
from tests.factories import a_file, an_execution
from tests.fakes import FakeStepFunctions

NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)


def many(count: int, pipeline: str = "orders", status: str = "SUCCEEDED") -> FakeStepFunctions:
    states = FakeStepFunctions()
    for age in reversed(range(count)):
        name = str(RunName.of(pipeline, a_file()))
        states.add(an_execution(name, status, startDate=NEWEST - timedelta(minutes=age)))
    return states


def all_pages(states: FakeStepFunctions, limit: int, **wanted: object) -> list[str]:
    names, cursor = [], None
    while True:
        page, cursor = listing.page(states, listing.Wanted(**wanted), limit, cursor)
        names += [run.name for run in page]
        if cursor is None:
            return names


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_the_pages_together_hold_every_run_once_and_newest_first(limit: int) -> None:
    states = many(250)
    assert all_pages(states, limit) == [found["name"] for found in states.executions]


def test_runs_that_start_between_two_pages_do_not_repeat_older_ones() -> None:
    states = many(30)
    expected = [found["name"] for found in states.executions]
    first, cursor = listing.page(states, listing.Wanted(), 10)
    states.add(an_execution(str(RunName.of("orders", a_file())), startDate=NEWEST + timedelta(minutes=1)))
    second, _ = listing.page(states, listing.Wanted(), 10, cursor)
    assert [run.name for run in [*first, *second]] == expected[:20]


def test_only_the_wanted_pipeline_and_time_are_listed() -> None:
    states = many(5)
    states.add(an_execution(str(RunName.of("events", a_file())), startDate=NEWEST))
    assert len(all_pages(states, 10, pipeline="events")) == 1
    assert len(all_pages(states, 10, since=NEWEST - timedelta(minutes=2))) == 4


def test_a_rejected_run_is_told_from_a_failed_one() -> None:
    states = many(2, status="FAILED")
    states.executions[0]["error"] = "FileRejected"
    states.executions[1]["error"] = "LoadFailed"
    assert all_pages(states, 10, outcome="rejected") == [states.executions[0]["name"]]
    assert all_pages(states, 10, outcome="failed") == [states.executions[1]["name"]]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "bnVsbA==", "WzFd"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="next"):
        listing.page(many(1), listing.Wanted(), 10, cursor)


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(InvalidRequest, match="limit"):
        listing.page(many(1), listing.Wanted(), limit)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="since"):
        listing.moment("yesterday")
