"""What is lost, stuck, untold or late is healed or told, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import pipelines, sent_notices, service_levels
from chalicelib.errors import AccessRefused, InvalidPipeline
from chalicelib.expected_by import ExpectedBy
from chalicelib.notices.digest import digest, send_digest
from chalicelib.reconcile import Reconciled, reconcile
from chalicelib.steps.notify import tell
from tests.factories import a_batch_pipeline, a_file, a_pipeline, an_execution
from tests.fakes import FakeJobs, FakeS3, FakeSNS, FakeStepFunctions

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SIX = ExpectedBy(hour=6)
JOB = "decant-test-process_csv"


def name(number: int, pipeline: str = "things") -> str:
    return f"{pipeline}-{number:024x}"


class Stage:
    """A stage with one file pipeline `things`, whose data is expected by six, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        self.s3, self.states, self.sns, self.jobs = FakeS3(), FakeStepFunctions(), FakeSNS(), FakeJobs()
        self.now = NOW
        self.s3.clock = lambda: self.now
        found = a_pipeline(**{"expected_by": SIX, **changes})
        monkeypatch.setattr(pipelines, "every", lambda: {"things": found})

    def run(self, number: int, status: str, **changes: Any) -> str:
        run = name(number)
        started = changes.pop("started", self.now - timedelta(hours=1))
        ended = None if status == "RUNNING" else changes.pop("ended", started + timedelta(minutes=10))
        work = {"run": run, "started": started.isoformat(), "file": a_file().to_document()}
        row = an_execution(run, status, startDate=started, stopDate=ended, input=json.dumps(work), **changes)
        self.states.add(row)
        return run

    def look(self, **later: int) -> Reconciled:
        self.now += timedelta(**later)
        return reconcile(self.states, self.s3, self.sns, self.jobs, self.now)  # type: ignore[arg-type]

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject, _, _ in self.sns.published]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_a_run_that_timed_out_or_was_stopped_is_told_of_once(stage: Stage) -> None:
    stage.run(9, "SUCCEEDED")
    timed_out, stopped = stage.run(1, "TIMED_OUT"), stage.run(2, "ABORTED", error="Stopped", cause="by Ann")
    assert sorted(stage.look().told) == [timed_out, stopped]
    assert stage.look().told == []
    (kept,) = sent_notices.of_run(stage.s3, stopped)
    assert "by Ann" in kept.body
    assert f"decant runs redrive {stopped}" in kept.body
    assert stage.sns.published[0][3]["severity"] in {"warning", "error"}


def test_a_run_whose_end_was_told_or_is_young_or_old_is_left_alone(stage: Stage) -> None:
    stage.run(9, "SUCCEEDED")
    run = stage.run(1, "FAILED", error="LoadFailed", cause="x")
    details = {"error": {"Error": "LoadFailed", "Cause": "x"}}
    event = {"run": run, "pipeline": "things", "started": NOW.isoformat(), "outcome": "failed"}
    tell(stage.s3, stage.sns, {**event, "details": details, "file": a_file().to_document()}, NOW)
    stage.run(2, "TIMED_OUT", ended=stage.now - timedelta(minutes=1))
    stage.run(3, "TIMED_OUT", started=stage.now - timedelta(hours=9))
    assert stage.look().told == []


def test_a_run_over_its_limit_is_stuck_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, longest_run=600, expected_by=None)
    run = stage.run(1, "RUNNING", started=stage.now - timedelta(minutes=11))
    stage.run(2, "RUNNING", started=stage.now - timedelta(minutes=9))
    found = stage.look()
    assert (found.stuck, found.oldest_unprocessed_seconds) == ([run], 660)
    assert stage.subjects[0].startswith("[things] stuck: ")
    assert "under way for 11 min 0 s; its limit is 10 min 0 s" in stage.sns.published[0][2]
    stage.look()
    assert len(stage.subjects) == 1


def test_a_run_without_a_declared_limit_has_that_of_its_workflow(stage: Stage) -> None:
    stage.run(9, "SUCCEEDED")
    stage.run(1, "RUNNING", started=stage.now - timedelta(seconds=3600 + 890))
    assert stage.look().stuck == []
    assert stage.look(seconds=20).stuck == [name(1)]
    stage.states.executions[0]["redriveDate"] = stage.now
    assert stage.look().stuck == []


def test_the_job_run_of_a_run_that_ended_is_stopped_and_the_others_are_not(stage: Stage) -> None:
    stage.run(9, "SUCCEEDED")
    ended, live = stage.run(1, "ABORTED"), stage.run(2, "RUNNING")
    stage.jobs.running = [(JOB, "jr_1", ended), (JOB, "jr_2", live), (JOB, "jr_3", name(77))]
    assert stage.look().stopped_job_runs == ["jr_1"]
    assert [job_run for _, job_run, _ in stage.jobs.running] == ["jr_2", "jr_3"]


