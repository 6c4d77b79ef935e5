"""moto's CloudFormation backend and answers, working on stacks of our own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.cloudformation import urls
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import (
    generate_changeset_id,
    generate_stack_id,
    validate_create_change_set,
)
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from local_aws.services.cloudformation import importing
from local_aws.services.cloudformation import template as templates
from local_aws.services.cloudformation.stack import Resource, Stack
from local_aws.services.cloudformation.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from types import ModuleType

    from local_aws.runtime import Runtime

_one_at_a_time = threading.RLock()
"""Two requests on the same stack must not work on it at once; ours take well under a second."""

NOTHING_TO_DO = "No updates are to be performed."
CAN_BE_UPDATED = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}

_runtimes: list[Runtime] = []


def use(runtime: Runtime) -> None:
    """Let stacks call the services of this runtime."""
    _runtimes[:] = [runtime]


def clients(region: str, account: str) -> Callable[[str], Any]:
    """Return what gives a stack its boto3 clients."""
    return partial(_runtimes[0].client, region=region, account=account)


def save() -> None:
    """Write every stack to disk."""
    _runtimes[0].save("cloudformation")


def recover() -> None:
    """Finish or undo what the process before this one was doing when it ended."""
    for regions in list(cloudformation_backends.values()):
        for backend in list(regions.values()):
            backend.recover()


@contextmanager
def working() -> Iterator[None]:
    """Work on stacks one at a time, and leave on disk what their services save only now and then."""
    with _one_at_a_time:
        yield
        for service in ("logs", "cloudwatch"):
            _runtimes[0].save(service)


@dataclass
class ChangeSet:
    """A change that waits to be executed."""

    change_set_id: str
    change_set_name: str
    change_set_type: str
    stack: Stack
    template: str
    parameters: dict[str, str]
    tags: dict[str, str] | None
    description: str | None
    changes: list[dict[str, Any]]
    status: str
    execution_status: str
    imports: list[importing.Wanted] | None = None
    status_reason: str | None = None
    creation_time: datetime = field(default_factory=utcnow)

    def describe(self) -> dict[str, Any]:
        """Return the change set as DescribeChangeSet shows it."""
        return {
            "ChangeSetId": self.change_set_id,
            "ChangeSetName": self.change_set_name,
            "StackId": self.stack.stack_id,
            "StackName": self.stack.name,
            "Description": self.description,
            "Parameters": self.parameters,
            "CreationTime": self.creation_time,
            "ExecutionStatus": self.execution_status,
            "Status": self.status,
            "StatusReason": self.status_reason,
            "Changes": [{"Type": "Resource", "ResourceChange": each} for each in self.changes],
        }


class LocalCloudFormationBackend(CloudFormationBackend):
    """Stacks whose resources are made by calling the services themselves."""

    @property
    def _url_module(self) -> ModuleType:
        module: ModuleType = urls
        return module

    def create_stack(
        self,
        name: str,
        template: str,
        parameters: dict[str, Any],
        notification_arns: list[str] | None = None,
        tags: dict[str, str] | None = None,
        role_arn: str | None = None,
        enable_termination_protection: bool | None = False,
        timeout_in_mins: int | None = None,  # noqa: ARG002 - nothing here takes minutes
        stack_policy_body: str | None = None,
        on_failure: str = "ROLLBACK",
    ) -> Stack:
        """Make a stack. It is finished, or rolled back, when this returns."""
        if enable_termination_protection:
            raise ValidationError(message="EnableTerminationProtection is not executed here")
        with working():
            if any(stack.name == name for stack in self._own_stacks().values()):
                raise AlreadyExistsException(f"Stack [{name}] already exists")
            stack = self._new_stack(name, template, parameters, notification_arns, tags, role_arn)
            stack.policy, stack.on_failure = stack_policy_body or "", on_failure
            work = self._work(stack)
            work.check()
            self._own_stacks()[stack.stack_id] = stack
            work.create()
            if on_failure == "DELETE" and stack.status == "ROLLBACK_COMPLETE":
                self.delete_stack(stack.stack_id)
            return stack

    def update_stack(
        self,
        name: str,
        template: str,
        role_arn: str | None,
        parameters: list[dict[str, Any]],
        tags: dict[str, str] | None,
    ) -> Stack:
        """Bring a stack to another template or other parameters."""
        with working():
            stack = self._stack(name)
            values = self._given(stack, parameters)
            if not self._differs(stack, template, values, tags):
                raise ValidationError(message=NOTHING_TO_DO)
            if stack.status not in CAN_BE_UPDATED:
                raise ValidationError(
                    message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
                )
            self._work(stack).update(template, values, tags)
            stack.role_arn = role_arn or stack.role_arn
            return stack

    def delete_stack(self, name_or_stack_id: str) -> None:
        """Delete a stack; one that is not there is no error."""
        with working():
            for stack in list(self._own_stacks().values()):
                if name_or_stack_id not in (stack.name, stack.stack_id):
                    continue
                self._refuse_used_exports(stack)
                self._work(stack).delete()
                if stack.status == "DELETE_COMPLETE":
                    self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)

    def recover(self) -> None:
        """Finish or undo what was being done to each stack."""
        for stack in list(self._own_stacks().values()):
            self._import(stack).recover()
            self._work(stack).recover()
            if stack.status == "DELETE_COMPLETE":
                self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)

    def create_change_set(
        self,
        stack_name: str,
        change_set_name: str,
        template: str,
        parameters: dict[str, str],
        description: str,
        change_set_type: str,
        notification_arns: list[str] | None = None,
        tags: dict[str, str] | None = None,
        role_arn: str | None = None,
    ) -> tuple[str, str]:
        """Keep a change until it is executed, and say what it would do."""
        validate_create_change_set(change_set_name)
        with _one_at_a_time:
            stack = next((each for each in self._own_stacks().values() if each.name == stack_name), None)
            if change_set_type == "UPDATE" and stack is None:
                raise ValidationError(stack_name)
            if stack is None:
                stack = self._new_stack(stack_name, template, parameters, notification_arns, tags, role_arn)
                self._work(stack).check()
                stack.tell("REVIEW_IN_PROGRESS", "User Initiated")
                self._own_stacks()[stack.stack_id] = stack
            elif change_set_type == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
                raise AlreadyExistsException(
                    f"Stack [{stack_name}] already exists and cannot be created again"
                )
            differs = change_set_type == "CREATE" or self._differs(stack, template, parameters, tags)
            change_set = ChangeSet(
                change_set_id=generate_changeset_id(change_set_name, self.region_name, self.account_id),
                change_set_name=change_set_name,
                change_set_type=change_set_type,
                stack=stack,
                template=template,
                parameters=parameters,
                tags=tags or None,
                description=description,
                changes=_changes(stack, template, parameters) if differs else [],
                status="CREATE_COMPLETE" if differs else "FAILED",
                execution_status="AVAILABLE" if differs else "UNAVAILABLE",
                # `aws cloudformation deploy` recognises an empty change set by this sentence.
                status_reason=None
                if differs
                else "The submitted information didn't contain changes. "
                "Submit different information to create a change set.",
            )
            self._change_sets()[change_set.change_set_id] = change_set
            return change_set.change_set_id, stack.stack_id

    def create_import(
        self,
        stack_name: str,
        change_set_name: str,
        *,
        template: str,
        parameters: list[dict[str, Any]],
        resources: list[dict[str, Any]],
        tags: dict[str, str],
        role_arn: str | None,
        description: str,
    ) -> tuple[str, str]:
        """Keep an import until it is executed; what cannot be found fails the change set only."""
        validate_create_change_set(change_set_name)
        with _one_at_a_time:
            wanted = importing.wanted(resources)
            stack = next((each for each in self._own_stacks().values() if each.name == stack_name), None)
            stack = stack or self._new_stack(stack_name, template, {}, None, None, None)
            if stack.status not in {importing.NEW_STACK, *CAN_BE_UPDATED}:
                raise ValidationError(
                    message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
                )
            values = self._given(stack, parameters)
            importing.refuse_settings(stack, templates.parse(template), RoleArn=role_arn, Tags=tags)
            work = self._import(stack)
            work.refuse(template, values, wanted, _changes(stack, template, values))
            if stack.stack_id not in self._own_stacks():
                stack.tell(importing.NEW_STACK, "User Initiated")
                self._own_stacks()[stack.stack_id] = stack
            missing = work.missing(wanted, self._own_stacks().values())
            change_set = ChangeSet(
                change_set_id=generate_changeset_id(change_set_name, self.region_name, self.account_id),
                change_set_name=change_set_name,
                change_set_type="IMPORT",
                stack=stack,
                template=template,
                parameters=values,
                tags=None,
                description=description,
                changes=[] if missing else [each.change() for each in wanted],
                status="FAILED" if missing else "CREATE_COMPLETE",
                execution_status="UNAVAILABLE" if missing else "AVAILABLE",
                status_reason=missing,
                imports=wanted,
            )
            self._change_sets()[change_set.change_set_id] = change_set
            return change_set.change_set_id, stack.stack_id

    def execute_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Make the change."""
        with working():
            change_set = self._change_set(change_set_name, stack_name)
            if change_set.execution_status != "AVAILABLE":
                raise ValidationError(
                    message=f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current "
                    f"execution status of [{change_set.execution_status}]"
                )
            work = self._work(change_set.stack)
            if change_set.imports:
                importer = self._import(change_set.stack)
                importer.execute(change_set.template, change_set.parameters, change_set.imports)
            elif change_set.change_set_type == "CREATE":
                work.create()
            else:
                work.update(change_set.template, change_set.parameters, change_set.tags)
            change_set.execution_status = "EXECUTE_COMPLETE"

    def describe_change_set(self, change_set_name: str) -> Any:
        """Return the change set of this name or ARN."""
        return self._change_set(change_set_name, None)

    def list_exports(self, tokenstr: str | None) -> Any:  # noqa: ARG002 - one page holds them all
        """Return every export of every stack."""
        return [
            {"ExportingStackId": stack.stack_id, "Name": name, "Value": value}
            for stack in self._own_stacks().values()
            for name, value in stack.exports.items()
        ], None

    def describe_stack_resources(self, stack_name: str, logical_resource_id: str | None) -> Any:
        """Return the stack and its resources, or the one of this name."""
        stack = self._stack(stack_name)
        found: Iterable[Resource] = stack.resources.values()
        return stack, [each for each in found if logical_resource_id in (None, each.name)]

    def _stack(self, name: str) -> Stack:
        stack: Stack = self.get_stack(name)
        return stack

    def _own_stacks(self) -> dict[str, Stack]:
        stacks: dict[str, Stack] = self.stacks
        return stacks

    def _change_sets(self) -> dict[str, ChangeSet]:
        change_sets: dict[str, ChangeSet] = self.change_sets
        return change_sets

    def _change_set(self, name: str, stack_name: str | None) -> ChangeSet:
        for change_set in reversed(self._change_sets().values()):
            stack = change_set.stack
            if name == change_set.change_set_id or (
                name == change_set.change_set_name and stack_name in (None, stack.name, stack.stack_id)
            ):
                return change_set
        raise ValidationError(message=f"ChangeSet [{name}] does not exist")

    def _new_stack(
        self,
        name: str,
        template: str,
        parameters: dict[str, str],
        notification_arns: list[str] | None,
        tags: dict[str, str] | None,
        role_arn: str | None,
    ) -> Stack:
        return Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            account=self.account_id,
            region=self.region_name,
            template=template,
            parameters=parameters,
            tags=tags or {},
            role_arn=role_arn,
            notification_arns=notification_arns or [],
        )

    def _work(self, stack: Stack) -> Work:
        return Work(stack, clients(self.region_name, self.account_id), self._exports(), save)

    def _import(self, stack: Stack) -> importing.Import:
        return importing.Import(stack, clients(self.region_name, self.account_id), self._exports(), save)

    def _exports(self) -> dict[str, str]:
        stacks = self._own_stacks().values()
        return {name: value for each in stacks for name, value in each.exports.items()}

    def _given(self, stack: Stack, parameters: list[dict[str, Any]]) -> dict[str, str]:
        try:
            return {
                each["ParameterKey"]: stack.parameters[each["ParameterKey"]]
                if each.get("UsePreviousValue")
                else each["ParameterValue"]
                for each in parameters
                if not each.get("UsePreviousValue") or each["ParameterKey"] in stack.parameters
            }
        except KeyError as error:
            raise ValidationError(message=f"Parameters: each needs a value; {error} is missing") from error

    def _differs(
        self, stack: Stack, template: str, parameters: dict[str, str], tags: dict[str, str] | None
    ) -> bool:
        document = templates.parse(template)
        return (
            document != templates.parse(stack.template)
            or templates.bind_parameters(document, parameters) != stack.values
            or (bool(tags) and tags != stack.tags)
        )

    def _refuse_used_exports(self, stack: Stack) -> None:
        for other in self._own_stacks().values():
            for name in stack.exports:
                if other is not stack and f'"Fn::ImportValue": "{name}"' in other.template:
                    raise ValidationError(
                        message=f"Export {name} cannot be deleted as it is in use by {other.name}"
                    )


