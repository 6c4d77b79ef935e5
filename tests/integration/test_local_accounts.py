"""Two accounts in one embedded AWS: who may assume a role, read a bucket, run a job."""

from __future__ import annotations

import json
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.services.identity.principal import role_session, session_credentials
from tests.integration.step_functions_client import StateMachines, output
from tests.integration.waiting import until

OURS, PARTNER = "123456789012", "210987654321"
EXTERNAL_ID = "decant-7f3a"
INVOKE = "arn:aws:states:::lambda:invoke"


def client_of(aws, service, key, secret="any", token=None):
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def refusal(call, **request):
    with pytest.raises(ClientError) as refused:
        call(**request)
    return refused.value.response["Error"]


@pytest.fixture(scope="module")
def partner(local_aws):
    return lambda service: client_of(local_aws, service, PARTNER)


def trusting(principal, **conditions):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if conditions:
        statement["Condition"] = conditions
    return {"Version": "2012-10-17", "Statement": [statement]}


def make_role(iam, trust, name=None, policy=None):
    name = name or f"role-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if policy:
        document = {"Version": "2012-10-17", "Statement": [policy]}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    return arn


@pytest.fixture(scope="module")
def reader(partner):
    """A role of the partner that trusts our whole account, with an external id."""
    trust = trusting(f"arn:aws:iam::{OURS}:root", StringEquals={"sts:ExternalId": EXTERNAL_ID})
    return make_role(partner("iam"), trust)


@pytest.fixture(scope="module")
def bucket(partner):
    name = f"partner-{uuid.uuid4().hex[:10]}"
    partner("s3").create_bucket(Bucket=name)
    partner("s3").put_object(Bucket=name, Key="in/a.csv", Body=b"id\n1\n")
    return name


