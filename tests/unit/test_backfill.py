"""A batch pipeline for every date of a range: once each, a few at a time, and what was missing is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cli import backfill
from cli.backfill import Backfill, date_parameter, dates, report_of
from cli.errors import Failure, Refused

DAYS = [date(2026, 11, day) for day in (1, 2, 3, 4, 5)]


class FakeAPI:
    """Runs that end the second time that they are looked at; those of a date in `bad` fail."""

    def __init__(self, bad: dict[str, str] | None = None) -> None:
        self.bad = bad or {}
        self.looks: dict[str, int] = {}
        self.dates: dict[str, str] = {}
        self.errors: dict[str, str | None] = {}
        self.most = 0

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        if path.endswith("/redrive"):
            first, _, attempt = path.split("/")[2].partition("-")
            return self._start(f"{first}-{int(attempt or 1) + 1}", self.dates[first])
        assert body
        return self._start(
            f"{body['request']}{body['parameters']['date']}".replace("-", ""), body["parameters"]["date"]
        )

    def _start(self, name: str, day: str) -> dict[str, Any]:
        new = name not in self.looks
        if new:
            self.looks[name], self.dates[name], self.errors[name] = 0, day, self.bad.get(day)
            self.most = max(self.most, sum(looks < 2 for looks in self.looks.values()))
        return {"run": name, "new": new}

    def get(self, path: str) -> Any:
        name = path.split("/")[2]
        if name not in self.looks:
            raise Refused("there is no such run", "UnknownRun")
        self.looks[name] += 1
        error = self.errors[name]
        outcome = "running" if self.looks[name] < 2 else "failed" if error else "succeeded"
        return {
            "name": name,
            "outcome": outcome,
            "seconds": 1.0,
            "error": error,
            "cause": error and "because",
        }


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0)


def run(api: FakeAPI, days: list[date] = DAYS, request: str = "r", at_once: int = 2) -> dict[str, Any]:
    work = Backfill(api=api, pipeline="p", parameter="date", request=request, at_once=at_once)  # type: ignore[arg-type]
    return report_of("p", work.run(days))


def test_every_date_is_run_once_and_no_more_at_a_time_than_allowed() -> None:
    api = FakeAPI()
    report = run(api)
    assert report["ok"]
    assert [each["date"] for each in report["dates"]] == [day.isoformat() for day in DAYS]
    assert len(api.looks) == 5
    assert api.most == 2


def test_the_same_backfill_again_starts_nothing() -> None:
    api = FakeAPI()
    run(api)
    again = run(api)
    assert again["ok"]
    assert all(each["earlier"] for each in again["dates"])
    assert len(api.looks) == 5


def test_another_request_runs_every_date_anew() -> None:
    api = FakeAPI()
    run(api)
    assert not any(each["earlier"] for each in run(api, request="other")["dates"])
    assert len(api.looks) == 10


def test_a_date_without_input_is_listed_and_tried_again_the_next_time() -> None:
    api = FakeAPI({"2026-11-03": "MissingInput", "2026-11-05": "WrongColumns"})
    report = run(api)
    assert not report["ok"]
    assert report["missing"] == ["2026-11-03"]
    assert run(api)["missing"] == ["2026-11-03"]
    api.bad = {}
    third = run(api)
    assert third["ok"]
    assert [each["run"][-2:] for each in third["dates"] if not each["earlier"]] == ["-3", "-3"]


def test_a_range_that_is_none_is_refused() -> None:
    assert len(dates("2026-02-27", "2026-03-02")) == 4
    for first, last, words in (
        ("2026-11-02", "2026-11-01", "is before"),
        ("yesterday", "2026-11-01", "--from 'yesterday': write a date"),
        ("2026-11-01", "2026-02-30", "--to '2026-02-30'"),
        ("2000-01-01", "2026-01-01", "at most 1,000"),
    ):
        with pytest.raises(Failure, match=words):
            dates(first, last)


def test_the_date_goes_to_the_one_parameter_that_takes_it() -> None:
    day, month = {"name": "day", "type": "date"}, {"name": "month", "type": "date"}
    most = {"name": "most", "type": "integer"}
    assert date_parameter({"name": "p", "parameters": [most, day]}, None) == "day"
    assert date_parameter({"name": "p", "parameters": [day, month]}, "month") == "month"
    for given, named, words in (
        ([most], None, "takes no date"),
        ([day, month], None, "choose one with --parameter"),
        ([day], "most", "takes the dates day"),
    ):
        with pytest.raises(Failure, match=words):
            date_parameter({"name": "p", "parameters": given}, named)
