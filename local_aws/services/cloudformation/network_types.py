"""Resource types of EC2's networks. They are kept and shown; no packet goes through them."""

from __future__ import annotations

from typing import Any

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    picked,
    tags,
)


def _tagged_as(kind: str, properties: Properties) -> dict[str, Any]:
    found = tags(properties)
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": found}]} if found else {}


def _tag_again(aws: Clients, identifier: str, properties: Properties) -> None:
    if found := tags(properties):
        aws("ec2").create_tags(Resources=[identifier], Tags=found)


class Vpc(ResourceType):
    """A VPC."""

    type = "AWS::EC2::VPC"
    accepts = frozenset({"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "Tags"})
    replaces = frozenset({"CidrBlock"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the VPC."""
        answer = aws("ec2").create_vpc(CidrBlock=properties["CidrBlock"], **_tagged_as("vpc", properties))
        return str(answer["Vpc"]["VpcId"])

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Turn its names on."""
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):  # AWS takes one at a time
            if name in properties:
                works = properties[name] in (True, "true")
                aws("ec2").modify_vpc_attribute(VpcId=identifier, **{name: {"Value": works}})

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the names and tags again."""
        self.settle(aws, identifier, properties)
        _tag_again(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the VPC."""
        aws("ec2").delete_vpc(VpcId=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the VPC's id and addresses."""
        return {"VpcId": identifier, "CidrBlock": properties["CidrBlock"]}


class Subnet(ResourceType):
    """A subnet."""

    type = "AWS::EC2::Subnet"
    accepts = frozenset({"AvailabilityZone", "CidrBlock", "Tags", "VpcId"})
    replaces = frozenset({"AvailabilityZone", "CidrBlock", "VpcId"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the subnet."""
        wanted = picked(properties, "AvailabilityZone", "CidrBlock", "VpcId")
        answer = aws("ec2").create_subnet(**wanted, **_tagged_as("subnet", properties))
        return str(answer["Subnet"]["SubnetId"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the tags again."""
        _tag_again(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the subnet."""
        aws("ec2").delete_subnet(SubnetId=identifier)


class RouteTable(ResourceType):
    """A route table."""

    type = "AWS::EC2::RouteTable"
    accepts = frozenset({"Tags", "VpcId"})
    replaces = frozenset({"VpcId"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the table."""
        answer = aws("ec2").create_route_table(
            VpcId=properties["VpcId"], **_tagged_as("route-table", properties)
        )
        return str(answer["RouteTable"]["RouteTableId"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the tags again."""
        _tag_again(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the table."""
        aws("ec2").delete_route_table(RouteTableId=identifier)


class RouteTableAssociation(ResourceType):
    """The route table of a subnet."""

    type = "AWS::EC2::SubnetRouteTableAssociation"
    accepts = frozenset({"RouteTableId", "SubnetId"})
    replaces = accepts

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Give the subnet its table."""
        answer = aws("ec2").associate_route_table(**picked(properties, "RouteTableId", "SubnetId"))
        return str(answer["AssociationId"])

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the table from the subnet."""
        aws("ec2").disassociate_route_table(AssociationId=identifier)


class SecurityGroup(ResourceType):
    """A security group with its rules."""

    type = "AWS::EC2::SecurityGroup"
    name_property = "GroupName"
    accepts = frozenset({"GroupDescription", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"})
    replaces = frozenset({"GroupDescription", "VpcId"})

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:
        """Return the id of the group of this name in its VPC."""
        filters = [
            {"Name": "group-name", "Values": [name]},
            {"Name": "vpc-id", "Values": [properties["VpcId"]]},
        ]
        found = aws("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        return str(found[0]["GroupId"]) if found else ""

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the group."""
        answer = aws("ec2").create_security_group(
            GroupName=name,
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
            **_tagged_as("security-group", properties),
        )
        return str(answer["GroupId"])

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Put the rules in, in place of the one that lets everything out."""
        self._set_rules(aws("ec2"), identifier, properties)

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the rules and tags again."""
        self._set_rules(aws("ec2"), identifier, properties)
        _tag_again(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the group."""
        aws("ec2").delete_security_group(GroupId=identifier)

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the group's id."""
        return {"GroupId": identifier, "VpcId": properties["VpcId"]}

    def _set_rules(self, ec2: Any, group: str, properties: Properties) -> None:
        (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        if found["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
        if incoming := [_rule(each) for each in properties.get("SecurityGroupIngress", [])]:
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=incoming)
        if "SecurityGroupEgress" in properties:
            if found["IpPermissionsEgress"]:
                ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])
            outgoing = [_rule(each) for each in properties["SecurityGroupEgress"]]
            ec2.authorize_security_group_egress(GroupId=group, IpPermissions=outgoing)


def _rule(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of the template as the API writes it."""
    told = picked(wanted, "Description")
    rule: dict[str, Any] = {"IpProtocol": str(wanted["IpProtocol"])}
    for end in ("FromPort", "ToPort"):
        if end in wanted:
            rule[end] = int(wanted[end])
    if "CidrIp" in wanted:
        rule["IpRanges"] = [{"CidrIp": wanted["CidrIp"], **told}]
    if "SourceSecurityGroupId" in wanted:
        rule["UserIdGroupPairs"] = [{"GroupId": wanted["SourceSecurityGroupId"], **told}]
    return rule


class VpcEndpoint(ResourceType):
    """A way from a VPC to a service of AWS."""

    type = "AWS::EC2::VPCEndpoint"
    settings = ("PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "ServiceName", "SubnetIds", "VpcId")
    accepts = frozenset({*settings, "Tags", "VpcEndpointType"})
    replaces = accepts - {"Tags"}

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the endpoint."""
        settings = picked(properties, *self.settings, "VpcEndpointType")
        if "PrivateDnsEnabled" in settings:
            settings["PrivateDnsEnabled"] = settings["PrivateDnsEnabled"] in (True, "true")
        answer = aws("ec2").create_vpc_endpoint(**settings, **_tagged_as("vpc-endpoint", properties))
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Set the tags again."""
        _tag_again(aws, identifier, properties)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the endpoint."""
        aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[identifier])
