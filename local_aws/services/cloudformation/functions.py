"""Intrinsic functions and conditions: what a template's expressions mean."""

from __future__ import annotations

import base64
import ipaddress
import itertools
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ExportNotFound, ValidationError

from local_aws.services.cloudformation.template import SUBSTITUTION, attribute_of, substitution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOTHING = object()
"""What `AWS::NoValue` stands for: the property that holds it is left out."""


class Scope:
    """Everything that an expression may refer to while a stack is worked on."""

    def __init__(
        self,
        document: Mapping[str, Any],
        names: Mapping[str, Any],
        attribute: Callable[[str, str], Any],
        exports: Mapping[str, str],
    ) -> None:
        """Keep what expressions refer to.

        Args:
            document: the parsed template.
            names: parameters, pseudo parameters and the resources' physical ids; may grow meanwhile.
            attribute: answers `Fn::GetAtt` of a resource and an attribute.
            exports: the values that other stacks export.
        """
        self._document = document
        self._names = names
        self._attribute = attribute
        self._exports = exports
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.holds,
            "Fn::GetAtt": lambda argument: self._attribute(*attribute_of(argument)),
            "Fn::Sub": self._sub,
            "Fn::Join": lambda argument: str(argument[0]).join(map(str, self.resolve(argument[1]))),
            "Fn::Split": lambda argument: str(self.resolve(argument[1])).split(argument[0]),
            "Fn::Select": self._select,
            "Fn::If": lambda argument: self.resolve(argument[1 if self.holds(argument[0]) else 2]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda argument: base64.b64encode(self.resolve(argument).encode()).decode(),
            "Fn::GetAZs": self._zones,
            "Fn::Cidr": self._blocks,
            "Fn::ImportValue": self._import_value,
            "Fn::Equals": lambda argument: str(self.resolve(argument[0])) == str(self.resolve(argument[1])),
            "Fn::Not": lambda argument: not self._is_true(argument[0]),
            "Fn::And": lambda argument: all(map(self._is_true, argument)),
            "Fn::Or": lambda argument: any(map(self._is_true, argument)),
            "Fn::Contains": lambda argument: self.resolve(argument[1]) in self.resolve(argument[0]),
        }

    def resolve(self, value: Any) -> Any:
        """Return `value` with every function in it worked out."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions and not (name == "Condition" and isinstance(argument, dict)):
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise ValidationError(message=f"Template error: the function {name} is not executed here")
        resolved = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not NOTHING}

    def broken_rules(self) -> Iterator[str]:
        """Yield what the template's Rules say against the parameters' values."""
        for rule in self._document.get("Rules", {}).values():
            if not self._is_true(rule.get("RuleCondition", True)):
                continue
            for assertion in rule["Assertions"]:
                if not self._is_true(assertion["Assert"]):
                    yield str(assertion.get("AssertDescription", assertion["Assert"]))

    def holds(self, condition: str) -> bool:
        """Return whether the template's condition of this name is true."""
        try:
            return self._is_true(self._document["Conditions"][condition])
        except KeyError as error:
            raise ValidationError(
                message=f"Template format error: Unresolved condition dependency {condition}"
            ) from error

    def makes(self, definition: Mapping[str, Any]) -> bool:
        """Return whether a resource or output with this definition is wanted."""
        return "Condition" not in definition or self.holds(definition["Condition"])

    def _is_true(self, expression: Any) -> bool:
        return bool(self.resolve(expression))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name not in self._names:
            raise ValidationError(
                message=f"Template error: {name} is not there: its condition is false or AWS has no such name"
            )
        return self._names[name]

    def _sub(self, argument: Any) -> str:
        text, own = substitution_of(argument)
        values = self.resolve(own)

        def meaning(literal: str, name: str) -> str:
            if literal:
                return f"${{{name}}}"
            if name in values:
                return str(values[name])
            return str(self._attribute(*attribute_of(name)) if "." in name else self._ref(name))

        return SUBSTITUTION.sub(lambda found: meaning(*found.groups()), text)

    def _zones(self, argument: Any) -> list[str]:
        region = self.resolve(argument) or self._names["AWS::Region"]
        return [f"{region}{letter}" for letter in "abc"]

    def _blocks(self, argument: Any) -> list[str]:
        block, count, bits = self.resolve(argument)
        subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(each) for each in itertools.islice(subnets, int(count))]

    def _select(self, argument: Any) -> Any:
        index, choices = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(choices):
            raise ValidationError(message=f"Template error: Fn::Select: there is no value {index}")
        return choices[index]

    def _find_in_map(self, argument: Any) -> Any:
        name, *keys = self.resolve(argument)
        found: Any = self._document.get("Mappings", {})
        for key in (name, *keys):
            if key not in found:
                raise ValidationError(
                    message=f"Template error: Unable to get mapping for {name}::{'::'.join(keys)}"
                )
            found = found[key]
        return found

    def _import_value(self, argument: Any) -> str:
        name = self.resolve(argument)
        if name not in self._exports:
            raise ExportNotFound(name)
        return self._exports[name]
