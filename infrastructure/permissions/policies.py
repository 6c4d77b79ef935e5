"""What the rendered template allows each role."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy.

    Attributes:
        policy: the logical id of the policy that holds it; the role's own when it is inline.
        effect: Allow or Deny.
        actions: such as `s3:GetObject`.
        resources: as the template writes them: texts, or intrinsic functions.
        conditions: as the template writes them.
    """

    policy: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...]
    conditions: Mapping[str, Any]

    @property
    def names(self) -> set[str]:
        """The logical ids that its resources name."""
        return {name for resource in self.resources for name in _named(resource)}


def statements(template: Mapping[str, Any], role: str) -> list[Statement]:
    """Return every statement that a role has: inline, or of a policy that is attached to it."""
    resources = template["Resources"]
    found = [
        statement
        for policy in resources[role]["Properties"].get("Policies", [])
        for statement in _flat(policy, role)
    ]
    for name, resource in resources.items():
        if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            properties = resource["Properties"]
            if {"Ref": role} in properties.get("Roles", []):
                found += _flat(properties, name)
    return found


def written(resource: Any) -> str:
    """Return a resource as a reader of the template knows it, such as `${LandingBucket.Arn}/*`."""
    if isinstance(resource, str):
        return resource
    if isinstance(resource, dict):
        if "Ref" in resource:
            return "${" + str(resource["Ref"]) + "}"
        if "Fn::GetAtt" in resource:
            parts = resource["Fn::GetAtt"]
            return "${" + (parts if isinstance(parts, str) else ".".join(parts)) + "}"
        if "Fn::Sub" in resource:
            text = resource["Fn::Sub"]
            return str(text if isinstance(text, str) else text[0])
        if "Fn::If" in resource:
            return " or ".join(written(each) for each in resource["Fn::If"][1:])
    return json.dumps(resource)


def _flat(policy: Mapping[str, Any], holder: str) -> Iterator[Statement]:
    for statement in _branches(policy["PolicyDocument"]["Statement"]):
        yield Statement(
            policy=holder,
            effect=statement["Effect"],
            actions=tuple(_listed(statement["Action"])),
            resources=tuple(_branches(statement["Resource"])),
            conditions=statement.get("Condition", {}),
        )


def _branches(value: Any) -> Iterator[Any]:
    """Yield the entries of a list, of either branch where a condition decides."""
    for each in _listed(value):
        if isinstance(each, dict) and "Fn::If" in each:
            for branch in each["Fn::If"][1:]:
                yield from _branches(branch)
        elif each != {"Ref": "AWS::NoValue"}:
            yield each


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(resource: Any) -> set[str]:
    if isinstance(resource, dict):
        if "Ref" in resource:
            return {resource["Ref"]}
        if "Fn::GetAtt" in resource:
            parts = resource["Fn::GetAtt"]
            return {(parts.split(".") if isinstance(parts, str) else parts)[0]}
    return set(_SUBSTITUTED.findall(written(resource)))
