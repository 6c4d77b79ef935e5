"""The stage's key: what it encrypts and which role may use it for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONDITION = "HasOwnKey"
KEY = {"Fn::GetAtt": ["Key", "Arn"]}

READ, WRITE = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")
"""A write needs Decrypt as well: for the parts of an upload, and for the message that was just encrypted."""

USES: dict[str, dict[str, Any]] = {
    "ReadFilesWithKey": {
        "actions": ("s3:GetObject", "s3:GetObjectVersion"),
        "unless": ("s3:PutObject",),  # whose policy holds Decrypt already
        "key_actions": READ,
        "service": "s3",
    },
    "WriteFilesWithKey": {"actions": ("s3:PutObject",), "key_actions": WRITE, "service": "s3"},
    "ReadSecretsWithKey": {
        "actions": ("secretsmanager:GetSecretValue",),
        "key_actions": READ,
        "service": "secretsmanager",
    },
    "PublishWithKey": {"actions": ("sns:Publish",), "key_actions": WRITE, "service": "sns"},
    "QueueWithKey": {"actions": ("sqs:SendMessage",), "key_actions": WRITE, "service": "sqs"},
}
"""What a role's own actions need of the key, each only through the service that it calls."""


def encrypt(template: dict[str, Any]) -> None:
    """Give the stage's key to every log group, Glue job and crawler; let each role use it as it must."""
    resources: dict[str, Any] = template["Resources"]
    for resource in resources.values():
        _use_key(resource)
    for name, use in USES.items():
        roles = [role for role, resource in resources.items() if _needs(resource, use)]
        if roles:
            resources[name] = _policy(name, use, sorted(roles))


def _use_key(resource: dict[str, Any]) -> None:
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Logs::LogGroup":
            properties.setdefault("KmsKeyId", _with_key(KEY))
        case "AWS::Glue::Job":
            properties.setdefault("SecurityConfiguration", _with_key({"Ref": "JobEncryption"}))
        case "AWS::Glue::Crawler":
            properties.setdefault("CrawlerSecurityConfiguration", _with_key({"Ref": "JobEncryption"}))


def _with_key(value: dict[str, Any]) -> dict[str, Any]:
    return {"Fn::If": [CONDITION, value, {"Ref": "AWS::NoValue"}]}


def _needs(resource: Mapping[str, Any], use: Mapping[str, Any]) -> bool:
    if resource["Type"] != "AWS::IAM::Role":
        return False
    allowed = set(_allowed(resource))
    return bool(allowed & set(use["actions"])) and not allowed & set(use.get("unless", ()))


def _allowed(role: Mapping[str, Any]) -> Iterator[str]:
    for policy in role["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            # A statement may be an Fn::If, whose first branch is the one that allows something.
            found = statement["Fn::If"][1] if "Fn::If" in statement else statement
            yield from [found["Action"]] if isinstance(found["Action"], str) else found["Action"]


def _policy(name: str, use: Mapping[str, Any], roles: list[str]) -> dict[str, Any]:
    condition = {
        "StringEquals": {"kms:ViaService": {"Fn::Sub": f"{use['service']}.${{AWS::Region}}.amazonaws.com"}}
    }
    statement = {
        "Effect": "Allow",
        "Action": list(use["key_actions"]),
        "Resource": KEY,
        "Condition": condition,
    }
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": CONDITION,
        "Properties": {
            "PolicyName": name,
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "Roles": [{"Ref": role} for role in roles],
        },
    }
