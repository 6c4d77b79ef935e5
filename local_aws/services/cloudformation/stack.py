"""A stack: its resources as plain records, made, changed, taken back and deleted in order."""

from __future__ import annotations

import json
import pickle  # nosec B403
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Event
from moto.core.utils import utcnow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PACKED = ("resources", "replaced", "events")
"""Attributes of a stack that a save takes as they are; see `Stack.__getstate__`."""


@dataclass
class Resource:
    """One resource that a stack made.

    Attributes:
        name: the logical id, its name inside the template.
        type: such as `AWS::SNS::Topic`.
        identifier: the physical id at the service, or "" while it is being made.
        physical_name: what it is called there, if its type has names.
        properties: as they were applied, every function worked out.
        attributes: what `Fn::GetAtt` gives.
        retained: its DeletionPolicy lets it outlive the stack.
        only_once_made: but not the rollback of the change that made it (RetainExceptOnCreate).
        status: as CloudFormation writes it.
        changed: when that became so.
    """

    name: str
    type: str
    identifier: str
    physical_name: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    retained: bool
    only_once_made: bool = False
    status: str = "CREATE_COMPLETE"
    changed: datetime = field(default_factory=utcnow)


@dataclass
class Stack:
    """One stack. It holds nothing but plain data, so that it can be kept on disk.

    Attributes:
        stack_id: the ARN.
        template: the text as it was given.
        parameters: the values as they were given; a parameter without one has its default.
        values: the values that the parameters have.
        resources: what the stack holds, by logical id.
        replaced: what an update has made anew and still has to delete.
        importing: the logical ids of what is being imported.
        outputs: as DescribeStacks gives them.
        exports: the outputs that other stacks may import, by export name.
    """

    stack_id: str
    name: str
    account: str
    region: str
    template: str
    parameters: dict[str, str]
    tags: dict[str, str]
    role_arn: str | None = None
    notification_arns: list[str] = field(default_factory=list)
    on_failure: str = "ROLLBACK"
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    policy: str = ""
    description: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    resources: dict[str, Resource] = field(default_factory=dict)
    replaced: list[Resource] = field(default_factory=list)
    importing: tuple[str, ...] = ()
    outputs: list[dict[str, Any]] = field(default_factory=list)
    exports: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    creation_time: datetime = field(default_factory=utcnow)
    last_updated_time: datetime | None = None
    deletion_time: datetime | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what grows with the template as one value: looked into, it took seven times as long."""
        whole = pickle.dumps({name: getattr(self, name) for name in PACKED}, pickle.HIGHEST_PROTOCOL)
        # A bytearray is never a blob: one would stay on disk for each save.
        return {**vars(self), **dict.fromkeys(PACKED), "packed": bytearray(whole)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take back what `__getstate__` gave, or what a version before it did."""
        packed = state.pop("packed", None)
        vars(self).update(state)
        if packed is not None:
            vars(self).update(pickle.loads(packed))  # nosec B301  # noqa: S301 - we wrote it

    @property
    def stack_parameters(self) -> dict[str, Any]:
        """The parameters' values as a request gives them: a list is one text."""
        return {
            name: ",".join(value) if isinstance(value, list) else value for name, value in self.values.items()
        }

    def describe(self) -> dict[str, Any]:
        """Return the stack as DescribeStacks shows it."""
        return {
            "StackId": self.stack_id,
            "StackName": self.name,
            "Description": self.description,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": "****" if key in self.hidden else as_text(value)}
                for key, value in self.values.items()
            ],
            "CreationTime": self.creation_time,
            "LastUpdatedTime": self.last_updated_time,
            "DeletionTime": self.deletion_time,
            "StackStatus": self.status,
            "StackStatusReason": self.reason,
            "DisableRollback": self.on_failure == "DO_NOTHING",
            "NotificationARNs": self.notification_arns,
            "RoleARN": self.role_arn,
            "EnableTerminationProtection": False,
            "Outputs": self.outputs,
            "Tags": self.tags,
        }

    def describe_resource(self, resource: Resource) -> dict[str, Any]:
        """Return one resource as DescribeStackResources shows it."""
        return {
            "StackName": self.name,
            "StackId": self.stack_id,
            "LogicalResourceId": resource.name,
            "PhysicalResourceId": resource.identifier,
            "ResourceType": resource.type,
            "ResourceStatus": resource.status,
            "Timestamp": resource.changed,
            "LastUpdatedTimestamp": resource.changed,
        }

    def tell(self, status: str, reason: str | None = None) -> None:
        """Set the stack's status and record it as an event."""
        self.status, self.reason = status, reason
        self.events.append(
            self._event(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, reason, {})
        )

    def tell_of(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Set a resource's status and record it as an event."""
        resource.status, resource.changed = status, utcnow()
        self.events.append(
            self._event(
                resource.name, resource.identifier, resource.type, status, reason, resource.properties
            )
        )

    def _event(
        self,
        name: str,
        identifier: str,
        kind: str,
        status: str,
        reason: str | None,
        properties: Mapping[str, Any],
    ) -> Event:
        return Event(
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=name,
            physical_resource_id=identifier,
            resource_type=kind,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=json.dumps(properties, default=str) if properties else None,
        )


def as_text(value: Any) -> str:
    """Return a parameter's or output's value as an answer shows it."""
    return ",".join(value) if isinstance(value, list) else str(value)
