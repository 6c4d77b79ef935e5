"""A small file through the new stage, until its run has ended."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from infrastructure.deployment.failures import DeploymentFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infrastructure.deployment.target import Target

KEY = "incoming/smoke/smoke.csv"
"""Where the pipeline `smoke` takes its files; it fills no warehouse table."""

SECONDS = 300
POLL_SECONDS = 0.5


def api_answers(url: str) -> str:
    """Ask the REST API whether it is there, and with a wrong token whether its authorizer works.

    Raises:
        DeploymentFailedError: it is not, or lets anybody in.
    """
    health = _status(f"{url}/health")
    if health != 200:  # noqa: PLR2004 - HTTP's OK
        raise DeploymentFailedError(f"{url}/health answers {health}")
    stranger = _status(f"{url}/pipelines", "Bearer nobody")
    if stranger not in {401, 403}:
        raise DeploymentFailedError(f"{url}/pipelines answers {stranger} to a wrong token, and not 401")
    return url


def file_runs(target: Target, outputs: Mapping[str, str]) -> str:
    """Put a file into the landing bucket and wait until its run succeeded.

    Raises:
        DeploymentFailedError: no run started in time, or it ended otherwise.
    """
    body = f"id,said_at\n1,{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}\n".encode()
    put = target.client("s3").put_object(Bucket=outputs["LandingBucket"], Key=KEY, Body=body)
    steps = target.client("stepfunctions")
    machine, version = f"{outputs['StateMachines']}load_file", put.get("VersionId")
    started = deadline = time.monotonic()
    deadline += SECONDS
    run = None
    while time.monotonic() < deadline:
        run = run or _run_of(steps, machine, version)
        if run:
            found = steps.describe_execution(executionArn=run)
            if found["status"] == "SUCCEEDED":
                return f"run {found['name']} succeeded after {time.monotonic() - started:.0f} s"
            if found["status"] != "RUNNING":
                reason = f"{found.get('error', '')}: {found.get('cause', '')}"[:500]
                raise DeploymentFailedError(
                    f"run {found['name']} of {KEY} ended as {found['status']}: {reason}",
                    f"look at it: decant --stage {target.stage} runs show {found['name']}",
                )
        time.sleep(POLL_SECONDS)
    what = f"run {run} is still at work" if run else f"no run took {KEY}"
    raise DeploymentFailedError(
        f"{what} after {SECONDS} s",
        f"look at the function that files wake: aws logs tail /aws/lambda/{target.prefix}-file_landed",
    )


def _run_of(steps: Any, machine: str, version: str | None) -> str | None:
    """Return the ARN of the run that has this version of the file."""
    for listed in steps.list_executions(stateMachineArn=machine, maxResults=20)["executions"]:
        found = steps.describe_execution(executionArn=listed["executionArn"])
        file = json.loads(found["input"]).get("file", {})
        if file.get("key") == KEY and file.get("version") == version:
            return str(listed["executionArn"])
    return None


def _status(url: str, token: str | None = None) -> int:
    request = urllib.request.Request(url)  # noqa: S310 - https, or the embedded AWS on loopback
    if token:
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # nosec B310  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError as error:
        raise DeploymentFailedError(f"{url} does not answer: {error}") from error
