"""Which of a template's conditions hold for given parameters, before there is a stack that could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnreadableConditionError(ValueError):
    """A condition uses a function that is not read here."""


def resources_of(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the resources that a new stack would get, by their logical ids.

    Args:
        template: a rendered template.
        given: values of its parameters; the others take their defaults.

    Raises:
        UnreadableConditionError: a condition uses another function than Equals, Not, And, Or and Join.
    """
    values = {name: str(found.get("Default", "")) for name, found in template["Parameters"].items()}
    reader = _Conditions(template.get("Conditions", {}), {**values, **given})
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or reader.holds({"Condition": resource["Condition"]})
    }


class _Conditions:
    def __init__(self, conditions: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._conditions = conditions
        self._values = values

    def holds(self, condition: Mapping[str, Any]) -> bool:
        ((function, of),) = condition.items()
        match function:
            case "Condition":
                return self.holds(self._conditions[of])
            case "Fn::Equals":
                return self._text(of[0]) == self._text(of[1])
            case "Fn::Not":
                return not self.holds(of[0])
            case "Fn::And":
                return all(self.holds(each) for each in of)
            case "Fn::Or":
                return any(self.holds(each) for each in of)
        raise UnreadableConditionError(f"{function}: write the condition with Equals, Not, And and Or")

    def _text(self, value: Any) -> str:
        match value:
            case {"Ref": str(name)}:
                return self._values[name]
            case {"Fn::Join": [str(separator), {"Ref": str(name)}]}:
                return separator.join(self._values[name].split(","))
            case dict():
                raise UnreadableConditionError(f"{value}: compare parameters and texts only")
        return str(value)
