"""Make another account's side of a cross-account pipeline, and let its bucket call this stage."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3
import click
from botocore.exceptions import ClientError
from chalice.package import YAMLTemplateSerializer

from infrastructure.provision import Clients, ProvisioningFailedError, Stack
from infrastructure.render import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STACK = "decant-partner"


def let_in(client: Clients, *, stage: str, bucket: str, account: str) -> None:
    """Allow another account's bucket to call the stage's function `file_landed`; run in the stage's account.

    Args:
        client: gives the boto3 clients.
        stage: the beginning of the stage's names, such as decant-dev.
        bucket: the other account's bucket.
        account: the other account's twelve digits.
    """
    try:
        client("lambda").add_permission(
            FunctionName=f"{stage}-file_landed",
            StatementId=f"files-of-{account}",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{bucket}",
            SourceAccount=account,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":  # it was let in before
            raise


def set_up(
    client: Clients, *, stage: str, decant_account: str, bucket: str, external_id: str, root: Path = ROOT
) -> dict[str, str]:
    """Make the bucket, the roles and the job, and have the bucket tell the stage; run in the other account.

    Safe to repeat.

    Args:
        client: gives the boto3 clients of the other account.
        stage: the beginning of the stage's names, such as decant-dev.
        decant_account: the stage's account.
        bucket: the bucket to make.
        external_id: what both sides agreed on.
        root: the source tree.

    Returns:
        The stack's outputs: Bucket, ReaderRole, JobRunnerRole, JobRole, ReceiptsRole.

    Raises:
        ProvisioningFailedError: a resource could not be made.
    """
    path = root / "infrastructure" / "partner.yaml"
    text = path.read_text(encoding="utf-8")
    template = YAMLTemplateSerializer().load_template(text, path.name)
    stack = Stack(STACK, client("cloudformation"))
    given = {
        "BucketName": bucket,
        "DecantAccount": decant_account,
        "DecantStage": stage,
        "ExternalId": external_id,
    }
    stack.apply({"TemplateBody": text}, template, given)
    s3 = client("s3")
    script = (root / "glue_scripts" / "process_csv.py").read_bytes()
    s3.put_object(Bucket=bucket, Key="glue_scripts/process_csv.py", Body=script)
    region = s3.meta.region_name
    function = f"arn:aws:lambda:{region}:{decant_account}:function:{stage}-file_landed"
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": function,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "outgoing/"}]}},
                }
            ]
        },
    )
    return stack.outputs()


@click.group()
def main() -> None:
    """Connect a stage with a bucket of another account: let-in on its side, set-up on the other."""


@main.command("let-in")
@click.option("--stage", required=True, help="The beginning of the stage's names, such as decant-dev.")
@click.option("--bucket", required=True, help="The other account's bucket.")
@click.option("--account", required=True, help="The other account's twelve digits.")
def let_in_command(stage: str, bucket: str, account: str) -> None:
    """Let another account's bucket call the stage; with the stage's credentials."""
    try:
        let_in(functools.cache(boto3.client), stage=stage, bucket=bucket, account=account)
    except ClientError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"s3://{bucket} of {account} may call {stage}-file_landed")


@main.command("set-up")
@click.option("--stage", required=True, help="The beginning of the stage's names, such as decant-dev.")
@click.option("--decant-account", required=True, help="The stage's account, twelve digits.")
@click.option("--bucket", required=True, help="The bucket to make: the pipeline's source_bucket.")
@click.option("--external-id", required=True, help="What both sides agreed on.")
def set_up_command(stage: str, decant_account: str, bucket: str, external_id: str) -> None:
    """Make the other account's side; with the other account's credentials."""
    try:
        outputs = set_up(
            functools.cache(boto3.client),
            stage=stage,
            decant_account=decant_account,
            bucket=bucket,
            external_id=external_id,
        )
    except (ProvisioningFailedError, ClientError) as error:
        raise click.ClickException(str(error)) from error
    for name, value in outputs.items():
        click.echo(f"{name}: {value}")


if __name__ == "__main__":
    main()
