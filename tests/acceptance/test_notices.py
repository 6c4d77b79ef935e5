"""Notices on a whole stage: folded, kept, summed up, and what is late."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import partner
from cli.notices import outbox
from tests.acceptance.conftest import own
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage


def invoke(stage: Stage, function: str) -> Any:
    """Call a scheduled function as EventBridge does, and return its answer."""
    event = {
        "version": "0",
        "id": own("event"),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "region": "us-east-1",
        "resources": [],
        "detail": {},
    }
    answer = stage.client("lambda").invoke(
        FunctionName=f"decant-local-{function}", Payload=json.dumps(event).encode()
    )
    body = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, body
    return body


def test_files_rejected_for_one_cause_are_told_of_once_and_each_notice_is_kept(stage: Stage) -> None:
    keys = [f"incoming/orders/{own('folded')}.csv" for _ in range(6)]
    for key in keys:
        stage.put(key, orders(random.randrange(10**9, 2 * 10**9), country="XX"))
    runs = [stage.ended(key)[0] for key in keys]
    kept = [stage.notice(run) for run in runs]
    names = {run["name"] for run in runs}
    sent = [
        each for each in outbox(stage.running.endpoint_url) if any(name in each["message"] for name in names)
    ]
    assert [notice["folded"] for notice in kept].count(False) == len(sent) == 1
    assert sent[0]["message_attributes"]["severity"]["Value"] == "warning"
    assert all("country" in notice["body"] for notice in kept)
    assert {notice["facts"]["run"] for notice in kept} == names
    console = f"{stage.running.api_url}/console"
    assert {notice["facts"]["console"] for notice in kept} == {f"{console}#/runs/{name}" for name in names}


def test_reconcile_says_what_it_did_and_late_data_is_shown(stage: Stage) -> None:
    partner.connect(stage.running.environment)  # else its bucket refuses to be listed, and the look fails
    found = invoke(stage, "reconcile_due")
    assert found["failed"] == []
    assert {"files", "ticks", "stuck", "stopped_job_runs", "told", "summaries", "late"} <= set(found)
    (level,) = stage.api.get("/service-levels")["service_levels"]
    assert (level["pipeline"], level["expected_by"]) == ("nightly_batch", "06:00 UTC")
    assert level["standing"] in {"not_yet", "met", "late", "arrived"}
    assert stage.decant_json("late") == [level]
    assert "nightly_batch" in stage.decant("late")


def test_the_digest_of_the_day_counts_the_runs(stage: Stage) -> None:
    key = f"incoming/orders/{own('digest')}.csv"
    stage.put(key, orders(random.randrange(10**9, 2 * 10**9), gift="maybe"))
    stage.ended(key)
    invoke(stage, "digest_due")
    s3 = stage.client("s3")
    name = f"digest-{datetime.now(UTC).date().isoformat()}"
    found = s3.get_object(Bucket="decant-local-artifacts-123456789012", Key=f"notices/{name}/digest.json")
    kept = json.load(found["Body"])
    assert kept["facts"]["pipelines"]["orders"]["rejected"] >= 1
    assert "orders:" in kept["body"]
    assert f"Console:       {stage.running.api_url}/console#/runs\n" in kept["body"]
