"""Every arrow of flight_metrics, walked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cli.workflow_diagram import arrows
from tests.workflows.conftest import Workflow

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

GOOD: dict[str, list[dict[str, Any]]] = {
    "find_flight_files": [{"date": "2026-11-01", "flights": {}, "feedback": {}, "token": "t"}],
    "clean_flights": [{"key": "flights", "dropped": {}}],
    "clean_feedback": [{"key": "feedback", "dropped": {"score out of range": 1}}],
    "combine_flights": [{"key": "combined", "flights": 3}],
    "compute_metrics": [{"tables": [{"name": "flights", "rows": 3}], "delays": [], "feedback": []}],
    "load_metrics": [{"rows": 3, "already": False}],
    "publish_metrics": [{"headline": "3 flights", "facts": {}}],
}
FAILED = {"raise": "TooFewRows", "message": "flights.csv: no row that can be used"}


@pytest.fixture(scope="session")
def flight_metrics(scripted_aws: RunningAWS, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    work = {"parameters": {"date": "latest"}}
    return Workflow(scripted_aws, tmp_path_factory.mktemp("calls"), "flight_metrics", good=GOOD, work=work)


def test_a_date_goes_straight_through(flight_metrics: Workflow) -> None:
    ended = flight_metrics.run()
    assert ended.status == "SUCCEEDED"
    assert [state for state in ended.states if state not in {"CleanFlights", "CleanFeedback"}] == [
        "FindFlightFiles",
        "CleanInputs",
        "CombineFlights",
        "ComputeMetrics",
        "LoadMetrics",
        "PublishMetrics",
        "NotifySucceeded",
        "MetricsPublished",
    ]
    assert {"CleanFlights", "CleanFeedback"} <= set(ended.states)


def test_both_files_are_cleaned_and_each_is_given_on_by_its_name(flight_metrics: Workflow) -> None:
    ended = flight_metrics.run()
    (exited,) = [
        event["stateExitedEventDetails"]["output"]
        for event in ended.events
        if event.get("stateExitedEventDetails", {}).get("name") == "CleanInputs"
    ]
    cleaned = (
        '"clean_inputs":{"clean_flights":{"key":"flights","dropped":{}},"clean_feedback":{"key":"feedback"'
    )
    assert cleaned in exited.replace(" ", "")


@pytest.mark.parametrize("step", GOOD)
def test_a_step_that_aws_throttles_is_tried_again(flight_metrics: Workflow, step: str) -> None:
    ended = flight_metrics.run(**{step: [{"raise": "Throttled"}, *GOOD[step]]})
    assert (ended.status, ended.calls[step]) == ("SUCCEEDED", 2)


@pytest.mark.parametrize("step", ["load_metrics", "publish_metrics"])
@pytest.mark.parametrize("error", ["WarehouseIsBusy", "WarehouseIsUnreachable"])
def test_a_busy_warehouse_is_asked_again(flight_metrics: Workflow, step: str, error: str) -> None:
    ended = flight_metrics.run(**{step: [{"raise": error}, {"raise": error}, *GOOD[step]]})
    assert (ended.status, ended.calls[step]) == ("SUCCEEDED", 3)


@pytest.mark.parametrize("step", GOOD)
def test_a_step_that_gives_up_is_called_once_told_of_and_red(flight_metrics: Workflow, step: str) -> None:
    ended = flight_metrics.run(**{step: [FAILED]})
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]
    assert (ended.status, ended.error, ended.calls[step]) == ("FAILED", "TooFewRows", 1)
    assert FAILED["message"] in (ended.cause or "")


def test_two_files_that_cannot_be_cleaned_fail_the_run_once(flight_metrics: Workflow) -> None:
    ended = flight_metrics.run(clean_flights=[FAILED], clean_feedback=[FAILED])
    assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]
    assert (ended.status, ended.calls["notify"]) == ("FAILED", 1)


@pytest.mark.parametrize(
    ("script", "last", "error"),
    [
        ({}, "NoticeNotSent", "NoticeNotSent"),
        ({"load_metrics": [FAILED]}, "RunFailed", "TooFewRows"),
    ],
)
def test_a_notice_that_cannot_be_sent_is_red_and_hides_no_error(
    flight_metrics: Workflow, script: dict[str, Any], last: str, error: str
) -> None:
    ended = flight_metrics.run(**script, notify=[FAILED])
    assert (ended.status, ended.states[-1], ended.error) == ("FAILED", last, error)


def test_every_arrow_of_the_definition_is_walked(flight_metrics: Workflow) -> None:
    drawn = {
        (name, target)
        for name, state in flight_metrics.definition["States"].items()
        for _, target in arrows(state)
    }
    walked = flight_metrics.run().arrows() | flight_metrics.run(notify=[FAILED]).arrows()
    for step in GOOD:
        walked |= flight_metrics.run(**{step: [FAILED]}).arrows()
    # Inside a Parallel state the order of its branches is nobody's: what follows them follows CleanInputs.
    inner = {"CleanFlights", "CleanFeedback"}
    walked = {("CleanInputs" if a in inner else a, b) for a, b in walked if b not in inner}
    assert drawn <= walked | {("NotifyFailed", "RunFailed")}
    assert {pair for pair in walked if pair[0] != pair[1]} <= drawn
