"""The real `chalice` command against the embedded AWS, and what it deployed at work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.integration.conftest import running_aws
from tests.integration.waiting import until

SAMPLE = Path(__file__).parent / "sample_app"
WHEELS = Path(sys.prefix) / "wheels"
DEADLINE = 30  # seconds


def chalice(project, aws, *arguments):
    """Run the command line and return what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTEST_"))}
    environment |= aws.environment | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS)}
    done = subprocess.run(
        [Path(sys.executable).with_name("chalice"), *arguments, "--stage", "test"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Could not install dependencies" not in done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The sample app, deployed twice."""
    directory = tmp_path_factory.mktemp("deploy")
    project = directory / "app"
    shutil.copytree(SAMPLE, project)
    # 30 times as fast: the schedule's minute passes in two seconds.
    with running_aws(directory / "state", project, time_scale=30) as aws:
        for bucket in ("sample-landing", "sample-records"):
            aws.client("s3").create_bucket(Bucket=bucket)
        chalice(project, aws, "deploy")
        before = inventory(aws)
        chalice(project, aws, "deploy")
        assert inventory(aws) == before
        yield aws, project


def inventory(aws):
    """Count what a deployment makes."""
    return {
        "functions": sorted(f["FunctionName"] for f in aws.client("lambda").list_functions()["Functions"]),
        "roles": sorted(r["RoleName"] for r in aws.client("iam").list_roles()["Roles"]),
        "rules": sorted(r["Name"] for r in aws.client("events").list_rules()["Rules"]),
        "apis": sorted(a["id"] for a in aws.client("apigateway").get_rest_apis()["items"]),
    }


def call(aws, path, token=None, body=None, method=None):
    """Make a request to the deployed API; return status, headers and JSON."""
    api = aws.client("apigateway").get_rest_apis()["items"][0]["id"]
    request = urllib.request.Request(
        f"{aws.endpoint_url}/_aws/execute-api/{api}/api{path}", body, method=method
    )
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", token)
    try:
        answer = urllib.request.urlopen(request, timeout=DEADLINE)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.loads(answer.read() or b"null")


def wait_for_record(aws, kind):
    """Return the first fact that a handler of that kind recorded."""
    s3 = aws.client("s3")
    listed = until(lambda: s3.list_objects_v2(Bucket="sample-records", Prefix=f"{kind}/").get("Contents"))
    return json.loads(listed[0]["Key"].removeprefix(f"{kind}/"))


def test_an_allowed_token_gets_the_answer_of_the_function(deployed):
    status, headers, answer = call(deployed[0], "/hello", token="viewer")
    assert (status, answer) == (200, {"role": "viewer"})
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_a_request_without_a_token_is_unauthorized(deployed):
    status, _, answer = call(deployed[0], "/hello")
    assert (status, answer) == (401, {"message": "Unauthorized"})


def test_a_token_whose_policy_does_not_cover_the_route_is_denied(deployed):
    status, _, answer = call(deployed[0], "/secret", token="viewer")
    assert status == 403
    assert answer == {"Message": "User is not authorized to access this resource"}


def test_a_route_that_does_not_exist_asks_for_an_authentication_token(deployed):
    status, _, answer = call(deployed[0], "/nowhere")
    assert (status, answer) == (403, {"message": "Missing Authentication Token"})


def test_a_preflight_request_is_answered_without_the_function(deployed):
    status, headers, _ = call(deployed[0], "/hello", method="OPTIONS")
    assert status == 200
    assert "GET" in headers["Access-Control-Allow-Methods"]


def test_path_query_body_status_and_headers_pass_through(deployed):
    status, headers, answer = call(deployed[0], "/open/ada?x=1", body=b'{"a": [1]}')
    assert (status, headers["X-Sample"]) == (201, "yes")
    assert answer == {"name": "ada", "body": {"a": [1]}, "query": {"x": "1"}}


def test_a_function_that_dies_is_a_bad_gateway(deployed):
    status, _, answer = call(deployed[0], "/fails")
    assert (status, answer) == (502, {"message": "Internal server error"})


def test_an_object_that_lands_reaches_its_handler(deployed):
    deployed[0].client("s3").put_object(Bucket="sample-landing", Key="in/a b+c.txt", Body=b"x")
    assert wait_for_record(deployed[0], "file") == "in/a b+c.txt"


def test_a_schedule_fires(deployed):
    assert wait_for_record(deployed[0], "minute") == "aws.events"


def test_a_plain_function_can_be_invoked_by_its_deployed_name(deployed):
    answer = deployed[0].client("lambda").invoke(FunctionName="sample-test-double", Payload=b'{"number": 21}')
    assert json.load(answer["Payload"]) == {"doubled": 42, "function": "sample-test-double"}


def test_a_deleted_app_leaves_nothing_behind(deployed):
    aws, project = deployed
    chalice(project, aws, "delete")
    assert inventory(aws) == {"functions": [], "roles": [], "rules": [], "apis": []}
