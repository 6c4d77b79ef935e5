"""The stage's roles are enforced: what no policy allows is refused, and told so that it can be mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.notices import outbox
from local_aws.services.identity.principal import role_session, session_credentials
from tests.acceptance.conftest import LANDING, own, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.conftest import Stage

ROLES = "arn:aws:iam::123456789012:role/decant-local-"
STATES = "arn:aws:states:us-east-1:123456789012:stateMachine:decant-local-load_file"
CURATED = "decant-local-curated-123456789012"
TOPIC = "arn:aws:sns:us-east-1:123456789012:decant-local-notices"
JSON = "AccessDeniedException"
"""How the services that answer in JSON call a refusal."""

FOREVER = 4_000_000_000.0


@pytest.fixture
def acting(stage: Stage) -> Callable[..., Any]:
    """Give clients that call as a role of the stage."""

    def client(role: str, service: str) -> Any:
        keys = session_credentials(role_session(ROLES + role, "probe"), FOREVER)
        return boto3.client(
            service,
            endpoint_url=stage.running.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return client


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def denials(stage: Stage) -> str:
    return (stage.home / "local_aws.log").read_text()


def test_a_refusal_reads_as_that_of_aws_and_is_in_the_log(stage: Stage, acting: Callable[..., Any]) -> None:
    key = own("anything")
    code, message = refusal(acting("notify", "s3").put_object, Bucket=LANDING, Key=key, Body=b"x")
    assert code == "AccessDenied"
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/decant-local-notify/probe is not authorized to "
        f"perform: s3:PutObject on resource: arn:aws:s3:::{LANDING}/{key} because no identity-based policy "
        "allows the s3:PutObject action"
    )
    assert f"denied: role {ROLES}notify, action s3:PutObject, resource arn:aws:s3:::{LANDING}/{key}" in (
        denials(stage)
    )


@pytest.mark.parametrize(
    ("role", "service", "operation", "request_", "code"),
    [
        ("notify", "stepfunctions", "list_executions", {"stateMachineArn": STATES}, JSON),
        ("notify", "glue", "get_table", {"DatabaseName": "decant_local", "Name": "t"}, JSON),
        ("catalogue", "sns", "publish", {"TopicArn": TOPIC, "Message": "x"}, "AuthorizationError"),
        ("notify", "secretsmanager", "get_secret_value", {"SecretId": "decant-local-api-tokens"}, JSON),
        ("states-nyc_taxi", "lambda", "invoke", {"FunctionName": "decant-local-validate_file"}, JSON),
    ],
)
def test_each_service_refuses_in_its_own_words(
    acting: Callable[..., Any], role: str, service: str, operation: str, request_: dict[str, Any], code: str
) -> None:
    found, message = refusal(getattr(acting(role, service), operation), **request_)
    assert found == code
    assert "is not authorized to perform" in message


def test_a_role_reads_only_under_the_prefix_that_it_is_given(acting: Callable[..., Any]) -> None:
    s3 = acting("find_new_sales", "s3")
    s3.list_object_versions(Bucket=LANDING, Prefix="batch/sales/")
    assert refusal(s3.list_object_versions, Bucket=LANDING, Prefix="incoming/")[0] == "AccessDenied"


def test_what_nobody_mapped_to_a_permission_is_refused_by_name(acting: Callable[..., Any]) -> None:
    _, message = refusal(acting("api", "stepfunctions").list_activities)
    assert "does not know which resource states:ListActivities is about" in message


def test_the_developer_s_own_keys_may_do_everything(stage: Stage) -> None:
    stage.client("s3").put_object(Bucket=CURATED, Key=own("mine"), Body=b"x")


def test_a_permission_that_is_taken_away_stops_the_run_and_the_notice_says_which(stage: Stage) -> None:
    iam = stage.client("iam")
    role, policy = "decant-local-validate_file", "what-validate_file-does"
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        key = f"incoming/orders/{own('denied')}.csv"
        stage.put(key, "order_id,customer_id,amount\n")
        [run] = stage.ended(key)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert run["outcome"] == "failed"
    notices = wait_for(
        lambda: [n for n in outbox(stage.running.endpoint_url) if run["name"] in n["message"]], "a notice"
    )
    assert "not authorized to perform: s3:GetObject" in notices[0]["message"]
