"""What checkov and parliament say is read, judged by what is accepted, and never lost."""

from __future__ import annotations

import json
import sys

import pytest

from infrastructure.audit import AuditFailedError, audit
from infrastructure.render import ROOT


@pytest.fixture
def programs(tmp_path):
    """Stands for the audit's environment: each program prints what `say` gave it."""

    def say(checkov, parliament):
        for name, text in (("checkov", checkov), ("python", parliament)):
            path = tmp_path / name
            path.write_text(f"#!{sys.executable}\nprint({text!r})\n")
            path.chmod(0o755)
        return tmp_path

    return say


def failed(*checks):
    found = [
        {"resource": f"AWS::S3::Bucket.{where}", "check_id": rule, "check_name": "n"}
        for where, rule in checks
    ]
    return json.dumps({"results": {"failed_checks": found}})


def test_a_finding_of_either_tool_is_told_with_its_place(programs):
    policies = [{"where": "ApiRole/what", "rule": "UNKNOWN_ACTION", "detail": "s3:GetObjct"}]
    found = audit(programs(failed(("NewBucket", "CKV_AWS_21")), json.dumps(policies)))
    told = {(each.state, each.rule) for each in found if each.rule != "accepted-for-nothing"}
    assert told == {("NewBucket", "CKV_AWS_21"), ("ApiRole/what", "UNKNOWN_ACTION")}


def test_what_is_accepted_is_not_told_and_what_is_accepted_for_nothing_is(programs):
    found = audit(programs(failed(("LandingBucket", "CKV_AWS_18")), "[]"))
    assert {each.rule for each in found} == {"accepted-for-nothing"}
    assert not [each for each in found if "CKV_AWS_18" in each.remedy]
    assert [each for each in found if "CKV_AWS_99" in each.remedy]


def test_an_acceptance_holds_only_for_the_finding_that_it_names(programs):
    other = [{"where": "ApiRole/what", "rule": "RESOURCE_MISMATCH", "detail": "s3:ListBucket"}]
    found = audit(programs(failed(), json.dumps(other)))
    assert ("ApiRole/what", "RESOURCE_MISMATCH") in {(each.state, each.rule) for each in found}


def test_a_linter_that_does_not_work_fails_the_audit(programs):
    with pytest.raises(AuditFailedError, match="checkov"):
        audit(programs("no JSON", "[]"), ROOT)
