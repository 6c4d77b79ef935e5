"""When a run asks, who may answer, and what becomes of the token."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import approvals, auth
from chalicelib.errors import InvalidPipeline, RunConflict
from chalicelib.pipeline import Approval
from chalicelib.steps.request_approval import ask
from chalicelib.steps.validate_file import check
from tests.factories import STARTED, a_file, a_pipeline
from tests.fakes import FakeS3, FakeSNS, FakeStepFunctions

RUN = "things-0123456789abcdef01234567"
GOOD = b"id,label\n1,a\n2,b\n"


def validated(approval: Approval | None, body: bytes = GOOD, **more: Any) -> dict[str, Any]:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/x.csv", body)
    return check(s3, a_pipeline(approval=approval, **more), file, RUN)


def asked(s3: FakeS3, token: str = "secret-token", now: datetime | None = None) -> FakeSNS:
    sns = FakeSNS()
    report = validated(Approval(always=True))
    event = {
        "run": RUN,
        "pipeline": "things",
        "file": a_file().to_document(),
        "started": STARTED,
        "validate_file": report,
        "task_token": token,
    }
    ask(s3, sns, event, now or datetime.now(UTC))
    return sns


def test_a_pipeline_without_a_rule_never_asks() -> None:
    assert not validated(None)["approval"]["needed"]


@pytest.mark.parametrize(
    ("approval", "more", "why"),
    [
        (Approval(always=True), {}, "this pipeline always asks"),
        (Approval(flags=("unusual_row_count",)), {"usual_rows": (5, 9)}, "more or fewer rows than"),
    ],
)
def test_a_rule_that_fits_asks_and_says_why(approval: Approval, more: dict[str, Any], why: str) -> None:
    found = validated(approval, **more)["approval"]
    assert found["needed"]
    assert why in found["why"][0]
    assert found["heartbeat_seconds"] < found["expires_seconds"] == 86_400


def test_a_rule_that_does_not_fit_does_not_ask() -> None:
    rule = Approval(flags=("unusual_row_count",), bad_rows=0)
    assert not validated(rule, usual_rows=(1, 9))["approval"]["needed"]


def test_an_invalid_file_is_rejected_and_nobody_is_asked() -> None:
    found = validated(Approval(always=True), b"id,label\nx,a\n")
    assert not found["valid"]
    assert not found["approval"]["needed"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "it never asks"),
        ({"flags": ("odd",)}, "flag 'odd'"),
        ({"bad_rows": -1}, "write 0 or more"),
        ({"always": True, "expires_after": 59}, "write 60 to 604800 seconds"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPipeline, match=words):
        Approval(**given)


def test_people_are_told_the_run_why_and_both_commands_but_not_the_token() -> None:
    ((_, subject, body, _),) = asked(FakeS3()).published
    assert subject.startswith("[things] waiting: ")
    for words in (
        "this pipeline always asks",
        f"approvals approve {RUN}",
        f"approvals refuse {RUN}",
        "Until:",
    ):
        assert words in body
    assert "secret-token" not in body


def test_what_waits_is_listed_without_its_token() -> None:
    s3 = FakeS3()
    asked(s3)
    (found,) = approvals.waiting(s3)
    assert found.run == RUN
    assert "secret-token" not in str(found)


def test_what_expired_is_listed_no_more() -> None:
    s3 = FakeS3()
    asked(s3, now=datetime.now(UTC) - timedelta(days=2))
    assert list(approvals.waiting(s3)) == []


def test_an_approval_says_who_and_why_and_can_be_given_once() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    asked(s3)
    approvals.approve(s3, states, RUN, by="ann", reason="fine")
    ((token, output),) = states.succeeded
    assert (token, output["approved_by"], output["reason"]) == ("secret-token", "ann", "fine")
    with pytest.raises(RunConflict, match="does not wait"):
        approvals.approve(s3, states, RUN, by="ann", reason="again")


def test_a_refusal_says_who_and_why() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    asked(s3)
    approvals.refuse(s3, states, RUN, by="ann", reason="too many")
    assert states.failed == [("secret-token", "RefusedByApprover", "refused by ann: too many")]


def test_another_attempt_of_the_step_replaces_the_token() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    asked(s3, "first")
    asked(s3, "second")
    approvals.approve(s3, states, RUN, by="ann", reason="fine")
    assert states.succeeded[0][0] == "second"


def test_waiting_runs_are_kept_alive_and_ended_ones_forgotten() -> None:
    s3, states = FakeS3(), FakeStepFunctions()
    asked(s3)
    assert approvals.look_after(s3, states) == 1
    states.ended_tokens.add("secret-token")
    assert approvals.look_after(s3, states) == 0
    assert not [key for _, key in s3.objects if key.startswith(approvals.FOLDER)]


def test_only_an_approver_may_decide() -> None:
    def may(role: str, path: str) -> bool:
        routes = auth.ROUTES[role]
        return any("POST" in route.methods and route.path in {"*", path} for route in routes)

    for verb in ("approve", "refuse"):
        assert [may(role, f"/runs/*/{verb}") for role in ("viewer", "operator", "approver")] == [
            False,
            False,
            True,
        ]
    assert may("operator", "/runs/*/stop")
    assert "/runs/*" not in json.dumps([route.path for route in auth.ROUTES["operator"]]).split('"')
