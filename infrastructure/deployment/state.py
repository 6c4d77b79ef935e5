"""Chalice's record of what it deployed, kept in the artifacts bucket for every machine.

Chalice finds functions again by their names, but the REST API only by this record: without it a
second machine, or a new attempt after a failure, would make a second API.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infrastructure.deployment.failures import DeploymentFailedError, code_of
from infrastructure.deployment.rest_api import rest_apis
from infrastructure.post_deploy import ADDRESS_KEY

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target

KEY = "deployment/chalice.json"


def pull(target: Target) -> str:
    """Write the record of the bucket, mended by what is really there, where Chalice reads it.

    Raises:
        DeploymentFailedError: more than one REST API calls the stage.
    """
    record, where = _remote(target), "from the artifacts bucket"
    if record is None:
        record, where = _local(target), "as it is on this machine"
    record = record or {"resources": [], "schema_version": "2.0", "backend": "api"}
    apis = rest_apis(target)
    recorded = api_of(record)
    if recorded not in apis:
        if len(apis) > 1:
            raise DeploymentFailedError(
                f"REST APIs {', '.join(apis)} all call stage {target.stage}; no record says which is in use",
                "delete all but one: aws apigateway delete-rest-api --rest-api-id ID",
            )
        record["resources"] = [each for each in record["resources"] if each["resource_type"] != "rest_api"]
        if apis:
            record["resources"].append(_rest_api(target, apis[0]))
            where = f"{where}, with REST API {apis[0]} found again"
    if not record["resources"]:
        target.state_path.unlink(missing_ok=True)
        return "nothing was deployed before"
    target.state_path.parent.mkdir(parents=True, exist_ok=True)
    target.state_path.write_text(json.dumps(record, indent=2), encoding="utf-8")
    return where


def push(target: Target) -> str:
    """Put Chalice's record, if there is one, into the artifacts bucket."""
    if not target.state_path.exists():
        return "there is none"
    body = target.state_path.read_bytes()
    if _remote(target) != json.loads(body):
        target.client("s3").put_object(Bucket=target.artifacts_bucket, Key=KEY, Body=body)
    return f"s3://{target.artifacts_bucket}/{KEY}"


def forget(target: Target) -> None:
    """Remove the record, here and in the bucket, and the address of the API that is no more."""
    target.state_path.unlink(missing_ok=True)
    try:
        for key in (KEY, ADDRESS_KEY):
            target.client("s3").delete_object(Bucket=target.artifacts_bucket, Key=key)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise


def deployed_api(target: Target) -> str:
    """Return the id of the REST API that Chalice has just deployed.

    Raises:
        DeploymentFailedError: its record has none.
    """
    api = api_of(_local(target) or {"resources": []})
    if api is None:
        raise DeploymentFailedError(f"{target.state_path} names no REST API")
    return api


def api_of(record: dict[str, Any]) -> str | None:
    """Return the REST API's id in a record, or None."""
    found = [each["rest_api_id"] for each in record["resources"] if each["resource_type"] == "rest_api"]
    return str(found[0]) if found else None


def _remote(target: Target) -> dict[str, Any] | None:
    try:
        answer = target.client("s3").get_object(Bucket=target.artifacts_bucket, Key=KEY)
    except ClientError as error:
        if code_of(error) in {"NoSuchKey", "NoSuchBucket"}:
            return None
        raise
    with answer["Body"] as body:
        record: dict[str, Any] = json.loads(body.read())
    return record


def _local(target: Target) -> dict[str, Any] | None:
    """Return this machine's record, unless it is of another account or region."""
    if not target.state_path.exists():
        return None
    record: dict[str, Any] = json.loads(target.state_path.read_text(encoding="utf-8"))
    arns = [each["lambda_arn"] for each in record["resources"] if "lambda_arn" in each]
    here = f":{target.region}:{target.account}:"
    return record if all(here in arn for arn in arns) else None


def _rest_api(target: Target, api: str) -> dict[str, str]:
    return {
        "name": "rest_api",
        "resource_type": "rest_api",
        "rest_api_id": api,
        "rest_api_url": target.api_url(api) + "/",
    }
