"""Templates: reading them, their parameters, their references and the order these impose."""

from __future__ import annotations

import graphlib
import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUBSTITUTION = re.compile(r"\$\{(!?)([^${}]+)\}")
LISTS = ("CommaDelimitedList", "List<Number>", "List<String>")
SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, such as `!Ref`."""


_Loader.add_multi_constructor("", yaml_tag_constructor)


def parse(text: str) -> dict[str, Any]:
    """Return the template as plain dicts, its short tags written out.

    Raises:
        ValidationError: it is not a template, or has a section that is not executed here.
    """
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # nosec B506  # noqa: S506 - a SafeLoader
    except (ValueError, yaml.YAMLError) as error:
        raise ValidationError(message=f"Template format error: {error}") from error
    if not isinstance(document, dict) or not document.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    if unknown := set(document) - SECTIONS:
        raise ValidationError(message=f"Invalid template property or properties {sorted(unknown)}")
    for name, resource in document["Resources"].items():
        if not isinstance(resource, dict) or "Type" not in resource:
            raise ValidationError(
                message=f"Template format error: [/Resources/{name}] "
                "Every Resources object must contain a Type member."
            )
    return document


def bind_parameters(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return each parameter's value: the given one, or else its default.

    Raises:
        ValidationError: a value is missing, unknown or against the parameter's own rules.
    """
    declared = document.get("Parameters", {})
    if unknown := sorted(set(given) - set(declared)):
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, each in declared.items() if name not in given and "Default" not in each]
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _bind(name, each, given.get(name, each.get("Default"))) for name, each in declared.items()}


def _bind(name: str, declared: Mapping[str, Any], value: Any) -> Any:
    kind = declared.get("Type", "String")
    if kind not in ("String", "Number", *LISTS):
        raise ValidationError(
            message=f"Parameter {name}: the type {kind} is not executed here; use String, Number or a list"
        )
    text = str(value)
    for broken in _broken_rules(kind, declared, text):
        reason = declared.get("ConstraintDescription") or broken
        raise ValidationError(message=f"Parameter {name} failed to satisfy constraint: {reason}")
    return [part.strip() for part in text.split(",")] if kind in LISTS else text


def _broken_rules(kind: str, declared: Mapping[str, Any], text: str) -> Iterator[str]:
    if kind == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        yield "a number"
        return
    if "AllowedValues" in declared and text not in map(str, declared["AllowedValues"]):
        yield f"Member must satisfy enum value set: {declared['AllowedValues']}"
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], text):
        yield f"Parameter must match pattern {declared['AllowedPattern']}"
    size = float(text) if kind == "Number" else len(text)
    lowest, highest = ("MinValue", "MaxValue") if kind == "Number" else ("MinLength", "MaxLength")
    if size < float(declared.get(lowest, "-inf")):
        yield f"{lowest} {declared[lowest]}"
    if size > float(declared.get(highest, "inf")):
        yield f"{highest} {declared[highest]}"


def references(value: Any) -> Iterator[str]:
    """Yield every name that `value` refers to, pseudo parameters too."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    if not isinstance(value, dict):
        return
    if set(value) == {"Ref"}:
        yield value["Ref"]
    elif set(value) == {"Fn::GetAtt"}:
        yield attribute_of(value["Fn::GetAtt"])[0]
    elif set(value) == {"Fn::Sub"}:
        text, own = substitution_of(value["Fn::Sub"])
        yield from references(own)
        found = (name for literal, name in SUBSTITUTION.findall(text) if not literal)
        yield from (name.partition(".")[0] for name in found if name not in own)
    else:
        for each in value.values():
            yield from references(each)


def attribute_of(argument: Any) -> tuple[str, str]:
    """Return the resource and the attribute of a `Fn::GetAtt`, in either way of writing it."""
    resource, _, attribute = (
        argument.partition(".") if isinstance(argument, str) else (argument[0], ".", argument[1])
    )
    return resource, attribute


def substitution_of(argument: Any) -> tuple[str, dict[str, Any]]:
    """Return the text and the own values of a `Fn::Sub`, in either way of writing it."""
    return (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])


def creation_order(document: Mapping[str, Any]) -> list[str]:
    """Return the resources' names, each after everything that it refers to.

    Raises:
        ValidationError: a reference leads nowhere or in a circle.
    """
    resources = document["Resources"]
    known = set(document.get("Parameters", {})) | set(resources)
    graph: dict[str, set[str]] = {}
    for name, resource in resources.items():
        depends = resource.get("DependsOn", [])
        found = {
            *references(resource.get("Properties", {})),
            *([depends] if isinstance(depends, str) else depends),
        }
        _refuse_unknown(found, known, "Resources")
        graph[name] = found & set(resources)
    _refuse_unknown(set(references(document.get("Outputs", {}))), known, "Outputs")
    try:
        return list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise ValidationError(
            message=f"Circular dependency between resources: [{', '.join(sorted(set(error.args[1])))}]"
        ) from error


def _refuse_unknown(found: set[str], known: set[str], section: str) -> None:
    if unknown := sorted(name for name in found - known if not name.startswith("AWS::")):
        raise ValidationError(
            message=f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] "
            f"in the {section} block of the template"
        )
