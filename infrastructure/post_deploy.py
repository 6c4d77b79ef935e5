"""What can be set only once `chalice deploy` has made the functions."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import click
from botocore.exceptions import ClientError

from infrastructure.chalice_config import FUNCTIONS

if TYPE_CHECKING:
    from infrastructure.provision import Clients

EVENT_FUNCTIONS = ("file_landed", *(name for name in FUNCTIONS if name.endswith("_due")))
"""The functions that AWS calls asynchronously; what they give up goes to the dead letters."""

RETRIES = 2
OLDEST_EVENT_SECONDS = 6 * 3600  # Lambda's most

API_STAGE = "api"
"""The name in the REST API's path, as .chalice/config.json gives it."""

REQUESTS_PER_SECOND, REQUESTS_AT_ONCE = 50, 100
"""What the REST API takes from all callers together; an account's own default is 10,000 and 5,000."""

ADDRESS_KEY = "deployment/api.json"
"""Where, in the artifacts bucket, the functions that send notices read the API's address."""

PREFLIGHT_SECONDS = 3000
"""How long a browser may remember that the console may upload; browsers forget after two hours at most."""


def keep_dead_letters(
    stage: str, dead_letters_arn: str, *, app: str = "decant", client: Clients = boto3.client
) -> None:
    """Send every event that is given up to the dead-letter queue. Safe to repeat.

    Chalice has no setting for this, and leaves it alone when it deploys again.
    """
    for function in EVENT_FUNCTIONS:
        client("lambda").put_function_event_invoke_config(
            FunctionName=f"{app}-{stage}-{function}",
            MaximumRetryAttempts=RETRIES,
            MaximumEventAgeInSeconds=OLDEST_EVENT_SECONDS,
            DestinationConfig={"OnFailure": {"Destination": dead_letters_arn}},
        )


def limit_requests(api: str, *, client: Clients = boto3.client) -> str:
    """Limit the requests that the REST API takes in a second, all callers together. Safe to repeat.

    Chalice has no setting for this, and leaves it alone when it deploys again.

    Returns:
        What was set, in words.
    """
    settings = {"rateLimit": REQUESTS_PER_SECOND, "burstLimit": REQUESTS_AT_ONCE}
    client("apigateway").update_stage(
        restApiId=api,
        stageName=API_STAGE,
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
            for name, value in settings.items()
        ],
    )
    return f"dead letters; {REQUESTS_PER_SECOND} requests a second, {REQUESTS_AT_ONCE} at once"


def allow_uploads(landing_bucket: str, api_url: str, *, client: Clients = boto3.client) -> str:
    """Let the console's page, which the REST API serves, post signed forms to the landing bucket.

    It replaces the bucket's CORS configuration: no other page may. Safe to repeat; it goes with the bucket.

    Returns:
        What was set, in words.
    """
    url = urlsplit(api_url)
    origin = f"{url.scheme}://{url.netloc}"
    rule = {
        "ID": "uploads-of-the-console",
        "AllowedMethods": ["POST"],
        "AllowedOrigins": [origin],
        "MaxAgeSeconds": PREFLIGHT_SECONDS,
    }
    client("s3").put_bucket_cors(Bucket=landing_bucket, CORSConfiguration={"CORSRules": [rule]})
    return f"uploads from {origin}"


def tell_address(artifacts_bucket: str, api_url: str, *, client: Clients = boto3.client) -> str:
    """Write down where the REST API answers, for the links in notices. Safe to repeat.

    No setting of a function can hold the address: Chalice makes the functions, then the API.

    Returns:
        What was written, in words.
    """
    s3, body = client("s3"), json.dumps({"url": api_url}).encode()
    if _content(s3, artifacts_bucket, ADDRESS_KEY) != body:
        s3.put_object(Bucket=artifacts_bucket, Key=ADDRESS_KEY, Body=body)
    return f"notices link to {api_url}/console"


def _content(s3: Any, bucket: str, key: str) -> bytes | None:
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    with answer["Body"] as body:
        found: bytes = body.read()
    return found


def dead_letters_of(stage: str, *, app: str = "decant", client: Clients = boto3.client) -> str:
    """Return the ARN of the stage's dead-letter queue, from its stack."""
    return _outputs(stage, app, client)["DeadLettersArn"]


def _outputs(stage: str, app: str, client: Clients) -> dict[str, str]:
    stacks = client("cloudformation").describe_stacks(StackName=f"{app}-{stage}-infra")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}


@click.command()
@click.option("--stage", required=True, help="The stage's name, such as dev.")
@click.option("--app", default="decant", show_default=True, help="The first part of every name.")
def main(stage: str, app: str) -> None:
    """Set what needs the functions and the API: dead letters, limits, the console's uploads and links."""
    from infrastructure.deployment.rest_api import rest_apis  # noqa: PLC0415 - it imports this module
    from infrastructure.deployment.target import Target  # noqa: PLC0415 - as above

    outputs = _outputs(stage, app, boto3.client)
    keep_dead_letters(stage, outputs["DeadLettersArn"], app=app)
    target = Target(stage=stage, app=app, client=boto3.client, environment=os.environ)
    apis = rest_apis(target)
    if len(apis) != 1:
        raise click.ClickException(
            f"{len(apis)} REST APIs call stage {stage}, not one: run `decant deploy --stage {stage}`"
        )
    click.echo(limit_requests(apis[0]))
    click.echo(allow_uploads(outputs["LandingBucket"], target.api_url(apis[0])))
    click.echo(tell_address(outputs["ArtifactsBucket"], target.api_url(apis[0])))


if __name__ == "__main__":
    main()
