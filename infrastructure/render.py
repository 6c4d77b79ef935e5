"""The CloudFormation template of one stage, with every workflow inlined."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
from chalice.package import YAMLTemplateSerializer

ROOT = Path(__file__).parent.parent
PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")

TEMPLATE_NAMES = {
    "NoticesTopicArn": {"Ref": "NoticesTopic"},
    "LandingBucket": {"Ref": "LandingBucket"},
    "CuratedBucket": {"Ref": "CuratedBucket"},
    "QuarantineBucket": {"Ref": "QuarantineBucket"},
    "ArtifactsBucket": {"Ref": "ArtifactsBucket"},
    "CatalogDatabase": {"Ref": "Catalog"},
    "AthenaWorkgroup": {"Ref": "Queries"},
    "ProcessCsvJob": {"Ref": "ProcessCsvJob"},
    "ProcessJsonJob": {"Ref": "ProcessJsonJob"},
}
"""What a workflow's placeholder may stand for, besides `<Step>Arn`, the ARN of a step's function."""


class UnknownPlaceholderError(ValueError):
    """A workflow names something that the stack does not hold."""


def render(stage: str, root: Path = ROOT) -> dict[str, Any]:
    """Return the template of `stage`, ready for `json.dumps`.

    Args:
        stage: becomes the default of the parameter Stage, so that the template deploys as it is.
        root: the source tree that holds infrastructure/template.yaml and workflows/.
    """
    template = _read_template(root / "infrastructure" / "template.yaml")
    template["Parameters"]["Stage"]["Default"] = stage
    steps = steps_of(template)
    for path in sorted((root / "workflows").glob("*.asl.json")):
        template["Resources"] |= _state_machine(path, steps)
    return template


def steps_of(template: dict[str, Any]) -> set[str]:
    """Return the names of the functions that the template's states role may invoke."""
    statements = template["Resources"]["StatesRole"]["Properties"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    arns = next(each["Resource"] for each in statements if each["Action"] == "lambda:InvokeFunction")
    return {arn["Fn::Sub"].rpartition("-")[2] for arn in arns}


def snake_case(name: str) -> str:
    """Return `ValidateFile` as `validate_file`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    """Return `load_file` as `LoadFile`."""
    return "".join(word.capitalize() for word in name.split("_"))


def _read_template(path: Path) -> dict[str, Any]:
    template: dict[str, Any] = YAMLTemplateSerializer().load_template(
        path.read_text(encoding="utf-8"), path.name
    )
    return template


def _state_machine(path: Path, steps: set[str]) -> dict[str, Any]:
    workflow = path.name.removesuffix(".asl.json")
    # Parsed and written again: without its indentation a workflow is a third of its size.
    definition = json.dumps(
        json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"), ensure_ascii=False
    )
    names = sorted(set(PLACEHOLDER.findall(definition)))
    values = {name: _meaning(name, path, steps) for name in names}
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
                "RoleArn": {"Fn::GetAtt": ["StatesRole", "Arn"]},
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
        f"{logical}TimedOut": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": {"Fn::Sub": f"${{App}}-${{Stage}}-{workflow}-timed-out"},
                "AlarmDescription": "A run reached its time limit, so no Catch path could tell of it.",
                "Namespace": "AWS/States",
                "MetricName": "ExecutionsTimedOut",
                "Dimensions": [{"Name": "StateMachineArn", "Value": {"Ref": f"{logical}StateMachine"}}],
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [{"Ref": "NoticesTopic"}],
            },
        },
    }


def _meaning(placeholder: str, path: Path, steps: set[str]) -> dict[str, Any]:
    if placeholder in TEMPLATE_NAMES:
        return TEMPLATE_NAMES[placeholder]
    step = snake_case(placeholder.removesuffix("Arn"))
    if not placeholder.endswith("Arn") or step not in steps:
        known = sorted([*TEMPLATE_NAMES, *(f"{camel_case(name)}Arn" for name in steps)])
        raise UnknownPlaceholderError(
            f"{path}: ${{{placeholder}}} stands for nothing in the stack; use one of {', '.join(known)}, "
            "or let StatesRole in infrastructure/template.yaml invoke the new step"
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
