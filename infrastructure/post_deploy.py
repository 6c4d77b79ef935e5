"""What can be set only once `chalice deploy` has made the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import click

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


def dead_letters_of(stage: str, *, app: str = "decant", client: Clients = boto3.client) -> str:
    """Return the ARN of the stage's dead-letter queue, from its stack."""
    stacks = client("cloudformation").describe_stacks(StackName=f"{app}-{stage}-infra")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    return str(outputs["DeadLettersArn"])


@click.command()
@click.option("--stage", required=True, help="The stage's name, such as dev.")
@click.option("--app", default="decant", show_default=True, help="The first part of every name.")
def main(stage: str, app: str) -> None:
    """Set what needs the deployed functions: where given-up events go."""
    keep_dead_letters(stage, dead_letters_of(stage, app=app), app=app)


if __name__ == "__main__":
    main()
