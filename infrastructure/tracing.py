"""X-Ray: what each function's role may send."""

from __future__ import annotations

from typing import Any

ACTIONS = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


def trace(template: dict[str, Any]) -> None:
    """Let every function's role send its traces; X-Ray knows no narrower resource for that."""
    roles = [name for name, resource in template["Resources"].items() if _is_of_a_function(resource)]
    template["Resources"]["TraceFunctions"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": {"Fn::Sub": "${App}-${Stage}-trace-functions"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ACTIONS, "Resource": "*"}],
            },
            "Roles": [{"Ref": role} for role in sorted(roles)],
        },
    }


def _is_of_a_function(resource: dict[str, Any]) -> bool:
    if resource["Type"] != "AWS::IAM::Role" or "Condition" in resource:
        return False
    statements = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return any(each.get("Principal") == {"Service": "lambda.amazonaws.com"} for each in statements)
