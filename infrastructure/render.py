"""The CloudFormation template of one stage, with every workflow inlined."""

from __future__ import annotations

import copy
import functools
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from infrastructure.alarms import alarms
from infrastructure.dashboard import dashboard
from infrastructure.encryption import encrypt
from infrastructure.network import join
from infrastructure.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")

ALIASES = {"NoticesTopicArn": "NoticesTopic", "CatalogDatabase": "Catalog", "AthenaWorkgroup": "Queries"}
"""Placeholders that read better than the logical id of the resource they stand for."""


@dataclass(frozen=True)
class Part:
    """A file of the template.

    Attributes:
        title: its first comment, which says what it is about.
        parameters: the parameters that it declares.
        resources: the resources that it makes.
    """

    title: str
    parameters: list[str]
    resources: list[str]


class UnknownPlaceholderError(ValueError):
    """A workflow names something that the stack does not hold."""


def render(stage: str, root: Path = ROOT) -> dict[str, Any]:
    """Return the template of `stage`, ready for `json.dumps`.

    Args:
        stage: becomes the default of the parameter Stage, so that the template deploys as it is.
        root: the source tree that holds infrastructure/ and workflows/.
    """
    path, *others = _files(root)
    template = _read_template(path)
    template["Parameters"]["Stage"]["Default"] = stage
    groups = [_group(path, template)]
    groups += [_group(path, _merge(template, path)) for path in others]
    shown = [group for group in groups if group["Parameters"]]
    template["Metadata"] = {"AWS::CloudFormation::Interface": {"ParameterGroups": shown}}
    workflows = _workflows(root)
    machines = {f"{camel_case(_name(path))}StateMachine" for path in workflows}
    for path in workflows:
        template["Resources"] |= _state_machine(path, template, machines)
    template["Resources"] |= dashboard(
        [_name(path) for path in workflows],
        _of_type(template, "AWS::CloudWatch::Alarm"),
        _log_groups(template),
    )
    trace(template)
    encrypt(template)
    join(template)
    return template


def parts_of(root: Path = ROOT) -> list[Part]:
    """Return what each file of the template holds, the template itself first."""
    found = []
    for path in _files(root):
        document = _read_template(path)
        names = (list(document.get(section, {})) for section in ("Parameters", "Resources"))
        found.append(Part(_title(path), *names))
    return found


def _files(root: Path) -> list[Path]:
    folder = root / "infrastructure"
    workflows = (folder / "workflows" / f"{_name(path)}.yaml" for path in _workflows(root))
    return [folder / "template.yaml", *sorted((folder / "parts").glob("*.yaml")), *workflows]


def _title(path: Path) -> str:
    """Return the first sentence of a file's first comment: what the file is about."""
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    if not first.startswith("# "):
        return "Every stage"
    return first.removeprefix("# ").partition(". ")[0].removesuffix(".")


