"""What became of each state, read from recorded histories of every workflow."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import shown, states

ROOT = Path(__file__).parents[2]
HISTORIES = sorted((ROOT / "tests" / "files" / "histories").glob("*.json"))


def events(name: str) -> list[dict[str, Any]]:
    path = ROOT / "tests" / "files" / "histories" / f"{name}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for event in found:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"])
    return found


def definition(name: str) -> dict[str, Any]:
    path = ROOT / "workflows" / f"{name.partition('-')[0]}.asl.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def became(name: str, *, first: int | None = None, **more: Any) -> dict[str, states.State]:
    """Return the states by name: of the whole run, or while only the `first` events have happened."""
    history = events(name)[:first]
    ended = None if first else history[-1]["timestamp"]
    return {state.name: state for state in states.read(definition(name), history, ended=ended, **more)}


def until(name: str, kind: str, state: str | None = None) -> int:
    """Return how many events there are up to the first of this type (after a state was entered)."""
    entered = state is None
    for number, event in enumerate(events(name), 1):
        entered = entered or event.get("stateEnteredEventDetails", {}).get("name") == state
        if entered and event["type"] == kind:
            return number
    raise AssertionError(kind)


def test_every_workflow_has_a_recorded_history() -> None:
    assert {path.stem.partition("-")[0] for path in HISTORIES} == {
        path.name.removesuffix(".asl.json") for path in (ROOT / "workflows").glob("*.asl.json")
    }


@pytest.mark.parametrize("name", [path.stem for path in HISTORIES])
def test_every_state_is_told_of_once_with_as_many_visits_as_the_history_has(name: str) -> None:
    entered = Counter(
        event["stateEnteredEventDetails"]["name"]
        for event in events(name)
        if "stateEnteredEventDetails" in event
    )
    found = became(name)
    assert {state.name: state.visits for state in found.values() if state.visits} == dict(entered)
    assert list(found)[: len(entered)] == list(dict.fromkeys(entered))
    ended = {"done", "failed", "not_taken", "elsewhere"}
    assert {state.status for state in found.values()} <= ended


@pytest.mark.parametrize("name", [path.stem for path in HISTORIES])
def test_at_no_moment_is_a_run_that_goes_on_told_of_as_past(name: str) -> None:
    for first in range(1, len(events(name)), 5):
        assert "not_taken" not in {state.status for state in became(name, first=first).values()}


def test_a_run_that_went_well() -> None:
    found = became("load_file-small")
    assert (found["ValidateFile"].status, found["FileLoaded"].status) == ("done", "done")
    assert (found["StartGlueJob"].status, found["StartGlueJob"].entered) == ("not_taken", None)
    assert found["ValidateFile"].output["validate_file"]["rows"] == 5
    assert found["ValidateFile"].seconds is not None


def test_a_state_in_a_loop_counts_its_visits() -> None:
    found = became("load_file-glue")
    assert (found["CheckGlueJob"].visits, found["WaitForGlueJob"].visits) == (4, 3)


def test_a_step_that_was_tried_again_shows_each_attempt_with_its_error() -> None:
    state = became("load_file-retried")["CopyToRedshift"]
    assert state.status == "done"
    assert state.attempts == len(state.tries) > 1
    assert [each.error for each in state.tries][-1] is None
    assert {each.error for each in state.tries[:-1]} == {"WarehouseIsBusy"}


def test_between_two_attempts_a_state_is_retrying() -> None:
    first = until("load_file-retried", "LambdaFunctionFailed", "CopyToRedshift")
    state = became("load_file-retried", first=first)["CopyToRedshift"]
    assert (state.status, state.error, state.left) == ("retrying", "WarehouseIsBusy", None)


def test_what_fails_is_red_and_so_is_the_state_that_ends_the_run() -> None:
    found = became("load_file-failed")
    assert found["RunFailed"].status == "failed"
    assert found["DidGlueJobSucceed"].status == "done"


def test_a_run_that_waits_for_a_person_says_so_and_shows_no_token() -> None:
    name = "load_file-refused"
    first = until(name, "TaskSubmitted")
    found = became(name, first=first)
    assert found["RequestApproval"].status == "waiting"
    assert found["TransformFile"].status == "ahead"
    scheduled = next(event for event in events(name) if event["type"] == "TaskScheduled")
    token = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])["Payload"]["task_token"]
    assert len(token) > 30
    told = json.dumps([vars(state) for state in found.values()], default=str)
    assert token not in told
    refused = became(name)["RequestApproval"]
    assert (refused.status, refused.error) == ("failed", "RefusedByApprover")


def test_a_map_sums_its_items_up() -> None:
    found = became("nightly_batch-published")
    assert found["RunChecks"].iterations == states.Iterations(total=2, running=0, done=2, failed=0)
    assert (found["RunCheck"].inside, found["RunCheck"].visits) == ("RunChecks", 2)


def test_the_branches_of_a_parallel_state_are_inside_it() -> None:
    found = became("flight_metrics-retried")
    assert {state.name for state in found.values() if state.inside == "CleanInputs"} == {
        "CleanFlights",
        "CleanFeedback",
    }


def test_the_items_of_a_distributed_map_are_elsewhere() -> None:
    found = became("load_batch-part_failed")
    assert found["LoadEach"].map_run is not None
    assert {state.status for state in found.values() if state.inside == "LoadEach"} == {"elsewhere"}


def test_a_stopped_run_stopped_in_the_state_that_it_was_in_and_goes_on_there() -> None:
    name = "load_file-small"
    first = until(name, "LambdaFunctionScheduled", "TransformFile")
    history = events(name)[:first]
    at, last = history[-1]["timestamp"], history[-1]["id"]
    history += [
        {"id": last + 1, "previousEventId": last, "type": "ExecutionAborted", "timestamp": at},
    ]
    stopped = {each.name: each.status for each in states.read(definition(name), history, ended=at)}
    assert (stopped["TransformFile"], stopped["ValidateFile"]) == ("stopped", "done")
    history += [
        {"id": last + 2, "previousEventId": last + 1, "type": "ExecutionRedriven", "timestamp": at},
        {"id": last + 3, "previousEventId": last + 2, "type": "LambdaFunctionScheduled", "timestamp": at},
    ]
    state = {each.name: each for each in states.read(definition(name), history, ended=None)}["TransformFile"]
    assert (state.status, state.attempts) == ("running", 2)


def test_brief_leaves_inputs_and_outputs_out() -> None:
    assert {(state.input, state.output) for state in became("load_file-small", brief=True).values()} == {
        (None, None)
    }


def test_what_is_shown_holds_no_token_and_is_cut_when_it_is_long() -> None:
    text = json.dumps({"a": [{"TaskToken": "x", "task_token": "y", "b": 1}], "taskToken": "z"})
    assert shown.shown(text) == {"a": [{"b": 1}]}
    long = shown.shown(json.dumps({"rows": ["x" * 100] * 1000}))
    assert len(long["cut"]) == shown.MOST_BYTES
    assert long["bytes"] > 100_000
    assert shown.shown("no json") == "no json"
