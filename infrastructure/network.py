"""The functions that reach the warehouse, and their way into its network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "${App}-${Stage}-"
PLACE = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}"


def join(template: dict[str, Any]) -> None:
    """Let the roles of the functions that may sign in at the warehouse join a network; name the functions.

    Lambda joins a function to a network with the function's own role.
    """
    roles = sorted(name for name, each in template["Resources"].items() if _reaches_the_warehouse(each))
    if roles:
        template["Resources"]["JoinNetwork"] = _policy(roles)
    names = [_function(template["Resources"][role]) for role in roles]
    template["Outputs"]["WarehouseFunctions"] = {
        "Description": "The functions that reach the warehouse.",
        "Value": ",".join(names) or "none",
    }


def _reaches_the_warehouse(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == "AWS::IAM::Role" and any(
        "secretsmanager:GetSecretValue" in statement.get("Action", ())
        and "WarehouseSecret" in json.dumps(statement["Resource"])
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    )


def _function(role: Mapping[str, Any]) -> str:
    return str(role["Properties"]["RoleName"]["Fn::Sub"]).removeprefix(NAME)


def _policy(roles: list[str]) -> dict[str, Any]:
    statements = [
        {
            "Effect": "Allow",
            "Action": ["ec2:CreateNetworkInterface"],
            "Resource": [
                {"Fn::Sub": f"{PLACE}:{kind}/*"} for kind in ("network-interface", "subnet", "security-group")
            ],
        },
        {
            "Effect": "Allow",
            "Action": [
                "ec2:AssignPrivateIpAddresses",
                "ec2:DeleteNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ],
            "Resource": {"Fn::Sub": f"{PLACE}:*/*"},  # Lambda asks about no interface in particular
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
            "Resource": "*",  # EC2 knows no narrower one
        },
    ]
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": "RunsInNetwork",
        "Properties": {
            "PolicyName": "join-network",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            "Roles": [{"Ref": role} for role in roles],
        },
    }
