"""What the embedded AWS asks for before it does what a role wants."""

from __future__ import annotations

import json
import uuid

import pytest
from moto.iam.models import iam_backends

from local_aws.services.identity.asked_for import AskedFor, Place, UnmappedRequestError, asked_for
from local_aws.services.identity.enforcement import DeniedError, Enforcement
from local_aws.services.identity.principal import Principal, role_session

HERE = Place(partition="aws", region="eu-west-1", account="111122223333")
INVOCATIONS = "/2015-03-31/functions/f/invocations"
ARN = "arn:aws:{}:eu-west-1:111122223333:{}"


@pytest.fixture
def enforcement():
    found = Enforcement()
    found.on = True
    return found


def caller(*statements):
    """Return a session of a new role with these statements."""
    name = f"role-{uuid.uuid4().hex[:8]}"
    backend = iam_backends[HERE.account]["aws"]
    role = backend.create_role(name, "{}", "/", None, "", [], "3600")
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    role.put_policy("own", json.dumps(document))
    return role_session(role.arn, "probe")


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("service", "operation", "values", "resources"),
    [
        ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:m"}, ["arn:m"]),
        (
            "awslambda",
            "Invoke",
            {"-path": INVOCATIONS},
            [ARN.format("lambda", "function:f")],
        ),
        ("glue", "StartJobRun", {"JobName": "j"}, [ARN.format("glue", "job/j")]),
        (
            "glue",
            "GetTable",
            {"DatabaseName": "d", "Name": "t"},
            [ARN.format("glue", each) for each in ("catalog", "database/d", "table/d/t")],
        ),
        ("athena", "StartQueryExecution", {}, [ARN.format("athena", "workgroup/primary")]),
        ("sqs", "SendMessage", {"QueueUrl": "http://x/111122223333/q"}, [ARN.format("sqs", "q")]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "g", "logStreamName": "s"},
            [ARN.format("logs", "log-group:g:log-stream:s")],
        ),
    ],
)
def test_a_request_is_about_the_resources_that_its_parameters_name(service, operation, values, resources):
    assert [each.resource for each in asked_for(service, operation, values, HERE)] == resources


def test_an_invocation_is_asked_for_by_the_name_that_iam_has_for_it():
    asked = asked_for("awslambda", "Invoke", {"-path": INVOCATIONS}, HERE)
    assert [each.action for each in asked] == ["lambda:InvokeFunction"]


def test_metrics_are_asked_for_with_their_namespace():
    asked = asked_for("cloudwatch", "PutMetricData", {"Namespace": "Glue"}, HERE)
    assert asked == [
        AskedFor(action="cloudwatch:PutMetricData", resource="*", context=(("cloudwatch:namespace", "Glue"),))
    ]


def test_an_operation_that_nobody_mapped_is_no_permission():
    with pytest.raises(UnmappedRequestError, match="states:CreateActivity"):
        asked_for("stepfunctions", "CreateActivity", {"name": "x"}, HERE)


def test_what_a_statement_allows_passes_and_all_else_is_refused(enforcement):
    role = caller(allow("s3:GetObject", "arn:aws:s3:::b/in/*"))
    enforcement.check(role, "s3:GetObject", "arn:aws:s3:::b/in/x")
    with pytest.raises(DeniedError, match="because no identity-based policy allows the s3:PutObject action"):
        enforcement.check(role, "s3:PutObject", "arn:aws:s3:::b/in/x")
    with pytest.raises(DeniedError, match="s3:GetObject on resource: arn:aws:s3:::b/out/x"):
        enforcement.check(role, "s3:GetObject", "arn:aws:s3:::b/out/x")


def test_a_deny_counts_more_than_any_allow(enforcement):
    role = caller(allow("s3:*"), {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    with pytest.raises(DeniedError, match="with an explicit deny in an identity-based policy"):
        enforcement.check(role, "s3:DeleteObject", "arn:aws:s3:::b/x")


def test_a_condition_is_met_or_nothing_is_allowed(enforcement):
    namespace = {"StringEquals": {"cloudwatch:namespace": "Glue"}}
    role = caller(allow("cloudwatch:PutMetricData", Condition=namespace))
    enforcement.check(role, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Glue"})
    with pytest.raises(DeniedError):
        enforcement.check(role, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Mine"})


def test_a_condition_key_that_is_not_worked_out_here_is_named(enforcement):
    role = caller(allow("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    with pytest.raises(DeniedError, match="cannot work out the role's policies: condition key aws:sourceip"):
        enforcement.check(role, "s3:GetObject", "arn:aws:s3:::b/x")


def test_a_role_that_is_gone_may_nothing(enforcement):
    gone = role_session("arn:aws:iam::111122223333:role/gone", "probe")
    with pytest.raises(DeniedError, match="does not exist"):
        enforcement.check(gone, "s3:GetObject", "arn:aws:s3:::b/x")


def test_an_account_s_own_keys_may_do_all(enforcement):
    enforcement.check(Principal(account="111122223333"), "s3:DeleteBucket", "arn:aws:s3:::b")


def test_without_the_switch_nothing_is_refused():
    Enforcement().check(caller(), "s3:DeleteBucket", "arn:aws:s3:::b")
