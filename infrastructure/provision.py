"""Create or update a stage's stack, its Glue scripts and its secrets."""

from __future__ import annotations

import functools
import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
import click
from botocore.exceptions import ClientError, WaiterError

from infrastructure.assignments import assignments
from infrastructure.chalice_config import tags_of, write
from infrastructure.importing import IDENTIFIERS, on_its_own, part_of
from infrastructure.render import ROOT, render
from infrastructure.workflow_report import upload_workflow_report

if TYPE_CHECKING:
    from pathlib import Path

Clients = Callable[[str], Any]
"""Gives a boto3 client by the service's name; `boto3.client` obeys AWS_ENDPOINT_URL."""

INLINE_LIMIT = 51_200
"""Bytes of a template that may travel in the request; a larger one is read from S3."""

BOOTSTRAP = ("Key", "ArtifactsBucket", "ArtifactsBucketPolicy")
"""What a first, small template makes, so that the whole one can be read from S3."""

NEVER_CAME_TO_BE = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"})
"""A stack with one of these statuses can only be deleted."""

POLL_SECONDS = 1


def clients_in(environment: Mapping[str, str]) -> Clients:
    """Return clients for the AWS that these variables lead to, whatever this process's own say."""
    session = boto3.Session(
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        region_name=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
    )
    endpoint = environment.get("AWS_ENDPOINT_URL")
    return functools.cache(lambda service: session.client(service, endpoint_url=endpoint))


class ProvisioningFailedError(Exception):
    """The stack could not be made or changed; the message says which resource failed and why."""


