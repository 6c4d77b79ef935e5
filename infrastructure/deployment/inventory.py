"""Everything in the account that has a stage's name: what `decant destroy` must leave empty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, EndpointConnectionError

from infrastructure.chalice_config import tags_of
from infrastructure.deployment.failures import DENIED, code_of
from infrastructure.deployment.ownership import why_not_ours
from infrastructure.deployment.rest_api import rest_apis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infrastructure.deployment.target import Target

BEING_DELETED = "is being deleted"
"""What is noted of a thing that AWS deletes after a while."""

LOG_PREFIXES = ("/aws/lambda/", "/aws/vendedlogs/states/", "/aws/states/", "/aws-glue/jobs/", "/decant/")
"""Where log groups of a stage may be: its own, and those that AWS makes when something writes."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One thing of the stage.

    Attributes:
        kind: what it is, such as `bucket`.
        name: its name.
        note: what there is to know, or an empty text.
    """

    kind: str
    name: str
    note: str = ""


class Listing(NamedTuple):
    """How the things of one kind are listed: the operation, and where in its pages the names are."""

    kind: str
    service: str
    operation: str
    items: str
    name: str


FUNCTIONS = Listing("function", "lambda", "list_functions", "Functions", "FunctionName")
NAMESPACES = Listing(
    "warehouse namespace", "redshift-serverless", "list_namespaces", "namespaces", "namespaceName"
)
RULES = Listing("rule", "events", "list_rules", "Rules", "Name")

LISTINGS = (
    FUNCTIONS,
    Listing("role", "iam", "list_roles", "Roles", "RoleName"),
    Listing("state machine", "stepfunctions", "list_state_machines", "stateMachines", "name"),
    RULES,
    Listing("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    Listing("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    Listing("Glue job", "glue", "get_jobs", "Jobs", "Name"),
    Listing("crawler", "glue", "get_crawlers", "Crawlers", "Name"),
    Listing("Glue security", "glue", "get_security_configurations", "SecurityConfigurations", "Name"),
    Listing("Athena workgroup", "athena", "list_work_groups", "WorkGroups", "Name"),
    NAMESPACES,
    Listing("key alias", "kms", "list_aliases", "Aliases", "AliasName"),
)


def things(target: Target) -> list[Thing]:
    """Return what there is of the stage; a kind that may not be listed is told as unknown."""
    return [
        *_looked(target, "stack", _stacks),
        *_looked(target, "REST API", rest_apis),
        *(thing for each in LISTINGS for thing in _looked(target, each.kind, partial(_listed, how=each))),
        *_keys(target),
        *_looked(target, "log group", log_groups),
        *_looked(target, "queue", _queues),
        *_looked(target, "topic", _topics),
        *_secrets(target),
        *_looked(target, "catalogue database", _databases),
        *_looked(target, "bucket", buckets),
    ]


def log_groups(target: Target) -> list[str]:
    """Return the names of the stage's log groups."""
    paginator = target.client("logs").get_paginator("describe_log_groups")
    return [
        group["logGroupName"]
        for prefix in LOG_PREFIXES
        for page in paginator.paginate(logGroupNamePrefix=prefix + target.prefix)
        for group in page["logGroups"]
        if target.owns(group["logGroupName"].removeprefix(prefix))
    ]


def buckets(target: Target) -> list[str]:
    """Return the names of the buckets whose tags, too, say that they are the stage's."""
    listed = target.client("s3").list_buckets()["Buckets"]
    named = [each["Name"] for each in listed if target.owns(each["Name"])]
    return [name for name in named if name.endswith(f"-{target.account}") and not why_not_ours(target, name)]


def stages(target: Target) -> list[str]:
    """Return the names of the app's stages that stand in the account and region."""
    pages = target.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
    first, last = f"{target.app}-", "-infra"
    return sorted(
        name.removeprefix(first).removesuffix(last)
        for name in names
        if name.startswith(first) and name.endswith(last)
    )


