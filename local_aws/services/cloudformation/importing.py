"""Imports: a stack takes over resources that exist already, and nothing else happens in the same change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.utils import utcnow

from local_aws.services.cloudformation import template as templates
from local_aws.services.cloudformation.dynamic_references import looked_up
from local_aws.services.cloudformation.resource_type import TYPES, UnsupportedError, tagged
from local_aws.services.cloudformation.stack import Resource, Stack
from local_aws.services.cloudformation.work import FAILURES, Plan, StackFailedError, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NEW_STACK = "REVIEW_IN_PROGRESS"
"""The status of a stack that only has change sets yet."""


@dataclass(frozen=True)
class Wanted:
    """One entry of ResourcesToImport: what it is called in the template, and what identifies it."""

    name: str
    type: str
    identifier: Mapping[str, str]

    @property
    def value(self) -> str:
        """The resource's physical id."""
        return next(iter(self.identifier.values()))

    def change(self) -> dict[str, Any]:
        """Return the change as DescribeChangeSet shows it."""
        return {
            "Action": "Import",
            "LogicalResourceId": self.name,
            "PhysicalResourceId": self.value,
            "ResourceType": self.type,
            "Scope": [],
            "Details": [],
        }


def wanted(entries: Iterable[Mapping[str, Any]]) -> list[Wanted]:
    """Return the entries of ResourcesToImport.

    Raises:
        ValidationError: there is none, one identifies nothing, or two are of one resource.
    """
    found = [
        Wanted(
            each.get("LogicalResourceId", ""),
            each.get("ResourceType", ""),
            each.get("ResourceIdentifier") or {},
        )
        for each in entries
    ]
    if not found:
        raise ValidationError(message="Must Provide at least one resource to import")
    for number, each in enumerate(found, 1):
        if not each.identifier:
            raise ValidationError(
                message="1 validation error detected: Value null at "
                f"'resourcesToImport.{number}.member.resourceIdentifier' failed to satisfy constraint: "
                "Member must not be null"
            )
    if len({each.name for each in found}) < len(found):
        raise ValidationError(message="Every resource to import must have unique LogicalResourceId")
    return found


def refuse_settings(stack: Stack, document: Mapping[str, Any], **settings: object) -> None:
    """Raise ValidationError for what an import may not change: outputs, and the settings RoleArn and Tags."""
    before = {} if stack.status == NEW_STACK else templates.parse(stack.template).get("Outputs", {})
    changed = ["Outputs"] if document.get("Outputs", {}) != before else []
    kept = {"RoleArn": stack.role_arn, "Tags": stack.tags}
    changed += sorted(name for name, value in settings.items() if value and value != kept[name])
    if changed:
        raise ValidationError(
            message=f"As part of the import operation, you cannot modify or add [{', '.join(changed)}]"
        )


