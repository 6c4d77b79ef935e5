"""What the expressions of a rendered template come to, for checks that need names and not functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
NOTHING = object()
"""What AWS::NoValue comes to: the entry that holds it is left out."""

NAMES = (
    "RoleName",
    "LogGroupName",
    "BucketName",
    "TopicName",
    "QueueName",
    "StateMachineName",
    "AlarmName",
    "DashboardName",
    "AliasName",
    "GroupName",
    "NamespaceName",
    "WorkgroupName",
    "Name",
)
"""The properties that name a resource."""

ARNS = {
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
}
NAMED_BY_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}
"""The types of which Ref gives the ARN."""


class Names:
    """The values of one stage's template, as far as they are known without making anything.

    Args:
        template: as rendered.
        values: the parameters' values; the others have their defaults.
        account: twelve digits.
        region: such as us-east-1.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        values: Mapping[str, str] | None = None,
        account: str = "123456789012",
        region: str = "us-east-1",
    ) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        self._place = {"account": account, "region": region}
        defaults = {name: each.get("Default", "") for name, each in template["Parameters"].items()}
        pseudo = {"AccountId": account, "Region": region, "Partition": "aws", "URLSuffix": "amazonaws.com"}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": lambda found: self._arn(found[0]) if found[1] == "Arn" else ".".join(found),
            "Fn::Sub": self._sub,
            "Fn::If": lambda argument: self.of(argument[1]),
            "Fn::Join": lambda argument: str(argument[0]).join(map(str, self.of(argument[1]))),
        }
        self._values = defaults | dict(values or {}) | {f"AWS::{name}": each for name, each in pseudo.items()}

    def of(self, value: Any) -> Any:
        """Return `value` with its functions worked out; every condition counts as true."""
        if isinstance(value, list):
            return [each for each in map(self.of, value) if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._functions[name](argument)
        resolved = {name: self.of(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not NOTHING}

    def name(self, resource: str) -> str:
        """Return the physical name of a resource, or "" when AWS makes one up."""
        properties = self._resources[resource].get("Properties", {})
        inner = properties.get("DatabaseInput", properties.get("TableInput", {}))
        for place in NAMES:
            if place in properties or place in inner:
                return str(self.of(properties.get(place, inner.get(place))))
        return ""

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in self._resources:
            kind = self._resources[name]["Type"]
            return self._arn(name) if kind in NAMED_BY_ARN else self.name(name) or name
        return self._values[name]

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def meaning(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if name in own:
                return str(self.of(own[name]))
            return str(self._arn(name) if attribute == "Arn" else self._ref(name))

        return VARIABLE.sub(meaning, text)

    def _arn(self, resource: str) -> str:
        kind = self._resources[resource]["Type"]
        return ARNS.get(kind, "arn:aws:{name}").format(name=self.name(resource), **self._place)
