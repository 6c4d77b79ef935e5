"""What is counted of runs, and how little has to be listed for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import listing, run_book, run_details, statistics
from tests.factories import an_execution
from tests.fakes import FakeStepFunctions

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Stage(FakeStepFunctions):
    """Executions in the order of AWS, by a clock that the test turns, and a count of what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.number, self.listed, self.described = NOW, 0, 0, 0

    def begin(self, pipeline: str = "orders", *, ago: timedelta = timedelta()) -> dict[str, Any]:
        self.number += 1
        name = f"{pipeline}-{self.number:024x}"
        self.add(an_execution(name, "RUNNING", startDate=self.now - ago))
        self.executions.sort(key=lambda row: (row["startDate"], row["name"]), reverse=True)
        return self.describe_uncounted(name)

    def end(self, row: dict[str, Any], status: str = "SUCCEEDED", error: str | None = None) -> None:
        output = json.dumps({"catalogue": {"rows": 7}}) if status == "SUCCEEDED" else None
        row.update(status=status, stopDate=self.now, error=error, output=output)

    def go_on(self, row: dict[str, Any]) -> None:
        row.update(status="RUNNING", stopDate=None, error=None, redriveDate=self.now)

    def describe_uncounted(self, name: str) -> dict[str, Any]:
        return super().describe("", name)

    def describe(self, machine: str, name: str) -> dict[str, Any]:
        self.described += 1
        return super().describe(machine, name)

    def page(self, machine: str, **asked: Any) -> tuple[list[dict[str, Any]], str | None]:
        rows, token = super().page(machine, **asked)
        self.listed += len(rows)
        return rows, token

    def count(self, pipeline: str | None = None, hours: int = 3) -> statistics.Counted:
        return statistics._count(self, pipeline, hours, self.now)

    def outcomes(self, pipeline: str = "orders") -> dict[str, int]:
        found: dict[str, int] = {}
        for hour in self.count().pipelines.get(pipeline, []):
            for outcome, number in hour.outcomes.items():
                found[outcome] = found.get(outcome, 0) + number
        return found

    def anew(self, pipeline: str | None = None, hours: int = 3) -> statistics.Counted:
        books = dict(statistics._books)
        statistics._books.clear()
        found = self.count(pipeline, hours)
        statistics._books.clear()
        statistics._books.update(books)
        return found


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    statistics.forget()
    run_details._kept.clear()


@pytest.fixture
def stage() -> Stage:
    """A thousand runs of the last two hours; every tenth failed."""
    made = Stage()
    for number in range(1000):
        row = made.begin(ago=timedelta(hours=2) * (1000 - number) / 1000)
        made.end(row, "SUCCEEDED" if number % 10 else "FAILED", "FileRejected")
    made.count()
    made.listed = made.described = 0
    return made


def test_a_second_count_lists_the_newest_page_and_those_that_may_be_redriven(stage: Stage) -> None:
    before = stage.anew()
    stage.listed = stage.described = 0
    assert stage.count() == before
    assert stage.listed <= 3 * run_book.FIRST_PAGE
    assert stage.described == 0


def test_new_runs_are_counted_and_running_ones_until_they_end(stage: Stage) -> None:
    stage.now += 3 * SECOND
    first = stage.begin()
    assert stage.outcomes() == {"succeeded": 900, "rejected": 100, "running": 1}
    stage.now += timedelta(minutes=20)
    for _ in range(150):
        stage.end(stage.begin())
    assert stage.outcomes() == {"succeeded": 1050, "rejected": 100, "running": 1}
    stage.end(first, "FAILED", "LoadFailed")
    assert stage.outcomes() == {"succeeded": 1050, "rejected": 100, "failed": 1}


def test_a_redriven_run_goes_on_at_its_old_place(stage: Stage) -> None:
    row = stage.executions[500 - 500 % 10 + 9]
    assert row["status"] == "FAILED"
    stage.go_on(row)
    assert stage.outcomes() == {"succeeded": 900, "rejected": 99, "running": 1}
    stage.now += SECOND
    stage.end(row)
    assert stage.outcomes() == {"succeeded": 901, "rejected": 99}


def test_a_run_that_was_redriven_and_ended_between_two_counts_is_counted_anew(stage: Stage) -> None:
    well, badly = [row for row in stage.executions if row["status"] == "FAILED"][5:7]
    stage.now += SECOND
    stage.end(well)
    stage.end(badly, "FAILED", "LoadFailed")
    assert stage.outcomes() == {"succeeded": 901, "rejected": 98, "failed": 1}


