"""Resource types of Redshift Serverless."""

from __future__ import annotations

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


def _as_in_the_api(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings under the API's names, which begin with a small letter."""
    return {name[0].lower() + name[1:]: value for name, value in settings.items()}


def _tag(aws: Clients, arn: str, properties: Properties, before: Properties) -> None:
    """Bring the tags of a namespace or workgroup up to date."""
    serverless = aws("redshift-serverless")
    if gone := sorted(set(tag_map(before)) - set(tag_map(properties))):
        serverless.untag_resource(resourceArn=arn, tagKeys=gone)
    if tag_map(properties):
        serverless.tag_resource(resourceArn=arn, tags=tags(properties, "key", "value"))


class Namespace(ResourceType):
    """A namespace of Redshift Serverless: a database and its admin."""

    type = "AWS::RedshiftServerless::Namespace"
    name_property = import_identifier = "NamespaceName"
    settings = (
        "AdminUserPassword",
        "AdminUsername",
        "DefaultIamRoleArn",
        "IamRoles",
        "KmsKeyId",
        "LogExports",
    )
    accepts = frozenset({*settings, "DbName", "Tags"})
    replaces = frozenset({"DbName"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the namespace."""
        aws("redshift-serverless").create_namespace(
            namespaceName=name,
            tags=tags(properties, "key", "value"),
            **_as_in_the_api(picked(properties, *self.settings, "DbName")),
        )
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set what differs."""
        changed = [name for name in self.settings if properties.get(name) != before.get(name)]
        wanted = _as_in_the_api(picked(properties, *changed))
        if wanted:
            aws("redshift-serverless").update_namespace(namespaceName=identifier, **wanted)
        if tag_map(properties) != tag_map(before):
            _tag(
                aws,
                self.attributes(aws, identifier, properties)["Namespace.NamespaceArn"],
                properties,
                before,
            )

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the namespace."""
        aws("redshift-serverless").delete_namespace(namespaceName=identifier)

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a namespace."""
        try:
            aws("redshift-serverless").get_namespace(namespaceName=identifier)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return True

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the namespace's names and ARN."""
        found = aws("redshift-serverless").get_namespace(namespaceName=identifier)["namespace"]
        return {
            "Namespace.AdminUsername": found["adminUsername"],
            "Namespace.DbName": found["dbName"],
            "Namespace.NamespaceArn": found["namespaceArn"],
            "Namespace.NamespaceId": found["namespaceId"],
            "Namespace.NamespaceName": identifier,
        }


class Workgroup(ResourceType):
    """A workgroup of Redshift Serverless: what computes, here the local warehouse."""

    type = "AWS::RedshiftServerless::Workgroup"
    name_property = "WorkgroupName"
    numbers = ("BaseCapacity", "MaxCapacity", "Port")
    settings = (
        *numbers,
        "ConfigParameters",
        "EnhancedVpcRouting",
        "PubliclyAccessible",
        "SecurityGroupIds",
        "SubnetIds",
    )
    accepts = frozenset({*settings, "NamespaceName", "Tags"})
    replaces = frozenset({"NamespaceName"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the workgroup."""
        aws("redshift-serverless").create_workgroup(
            workgroupName=name,
            namespaceName=properties["NamespaceName"],
            tags=tags(properties, "key", "value"),
            **self._settings(properties, self.settings),
        )
        return name

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set what differs."""
        changed = [name for name in self.settings if properties.get(name) != before.get(name)]
        if wanted := self._settings(properties, changed):
            aws("redshift-serverless").update_workgroup(workgroupName=identifier, **wanted)
        if tag_map(properties) != tag_map(before):
            _tag(
                aws,
                self.attributes(aws, identifier, properties)["Workgroup.WorkgroupArn"],
                properties,
                before,
            )

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the workgroup."""
        aws("redshift-serverless").delete_workgroup(workgroupName=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the workgroup's names, ARN and endpoint."""
        found = aws("redshift-serverless").get_workgroup(workgroupName=identifier)["workgroup"]
        return {
            "Workgroup.Endpoint.Address": found["endpoint"]["address"],
            "Workgroup.Endpoint.Port": found["endpoint"]["port"],
            "Workgroup.WorkgroupArn": found["workgroupArn"],
            "Workgroup.WorkgroupId": found["workgroupId"],
            "Workgroup.WorkgroupName": identifier,
        }

    def _settings(self, properties: Properties, names: Any) -> dict[str, Any]:
        settings = picked(properties, *names)
        # Parameters come as text; the API takes numbers.
        for number in self.numbers:
            if number in settings:
                settings[number] = int(settings[number])
        if "ConfigParameters" in settings:
            settings["ConfigParameters"] = [_as_in_the_api(each) for each in settings["ConfigParameters"]]
        return _as_in_the_api(settings)
