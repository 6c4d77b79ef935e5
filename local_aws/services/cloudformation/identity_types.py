"""Resource types of IAM, Secrets Manager and Systems Manager."""

from __future__ import annotations

import json
from typing import Any

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    picked,
    tags,
)


class Role(ResourceType):
    """An IAM role with its inline and attached policies."""

    type = "AWS::IAM::Role"
    name_property = "RoleName"
    accepts = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "Tags",
        }
    )
    replaces = frozenset({"Path"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the role."""
        iam = aws("iam")
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=tags(properties),
            **picked(properties, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )
        return name

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Put the role's policies on it."""
        self._put_policies(aws("iam"), identifier, properties, {})

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the trust, the policies and the rest up to date."""
        iam = aws("iam")
        iam.update_assume_role_policy(
            RoleName=identifier, PolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"])
        )
        iam.update_role(RoleName=identifier, **picked(properties, "Description", "MaxSessionDuration"))
        if gone := sorted(
            {each["Key"] for each in tags(before)} - {each["Key"] for each in tags(properties)}
        ):
            iam.untag_role(RoleName=identifier, TagKeys=gone)
        if tags(properties):
            iam.tag_role(RoleName=identifier, Tags=tags(properties))
        self._put_policies(iam, identifier, properties, before)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take every policy from the role, then delete it."""
        iam = aws("iam")
        for name in iam.list_role_policies(RoleName=identifier)["PolicyNames"]:
            iam.delete_role_policy(RoleName=identifier, PolicyName=name)
        for each in iam.list_attached_role_policies(RoleName=identifier)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=identifier, PolicyArn=each["PolicyArn"])
        iam.delete_role(RoleName=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the role's ARN and id."""
        return picked(aws("iam").get_role(RoleName=identifier)["Role"], "Arn", "RoleId")

    def _put_policies(self, iam: Any, role: str, properties: Properties, before: Properties) -> None:
        wanted = {each["PolicyName"]: each["PolicyDocument"] for each in properties.get("Policies", [])}
        for name in sorted({each["PolicyName"] for each in before.get("Policies", [])} - set(wanted)):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        for name, document in wanted.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        attached, had = set(properties.get("ManagedPolicyArns", [])), set(before.get("ManagedPolicyArns", []))
        for arn in sorted(had - attached):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for arn in sorted(attached - had):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)


class Policy(ResourceType):
    """An inline policy of some roles."""

    type = "AWS::IAM::Policy"
    name_property = "PolicyName"
    accepts = frozenset({"PolicyDocument", "Roles"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Put the policy on its roles."""
        self.update(aws, name, properties, {})
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Replace the policy, and take it from the roles that are no longer named."""
        document = json.dumps(properties["PolicyDocument"])
        for role in sorted(set(before.get("Roles", [])) - set(properties.get("Roles", []))):
            aws("iam").delete_role_policy(RoleName=role, PolicyName=identifier)
        for role in properties.get("Roles", []):
            aws("iam").put_role_policy(RoleName=role, PolicyName=identifier, PolicyDocument=document)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the policy from its roles."""
        for role in properties.get("Roles", []):
            aws("iam").delete_role_policy(RoleName=role, PolicyName=identifier)


class Secret(ResourceType):
    """A secret; its value is written only when the template's own text changes."""

    type = "AWS::SecretsManager::Secret"
    name_property = "Name"
    accepts = frozenset({"Description", "GenerateSecretString", "KmsKeyId", "SecretString", "Tags"})
    replaces = frozenset({"GenerateSecretString"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the secret with its first value."""
        client = aws("secretsmanager")
        value = self._generated(client, properties) if "GenerateSecretString" in properties else {}
        answer = client.create_secret(
            Name=name,
            Tags=tags(properties),
            **picked(properties, "Description", "KmsKeyId", "SecretString"),
            **value,
        )
        return str(answer["ARN"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the description, key and tags up to date, and the value when its text changed."""
        client = aws("secretsmanager")
        changed = {"SecretString"} if properties.get("SecretString") != before.get("SecretString") else set()
        client.update_secret(
            SecretId=identifier, **picked(properties, "Description", "KmsKeyId", *sorted(changed))
        )
        if gone := sorted(
            {each["Key"] for each in tags(before)} - {each["Key"] for each in tags(properties)}
        ):
            client.untag_resource(SecretId=identifier, TagKeys=gone)
        if tags(properties):
            client.tag_resource(SecretId=identifier, Tags=tags(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the secret at once, as CloudFormation does."""
        aws("secretsmanager").delete_secret(SecretId=identifier, ForceDeleteWithoutRecovery=True)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the secret's ARN."""
        return {"Id": identifier}

    def _generated(self, client: Any, properties: Properties) -> dict[str, str]:
        wish = dict(properties["GenerateSecretString"])
        template, key = wish.pop("SecretStringTemplate", None), wish.pop("GenerateStringKey", None)
        password = client.get_random_password(**wish)["RandomPassword"]
        return {"SecretString": json.dumps({**json.loads(template), key: password}) if template else password}


class Parameter(ResourceType):
    """A parameter of Systems Manager."""

    type = "AWS::SSM::Parameter"
    name_property = "Name"
    accepts = frozenset({"AllowedPattern", "DataType", "Description", "Tier", "Type", "Value"})
    replaces = frozenset({"Type"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the parameter."""
        aws("ssm").put_parameter(Name=name, **properties_without_name(properties))
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Write the parameter again."""
        aws("ssm").put_parameter(Name=identifier, Overwrite=True, **properties_without_name(properties))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the parameter."""
        aws("ssm").delete_parameter(Name=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the parameter's type and value."""
        return picked(properties, "Type", "Value")


def properties_without_name(properties: Properties) -> dict[str, Any]:
    """Return the properties but for `Name`, which the caller gives."""
    return {key: value for key, value in properties.items() if key != "Name"}
