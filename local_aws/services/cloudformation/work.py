"""The work on a stack: making, changing, taking back and deleting its resources in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import random_suffix
from moto.core.utils import utcnow

from local_aws.services.cloudformation import template as templates
from local_aws.services.cloudformation.dynamic_references import looked_up
from local_aws.services.cloudformation.functions import Scope
from local_aws.services.cloudformation.resource_type import TYPES, ResourceType, UnsupportedError, tagged
from local_aws.services.cloudformation.stack import Resource, Stack, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from local_aws.services.cloudformation.resource_type import Clients

ALREADY_GONE = (
    "NoSuch",
    "NotFound",
    "EntityNotFound",
    "NonExistentQueue",
    "QueueDoesNotExist",
    "StateMachineDoesNotExist",
    "ResourceNotFound",
    "ParameterNotFound",
)
"""What the services' codes for a resource that is not there begin or end with."""


FAILURES = (ClientError, BotoCoreError, UnsupportedError, ValidationError, NotImplementedError, KeyError)
"""What the work on one resource raises: the service's refusal, ours, or moto's of an unknown operation."""


class StackFailedError(Exception):
    """A resource could not be made or changed; the message is the stack's StackStatusReason."""


class Work:
    """One piece of work on a stack: creating, updating or deleting it."""

    def __init__(
        self, stack: Stack, aws: Clients, exports: Mapping[str, str], save: Callable[[], None]
    ) -> None:
        """Keep what the work needs.

        Args:
            stack: what is worked on.
            aws: gives the services' clients.
            exports: the values that other stacks export.
            save: writes the stack to disk; called before each step, so that a killed process can be undone.
        """
        self._stack = stack
        self._save = save
        self._aws = aws
        self._exports = exports

    def create(self) -> None:
        """Make every resource; a failure takes back what was made."""
        stack = self._stack
        plan = self._plan(stack.template, stack.parameters)
        stack.tell("CREATE_IN_PROGRESS", "User Initiated")
        try:
            self._apply(plan)
        except StackFailedError as error:
            self._roll_back_creation(str(error))
            return
        stack.tell("CREATE_COMPLETE")

    def update(self, template: str, parameters: dict[str, str], tags: dict[str, str] | None) -> None:
        """Bring the stack to another template; a failure brings it back to the one before."""
        stack = self._stack
        plan = self._plan(template, parameters)
        before, tags_before = (stack.template, stack.parameters), stack.tags
        stack.tell("UPDATE_IN_PROGRESS", "User Initiated")
        stack.tags = tags or stack.tags
        try:
            self._apply(plan)
        except StackFailedError as error:
            stack.tags = tags_before
            self._return_to(*before, reason=str(error))
            return
        stack.template, stack.parameters = template, parameters
        stack.last_updated_time = utcnow()
        self._clean_up(plan)

    def _clean_up(self, plan: Plan) -> None:
        """Delete what an update replaced or no longer names."""
        stack = self._stack
        stack.tell("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._delete_all(stack.replaced)
        stack.replaced = []
        self._forget([stack.resources[name] for name in reversed(stack.resources) if name not in plan.order])
        stack.tell("UPDATE_COMPLETE")

    def delete(self) -> None:
        """Delete every resource that is not retained; what cannot be deleted keeps the stack."""
        stack = self._stack
        stack.tell("DELETE_IN_PROGRESS", "User Initiated")
        if failed := self._forget(list(reversed(stack.resources.values()))):
            stack.tell(
                "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]."
            )
            return
        stack.deletion_time, stack.outputs, stack.exports = utcnow(), [], {}
        stack.tell("DELETE_COMPLETE")

    def recover(self) -> None:
        """Finish or undo what a process that ended in the middle was doing."""
        stack, reason = self._stack, "The embedded AWS ended in the middle"
        if stack.status in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            self._roll_back_creation(reason)
        elif stack.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            self._clean_up(self._plan(stack.template, stack.parameters))
        elif stack.status.startswith("UPDATE_") and stack.status.endswith("_IN_PROGRESS"):
            self._return_to(stack.template, stack.parameters, reason=reason)
        elif stack.status == "DELETE_IN_PROGRESS":
            self.delete()

    def check(self) -> None:
        """Raise ValidationError when the stack's template cannot be worked on at all."""
        self._plan(self._stack.template, self._stack.parameters)

    def _plan(self, template: str, parameters: Mapping[str, str]) -> Plan:
        document = templates.parse(template)
        values = templates.bind_parameters(document, parameters)
        stack = self._stack
        names = {
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": stack.notification_arns,
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.stack_id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
            **values,
        }
        scope = Scope(document, names, self._attribute, self._exports)
        if broken := list(scope.broken_rules()):
            raise ValidationError(message=f"Template validation error: {'; '.join(broken)}")
        order = [
            name for name in templates.creation_order(document) if scope.makes(document["Resources"][name])
        ]
        return Plan(document, order, scope, names, values)

    def _apply(self, plan: Plan) -> None:
        stack = self._stack
        for name in plan.order:
            definition = plan.document["Resources"][name]
            try:
                plan.names[name] = self._make(name, definition, plan.scope)
            except FAILURES as error:
                raise StackFailedError(self._failure(name, definition["Type"], error)) from error
        self._note_values(plan)
        try:
            stack.outputs = list(_outputs(plan.document, plan.scope))
        except (ValidationError, UnsupportedError) as error:
            raise StackFailedError(f"Outputs: {error}") from error
        stack.exports = {
            each["ExportName"]: each["OutputValue"] for each in stack.outputs if each.get("ExportName")
        }

    def _note_values(self, plan: Plan) -> None:
        stack, declared = self._stack, plan.document.get("Parameters", {})
        stack.values = plan.values
        stack.hidden = {key for key, each in declared.items() if each.get("NoEcho")}
        stack.description = plan.document.get("Description")

    def _make(self, name: str, definition: Mapping[str, Any], scope: Scope) -> str:
        """Make or change one resource and return its physical id."""
        stack, kind = self._stack, _type_named(definition["Type"])
        properties = tagged(kind, scope.resolve(definition.get("Properties", {})), stack.tags)
        kind.check(properties)
        old = stack.resources.get(name)
        retained = definition.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        if old and old.type == kind.type and not kind.needs_replacement(old.properties, properties):
            if old.properties != properties:
                self._change(old, kind, properties)
            old.retained = retained
            return old.identifier
        physical = properties.get(kind.name_property) or _generated_name(stack.name, name, kind.type)
        if old and kind.name_property and old.properties.get(kind.name_property) == physical:
            raise UnsupportedError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {physical} and update the stack again."
            )
        only_once_made = definition.get("DeletionPolicy") == "RetainExceptOnCreate"
        resource = Resource(name, kind.type, "", physical, properties, {}, retained, only_once_made)
        self._add(resource, kind, old)
        if old:
            old.retained = definition.get("UpdateReplacePolicy") == "Retain"
            stack.replaced.append(old)
        kind.settle(self._aws, resource.identifier, looked_up(self._aws, properties))
        resource.attributes = kind.attributes(self._aws, resource.identifier, properties)
        stack.tell_of(resource, "UPDATE_COMPLETE" if old else "CREATE_COMPLETE")
        return resource.identifier

    def _change(self, resource: Resource, kind: ResourceType, properties: dict[str, Any]) -> None:
        self._stack.tell_of(resource, "UPDATE_IN_PROGRESS")
        # Noted before it is done: going back then undoes it, however far it came.
        before, resource.properties = resource.properties, properties
        self._save()
        # Only what was written in the template differs: what a reference leads to is looked up for both.
        new, old = looked_up(self._aws, properties), looked_up(self._aws, before)
        kind.update(self._aws, resource.identifier, new, old)
        resource.attributes = kind.attributes(self._aws, resource.identifier, properties)
        self._stack.tell_of(resource, "UPDATE_COMPLETE")

    def _add(self, resource: Resource, kind: ResourceType, old: Resource | None) -> None:
        """Make a resource, on record before it is there: a process killed meanwhile finds it again."""
        resources = self._stack.resources
        self._stack.tell_of(resource, "CREATE_IN_PROGRESS")
        resources.pop(resource.name, None)
        resources[resource.name] = resource
        self._save()
        try:
            properties = looked_up(self._aws, resource.properties)
            resource.identifier = kind.create(self._aws, resource.physical_name, properties)
        except BaseException:
            del resources[resource.name]
            if old:
                resources[old.name] = old
            raise

    def _attribute(self, resource: str, attribute: str) -> Any:
        try:
            return self._stack.resources[resource].attributes[attribute]
        except KeyError as error:
            raise ValidationError(
                message=f"Template error: resource {resource} does not support "
                f"attribute type {attribute} in Fn::GetAtt"
            ) from error

    def _failure(self, name: str, kind: str, error: Exception) -> str:
        reason = f"missing property {error}" if isinstance(error, KeyError) else str(error)
        stack = self._stack
        failed = stack.resources.get(name) or Resource(name, kind, "", "", {}, {}, retained=False)
        doing = stack.status.partition("_")[0]
        status = f"{doing}_FAILED" if doing in ("UPDATE", "IMPORT") else "CREATE_FAILED"
        stack.tell_of(failed, status, reason)
        return f"Resource {name} ({kind}): {reason}"

    def _roll_back_creation(self, reason: str) -> None:
        stack = self._stack
        if stack.on_failure == "DO_NOTHING":
            stack.tell("CREATE_FAILED", reason)
            return
        stack.tell("ROLLBACK_IN_PROGRESS", reason)
        failed = self._forget(_made_in_vain(reversed(stack.resources.values())))
        stack.tell("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", reason)

    def _return_to(self, template: str, parameters: dict[str, str], *, reason: str) -> None:
        stack = self._stack
        stack.tell("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        for old in reversed(stack.replaced):
            self._delete_all([stack.resources.pop(old.name)])
            stack.resources[old.name] = old
        stack.replaced = []
        self._forget([each for each in reversed(stack.resources.values()) if not each.identifier])
        plan = self._plan(template, parameters)
        try:
            self._apply(plan)
        except StackFailedError as error:
            stack.tell("UPDATE_ROLLBACK_FAILED", f"{reason}; going back failed too: {error}")
            return
        added = (stack.resources[name] for name in reversed(stack.resources) if name not in plan.order)
        self._forget(_made_in_vain(added))
        stack.tell("UPDATE_ROLLBACK_COMPLETE", reason)

    def _forget(self, resources: Iterable[Resource]) -> list[str]:
        """Delete these resources of the stack and return the names of those that stay."""
        resources = list(resources)
        failed = self._delete_all(resources)
        for resource in resources:
            if resource.name not in failed:
                del self._stack.resources[resource.name]
        return failed

    def _delete_all(self, resources: Iterable[Resource]) -> list[str]:
        """Delete these resources in their order and return the names of those that stay."""
        failed = []
        for resource in resources:
            try:
                self._delete(resource)
            except (ClientError, BotoCoreError, NotImplementedError) as error:
                self._stack.tell_of(resource, "DELETE_FAILED", str(error))
                failed.append(resource.name)
        return failed

    def _delete(self, resource: Resource) -> None:
        if resource.retained:
            self._stack.tell_of(resource, "DELETE_SKIPPED")
            return
        self._stack.tell_of(resource, "DELETE_IN_PROGRESS")
        kind = _type_named(resource.type)
        name, properties = resource.physical_name, resource.properties
        try:
            identifier = resource.identifier or kind.identifier(self._aws, name, properties)
            if identifier:  # one without a name that was never made goes with what it belongs to
                kind.delete(self._aws, identifier, properties)
        except ClientError as error:
            if not _means_gone(error):
                raise
        self._stack.tell_of(resource, "DELETE_COMPLETE")


def _made_in_vain(resources: Iterable[Resource]) -> list[Resource]:
    """Return resources that a change made before it failed; RetainExceptOnCreate does not keep those."""
    found = list(resources)
    for resource in found:
        resource.retained = resource.retained and not resource.only_once_made
    return found


@dataclass(frozen=True)
class Plan:
    """A template ready to be applied."""

    document: dict[str, Any]
    order: list[str]
    scope: Scope
    names: dict[str, Any]
    values: dict[str, Any]


def _type_named(name: str) -> ResourceType:
    if name not in TYPES:
        raise UnsupportedError(
            f"Unrecognized resource types: [{name}]. "
            f"The embedded CloudFormation makes: {', '.join(sorted(TYPES))}"
        )
    return TYPES[name]


def _generated_name(stack: str, name: str, kind: str) -> str:
    generated = f"{stack}-{name}-{random_suffix()}"
    return generated.lower()[-63:].lstrip("-") if kind == "AWS::S3::Bucket" else generated


def _outputs(document: Mapping[str, Any], scope: Scope) -> Iterator[dict[str, Any]]:
    for key, each in document.get("Outputs", {}).items():
        if not scope.makes(each):
            continue
        output = {"OutputKey": key, "OutputValue": as_text(scope.resolve(each["Value"]))}
        if "Description" in each:
            output["Description"] = each["Description"]
        if "Export" in each:
            output["ExportName"] = scope.resolve(each["Export"]["Name"])
        yield output


def _means_gone(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    return any(part in code for part in ALREADY_GONE) or code == "404"
