"""Pages of runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import listing, run_details, settings
from chalicelib.errors import InvalidRequest
from chalicelib.run import Rows, RunName
from tests.factories import a_file, an_execution
from tests.fakes import FakeStepFunctions


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    run_details._kept.clear()


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


def test_only_runs_that_started_in_time_are_listed() -> None:
    states = many(10)
    minutes = [NEWEST - timedelta(minutes=age) for age in (3, 6)]
    assert len(all_pages(states, 3, until=minutes[0], since=minutes[1])) == 4


def test_a_run_is_found_by_a_part_of_its_own_or_its_file_s_name() -> None:
    states = many(5)
    states.executions[3]["input"] = json.dumps({"file": {"key": "incoming/orders/März 1.csv"}})
    name = states.executions[3]["name"]
    assert all_pages(states, 2, search="MÄRZ 1") == [name]
    assert all_pages(states, 2, search=name[8:30]) == [name]
    assert all_pages(states, 2, search="nothing of the kind") == []


def test_a_run_in_a_list_has_its_file_and_its_rows() -> None:
    states = many(1)
    states.executions[0]["input"] = json.dumps({"file": {"key": "incoming/orders/a.csv"}})
    validated = {"validate_file": {"rows": 10, "good_rows": 8, "bad_rows": 2}, "catalogue": {"rows": 8}}
    states.executions[0]["output"] = json.dumps(validated)
    ((run,), _) = listing.page(states, listing.Wanted(), 1)
    assert (run.file, run.rows) == ("incoming/orders/a.csv", Rows(read=10, loaded=8, rejected=2))


class Plenty(FakeStepFunctions):
    """A state machine with 100,000 executions of one pipeline, and a count of what was asked for."""

    COUNT = 100_000

    def __init__(self) -> None:
        super().__init__()
        self.machine = settings.state_machine("load_file")
        self.listed = self.described = 0

    def name(self, number: int) -> str:
        return f"orders-{number:024x}"

    def row(self, number: int) -> dict[str, object]:
        began = NEWEST - timedelta(seconds=number // 3)
        return an_execution(self.name(number), startDate=began, stopDate=began + timedelta(seconds=1))

    def page(
        self, machine: str, *, status: str | None, limit: int, token: str | None
    ) -> tuple[list[dict[str, object]], str | None]:
        if machine != self.machine:
            return [], None
        self.listed += 1
        first = int(token or 0)
        last = min(first + limit, self.COUNT)
        rows = [self.row(number) for number in range(first, last)]
        return rows, str(last) if last < self.COUNT else None

    def describe(self, machine: str, name: str) -> dict[str, object]:
        self.described += 1
        return self.row(int(name.partition("-")[2], 16))


def test_a_page_of_100_000_runs_costs_as_little_as_any() -> None:
    states, cursor, names = Plenty(), None, []
    for _ in range(60):
        states.listed = states.described = 0
        runs, cursor = listing.page(states, listing.Wanted(), 50, cursor)
        names += [run.name for run in runs]
        assert states.listed <= 2
        assert states.described == 50
    assert names == [states.name(number) for number in range(3000)]


def test_a_page_that_was_seen_is_not_described_again() -> None:
    states = Plenty()
    listing.page(states, listing.Wanted(), 50)
    states.described = 0
    listing.page(states, listing.Wanted(), 50)
    assert states.described == 0


def test_a_rare_run_among_100_000_gives_short_pages_instead_of_slow_ones() -> None:
    states = Plenty()
    runs, cursor = listing.page(states, listing.Wanted(until=NEWEST - timedelta(seconds=9000)), 50)
    assert runs == []
    assert states.listed <= listing.MOST_LOOKED_AT // listing.LATER_PAGE + 2
    while not runs:
        runs, cursor = listing.page(
            states, listing.Wanted(until=NEWEST - timedelta(seconds=9000)), 50, cursor
        )
    assert [run.name for run in runs] == [states.name(number) for number in range(27_000, 27_000 + len(runs))]
    states.described = 0
    runs, cursor = listing.page(states, listing.Wanted(search="no such file"), 50)
    assert (runs, states.described <= listing.MOST_DESCRIBED + 50) == ([], True)
    assert cursor


def test_runs_that_were_looked_at_without_their_price_have_one_when_it_is_asked_for() -> None:
    states = many(3)
    listing.page(states, listing.Wanted(), 10)
    priced, _ = listing.page(states, listing.Wanted(), 10, price=lambda _workflow, _run: 0.25)
    assert [run.cost for run in priced] == [0.25, 0.25, 0.25]
