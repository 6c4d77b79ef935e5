"""One run's lines, gathered from where its steps wrote them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import run_logs, settings
from chalicelib.errors import InvalidRequest, UnknownRun
from chalicelib.run_logs import Wanted
from tests.fakes import FakeLogs, FakeStepFunctions

RUN = "orders-0123456789abcdef01234567"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GLUE_RUN = "jr_" + "ab" * 32


class States(FakeStepFunctions):
    """Step Functions with a workflow as it is when rendered."""

    def definition_of_run(self, machine: str, name: str) -> dict[str, Any]:
        function = f"arn:aws:lambda:us-east-1:123456789012:function:{settings.functions()}"
        resources = {name: {"Resource": function + name} for name in ("validate_file", "notify")}
        return {"States": resources}


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def ms(seconds: float) -> int:
    return int(at(seconds).timestamp() * 1000)


def event(number: int, kind: str, seconds: float, **details: Any) -> dict[str, Any]:
    found = {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": at(seconds)}
    return {**found, "anyEventDetails": details}


def line(seconds: float, message: str, step: str = "validate_file", **more: Any) -> tuple[int, str]:
    document = {
        "timestamp": at(seconds).isoformat(),
        "level": "INFO",
        "message": message,
        "run": RUN,
        "step": step,
    }
    return ms(seconds), json.dumps({**document, **more})


def a_run(*, ended: float | None = 9.0) -> FakeStepFunctions:
    states = States()
    history = [
        event(1, "ExecutionStarted", 0),
        event(2, "TaskStateEntered", 0.1, name="ValidateFile"),
        event(3, "LambdaFunctionScheduled", 0.1),
        event(4, "LambdaFunctionFailed", 1, error="Throttled", cause='{"errorMessage": "slow down"}'),
        event(5, "LambdaFunctionScheduled", 2),
        event(6, "TaskSubmitted", 3, output=json.dumps({"JobRunId": GLUE_RUN})),
        event(7, "TaskStateExited", 4, name="ValidateFile"),
        event(8, "ChoiceStateEntered", 4.1, name="IsFileValid"),
        event(9, "ExecutionSucceeded", 9),
    ]
    found = {"name": RUN, "status": "RUNNING", "startDate": BEGAN, "history": history}
    states.add(found if ended is None else {**found, "status": "SUCCEEDED", "stopDate": at(ended)})
    return states


def some_logs() -> FakeLogs:
    return FakeLogs(
        groups={
            "/aws/lambda/decant-test-validate_file": [
                line(2.5, "done"),
                (ms(2.6), json.dumps({"run": "another", "message": "of another run"})),
            ],
            "/aws/lambda/decant-test-notify": [line(8, "told", "notify", level="WARNING")],
            "/aws/lambda/decant-test-file_landed": [line(-0.2, "started", "file_landed")],
            "/aws/lambda/decant-test-transform_file": [line(5, "a function of no state of this workflow")],
            "/aws-glue/jobs/output": [
                (ms(6), "plain words"),
                (ms(7), json.dumps({"message": "rows", "rows": 1})),
            ],
            "/aws-glue/jobs/error": [(ms(6), "Spark's chatter")],
        }
    )


def read(
    wanted: Wanted | None = None, states: FakeStepFunctions | None = None, logs: Any = None
) -> run_logs.Page:
    return run_logs.page(states or a_run(), logs or some_logs(), RUN, wanted or Wanted(), now=ms(3600))


def test_lines_of_every_place_come_in_the_order_of_time() -> None:
    page = read()
    assert [(each.step, each.message) for each in page.lines] == [
        ("file_landed", "started"),
        ("", "the run began"),
        ("validate_file", "state entered"),
        ("validate_file", "attempt 1 failed: Throttled: slow down"),
        ("validate_file", "attempt 2"),
        ("validate_file", "done"),
        ("glue", "plain words"),
        ("glue", "rows"),
        ("notify", "told"),
        ("is_file_valid", "the run succeeded"),
    ]
    assert (page.next, page.more) == (None, False)


@pytest.mark.parametrize(
    ("wanted", "messages"),
    [
        (Wanted(step="notify"), ["told"]),
        (Wanted(step="Notify"), ["told"]),
        (Wanted(step="glue"), ["plain words", "rows"]),
        (Wanted(level="WARNING"), ["attempt 1 failed: Throttled: slow down", "told"]),
        (Wanted(step="glue", level="DEBUG"), ["Spark's chatter", "plain words", "rows"]),
        (Wanted(step="nothing"), []),
    ],
)
def test_lines_can_be_chosen_by_step_and_level(wanted: Wanted, messages: list[str]) -> None:
    assert sorted(each.message for each in read(wanted).lines) == sorted(messages)


def test_pages_hold_every_line_once_also_those_of_one_millisecond() -> None:
    logs = some_logs()
    many = [line(3, f"line {number}") for number in range(1200)]
    logs.groups["/aws/lambda/decant-test-validate_file"] = many
    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page = read(Wanted(step="validate_file", cursor=cursor), logs=logs)
        seen += [each.message for each in page.lines]
        cursor = page.next
        if not page.more:
            break
    assert sorted(message for message in seen if message.startswith("line ")) == sorted(
        f"line {number}" for number in range(1200)
    )
    assert cursor is None


def test_a_run_under_way_is_continued_a_little_before_now() -> None:
    page = run_logs.page(a_run(ended=None), some_logs(), RUN, Wanted(), now=ms(20))
    assert (page.next, page.more) == (f"{ms(20) - run_logs.LATE}-0", False)


@pytest.mark.parametrize("wanted", [Wanted(level="LOUD"), Wanted(cursor="elsewhere"), Wanted(cursor="1-2-3")])
def test_a_level_or_a_cursor_that_is_none_is_refused(wanted: Wanted) -> None:
    with pytest.raises(InvalidRequest):
        read(wanted)


def test_there_are_no_lines_of_a_run_that_does_not_exist() -> None:
    with pytest.raises(UnknownRun):
        run_logs.page(FakeStepFunctions(), FakeLogs(), RUN, Wanted())