def keys(target: Target) -> list[tuple[str, str]]:
    """Return the ids of the KMS keys that carry the stage's tags, each with its state."""
    kms, found = target.client("kms"), []
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            if _carries(kms, key["KeyId"], tags_of(target.app, target.stage)):
                metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                found.append((key["KeyId"], metadata["KeyState"]))
    return found


def functions(target: Target) -> list[str]:
    """Return the names of the stage's functions."""
    return list(_listed(target, FUNCTIONS))


def namespaces(target: Target) -> list[str]:
    """Return the names of the stage's serverless warehouses' namespaces."""
    return list(_listed(target, NAMESPACES))


def rules(target: Target) -> list[str]:
    """Return the names of the stage's schedules."""
    return list(_listed(target, RULES))


def _looked(target: Target, kind: str, look: Callable[[Target], Iterable[str]]) -> Iterator[Thing]:
    try:
        for name in look(target):
            yield Thing(kind=kind, name=name)
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        yield Thing(kind=kind, name="unknown", note="these credentials may not list them")
    except EndpointConnectionError:
        if kind != NAMESPACES.kind:  # not every region has Redshift Serverless
            raise


def _listed(target: Target, how: Listing) -> Iterator[str]:
    client = target.client(how.service)
    pages = (
        client.get_paginator(how.operation).paginate()
        if client.can_paginate(how.operation)
        else _pages(getattr(client, how.operation))
    )
    for page in pages:
        for item in page.get(how.items, []):
            if target.owns(item[how.name].removeprefix("alias/")):
                yield item[how.name]


def _pages(operation: Callable[..., dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the pages of an operation for which boto3 has no paginator."""
    page = operation()
    yield page
    while token := page.get("NextToken"):
        page = operation(NextToken=token)
        yield page


def _stacks(target: Target) -> Iterator[str]:
    pages = target.client("cloudformation").get_paginator("describe_stacks").paginate()
    for page in pages:
        for stack in page["Stacks"]:
            if target.owns(stack["StackName"]) and stack["StackStatus"] != "DELETE_COMPLETE":
                yield stack["StackName"]


def _queues(target: Target) -> Iterator[str]:
    pages = target.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=target.prefix)
    for page in pages:
        for url in page.get("QueueUrls", []):
            if target.owns(url.rpartition("/")[2]):
                yield url.rpartition("/")[2]


def _topics(target: Target) -> Iterator[str]:
    for page in target.client("sns").get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            if target.owns(topic["TopicArn"].rpartition(":")[2]):
                yield topic["TopicArn"].rpartition(":")[2]


def _secrets(target: Target) -> Iterator[Thing]:
    pages = target.client("secretsmanager").get_paginator("list_secrets")
    for page in pages.paginate(
        IncludePlannedDeletion=True, Filters=[{"Key": "name", "Values": [target.prefix]}]
    ):
        for secret in page["SecretList"]:
            if target.owns(secret["Name"]):
                deleted = secret.get("DeletedDate")
                note = f"{BEING_DELETED} since {deleted:%Y-%m-%d}" if deleted else ""
                yield Thing(kind="secret", name=secret["Name"], note=note)


def _keys(target: Target) -> Iterator[Thing]:
    for key, state in keys(target):
        note = (
            BEING_DELETED if state == "PendingDeletion" else "the buckets' objects cannot be read without it"
        )
        yield Thing(kind="KMS key", name=key, note=note)


def _carries(kms: Any, key: str, wanted: dict[str, str]) -> bool:
    try:
        tags = kms.list_resource_tags(KeyId=key)["Tags"]
    except ClientError as error:
        if code_of(error) in DENIED:  # a key that its policy hides is nobody's stage's
            return False
        raise
    return wanted.items() <= {tag["TagKey"]: tag["TagValue"] for tag in tags}.items()


def _databases(target: Target) -> Iterator[str]:
    wanted = f"{target.app}_{target.stage}"
    for page in target.client("glue").get_paginator("get_databases").paginate():
        for database in page["DatabaseList"]:
            if database["Name"] == wanted or database["Name"].startswith(f"{wanted}_"):
                yield database["Name"]
