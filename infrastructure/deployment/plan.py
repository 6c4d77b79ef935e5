"""What a deployment would change, before it does."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

from infrastructure.chalice_config import FUNCTIONS, stage_block, tags_of
from infrastructure.conditions import resources_of
from infrastructure.deployment.failures import DeploymentFailedError
from infrastructure.deployment.kept import legacy
from infrastructure.deployment.package import PYTHON
from infrastructure.provision import (
    INLINE_LIMIT,
    Stack,
    compact,
    parameters_of,
    upload_template,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infrastructure.deployment.package import Package
    from infrastructure.deployment.target import Target

ACTIONS = ("take up", "add", "change", "replace", "remove")

EMPTY = ("didn't contain changes", "No updates are to be performed")
"""How CloudFormation says that a change set would change nothing."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that would change.

    Attributes:
        action: take up, add, change, replace or remove.
        kind: a resource's type, or `function`.
        name: the resource's name in the template, or the function's.
        what: what of it, or an empty text.
    """

    action: str
    kind: str
    name: str
    what: str = ""


def plan(target: Target, package: Package | None) -> list[Change]:
    """Return what would change; only a large template is left in the artifacts bucket.

    Raises:
        DeploymentFailedError: CloudFormation cannot tell.
    """
    return [*_resources(target), *_functions(target, package)]


def counted(changes: Iterable[Change]) -> str:
    """Return changes in a few words, such as `3 to add, 1 to change`."""
    actions = [change.action for change in changes]
    counts = [f"{actions.count(each)} to {each}" for each in ACTIONS]
    return ", ".join(count for count in counts if not count.startswith("0 ")) or "nothing to change"


def _resources(target: Target) -> list[Change]:
    stack = Stack(target.stack, target.client("cloudformation"), tags_of(target.app, target.stage))
    held = stack.logical_ids()
    if "ArtifactsBucket" not in held:  # where the template would be compared from
        found = legacy(target)
        taken = found.taken_up
        return [
            Change(action="take up", kind=resource["Type"], name=name, what=taken[name])
            if name in taken
            else Change(action="add", kind=resource["Type"], name=name)
            for name, resource in resources_of(target.template, found.parameters).items()
            if name not in held
        ]
    return [_change(each["ResourceChange"]) for each in _change_set(target, stack)]


def _change(found: dict[str, Any]) -> Change:
    action = {"Add": "add", "Remove": "remove"}.get(found["Action"], "change")
    if found.get("Replacement") in {"True", "Conditional"}:
        action = "replace"
    properties = {
        detail["Target"].get("Name") or detail["Target"]["Attribute"] for detail in found.get("Details", [])
    }
    return Change(
        action=action,
        kind=found["ResourceType"],
        name=found["LogicalResourceId"],
        what=", ".join(sorted(properties)),
    )


def _change_set(target: Target, stack: Stack) -> list[dict[str, Any]]:
    """Have CloudFormation compare, and delete the change set again."""
    cloudformation, name = target.client("cloudformation"), f"plan-{uuid.uuid4().hex}"
    body = compact(target.template)
    source = {"TemplateBody": body}
    if len(body.encode()) > INLINE_LIMIT:
        bucket = stack.resource("ArtifactsBucket")
        source = {"TemplateURL": upload_template(target.client, bucket, body, "plan")}
    given = {"App": target.app, "Stage": target.stage, **target.parameters}
    cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=parameters_of(target.template, given, stack.description()),
        Tags=stack.tags,
        **source,
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            StackName=stack.name, ChangeSetName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )
        pages = cloudformation.get_paginator("describe_change_set").paginate(
            StackName=stack.name, ChangeSetName=name
        )
        return list(itertools.chain.from_iterable(page["Changes"] for page in pages))
    except WaiterError as error:
        reason = str(error.last_response.get("StatusReason", error))
        if any(words in reason for words in EMPTY):
            return []
        raise DeploymentFailedError(f"CloudFormation made no plan: {reason}") from error
    finally:
        cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=name)


def _functions(target: Target, package: Package | None) -> list[Change]:
    pages = target.client("lambda").get_paginator("list_functions").paginate()
    deployed = {
        found["FunctionName"]: found
        for page in pages
        for found in page["Functions"]
        if target.owns(found["FunctionName"])
    }
    wanted = _wanted(target)
    changes = []
    for name in target.functions:
        if name not in deployed:
            changes.append(Change(action="add", kind="function", name=name))
        elif what := _differences(deployed[name], wanted.get(name), package):
            changes.append(Change(action="change", kind="function", name=name, what=", ".join(what)))
    gone = sorted(set(deployed) - set(target.functions))
    return changes + [Change(action="remove", kind="function", name=name) for name in gone]


def _wanted(target: Target) -> dict[str, dict[str, Any]]:
    """Return each function's settings, as far as the stack's outputs of today give them."""
    outputs = Stack(target.stack, target.client("cloudformation")).outputs()
    try:
        block = stage_block(outputs, PYTHON)
    except KeyError:  # a role that the new template adds has no output yet
        return {}
    common = block["environment_variables"]
    return {
        target.prefix if name == "api_handler" else f"{target.prefix}-{name}": {
            "memory": settings["lambda_memory_size"],
            "timeout": settings["lambda_timeout"],
            "role": settings["iam_role_arn"],
            "layers": settings.get("layers", []),
            "environment": common | settings.get("environment_variables", {}),
            "Python": f"python{PYTHON}",
        }
        for name, settings in block["lambda_functions"].items()
        if name in FUNCTIONS
    }


def _differences(
    deployed: dict[str, Any], wanted: dict[str, Any] | None, package: Package | None
) -> list[str]:
    found = ["code"] if package and deployed["CodeSha256"] != package.sha256 else []
    if wanted is None:
        return found
    now = {
        "memory": deployed["MemorySize"],
        "timeout": deployed["Timeout"],
        "role": deployed["Role"],
        "layers": [layer["Arn"] for layer in deployed.get("Layers", [])],
        "environment": deployed.get("Environment", {}).get("Variables", {}),
        "Python": deployed["Runtime"],
    }
    return found + [what for what, value in wanted.items() if now[what] != value]