def provision(
    stage: str,
    *,
    app: str = "decant",
    root: Path = ROOT,
    client: Clients = boto3.client,
    parameters: Mapping[str, str] | None = None,
    warehouse: Mapping[str, Any] | None = None,
    api_tokens: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """Bring the stage's stack up to date and return its outputs. Safe to repeat.

    Args:
        stage: the stage's name.
        app: the application's name, the first part of every name in the stack.
        root: the source tree: infrastructure/template.yaml, workflows/ and glue_scripts/.
        client: gives the boto3 clients.
        parameters: values of the template's parameters; one that is not given keeps its value.
        warehouse: the warehouse secret's new value: engine, host, port, username, password and dbname.
        api_tokens: the API's new tokens, each with name, role and the SHA-256 digest of its secret.

    Raises:
        ProvisioningFailedError: a resource failed; CloudFormation took the change back.
    """
    client = functools.cache(client)  # making a client takes longer than most calls
    outputs = bring_up(stage, app=app, root=root, client=client, parameters=parameters)
    upload_glue_scripts(client, outputs["ArtifactsBucket"], root)
    upload_workflow_report(client, outputs["ArtifactsBucket"], root)
    if warehouse is not None:
        _put_secret(client, outputs["WarehouseSecret"], dict(warehouse))
    if api_tokens is not None:
        _put_secret(client, outputs["ApiTokensSecret"], {"tokens": list(api_tokens)})
    return outputs


def bring_up(
    stage: str,
    *,
    app: str = "decant",
    root: Path = ROOT,
    client: Clients = boto3.client,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Bring the stage's stack up to date and return its outputs; the arguments are those of `provision`."""
    stack = Stack(f"{app}-{stage}-infra", client("cloudformation"), tags_of(app, stage))
    given = {"App": app, "Stage": stage, **(parameters or {})}
    template = render(stage, root)
    body = compact(template)
    if len(body.encode()) <= INLINE_LIMIT:
        stack.apply({"TemplateBody": body}, template, given)
    else:
        held = stack.logical_ids()
        if "ArtifactsBucket" not in held:
            first = _bootstrap(template, held)
            stack.apply({"TemplateBody": compact(first)}, first, given)
        url = upload_template(client, stack.resource("ArtifactsBucket"), body)
        stack.apply({"TemplateURL": url}, template, given)
    outputs = stack.outputs()
    if outputs["ServerlessWorkgroup"] != "none":
        _settle_serverless(client, outputs)
    return outputs


def upload_template(client: Clients, bucket: str, body: str, name: str = "template") -> str:
    """Put a template that is too large for a request where CloudFormation reads it; return its URL."""
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=f"stack/{name}.json", Body=body.encode())
    return f"https://{bucket}.s3.{s3.meta.region_name}.amazonaws.com/stack/{name}.json"


def upload_glue_scripts(client: Clients, bucket: str, root: Path = ROOT) -> list[str]:
    """Put every script of glue_scripts/ where the Glue jobs look for it, and return the keys."""
    keys = []
    for path in sorted((root / "glue_scripts").glob("*.py")):
        keys.append(f"glue_scripts/{path.name}")
        client("s3").put_object(Bucket=bucket, Key=keys[-1], Body=path.read_bytes())
    return keys


class Stack:
    """One stack, created or updated until it is done."""

    def __init__(self, name: str, cloudformation: Any, tags: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self.tags = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]

    def status(self) -> str | None:
        """Return the stack's status, or None without such a stack."""
        found = self.description()
        return str(found["StackStatus"]) if found else None

    def resources(self, kind: str) -> set[str]:
        """Return the physical ids of the stack's resources of a type; none without such a stack."""
        if self.status() is None:
            return set()
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == kind
            and each.get("PhysicalResourceId")
            and not each["ResourceStatus"].startswith("DELETE")
        }

    def logical_ids(self) -> set[str]:
        """Return what the stack's resources are called in its template; none if it never came to be."""
        if self.is_new():
            return set()
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            each["LogicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if not each["ResourceStatus"].startswith("DELETE")
        }

    def is_new(self) -> bool:
        """Tell whether there is no such stack, or one that never came to be: it can only be deleted."""
        status = self.status()
        if status == "IMPORT_ROLLBACK_COMPLETE":  # with resources, those of before, it can be updated
            pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
            return not any(page["StackResourceSummaries"] for page in pages)
        return status is None or status in NEVER_CAME_TO_BE

    def take_up(
        self, template: Mapping[str, Any], given: Mapping[str, str], resources: Mapping[str, str]
    ) -> None:
        """Make the stack of resources that exist already, by a change set of type IMPORT.

        Args:
            template: of these resources alone.
            given: the parameters' values.
            resources: their physical ids by logical ids.

        Raises:
            ProvisioningFailedError: one cannot be taken up; all stay where they are, outside the stack.
        """
        if self.status() is not None:
            self.delete()
        name = f"take-up-{uuid.uuid4().hex}"
        kinds = {logical: template["Resources"][logical]["Type"] for logical in resources}
        try:
            self._cloudformation.create_change_set(
                StackName=self.name,
                ChangeSetName=name,
                ChangeSetType="IMPORT",
                TemplateBody=compact(template),
                Parameters=parameters_of(template, given, None),
                ResourcesToImport=[
                    {
                        "LogicalResourceId": logical,
                        "ResourceType": kinds[logical],
                        "ResourceIdentifier": {IDENTIFIERS[kinds[logical]]: physical},
                    }
                    for logical, physical in resources.items()
                ],
            )
            self._cloudformation.get_waiter("change_set_create_complete").wait(
                StackName=self.name, ChangeSetName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
            )
        except WaiterError as error:
            reason = error.last_response.get("StatusReason", error)
            raise ProvisioningFailedError(f"stack {self.name}: {reason}") from error
        except ClientError as error:
            raise self._refused(error) from error
        self._cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name)
        self._wait("stack_import_complete")

    def apply(self, source: Mapping[str, str], template: Mapping[str, Any], given: Mapping[str, str]) -> None:
        """Create or update the stack from its source, TemplateBody or TemplateURL.

        Raises:
            ProvisioningFailedError: a resource failed; CloudFormation took the change back.
        """
        found = self.description()
        if found and self.is_new():
            self.delete()
            found = None
        request = {
            "StackName": self.name,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Parameters": parameters_of(template, given, found),
            "Tags": self.tags,  # CloudFormation puts them on everything in the stack that takes tags
            **source,
        }
        try:
            if found is None:
                self._cloudformation.create_stack(**request)
                self._wait("stack_create_complete")
            elif self._update(request):
                self._wait("stack_update_complete")
        except ClientError as error:
            raise self._refused(error) from error

    def delete(self) -> None:
        """Delete the stack and everything in it that is not retained.

        Raises:
            ProvisioningFailedError: a resource could not be deleted.
        """
        self._cloudformation.delete_stack(StackName=self.name)
        self._wait("stack_delete_complete")

    def outputs(self) -> dict[str, str]:
        """Return the outputs by key."""
        found = self.description() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def resource(self, name: str) -> str:
        """Return a resource's physical id."""
        answer = self._cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=name)
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def description(self) -> dict[str, Any] | None:
        """Return the stack as CloudFormation describes it, or None without such a stack."""
        try:
            found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found

    def _refused(self, error: ClientError) -> Exception:
        """Return what to raise when CloudFormation refuses a request."""
        if error.response["Error"]["Code"] != "ValidationError":
            raise error
        return ProvisioningFailedError(f"stack {self.name}: {error.response['Error']['Message']}")

    def _update(self, request: Mapping[str, Any]) -> bool:
        """Start an update; return False when there is nothing to change."""
        try:
            self._cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return False
            raise
        return True

    def _wait(self, waiter: str) -> None:
        try:
            self._cloudformation.get_waiter(waiter).wait(
                StackName=self.name, WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": 1200 // POLL_SECONDS}
            )
        except WaiterError as error:
            raise ProvisioningFailedError(f"stack {self.name}: {self._failure()}") from error

    def _failure(self) -> str:
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.name)
        events = [event for page in pages for event in page["StackEvents"]]
        failed = [
            f"{each['LogicalResourceId']} ({each['ResourceType']}): {each['ResourceStatusReason']}"
            for each in itertools.takewhile(self._is_not_the_start, events)
            if each["ResourceStatus"].endswith("_FAILED") and each.get("ResourceStatusReason")
        ]
        # The newest is first; the oldest failure is the cause of the others.
        return failed[-1] if failed else "no resource tells why; look at the stack's events"

    def _is_not_the_start(self, event: Mapping[str, Any]) -> bool:
        """Say whether an event is not the one with which somebody started the last change."""
        started = {"CREATE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
        starts = event["ResourceStatus"] in started
        return not (starts and event["LogicalResourceId"] == self.name)


def parameters_of(
    template: Mapping[str, Any], given: Mapping[str, str], found: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return a request's parameters: what is given, or else what the stack has.

    Raises:
        ProvisioningFailedError: the template has no parameter of a given name.
    """
    known = {each["ParameterKey"] for each in (found or {}).get("Parameters", [])}
    parameters: list[dict[str, Any]] = []
    for name in template["Parameters"]:
        if name in given:
            parameters.append({"ParameterKey": name, "ParameterValue": str(given[name])})
        elif name in known:
            parameters.append({"ParameterKey": name, "UsePreviousValue": True})
    if unknown := sorted(set(given) - set(template["Parameters"])):
        names = ", ".join(sorted(template["Parameters"]))
        raise ProvisioningFailedError(f"the template has no parameter {', '.join(unknown)}; it has {names}")
    return parameters


def _bootstrap(template: Mapping[str, Any], held: Iterable[str]) -> dict[str, Any]:
    """Return what is made first, beside what an import brought into the stack already."""
    names = [*BOOTSTRAP, *sorted(set(held) - set(BOOTSTRAP))]
    return part_of(template, {name: on_its_own(template["Resources"][name]) for name in names})


def compact(template: Mapping[str, Any]) -> str:
    """Return a template as JSON without a blank."""
    return json.dumps(template, separators=(",", ":"), ensure_ascii=False)


def _put_secret(client: Clients, secret: str, value: Mapping[str, Any]) -> None:
    secrets, text = client("secretsmanager"), json.dumps(value)
    # A new version for the same value would only push older versions out.
    if secrets.get_secret_value(SecretId=secret)["SecretString"] != text:
        secrets.put_secret_value(SecretId=secret, SecretString=text)


def _settle_serverless(client: Clients, outputs: Mapping[str, str]) -> None:
    """Write the serverless warehouse's address into the secret of its password; limit what it may cost."""
    name = outputs["ServerlessWorkgroup"]
    workgroup = client("redshift-serverless").get_workgroup(workgroupName=name)["workgroup"]
    place = {"host": workgroup["endpoint"]["address"], "port": workgroup["endpoint"]["port"]}
    secret = outputs["WarehouseSecret"]
    known = json.loads(client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    _put_secret(client, secret, {**known, **place})
    _limit_use(client, workgroup["workgroupArn"], int(outputs["WarehouseDailyHours"]))


def _limit_use(client: Clients, workgroup: str, hours: int) -> None:
    """Let the serverless warehouse compute for so many RPU-hours a day and no more.

    CloudFormation has no such resource; the limit goes when its workgroup does.
    """
    serverless = client("redshift-serverless")
    wanted = {"amount": hours, "breachAction": "deactivate"}
    found = serverless.list_usage_limits(resourceArn=workgroup, usageType="serverless-compute")["usageLimits"]
    daily = [each for each in found if each["period"] == "daily"]
    if not daily:
        serverless.create_usage_limit(
            resourceArn=workgroup, usageType="serverless-compute", period="daily", **wanted
        )
    elif any(daily[0][name] != value for name, value in wanted.items()):
        serverless.update_usage_limit(usageLimitId=daily[0]["usageLimitId"], **wanted)


@click.command()
@click.option("--stage", required=True, help="The stage's name, such as dev.")
@click.option("--app", default="decant", show_default=True, help="The first part of every name.")
@click.option(
    "--parameter", "parameters", multiple=True, callback=assignments, help="NAME=VALUE of the template."
)
@click.option("--python", help="The functions' Python, such as 3.12: it chooses the layer. Without it: none.")
def main(stage: str, app: str, parameters: dict[str, str], python: str | None) -> None:
    """Create or update a stage's stack and write its block of .chalice/config.json."""
    try:
        outputs = provision(stage, app=app, parameters=parameters)
        write(ROOT / ".chalice" / "config.json", outputs, python)
    except (ProvisioningFailedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(outputs, indent=2))


if __name__ == "__main__":
    main()