def test_runs_that_are_older_than_the_hours_asked_for_are_counted_no_more(stage: Stage) -> None:
    stage.now += timedelta(hours=2)
    assert stage.count() == stage.anew()
    assert sum(stage.outcomes().values()) < 600
    assert sum(hour.outcomes["succeeded"] for hour in stage.count(hours=5).pipelines["orders"][:3]) == 900


def test_a_stage_that_was_made_again_has_no_runs_of_the_old_one(stage: Stage) -> None:
    stage.executions.clear()
    assert stage.count() == statistics.Counted({}, {}, truncated=False)
    stage.begin()
    assert stage.outcomes() == {"running": 1}


def test_what_a_list_showed_a_minute_late_is_counted(stage: Stage) -> None:
    stage.now += timedelta(minutes=5)
    stage.end(stage.begin())
    late = stage.begin(ago=timedelta(seconds=59))
    stage.executions.remove(late)
    stage.count()
    stage.executions.insert(1, late)
    assert stage.outcomes()["running"] == 1


def test_of_more_runs_than_are_counted_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_RUNS", 20)
    stage = Stage()
    for _ in range(15):
        stage.now += SECOND
        stage.end(stage.begin())
    assert not stage.count().truncated
    for _ in range(15):
        stage.now += SECOND
        stage.end(stage.begin())
    found = stage.count()
    assert (found.truncated, sum(stage.outcomes().values())) == (True, 20)
    assert len(statistics._books["load_file"]._runs) == 20
    stage.now += timedelta(hours=3)
    assert not stage.count().truncated


def test_many_changes_at_once_are_listed_and_not_described_one_by_one(stage: Stage) -> None:
    stage.now += SECOND
    for row in [row for row in stage.executions if row["status"] == "FAILED"]:
        stage.end(row)
    assert stage.outcomes() == {"succeeded": 1000}
    assert stage.described <= listing.MOST_DESCRIBED


def test_everything_is_read_anew_after_a_while(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    del stage.executions[700]  # AWS deletes none alone: nothing that a look lists tells of it
    assert stage.count() != stage.anew()
    monkeypatch.setattr(statistics._books["load_file"], "_again", 0.0)
    assert stage.count() == stage.anew()


ENDS = st.sampled_from(["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
PLACE = st.integers(0, 30)
ASKED = st.tuples(st.sampled_from([None, "orders", "events", "nyc_taxi"]), st.integers(1, 4))
STEPS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(["orders", "events", "nyc_taxi"]), st.integers(1, 4)),
    st.tuples(st.just("end"), PLACE, ENDS),
    st.tuples(st.just("redrive"), PLACE, st.one_of(st.none(), ENDS)),
    st.tuples(st.just("pass"), st.integers(1, 90), st.none()),
    st.tuples(st.just("make again"), st.none(), st.none()),
)


def apply(stage: Stage, step: tuple[str, Any, Any]) -> None:
    what, which, how = step
    stage.now += SECOND
    ended = [row for row in stage.executions if row["status"] not in {"RUNNING", "SUCCEEDED"}]
    running = [row for row in stage.executions if row["status"] == "RUNNING"]
    if what == "begin":
        for _ in range(how):
            stage.now += 45 * SECOND
            stage.begin(which)
    elif what == "end" and running:
        stage.end(running[which % len(running)], how, "FileRejected" if which % 2 else "LoadFailed")
    elif what == "redrive" and ended:
        row = ended[which % len(ended)]
        stage.go_on(row)
        if how:
            stage.end(row, how, "FileRejected")
    elif what == "pass":
        stage.now += timedelta(minutes=which)
    elif what == "make again":
        stage.executions.clear()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(STEPS, ASKED), max_size=25))
def test_a_count_is_what_a_count_from_nothing_is_whatever_happened(
    steps: list[tuple[tuple[str, Any, Any], tuple[str | None, int]]],
) -> None:
    statistics.forget()
    run_details._kept.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_book, "FIRST_PAGE", 2)
        patch.setattr(run_book, "PAGE", 3)
        patch.setattr(run_book, "MOST_DESCRIBED", 2)
        patch.setattr(statistics, "MOST_RUNS", 15)
        patch.setattr(listing, "MOST_DESCRIBED", 4)
        stage = Stage()
        for number in range(8):
            stage.now += 45 * SECOND
            stage.end(stage.begin(), "FAILED" if number % 2 else "SUCCEEDED")
        for step, asked in steps:
            apply(stage, step)
            assert stage.count(*asked) == stage.anew(*asked)
