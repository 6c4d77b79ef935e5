"""People decide: over REST and on the command line, by role, and the token stays inside."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import requests

from tests.acceptance.conftest import DECANT, ROOT, clean_environment, own, wait_for
from tests.acceptance.terminal import CONTROL_C, Terminal

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

HEADER = "refund_id,order_id,refunded_on,amount,reason\n"


def dropped(stage: Stage) -> tuple[str, str]:
    """Drop a file of one refund; return its key and the run that waits."""
    key = f"incoming/refunds/{own('r')}.csv"
    number = secrets.randbelow(10**9)
    stage.put(key, f"{HEADER}{number},1,2026-11-20,9.99,late\n")

    def waits() -> Any:
        waiting = stage.api.get("/approvals")["waiting"]
        return next((each["run"] for each in waiting if each["file"]["key"] == key), None)

    return key, str(wait_for(waits, f"a run of {key} that waits"))


def tokens_inside(stage: Stage) -> list[str]:
    """Return the task tokens that are kept now."""
    s3, bucket = stage.client("s3"), "decant-local-artifacts-123456789012"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="approvals/")["Contents"]]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["task_token"] for key in keys]


def test_an_approved_file_is_loaded_and_says_who_approved_it(stage: Stage) -> None:
    key, run = dropped(stage)
    assert run in stage.decant("approvals", "list")
    stage.decant("approvals", "approve", run, "--reason", "looks right")
    (ended,) = stage.ended(key)
    assert ended["outcome"] == "succeeded"
    assert ended["output"]["request_approval"]["approved_by"] == "local"
    assert ended["output"]["request_approval"]["reason"] == "looks right"
    assert "does not wait" in stage.decant("approvals", "refuse", run, "--reason", "no", code=1)


def test_a_refused_file_goes_to_quarantine_with_the_reason(stage: Stage) -> None:
    key, run = dropped(stage)
    stage.decant("approvals", "refuse", run, "--reason", "ask the shop first")
    (ended,) = stage.ended(key)
    assert (ended["outcome"], ended["cause"]) == ("rejected", "refused by local: ask the shop first")


def test_an_operator_may_look_but_not_decide(stage: Stage) -> None:
    key, run = dropped(stage)
    headers = {"Authorization": f"Bearer {stage.tokens['operator']}"}

    def answered(method: str, path: str) -> int:
        url = stage.running.api_url + path
        return requests.request(method, url, headers=headers, json={"reason": "x"}, timeout=30).status_code

    assert answered("GET", "/approvals") == 200
    assert [answered("POST", f"/runs/{run}/{verb}") for verb in ("approve", "refuse")] == [403, 403]
    assert answered("POST", f"/runs/{run}/stop") == 200
    assert stage.ended(key)[0]["outcome"] == "stopped"


def test_watching_at_a_terminal_says_how_to_decide_and_leaves_the_tree_after_control_c(stage: Stage) -> None:
    _, run = dropped(stage)
    environment = {**clean_environment(), "DECANT_HOME": str(stage.home)}
    with Terminal([str(DECANT), "runs", "watch", run], ROOT, environment, columns=50) as terminal:
        terminal.until("RequestApproval")
        terminal.type(CONTROL_C)
        assert terminal.ended() == 1
    assert f'decant approvals approve {run} --reason "..."' in terminal.said
    assert f"it goes on; watch it again: decant runs watch {run}" in terminal.said
    assert "Traceback" not in terminal.said
    stage.decant("approvals", "refuse", run, "--reason", "seen enough")


def test_the_token_reaches_no_answer_no_notice_and_no_log(stage: Stage) -> None:
    key, run = dropped(stage)
    tokens = tokens_inside(stage)
    said = {path: json.dumps(stage.api.get(path)) for path in (f"/runs/{run}", "/approvals")}
    said["notices"] = stage.decant("notices", "--json")
    assert f"{stage.running.api_url}/console#/runs/{run}" in said["notices"]
    logs = stage.client("logs")
    for group in (
        "/aws/lambda/decant-local-request_approval",
        "/aws/lambda/decant-local",
        "/aws/vendedlogs/states/decant-local-load_file",
    ):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        said[group] = json.dumps([event["message"] for page in pages for event in page["events"]])
    stage.decant("approvals", "refuse", run, "--reason", "seen enough")
    said["ended run"] = json.dumps(stage.ended(key))
    said["events"] = json.dumps(stage.api.get(f"/runs/{run}/events"))
    assert tokens
    assert [where for where, text in said.items() if any(token in text for token in tokens)] == []