def test_late_data_is_told_of_once_a_day_and_again_when_it_is_there(stage: Stage) -> None:
    assert stage.look().late == ["things"]
    assert stage.look(hours=1).files_late == 1
    assert stage.subjects == ["[things] late: nothing by 06:00 UTC"]
    assert "no file has landed since 2026-11-20 06:00 UTC" in stage.sns.published[0][2]
    run = stage.run(1, "SUCCEEDED", started=stage.now - timedelta(minutes=30))
    assert (stage.look().arrived, stage.look().arrived) == (["things"], [])
    assert stage.subjects[1] == "[things] arrived: 3 h 40 min after 06:00 UTC"
    assert run in stage.sns.published[1][2]
    assert stage.look(days=1).late == ["things"]  # the late arrival is no data of the next day
    assert len(stage.subjects) == 3


def test_data_in_time_and_a_young_stage_are_not_late(stage: Stage) -> None:
    stage.run(1, "SUCCEEDED", started=NOW - timedelta(hours=5))
    (found,) = service_levels.standings(stage.states, stage.s3, NOW)
    assert (found.standing, found.run, found.deadline) == ("met", name(1), "2026-11-21T06:00:00.000Z")
    stage.states.executions.clear()
    stage.states.made = NOW - timedelta(hours=20)
    (found,) = service_levels.standings(stage.states, stage.s3, NOW)
    assert found.standing == "not_yet"


@pytest.mark.parametrize(("status", "why"), [("RUNNING", "under way"), ("FAILED", "did not succeed: failed")])
def test_why_it_is_late_names_the_run(stage: Stage, status: str, why: str) -> None:
    run = stage.run(1, status)
    (found,) = service_levels.standings(stage.states, stage.s3, NOW)
    assert run in str(found.why)
    assert why in str(found.why)


@pytest.mark.parametrize(
    ("moment", "deadline"),
    [
        (
            datetime(2026, 3, 29, 5, 0, tzinfo=UTC),
            datetime(2026, 3, 29, 4, 0, tzinfo=UTC),
        ),  # summer time began
        (datetime(2026, 3, 29, 3, 0, tzinfo=UTC), datetime(2026, 3, 28, 5, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 5, 0, tzinfo=UTC), datetime(2026, 10, 25, 5, 0, tzinfo=UTC)),
    ],
)
def test_a_deadline_is_by_the_clock_on_the_wall(moment: datetime, deadline: datetime) -> None:
    berlin = ExpectedBy(hour=6, zone="Europe/Berlin")
    assert berlin.latest(moment) == deadline
    assert berlin.before(berlin.following(deadline)) == deadline


def test_a_service_level_that_cannot_be_is_refused() -> None:
    for wrong in ({"hour": 24}, {"hour": 6, "minute": 60}, {"hour": 6, "zone": "Mars/Olympus"}):
        with pytest.raises(InvalidPipeline, match="expected_by"):
            ExpectedBy(**wrong)
    with pytest.raises(InvalidPipeline, match="longest_run"):
        a_batch_pipeline(longest_run=5)


def test_one_thing_that_cannot_be_looked_at_keeps_no_other_from_it(stage: Stage) -> None:
    run = stage.run(1, "TIMED_OUT")

    def refuse(_job: str, _argument: str) -> list[tuple[str, str]]:
        raise AccessRefused("GetJobRuns")

    stage.jobs.live = refuse  # type: ignore[method-assign]
    with pytest.raises(AccessRefused):
        stage.look()
    assert sent_notices.exists(stage.s3, run, "timed_out")


def test_the_digest_counts_a_day_and_is_sent_once(stage: Stage) -> None:
    stage.now = NOW - timedelta(hours=3)
    for number, status in ((1, "TIMED_OUT"), (2, "TIMED_OUT"), (3, "ABORTED")):
        stage.run(number, status)
    stage.look(), stage.look(hours=3)
    sent = send_digest(stage.states, stage.s3, stage.sns, NOW)  # type: ignore[arg-type]
    assert sent is not None
    assert sent.subject == "[all] digest: 0 runs succeeded, 3 did not, 1 late, 0 to decide"
    assert "things: 1 stopped, 2 timed out" in sent.body
    assert "2x [things] timed_out" in sent.body
    assert "Late:\n  things, expected by 06:00 UTC: the last run" in sent.body
    assert sent.facts["pipelines"]["things"]["timed_out"] == 2
    assert send_digest(stage.states, stage.s3, stage.sns, NOW) is None  # type: ignore[arg-type]


def test_a_day_on_which_nothing_happened_has_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, expected_by=None)
    assert digest(stage.states, stage.s3, NOW) is None  # type: ignore[arg-type]
