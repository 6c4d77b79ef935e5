"""Every arrow of load_file, walked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from cli.workflow_diagram import arrows
from tests.workflows.script import GOOD, VALID

if TYPE_CHECKING:
    from tests.workflows.conftest import Workflow

GLUE = [{**VALID, "route": "glue"}]
BAD = [{**VALID, "valid": False, "reason": "row 3: quantity 'x' is no integer"}]
ASKS = [
    {**VALID, "approval": {"needed": True, "why": [], "expires_seconds": 86400, "heartbeat_seconds": 3600}}
]
ASKS_IN_VAIN = [{**VALID, "approval": {**ASKS[0]["approval"], "expires_seconds": 2, "heartbeat_seconds": 1}}]
SOME_BAD = [{**VALID, "tolerated": True, "good_rows": 4, "bad_rows": 1, "flags": ["rows_quarantined"]}]
FAILED = {"raise": "LoadFailed", "message": "no such role"}
TASKS = [
    "validate_file",
    "keep_good_rows",
    "transform_file",
    "start_glue_job",
    "check_glue_job",
    "catalogue",
    "copy_to_redshift",
]


def standing(state: str, **more: Any) -> dict[str, Any]:
    succeeded = state == "SUCCEEDED"
    ended = state not in {"STARTING", "RUNNING"}
    cause = "" if succeeded else f"Glue job j, run jr: {state}."
    error = "" if succeeded else "GlueJobFailed"
    return {"done": ended, "succeeded": succeeded, "wait_seconds": 5, "error": error, "cause": cause, **more}


def test_a_small_file_goes_through_lambda_into_the_warehouse(load_file: Workflow) -> None:
    ended = load_file.run()
    assert ended.status == "SUCCEEDED"
    assert ended.states == [
        "ValidateFile",
        "IsFileValid",
        "IsFileSmall",
        "TransformFile",
        "Catalogue",
        "IsTableNamed",
        "CopyToRedshift",
        "NotifySucceeded",
        "FileLoaded",
    ]


def test_a_pipeline_without_a_table_is_not_copied(load_file: Workflow) -> None:
    ended = load_file.run(catalogue=[{"load": False, "rows": 5}])
    assert ended.status == "SUCCEEDED"
    assert "CopyToRedshift" not in ended.states


def test_an_invalid_file_is_quarantined_told_of_and_ends_as_rejected(load_file: Workflow) -> None:
    ended = load_file.run(validate_file=BAD)
    assert ended.states[-3:] == ["QuarantineFile", "NotifyRejected", "FileRejected"]
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "FileRejected", BAD[0]["reason"])


def test_tolerated_rows_are_left_out_of_what_the_next_steps_read(load_file: Workflow) -> None:
    ended = load_file.run(validate_file=SOME_BAD)
    assert ended.status == "SUCCEEDED"
    assert ended.states[1:5] == ["IsFileValid", "KeepGoodRows", "UseGoodRows", "IsFileSmall"]
    assert ended.input_of("TransformFile")["source"]["key"] == "good_rows/k"
    assert ended.input_of("Catalogue")["rows"] == 4


def test_a_large_file_with_tolerated_rows_goes_to_glue_without_them(load_file: Workflow) -> None:
    ended = load_file.run(validate_file=[{**SOME_BAD[0], "route": "glue"}])
    assert ended.status == "SUCCEEDED"
    assert ended.input_of("StartGlueJob")["source"]["key"] == "good_rows/k"
    assert ended.input_of("CheckGlueJob")["source"]["key"] == "good_rows/k"


def test_a_large_file_is_waited_for_until_glue_has_ended(load_file: Workflow) -> None:
    checks = [standing("STARTING"), standing("RUNNING"), standing("RUNNING"), standing("SUCCEEDED")]
    ended = load_file.run(validate_file=GLUE, check_glue_job=checks)
    assert ended.status == "SUCCEEDED"
    assert ended.states.count("WaitForGlueJob") == 3
    assert "TransformFile" not in ended.states


@pytest.mark.parametrize("state", ["FAILED", "STOPPED", "TIMEOUT"])
def test_a_glue_run_that_ended_badly_is_told_of_and_red(load_file: Workflow, state: str) -> None:
    ended = load_file.run(validate_file=GLUE, check_glue_job=[standing("RUNNING"), standing(state)])
    assert ended.states[-3:] == ["NotifyFailed", "KeepDeadLetter", "RunFailed"]
    assert (ended.status, ended.error) == ("FAILED", "GlueJobFailed")
    assert state in (ended.cause or "")


def test_a_busy_glue_job_is_started_later(load_file: Workflow) -> None:
    busy = {"raise": "GlueIsBusy", "message": "Concurrent runs exceeded for process_csv"}
    ended = load_file.run(validate_file=GLUE, start_glue_job=[busy, busy, busy, *GOOD["start_glue_job"]])
    assert (ended.status, ended.calls["start_glue_job"]) == ("SUCCEEDED", 4)


@pytest.mark.parametrize("error", ["WarehouseIsBusy", "WarehouseIsUnreachable"])
def test_a_load_that_met_another_one_is_tried_again(load_file: Workflow, error: str) -> None:
    ended = load_file.run(copy_to_redshift=[{"raise": error}, {"raise": error}, *GOOD["copy_to_redshift"]])
    assert (ended.status, ended.calls["copy_to_redshift"]) == ("SUCCEEDED", 3)


@pytest.mark.parametrize("step", TASKS)
def test_a_step_that_aws_throttles_is_tried_again(load_file: Workflow, step: str) -> None:
    route = _way_to(step)
    ended = load_file.run(**{**route, step: [{"raise": "Throttled"}, *{**GOOD, **route}[step]]})
    assert (ended.status, ended.calls[step]) == ("SUCCEEDED", 2)


@pytest.mark.parametrize("step", TASKS)
def test_a_step_that_gives_up_is_called_once_told_of_and_red(load_file: Workflow, step: str) -> None:
    ended = load_file.run(**{**_way_to(step), step: [FAILED]})
    assert ended.states[-3:] == ["NotifyFailed", "KeepDeadLetter", "RunFailed"]
    assert (ended.status, ended.error, ended.calls[step]) == ("FAILED", "LoadFailed", 1)


def test_a_file_that_cannot_be_moved_is_told_of_and_red(load_file: Workflow) -> None:
    ended = load_file.run(validate_file=BAD, quarantine_file=[FAILED])
    assert ended.states[-3:] == ["NotifyFailed", "KeepDeadLetter", "RunFailed"]
    assert ended.status == "FAILED"


@pytest.mark.parametrize(
    ("script", "last", "error"),
    [
        ({}, "NoticeNotSent", "NoticeNotSent"),
        ({"validate_file": BAD}, "NoticeNotSent", "NoticeNotSent"),
        ({"copy_to_redshift": [FAILED]}, "RunFailed", "LoadFailed"),
    ],
)
def test_a_run_whose_notice_cannot_be_sent_is_red(
    load_file: Workflow, script: dict[str, Any], last: str, error: str
) -> None:
    ended = load_file.run(
        **script, notify=[{"raise": "NotFoundException", "message": "Topic does not exist"}]
    )
    assert (ended.states[-1], ended.status, ended.error) == (last, "FAILED", error)


def test_a_function_without_free_concurrency_is_tried_again(load_file: Workflow) -> None:
    name = load_file.function_name("catalogue")
    load_file.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        execution = load_file.start()
        _wait_for_error(load_file, execution, "Lambda.TooManyRequestsException")
    finally:
        load_file.functions.delete_function_concurrency(FunctionName=name)
    ended = load_file.end_of(execution)
    assert (ended.status, ended.calls["catalogue"]) == ("SUCCEEDED", 1)


def test_every_arrow_of_the_definition_is_walked_here(load_file: Workflow) -> None:
    scripts: list[dict[str, Any]] = [
        {},
        {"catalogue": [{"load": False}]},
        {"validate_file": BAD},
        {"validate_file": BAD, "quarantine_file": [FAILED]},
        {"validate_file": BAD, "notify": [FAILED]},
        {"validate_file": SOME_BAD},
        {"validate_file": SOME_BAD, "keep_good_rows": [FAILED]},
        {"notify": [FAILED]},
        {"copy_to_redshift": [FAILED], "notify": [FAILED]},
        {"validate_file": GLUE, "check_glue_job": [standing("RUNNING"), standing("SUCCEEDED")]},
        {"validate_file": GLUE, "check_glue_job": [standing("FAILED")]},
        *({"validate_file": GLUE, step: [FAILED]} for step in ("start_glue_job", "check_glue_job")),
        *({step: [FAILED]} for step in ("validate_file", "transform_file", "catalogue", "copy_to_redshift")),
    ]
    some_bad_ask = [{**SOME_BAD[0], "approval": ASKS[0]["approval"]}]
    scripts += [
        {"validate_file": ASKS_IN_VAIN},
        {"validate_file": ASKS_IN_VAIN, "notify": [FAILED]},
        {"validate_file": ASKS, "request_approval": [FAILED]},
    ]
    executions = [load_file.start(**script) for script in scripts]
    for asks, answer in ((ASKS, approve), (some_bad_ask, approve), (ASKS, refuse)):
        executions.append(load_file.start(validate_file=asks))
        answer(load_file, executions[-1])
    walked = set().union(*(load_file.end_of(execution).arrows() for execution in executions))
    states = load_file.definition["States"]
    drawn = {(name, target) for name, state in states.items() for _, target in arrows(state)}
    assert drawn - walked == set()


def test_what_failed_is_kept_as_a_dead_letter_though_nobody_could_be_told(load_file: Workflow) -> None:
    ended = load_file.run(copy_to_redshift=[FAILED], notify=[FAILED])
    assert ended.states[-3:] == ["NotifyFailed", "KeepDeadLetter", "RunFailed"]
    letter = load_file.dead_letter(ended.run)
    assert (letter["kind"], letter["pipeline"], letter["error"]["Error"]) == ("run", "p", "LoadFailed")
    assert letter["file"]["key"] == "k"


def test_an_approved_run_goes_on_with_who_approved_it(load_file: Workflow) -> None:
    execution = load_file.start(validate_file=ASKS)
    approve(load_file, execution)
    ended = load_file.end_of(execution)
    assert ended.status == "SUCCEEDED"
    assert ended.states[1:5] == ["IsFileValid", "RequestApproval", "AreRowsSetAside", "IsFileSmall"]
    assert ended.calls["request_approval"] == 1


def test_nothing_is_written_before_somebody_decides(load_file: Workflow) -> None:
    execution = load_file.start(validate_file=ASKS)
    load_file.token_of(execution)
    assert not {"transform_file", "catalogue", "keep_good_rows"} & set(load_file.called(execution))
    refuse(load_file, execution)
    assert not {"transform_file", "catalogue", "keep_good_rows"} & set(load_file.end_of(execution).calls)


def test_a_refused_run_ends_as_rejected_with_the_reason_and_is_told(load_file: Workflow) -> None:
    execution = load_file.start(validate_file=ASKS)
    refuse(load_file, execution)
    ended = load_file.end_of(execution)
    assert (ended.error, ended.cause) == ("FileRejected", "refused by ann: too many")
    assert ended.states[-3:] == ["QuarantineFile", "NotifyRejected", "FileRejected"]


def test_a_run_that_is_kept_alive_ends_as_expired_when_nobody_decides(load_file: Workflow) -> None:
    execution = load_file.start(validate_file=ASKS_IN_VAIN)
    token = load_file.token_of(execution)
    with pytest.raises(ClientError, match="TaskTimedOut"):
        keep_alive(load_file, token)
    ended = load_file.end_of(execution)
    assert (ended.status, ended.error) == ("FAILED", "ApprovalExpired")
    assert ended.states[-2:] == ["NotifyExpired", "ApprovalExpired"]
    assert "TaskTimedOut" in {event["type"] for event in ended.events}


def test_a_run_that_nobody_looks_after_ends_as_expired(load_file: Workflow) -> None:
    ended = load_file.run(validate_file=ASKS_IN_VAIN)
    assert ended.error == "ApprovalExpired"
    assert ended.calls["notify"] == 1


def keep_alive(workflow: Workflow, token: str) -> None:
    while True:
        workflow.states.send_task_heartbeat(taskToken=token)


def approve(workflow: Workflow, execution: str) -> None:
    workflow.states.send_task_success(taskToken=workflow.token_of(execution), output='{"approved_by": "ann"}')


def refuse(workflow: Workflow, execution: str) -> None:
    token = workflow.token_of(execution)
    workflow.states.send_task_failure(
        taskToken=token, error="RefusedByApprover", cause="refused by ann: too many"
    )


def _way_to(step: str) -> dict[str, Any]:
    if step == "keep_good_rows":
        return {"validate_file": SOME_BAD}
    return {"validate_file": GLUE} if "glue" in step else {}


def _wait_for_error(workflow: Workflow, execution: str, error: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if any(error in str(event) for event in workflow.history(execution)):
            return
        time.sleep(0.01)
    raise AssertionError(f"{error} never came: {workflow.history(execution)[-3:]}")