def _changes(stack: Stack, template: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    document = templates.parse(template)
    new = document["Resources"]
    old = templates.parse(stack.template)["Resources"] if stack.resources else {}
    given = _given_otherwise(stack, document, parameters)
    changes = []
    for name in sorted({*new, *old}):
        if name in new and new[name] == old.get(name) and not given & _mentions(new[name]):
            continue
        action = "Modify" if name in new and name in old else "Add" if name in new else "Remove"
        resource = {
            "Action": action,
            "LogicalResourceId": name,
            "ResourceType": (new.get(name) or old[name])["Type"],
        }
        if name in stack.resources:
            resource["PhysicalResourceId"] = stack.resources[name].identifier
        changes.append(resource)
    return changes


def _given_otherwise(stack: Stack, document: dict[str, Any], parameters: dict[str, str]) -> set[str]:
    """Return the parameters whose value changes, and the conditions that mention one of them."""
    values = templates.bind_parameters(document, parameters)
    names = {name for name, value in values.items() if stack.values.get(name) != value}
    conditions = document.get("Conditions", {})
    while added := {name for name in conditions if names & _mentions(conditions[name])} - names:
        names |= added
    return names


def _mentions(value: Any) -> set[str]:
    """Return the names of parameters, resources and conditions in a part of a template."""
    found = set(templates.references(value))
    if isinstance(value, dict):
        found |= {value["Condition"]} if isinstance(value.get("Condition"), str) else set()
        found |= {str(value["Fn::If"][0])} if "Fn::If" in value else set()
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found.union(*(_mentions(each) for each in inside))


class LocalCloudFormationResponse(CloudFormationResponse):
    """moto's answers, told from our stacks."""

    RESPONSE_KEY_PATH_TO_TRANSFORMER = {  # noqa: RUF012 - moto's own attribute
        key: value
        for key, value in CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if key != "DescribeChangeSetOutput.Changes"
    }

    @property
    def _backend(self) -> LocalCloudFormationBackend:
        backend: LocalCloudFormationBackend = self.cloudformation_backend
        return backend

    def create_stack(self) -> ActionResult:
        """CreateStack, with what should happen on a failure."""
        stack = self._backend.create_stack(
            name=self._get_param("StackName"),
            template=self._template(),
            parameters=self._get_params_from_list(self._get_param("Parameters", [])),
            notification_arns=self._get_param("NotificationARNs", []),
            tags={each["Key"]: each["Value"] for each in self._get_param("Tags", [])},
            role_arn=self._get_param("RoleARN"),
            enable_termination_protection=self._get_param("EnableTerminationProtection"),
            stack_policy_body=self._get_param("StackPolicyBody"),
            on_failure="DO_NOTHING"
            if self._get_param("DisableRollback")
            else self._get_param("OnFailure", "ROLLBACK"),
        )
        return ActionResult({"StackId": stack.stack_id})

    def describe_stacks(self) -> ActionResult:
        """DescribeStacks."""
        stacks: list[Any] = self._backend.describe_stacks(self._get_param("StackName"))
        return ActionResult({"Stacks": [stack.describe() for stack in stacks]})

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        name, logical = self._get_param("StackName"), self._get_param("LogicalResourceId")
        stack, found = self._backend.describe_stack_resources(name, logical)
        if not found:
            raise ValidationError(message=f"Resource {logical} does not exist for stack {name}")
        return ActionResult({"StackResourceDetail": stack.describe_resource(found[0])})

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources."""
        name, logical = self._get_param("StackName"), self._get_param("LogicalResourceId")
        stack, found = self._backend.describe_stack_resources(name, logical)
        return ActionResult({"StackResources": [stack.describe_resource(each) for each in found]})

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources, in one page."""
        stack, found = self._backend.describe_stack_resources(self._get_param("StackName"), None)
        return ActionResult({"StackResourceSummaries": [stack.describe_resource(each) for each in found]})

    def list_stacks(self) -> ActionResult:
        """ListStacks, in one page."""
        stacks: list[Any] = self._backend.list_stacks(self._get_param("StackStatusFilter", []))
        return ActionResult({"StackSummaries": [stack.describe() for stack in stacks]})

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet; an import has rules of its own."""
        if self._get_param("ChangeSetType") != "IMPORT":
            created: ActionResult = super().create_change_set()
            return created
        change_set, stack = self._backend.create_import(
            self._get_param("StackName"),
            self._get_param("ChangeSetName"),
            template=self._template(),
            parameters=self._get_param("Parameters", []),
            resources=self._get_param("ResourcesToImport", []),
            tags={each["Key"]: each["Value"] for each in self._get_param("Tags", [])},
            role_arn=self._get_param("RoleARN"),
            description=self._get_param("Description"),
        )
        return ActionResult({"Id": change_set, "StackId": stack})

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        return ActionResult(self._backend.describe_change_set(self._get_param("ChangeSetName")).describe())

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets of one stack."""
        stack = self._backend.get_stack(self._get_param("StackName"))
        found: list[Any] = [each for each in self._backend.list_change_sets() if each.stack is stack]
        return ActionResult({"Summaries": [each.describe() for each in found]})

    def _template(self) -> str:
        if url := self._get_param("TemplateURL"):
            return str(self._get_stack_from_s3_url(url))
        return str(self._get_param("TemplateBody"))

    def _validate_different_update(self, *_: Any) -> None:
        """Leave it to the backend, which compares what the texts mean."""

    def _validate_status(self, *_: Any) -> None:
        """Leave it to the backend."""
