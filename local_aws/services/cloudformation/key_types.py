"""Resource types of KMS."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    picked,
    tag_map,
    tags,
)

LONGEST_WAIT = 30
"""Days until a deleted key is gone, when the template does not say."""


class Key(ResourceType):
    """A key; its physical id is the key's id, and deleting it schedules its deletion."""

    type = "AWS::KMS::Key"
    import_identifier = "KeyId"
    accepts = frozenset(
        {
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "PendingWindowInDays",
            "Tags",
        }
    )
    replaces = frozenset({"KeySpec", "KeyUsage"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the key."""
        policy = {"Policy": json.dumps(properties["KeyPolicy"])} if "KeyPolicy" in properties else {}
        answer = aws("kms").create_key(
            Tags=tags(properties, "TagKey", "TagValue"),
            **picked(properties, "Description", "KeySpec", "KeyUsage"),
            **policy,
        )
        return str(answer["KeyMetadata"]["KeyId"])

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Turn rotation on, and the key off, when the template says so."""
        self._turn(aws("kms"), identifier, properties)

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the policy, the description, the rotation and the tags up to date."""
        kms = aws("kms")
        if properties.get("KeyPolicy") != before.get("KeyPolicy") and "KeyPolicy" in properties:
            policy = json.dumps(properties["KeyPolicy"])
            kms.put_key_policy(KeyId=identifier, PolicyName="default", Policy=policy)
        kms.update_key_description(KeyId=identifier, Description=properties.get("Description", ""))
        if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
            kms.untag_resource(KeyId=identifier, TagKeys=gone)
        if tag_map(properties):
            kms.tag_resource(KeyId=identifier, Tags=tags(properties, "TagKey", "TagValue"))
        self._turn(kms, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Schedule the key's deletion, as AWS does."""
        kms = aws("kms")
        if kms.describe_key(KeyId=identifier)["KeyMetadata"]["KeyState"] != "PendingDeletion":
            days = int(properties.get("PendingWindowInDays", LONGEST_WAIT))
            kms.schedule_key_deletion(KeyId=identifier, PendingWindowInDays=days)

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a key; one that waits for its deletion is as good as gone."""
        try:
            metadata = aws("kms").describe_key(KeyId=identifier)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
            return False
        return bool(metadata["KeyState"] != "PendingDeletion")

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the key's ARN and id."""
        return {"Arn": aws("kms").describe_key(KeyId=identifier)["KeyMetadata"]["Arn"], "KeyId": identifier}

    def _turn(self, kms: Any, identifier: str, properties: Properties) -> None:
        rotates = properties.get("EnableKeyRotation") in (True, "true")
        (kms.enable_key_rotation if rotates else kms.disable_key_rotation)(KeyId=identifier)
        works = properties.get("Enabled", True) in (True, "true")
        (kms.enable_key if works else kms.disable_key)(KeyId=identifier)


class Alias(ResourceType):
    """A key's name."""

    type = "AWS::KMS::Alias"
    name_property = "AliasName"
    accepts = frozenset({"TargetKeyId"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Give the key its name."""
        aws("kms").create_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Give the name to another key."""
        aws("kms").update_alias(AliasName=identifier, TargetKeyId=properties["TargetKeyId"])

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the name from the key."""
        aws("kms").delete_alias(AliasName=identifier)