def _group(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's parameters as the console of CloudFormation groups them."""
    return {"Label": {"default": _title(path)}, "Parameters": list(document.get("Parameters", {}))}


def _workflows(root: Path) -> list[Path]:
    return sorted((root / "workflows").glob("*.asl.json"))


def steps_of(template: dict[str, Any]) -> set[str]:
    """Return the names of the functions that workflows may invoke: each has a log group of its own."""
    prefix = "/aws/lambda/${App}-${Stage}-"
    return {name.removeprefix(prefix) for name in _log_groups(template) if name.startswith(prefix)}


def _log_groups(template: dict[str, Any]) -> list[str]:
    """Return the names of the functions' log groups, with their placeholders."""
    groups = _of_type(template, "AWS::Logs::LogGroup")
    names = [template["Resources"][name]["Properties"]["LogGroupName"]["Fn::Sub"] for name in groups]
    return sorted(name for name in names if name.startswith("/aws/lambda/"))


def _of_type(template: dict[str, Any], kind: str) -> list[str]:
    return sorted(name for name, resource in template["Resources"].items() if resource["Type"] == kind)


def snake_case(name: str) -> str:
    """Return `ValidateFile` as `validate_file`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    """Return `load_file` as `LoadFile`."""
    return "".join(word.capitalize() for word in name.split("_"))


def _read_template(path: Path) -> dict[str, Any]:
    return copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> dict[str, Any]:
    """Return a part, parsed once in a process."""
    template: dict[str, Any] = yaml.load(text, _Loader)  # nosec B506  # noqa: S506 - a safe one
    return template


class _Loader(yaml.CSafeLoader):  # in C: ten times as fast on these files
    """A safe loader that knows CloudFormation's short tags."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    """Return `!Sub x` as {"Fn::Sub": "x"}."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if tag == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def _name(path: Path) -> str:
    return path.name.removesuffix(".asl.json")


def _merge(template: dict[str, Any], path: Path) -> dict[str, Any]:
    """Add the parameters, resources and outputs of a part and return them; a taken name is refused."""
    if not path.exists():
        raise UnknownPlaceholderError(f"{path}: write it: it holds the role of the workflow's state machine")
    added = _read_template(path)
    for section, entries in added.items():
        taken = sorted(set(entries) & set(template.setdefault(section, {})))
        if taken:
            raise UnknownPlaceholderError(
                f"{path}: {section}: {', '.join(taken)}: the template has this already"
            )
        template[section] |= entries
    return added


def _state_machine(path: Path, template: dict[str, Any], machines: set[str]) -> dict[str, Any]:
    workflow = _name(path)
    # Parsed and written again: without its indentation a workflow is a third of its size.
    definition = json.dumps(
        json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"), ensure_ascii=False
    )
    names = sorted(set(PLACEHOLDER.findall(definition)))
    values = {name: _meaning(name, path, template, machines) for name in names}
    logical = camel_case(workflow)
    return {
        f"{logical}Logs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                # The prefix keeps the log group's resource policy within its limit of 5,120 characters.
                "LogGroupName": {"Fn::Sub": f"/aws/vendedlogs/states/${{App}}-${{Stage}}-{workflow}"},
                "RetentionInDays": {"Ref": "LogRetentionDays"},
            },
        },
        f"{logical}StateMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": {"Fn::Sub": f"${{App}}-${{Stage}}-{workflow}"},
                "StateMachineType": "STANDARD",
                "RoleArn": {"Fn::GetAtt": [f"{logical}StatesRole", "Arn"]},
                "DefinitionString": {"Fn::Sub": [definition, values] if values else definition},
                "LoggingConfiguration": {
                    "Level": "ALL",
                    "IncludeExecutionData": False,  # task tokens and rows must not reach the logs
                    "Destinations": [
                        {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": [f"{logical}Logs", "Arn"]}}}
                    ],
                },
                "TracingConfiguration": {"Enabled": True},
            },
        },
        **alarms(workflow, logical, json.loads(definition)),
    }


def _meaning(placeholder: str, path: Path, template: dict[str, Any], machines: set[str]) -> dict[str, Any]:
    logical = ALIASES.get(placeholder, placeholder)
    if logical in template["Resources"] or logical in machines or logical in template["Parameters"]:
        return {"Ref": logical}
    step, steps = snake_case(placeholder.removesuffix("Arn")), steps_of(template)
    if not placeholder.endswith("Arn") or step not in steps:
        known = sorted([*ALIASES, *template["Resources"], *(f"{camel_case(name)}Arn" for name in steps)])
        raise UnknownPlaceholderError(
            f"{path}: ${{{placeholder}}} stands for nothing in the stack; use one of {', '.join(known)}, "
            "or give the new step its log group and role"
        )
    region = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"{region}:function:${{App}}-${{Stage}}-{step}"}


@click.command()
@click.option("--stage", required=True, help="The stage's name, such as local or dev.")
def main(stage: str) -> None:
    """Print the stage's CloudFormation template as JSON."""
    try:
        click.echo(json.dumps(render(stage), indent=1, ensure_ascii=False))
    except UnknownPlaceholderError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
