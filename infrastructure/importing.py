"""What an earlier stack of a stage kept, as the template of a change set that imports it.

CloudFormation imports resources and does nothing else in the same change set: no other resources, no outputs
and no tags of the stack. After it, it updates each resource to what the template says, so this says all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IDENTIFIERS = {
    "AWS::KMS::Key": "KeyId",
    "AWS::RedshiftServerless::Namespace": "NamespaceName",
    "AWS::S3::Bucket": "BucketName",
}
"""What CloudFormation tells one resource of a type from the others by."""

ON_THEIR_OWN = {"AWS::RedshiftServerless::Namespace": ("NamespaceName", "DbName", "KmsKeyId")}
"""The properties of a type that need nothing which an import cannot make; the next update adds the others."""

SECTIONS = ("AWSTemplateFormatVersion", "Parameters", "Conditions", "Rules")


def part_of(template: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template of these resources alone, without outputs."""
    return {**{key: template[key] for key in SECTIONS if key in template}, "Resources": dict(resources)}


def import_template(
    template: Mapping[str, Any], names: Iterable[str], tags: Mapping[str, str]
) -> dict[str, Any]:
    """Return the template that imports these resources and nothing else.

    Args:
        template: the stage's whole template.
        names: the logical ids of what is imported.
        tags: the stage's tags: the stack cannot have them yet, and must not take them from its resources.
    """
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    resources = {}
    for name in names:
        found = on_its_own(template["Resources"][name])
        properties = {**found["Properties"], "Tags": listed}
        # An import that fails must leave data where it is, whatever made it.
        resources[name] = {**found, "DeletionPolicy": "Retain", "Properties": properties}
    return part_of(template, resources)


def on_its_own(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource without the properties that refer to what an import cannot make."""
    kept = ON_THEIR_OWN.get(resource["Type"])
    properties = resource["Properties"]
    if kept:
        properties = {name: properties[name] for name in kept}
    return {**resource, "Properties": properties}
