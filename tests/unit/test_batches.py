"""Batch pipelines: their parameters, their schedule, and the runs that they start."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import app
from chalicelib import pipelines, runs
from chalicelib.errors import InvalidPipeline, InvalidRequest, UnknownPipeline
from chalicelib.pipeline import Parameter, Schedule
from tests.factories import a_batch_pipeline, a_pipeline
from tests.fakes import FakeStepFunctions

if TYPE_CHECKING:
    from chalicelib.pipeline import BatchPipeline

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def batch(monkeypatch: pytest.MonkeyPatch) -> BatchPipeline:
    """The only batch pipeline there is, beside one for files."""
    found = a_batch_pipeline()
    monkeypatch.setattr(pipelines, "every", lambda: {"nightly": found, "things": a_pipeline()})
    return found


def input_of(states: FakeStepFunctions) -> dict[str, object]:
    return dict(json.loads(states.executions[0]["input"]))


@pytest.mark.parametrize(
    ("schedule", "expression", "latest"),
    [
        (Schedule(hour=2, minute=30), "cron(30 2 * * ? *)", datetime(2026, 11, 20, 2, 30, tzinfo=UTC)),
        (Schedule(hour=13, minute=0), "cron(0 13 * * ? *)", datetime(2026, 11, 19, 13, 0, tzinfo=UTC)),
        (Schedule(minute=0), "cron(0 * * * ? *)", NOON),
        (Schedule(minute=10), "cron(10 * * * ? *)", datetime(2026, 11, 20, 11, 10, tzinfo=UTC)),
    ],
)
def test_a_schedule_knows_its_last_tick(schedule: Schedule, expression: str, latest: datetime) -> None:
    assert (schedule.expression, schedule.latest(NOON)) == (expression, latest)


def test_a_schedule_that_no_clock_shows_is_refused() -> None:
    with pytest.raises(InvalidPipeline, match="hour=0"):
        Schedule(hour=24, minute=0)


@pytest.mark.parametrize("given", ["2026-02-30", "20260201", "yesterday", ""])
def test_a_date_that_is_none_is_refused_by_name(given: str) -> None:
    day = Parameter(name="day", type="date", description="The day.", default="latest")
    with pytest.raises(InvalidRequest, match=r"parameter day .*2026-01-31, or latest"):
        day.read(given)
    assert day.read(None) == day.read("latest") == "latest"
    assert day.read("2026-02-28") == "2026-02-28"


@pytest.mark.parametrize("given", ["x'; drop table t", "../up", "a b", "-x", ""])
def test_a_text_holds_nothing_that_sql_or_a_path_could_misread(given: str) -> None:
    with pytest.raises(InvalidRequest, match="parameter folder"):
        Parameter(name="folder", type="text", description="Where.").read(given)


def test_a_parameter_without_a_default_is_required() -> None:
    with pytest.raises(InvalidRequest, match="parameter day: a value is required: The day"):
        Parameter(name="day", type="date", description="The day.").read(None)


def test_an_unknown_parameter_is_refused_and_the_known_ones_told(batch: BatchPipeline) -> None:
    with pytest.raises(InvalidRequest, match="parameter 'date' of nightly: there is only day, most"):
        batch.read_parameters({"date": "2026-11-20"})


def test_a_run_by_hand_gets_every_parameter(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    started = runs.start_batch(states, batch.name, {"day": "2026-11-20"})
    assert started.new
    assert input_of(states)["parameters"] == {"day": "2026-11-20", "most": "10"}
    assert input_of(states)["run"] == started.run


def test_every_call_starts_a_run_and_the_same_request_only_one(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    assert runs.start_batch(states, batch.name, {}).run != runs.start_batch(states, batch.name, {}).run
    first = runs.start_batch(states, batch.name, {}, key="k")
    again = runs.start_batch(states, batch.name, {"day": "latest"}, key="k")
    assert (again.run, again.new) == (first.run, False)
    assert runs.start_batch(states, batch.name, {"day": "2026-11-20"}, key="k").new


def test_a_tick_delivered_twice_and_late_starts_one_run(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    tick = NOON.replace(hour=2, minute=30)
    first = runs.start_for_tick(states, batch.name, tick)
    again = runs.start_for_tick(states, batch.name, tick + timedelta(seconds=40))
    assert (first.new, again.new, first.run) == (True, False, again.run)
    assert input_of(states)["tick"] == "2026-11-20T02:30:00.000Z"


def test_ticks_that_were_missed_are_caught_up_once(batch: BatchPipeline) -> None:
    assert batch.schedule
    states = FakeStepFunctions()
    three_days_later = NOON + timedelta(days=3)
    assert len(runs.catch_up(states, three_days_later)) == 1
    assert input_of(states)["tick"] == "2026-11-23T02:30:00.000Z"
    assert runs.catch_up(states, three_days_later + timedelta(hours=1)) == []


def test_a_tick_that_just_passed_is_left_to_its_event(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    assert batch.schedule
    states.made = NOON.replace(hour=2, minute=29)
    assert runs.catch_up(states, NOON.replace(hour=2, minute=35)) == []
    assert len(runs.catch_up(states, NOON.replace(hour=2, minute=41))) == 1


def test_a_tick_from_before_the_workflow_was_deployed_is_nobodys(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    states.made = NOON
    assert batch.schedule
    assert runs.catch_up(states, datetime.now(UTC)) != []
    states = FakeStepFunctions()
    states.made = datetime.now(UTC)
    assert runs.catch_up(states, datetime.now(UTC)) == []


def test_a_failed_batch_is_tried_again_with_the_same_parameters(batch: BatchPipeline) -> None:
    states = FakeStepFunctions()
    first = runs.start_batch(states, batch.name, {"day": "2026-11-20"})
    before = input_of(states)
    states.executions[0] |= {"status": "FAILED", "error": "X"}
    again = runs.redrive(states, first.run)
    assert again.run == f"{first.run}-2"
    assert input_of(states) == {**before, "run": again.run}


def test_a_file_pipeline_takes_no_parameters_and_a_batch_no_file(batch: BatchPipeline) -> None:
    with pytest.raises(UnknownPipeline, match="works on a file"):
        runs.start_batch(FakeStepFunctions(), "things", {})
    with pytest.raises(UnknownPipeline, match="takes no single file"):
        pipelines.file_pipeline(batch.name)


def test_every_schedule_of_a_pipeline_is_one_of_the_app() -> None:
    registered = {
        source.name: source.schedule_expression.to_string()
        for source in app.app.event_sources
        if hasattr(source, "schedule_expression") and source.name not in {"reconcile_due", "digest_due"}
    }
    declared = {
        f"{pipeline.name}_due": pipeline.schedule.expression
        for pipeline in pipelines.of_batches()
        if pipeline.schedule
    }
    assert registered == declared
