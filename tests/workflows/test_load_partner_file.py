"""Every arrow of load_partner_file, walked: the load and the receipt are real, in two accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from cli.workflow_diagram import arrows
from tests.integration.waiting import until
from tests.workflows.conftest import Workflow
from tests.workflows.script import GOOD, VALID

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAWS

PARTNER = "210987654321"
REJECTED = {**VALID, "valid": False, "reason": "line 7: 'three' is not an integer", "defects": []}
Script = dict[str, list[dict[str, Any]]]


def partner(aws: RunningAWS, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=PARTNER,
        aws_secret_access_key="any",
    )


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@pytest.fixture(scope="session")
def partner_file(scripted_aws: RunningAWS, load_file: Workflow) -> Workflow:
    workflow = Workflow(
        scripted_aws,
        load_file.calls,
        "load_partner_file",
        good=GOOD,
        work={},
        names={"LoadFileStateMachine": load_file.arn},
    )
    trust = policy(
        Principal={"AWS": workflow.role},
        Action="sts:AssumeRole",
        Condition={"StringEquals": {"sts:ExternalId": workflow.arn}},
    )
    role = partner(scripted_aws, "iam").create_role(RoleName=workflow.prefix, AssumeRolePolicyDocument=trust)[
        "Role"
    ]["Arn"]
    scripted_aws.client("iam").put_role_policy(
        RoleName=workflow.prefix,
        PolicyName="receipts",
        PolicyDocument=policy(Action="sts:AssumeRole", Resource=role),
    )
    bucket = f"partner-{workflow.prefix}"
    partner(scripted_aws, "s3").create_bucket(Bucket=bucket)
    workflow.work = {
        "file": {"bucket": bucket, "key": "outgoing/a.csv", "etag": "e"},
        "receipt_to": {"role": role, "bucket": bucket},
    }
    return workflow


def receipt(aws: RunningAWS, workflow: Workflow, run: str) -> dict[str, Any]:
    found = partner(aws, "s3").get_object(
        Bucket=workflow.work["receipt_to"]["bucket"], Key=f"receipts/{run}.json"
    )
    return dict(json.loads(found["Body"].read()))


def test_a_loaded_file_gets_a_receipt_in_the_other_account(
    scripted_aws: RunningAWS, partner_file: Workflow
) -> None:
    execution = partner_file.start()
    ended = partner_file.end_of(execution)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "FileLoaded"), ended.cause
    found = receipt(scripted_aws, partner_file, execution.rpartition(":")[2])
    assert (found["loaded"], found["rows"], found["file"]) == (True, 5, "outgoing/a.csv")


def test_a_rejected_file_s_receipt_says_why(scripted_aws: RunningAWS, partner_file: Workflow) -> None:
    execution = partner_file.start(validate_file=[REJECTED])
    ended = partner_file.end_of(execution)
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "FileRejected", REJECTED["reason"])
    found = receipt(scripted_aws, partner_file, execution.rpartition(":")[2])
    assert (found["loaded"], found["error"], found["reason"]) == (False, "FileRejected", REJECTED["reason"])


def test_what_failed_on_our_side_is_not_told_to_the_other_account(
    scripted_aws: RunningAWS, partner_file: Workflow
) -> None:
    execution = partner_file.start(transform_file=[{"raise": "RowsLost", "message": "inside.py line 7"}])
    ended = partner_file.end_of(execution)
    assert (ended.status, ended.error) == ("FAILED", "RowsLost")
    assert "inside.py line 7" in str(ended.cause)
    found = receipt(scripted_aws, partner_file, execution.rpartition(":")[2])
    assert "inside.py" not in json.dumps(found)
    assert found["loaded"] is False


def test_a_receipt_that_is_refused_is_told_and_ends_red(partner_file: Workflow) -> None:
    given = partner_file.work
    partner_file.work = given | {"receipt_to": given["receipt_to"] | {"role": f"{_role(given)}-gone"}}
    try:
        for script in ({}, {"validate_file": [REJECTED]}):
            ended = partner_file.run(**script)
            assert (ended.status, ended.error) == ("FAILED", "States.TaskFailed")
            assert "is not authorized to assume the task state's role" in str(ended.cause)
            assert ended.states[-2:] == ["NotifyFailed", "RunFailed"]
    finally:
        partner_file.work = given


def test_a_load_that_was_stopped_told_nobody(partner_file: Workflow, load_file: Workflow) -> None:
    patient = {"done": False, "succeeded": False, "wait_seconds": 60_000, "error": "", "cause": ""}
    execution = partner_file.start(check_glue_job=[patient], validate_file=[VALID | {"route": "glue"}])
    run = execution.rpartition(":")[2]
    child = load_file.arn.replace(":stateMachine:", ":execution:") + f":{run}-0"
    _stop_when_it_runs(load_file, child)
    ended = partner_file.end_of(execution)
    assert (ended.status, ended.error) == ("FAILED", "States.TaskFailed")
    assert ended.states == ["LoadFile", "DidLoadFileSay", "NotifyFailed", "RunFailed"]


def test_every_arrow_is_drawn_from_a_way_that_a_run_took(
    scripted_aws: RunningAWS, partner_file: Workflow
) -> None:
    deaf = [{"raise": "NotFoundException"}]
    given = partner_file.work
    scripts: list[Script] = [{}, {"validate_file": [REJECTED]}, {"catalogue": [{"raise": "RowsLost"}]}]
    walked = set().union(*(partner_file.run(**script).arrows() for script in scripts))
    partner_file.work = given | {"receipt_to": given["receipt_to"] | {"role": "no role"}}
    try:
        for script in ({"notify": [{}, *deaf]}, {"validate_file": [REJECTED]}):
            walked |= partner_file.run(**script).arrows()
    finally:
        partner_file.work = given
    states = partner_file.definition["States"]
    drawn = {(name, target) for name, state in states.items() for _, target in arrows(state)}
    elsewhere = {("DidLoadFileSay", "NotifyFailed"), ("LoadFile", "NotifyFailed")}
    assert drawn - walked == elsewhere  # a load that was stopped; a load that Step Functions refuses to start
    assert scripted_aws.process.poll() is None


def _role(work: dict[str, Any]) -> str:
    return str(work["receipt_to"]["role"])


def _stop_when_it_runs(load_file: Workflow, child: str) -> None:
    def stopped() -> bool:
        try:
            load_file.states.stop_execution(executionArn=child)
        except load_file.states.exceptions.ExecutionDoesNotExist:
            return False
        return True

    until(stopped)