class Import(Work):
    """The import of resources into a stack."""

    def refuse(
        self,
        template: str,
        parameters: Mapping[str, str],
        imports: Sequence[Wanted],
        changes: Sequence[Mapping[str, Any]],
    ) -> None:
        """Raise ValidationError when this cannot be imported at all, whatever exists.

        Args:
            template: the whole template of the stack, with what is imported.
            parameters: their values.
            imports: what is to be imported.
            changes: what of the stack would change, as an update would show it.
        """
        plan = self._plan(template, parameters)
        _refuse_identifiers(imports)
        _refuse_types(imports, plan)
        held = set() if self._stack.status == NEW_STACK else set(self._stack.resources)
        listed, new = {each.name for each in imports}, [name for name in plan.order if name not in held]
        if not new:
            raise ValidationError(message="The template should contain at least one new resource to import.")
        if unlisted := sorted(set(new) - listed):
            if already := sorted(listed & held):
                raise ValidationError(
                    message=f"Resources [{', '.join(already)}] passed in ResourceToImport are already in a "
                    "stack and cannot be imported."
                )
            raise ValidationError(
                message=f"Resources [{', '.join(unlisted)}] is missing from ResourceToImport list"
            )
        if modified := [each["LogicalResourceId"] for each in changes if each["Action"] != "Add"]:
            raise ValidationError(
                message=f"You have modified resources [{', '.join(modified)}] in your template that are not "
                "being imported. Update, create or delete operations cannot be executed during import "
                "operations."
            )
        bare = [name for name in new if "DeletionPolicy" not in plan.document["Resources"][name]]
        if bare:
            raise ValidationError(
                message=f"The following resources to import [{', '.join(bare)}] must have DeletionPolicy "
                "attribute specified in the template."
            )

    def missing(self, imports: Sequence[Wanted], stacks: Iterable[Stack]) -> str | None:
        """Return why one cannot be imported as things are, or None: it does not exist, or a stack has it."""
        stacks = list(stacks)
        for each in imports:
            try:
                if not TYPES[each.type].exists(self._aws, each.value):
                    return TYPES[each.type].not_found(each.value)
            except FAILURES as error:
                return str(error)
            for stack in stacks:
                if any(
                    (held.type, held.identifier) == (each.type, each.value)
                    for held in stack.resources.values()
                ):
                    return f"{each.value} already exists in stack {stack.stack_id}"
        return None

    def execute(self, template: str, parameters: dict[str, str], imports: Sequence[Wanted]) -> None:
        """Take the resources over; a failure leaves them outside the stack, as they were."""
        stack, plan = self._stack, self._plan(template, parameters)
        values = {each.name: each.value for each in imports}
        stack.importing = tuple(values)
        stack.tell("IMPORT_IN_PROGRESS", "User Initiated")
        for name, held in stack.resources.items():
            plan.names[name] = held.identifier
        try:
            for name in (name for name in plan.order if name in values):
                plan.names[name] = self._take(name, plan, values[name])
        except StackFailedError as error:
            self._take_back(str(error))
            return
        stack.template, stack.parameters, stack.importing = template, parameters, ()
        stack.last_updated_time = utcnow()
        self._note_values(plan)
        stack.tell("IMPORT_COMPLETE")

    def recover(self) -> None:
        """Undo what a process that ended in the middle was importing."""
        if self._stack.importing:
            self._take_back("The embedded AWS ended in the middle")

    def _take(self, name: str, plan: Plan, identifier: str) -> str:
        """Note one resource as the stack's, then bring it to what the template says, and return its id."""
        stack, definition = self._stack, plan.document["Resources"][name]
        kind = TYPES[definition["Type"]]
        try:
            properties = tagged(kind, plan.scope.resolve(definition.get("Properties", {})), stack.tags)
            kind.check(properties)
            self._refuse_other_identifier(name, kind.import_identifier, properties, identifier)
            if not kind.exists(self._aws, identifier):
                raise UnsupportedError(kind.not_found(identifier))
            physical = str(properties.get(kind.name_property) or identifier)
            retained = definition["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
            resource = Resource(name, kind.type, identifier, physical, properties, {}, retained)
            stack.tell_of(resource, "IMPORT_IN_PROGRESS", "Resource import started.")
            stack.resources[name] = resource
            self._save()
            stack.tell_of(resource, "IMPORT_COMPLETE", "Resource import completed.")
            said = "Apply stack-level tags to imported resource if applicable."
            stack.tell_of(resource, "UPDATE_IN_PROGRESS", said)
            kind.update(self._aws, identifier, looked_up(self._aws, properties), {})
            resource.attributes = kind.attributes(self._aws, identifier, properties)
        except FAILURES as error:
            raise StackFailedError(self._failure(name, kind.type, error)) from error
        stack.tell_of(resource, "UPDATE_COMPLETE")
        return identifier

    def _take_back(self, reason: str) -> None:
        stack = self._stack
        stack.tell("IMPORT_ROLLBACK_IN_PROGRESS", reason)
        for name in stack.importing:
            if resource := stack.resources.pop(name, None):
                stack.tell_of(resource, "IMPORT_ROLLBACK_COMPLETE")
        stack.importing = ()
        stack.tell("IMPORT_ROLLBACK_COMPLETE", reason)

    def _refuse_other_identifier(
        self, name: str, key: str, properties: Mapping[str, Any], identifier: str
    ) -> None:
        if properties.get(key, identifier) != identifier:
            raise UnsupportedError(
                f"The Identifier [{key}] for resource [{name}] does not match the identifier value for the "
                "resource in the template"
            )


def _refuse_identifiers(imports: Sequence[Wanted]) -> None:
    kinds = {each.type: TYPES[each.type].import_identifier if each.type in TYPES else "" for each in imports}
    if unknown := sorted(name for name, key in kinds.items() if not key):
        raise ValidationError(message=f"ResourceTypes [{', '.join(unknown)}] are not supported for Import")
    for each in imports:
        if set(each.identifier) != {kinds[each.type]}:
            raise ValidationError(
                message=f"Invalid resource identifier for resource type {each.type}. "
                f"Expected [{kinds[each.type]}]"
            )


def _refuse_types(imports: Sequence[Wanted], plan: Plan) -> None:
    resources = plan.document["Resources"]
    if absent := [each.name for each in imports if each.name not in resources]:
        raise ValidationError(
            message=f"The logical resource ids [{', '.join(absent)}] provided in ResourceToImport do not "
            "exist in the template."
        )
    for each in imports:
        declared = resources[each.name]["Type"]
        if declared != each.type:
            raise ValidationError(
                message=f"Resource type of [{each.name}] passed in ResourceToImport does not match with "
                f"resource type defined in the template. Resource type in ResourceToImport: {each.type}; "
                f"Resource type in Template: {declared}."
            )