def assumed(aws, role, service, external_id=EXTERNAL_ID, sts=None):
    sts = sts or aws.client("sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="run-1", ExternalId=external_id)["Credentials"]
    return client_of(aws, service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def test_a_twelve_digit_access_key_is_that_account_s(partner, local_aws):
    assert partner("sts").get_caller_identity()["Account"] == PARTNER
    assert local_aws.client("sts").get_caller_identity()["Account"] == OURS


def test_a_session_acts_in_the_role_s_account(local_aws, reader, bucket):
    who = assumed(local_aws, reader, "sts").get_caller_identity()
    name = reader.rpartition("/")[2]
    assert (who["Account"], who["Arn"]) == (PARTNER, f"arn:aws:sts::{PARTNER}:assumed-role/{name}/run-1")
    found = assumed(local_aws, reader, "s3").get_object(Bucket=bucket, Key="in/a.csv")
    assert found["Body"].read() == b"id\n1\n"


@pytest.mark.parametrize("external_id", ["decant-other", None])
def test_a_role_is_not_assumed_without_its_external_id(local_aws, reader, external_id):
    more = {"ExternalId": external_id} if external_id else {}
    error = refusal(local_aws.client("sts").assume_role, RoleArn=reader, RoleSessionName="r1", **more)
    assert error["Code"] == "AccessDenied"
    assert error["Message"].endswith(f"is not authorized to perform: sts:AssumeRole on resource: {reader}")


def test_a_role_is_not_assumed_by_an_account_that_it_does_not_trust(local_aws, reader):
    stranger = client_of(local_aws, "sts", "999999999999")
    request = {"RoleArn": reader, "RoleSessionName": "r1", "ExternalId": EXTERNAL_ID}
    assert refusal(stranger.assume_role, **request)["Code"] == "AccessDenied"
    missing = f"arn:aws:iam::{PARTNER}:role/nobody"
    assert refusal(stranger.assume_role, **request | {"RoleArn": missing})["Code"] == "AccessDenied"


def test_a_role_of_ours_needs_the_permission_to_assume_one_of_theirs(local_aws, reader):
    iam = local_aws.client("iam")
    us = trusting(f"arn:aws:iam::{OURS}:root")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": reader}
    for policy, allowed in ((may, True), (may | {"Resource": reader + "-2"}, False), (None, False)):
        own = make_role(iam, us, policy=policy)
        keys = local_aws.client("sts").assume_role(RoleArn=own, RoleSessionName="fn")["Credentials"]
        sts = client_of(local_aws, "sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        request = {"RoleArn": reader, "RoleSessionName": "r1", "ExternalId": EXTERNAL_ID}
        if allowed:
            assert sts.assume_role(**request)["Credentials"]["AccessKeyId"].startswith("ASIA")
        else:
            assert refusal(sts.assume_role, **request)["Code"] == "AccessDenied"


def test_a_session_s_name_keeps_to_aws_s_rules(local_aws, reader):
    for name in ("x" * 65, "a b", "x"):
        with pytest.raises(Exception, match=r"length|pattern|RoleSessionName"):
            local_aws.client("sts").assume_role(RoleArn=reader, RoleSessionName=name)


def test_a_bucket_is_closed_to_other_accounts_until_its_policy_opens_it(local_aws, partner, bucket):
    ours = local_aws.client("s3")
    assert refusal(ours.get_object, Bucket=bucket, Key="in/a.csv")["Code"] == "AccessDenied"
    assert refusal(ours.head_object, Bucket=bucket, Key="in/a.csv")["Code"] == "403"
    assert refusal(ours.put_object, Bucket=bucket, Key="in/b.csv", Body=b"")["Code"] == "AccessDenied"
    assert refusal(ours.list_objects_v2, Bucket=bucket)["Code"] == "AccessDenied"
    own = f"mine-{uuid.uuid4().hex[:8]}"
    ours.create_bucket(Bucket=own)
    stolen = {"Bucket": own, "Key": "x", "CopySource": {"Bucket": bucket, "Key": "in/a.csv"}}
    assert refusal(ours.copy_object, **stolen)["Code"] == "AccessDenied"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/in/*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    partner("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        assert ours.get_object(Bucket=bucket, Key="in/a.csv")["Body"].read() == b"id\n1\n"
        ours.copy_object(**stolen)
        assert refusal(ours.delete_object, Bucket=bucket, Key="in/a.csv")["Code"] == "AccessDenied"
        policy["Statement"].append(statement | {"Effect": "Deny"})
        partner("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        assert refusal(ours.get_object, Bucket=bucket, Key="in/a.csv")["Code"] == "AccessDenied"
    finally:
        partner("s3").delete_bucket_policy(Bucket=bucket)


def test_a_policy_that_is_not_understood_allows_nothing(local_aws, partner):
    trust = trusting(f"arn:aws:iam::{OURS}:root", DateLessThan={"aws:CurrentTime": "2030-01-01T00:00:00Z"})
    role = make_role(partner("iam"), trust)
    error = refusal(local_aws.client("sts").assume_role, RoleArn=role, RoleSessionName="r1")
    assert (error["Code"], "DateLessThan" in error["Message"]) == ("AccessDenied", True)


def test_a_job_of_another_account_runs_there_as_its_role(local_aws, partner, bucket):
    trust = {"Version": "2012-10-17", "Statement": []}
    role = make_role(partner("iam"), trust)
    script = (
        "import boto3\nwho = boto3.client('sts').get_caller_identity()['Arn']\n"
        f"boto3.client('s3').put_object(Bucket='{bucket}', Key='who', Body=who.encode())\n"
    )
    partner("s3").put_object(Bucket=bucket, Key="job.py", Body=script.encode())
    name = f"job-{uuid.uuid4().hex[:8]}"
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/job.py", "PythonVersion": "3.9"}
    partner("glue").create_job(Name=name, Role=role, Command=command)
    run = partner("glue").start_job_run(JobName=name)["JobRunId"]
    assert refusal(local_aws.client("glue").get_job, JobName=name)["Code"] == "EntityNotFoundException"

    def ended():
        found = partner("glue").get_job_run(JobName=name, RunId=run)["JobRun"]
        return found if found["JobRunState"] not in {"STARTING", "RUNNING"} else None

    found = until(ended)
    assert (found["JobRunState"], found.get("ErrorMessage")) == ("SUCCEEDED", None)
    who = partner("s3").get_object(Bucket=bucket, Key="who")["Body"].read().decode()
    assert who == f"arn:aws:sts::{PARTNER}:assumed-role/{role.rpartition('/')[2]}/GlueJobRunnerSession"


@pytest.fixture(scope="module")
def machines(local_aws):
    return StateMachines(local_aws)


@pytest.fixture(scope="module")
def states_role(local_aws):
    """A state machine's role of ours, which may assume every role of the partner."""
    policy = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{PARTNER}:role/*"}
    return make_role(local_aws.client("iam"), {"Version": "2012-10-17", "Statement": []}, policy=policy)


def task(resource, role, **fields):
    return {"Type": "Task", "Resource": resource, "Credentials": role, "End": True} | fields


def test_a_task_s_credentials_need_a_role_that_trusts_the_state_machine(machines, partner, states_role):
    name = f"machine-{uuid.uuid4().hex[:12]}"
    machine = f"arn:aws:states:us-east-1:{OURS}:stateMachine:{name}"
    trust = trusting(states_role, StringEquals={"sts:ExternalId": machine})
    target = make_role(partner("iam"), trust)
    identity = "arn:aws:states:::aws-sdk:sts:getCallerIdentity"
    made = machines.create(
        {"A": task(identity, {"RoleArn.$": "$.role"}, ResultSelector={"arn.$": "$.Arn"})},
        name=name,
        role=states_role,
    )
    assert made == machine
    execution = machines.start(machine, {"role": target})
    assert output(machines.ended(execution))["arn"].split("/")[0] == (f"arn:aws:sts::{PARTNER}:assumed-role")
    [scheduled] = [e for e in machines.events(execution) if e["type"] == "TaskScheduled"]
    assert scheduled["taskScheduledEventDetails"]["taskCredentials"] == {"roleArn": target}

    other = machines.run({"A": task(identity, {"RoleArn": target})}, role=states_role)
    assert (other["status"], other["error"]) == ("FAILED", "States.TaskFailed")
    assert other["cause"] == (
        f"The role {states_role} is not authorized to assume the task state's role, {target}."
    )


def test_a_refused_role_can_be_caught_and_no_role_is_no_stack_trace(machines, states_role):
    state = task("arn:aws:states:::aws-sdk:sts:getCallerIdentity", {"RoleArn.$": "$.role"})
    state |= {"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "B"}]}
    states = {"A": state, "B": {"Type": "Pass", "End": True}}
    for role in (f"arn:aws:iam::{PARTNER}:role/nobody", "not a role"):
        found = output(machines.run(states, {"role": role}, role=states_role))
        assert "is not authorized to assume the task state's role" in found["Cause"]


def test_a_task_invokes_a_function_of_another_account(local_aws, machines, partner, states_role):
    theirs = StateMachines(type("Partner", (), {"client": staticmethod(lambda s, **_: partner(s))}))
    code = "import os\nimport boto3\ndef handler(event, context):\n"
    code += "    return boto3.client('sts').get_caller_identity()['Arn']\n"
    function = theirs.function(code)
    target = make_role(partner("iam"), trusting(states_role))
    for resource, fields in (
        (function, {}),
        (
            INVOKE,
            {"Parameters": {"FunctionName": function}, "OutputPath": "$.Payload"},
        ),
    ):
        found = output(machines.run({"A": task(resource, {"RoleArn": target}, **fields)}, role=states_role))
        name = function.rpartition(":")[2]
        assert found == f"arn:aws:sts::{PARTNER}:assumed-role/{name}/{name}"
    without = {"Type": "Task", "Resource": function, "End": True}
    assert machines.run({"A": without}, role=states_role)["error"].startswith("Lambda.")


def test_a_session_ends_with_its_time(local_aws):
    session = role_session(f"arn:aws:iam::{PARTNER}:role/reader", "run-1")
    keys = session_credentials(session, 0)
    for service, operation, request in (
        ("sts", "get_caller_identity", {}),
        ("s3", "list_buckets", {}),
        ("glue", "get_jobs", {}),
    ):
        client = client_of(
            local_aws, service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )
        assert refusal(getattr(client, operation), **request)["Code"].startswith("ExpiredToken")
