"""Workflows: their definitions, what lint says of them, and what their runs cost."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from chalicelib import definition, errors, pipelines, settings, workflow_reports
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.errors import UnknownWorkflow
from chalicelib.history import iso
from chalicelib.rest.registration import endpoint


class WorkflowRow(Struct):
    """A workflow in a few words; `findings` is how many lint has, null when it was not asked."""

    name: str
    description: str
    states: int
    pipelines: list[str]
    findings: int | None


class Workflows(Struct):
    """Every workflow that a pipeline runs."""

    workflows: list[WorkflowRow]


class WorkflowAnswer(Struct):
    """A workflow as it is deployed.

    `findings` holds `state`, `rule` and `remedy` of each; `cost` the ways through it with the price of a run.
    Both are null when the stage was provisioned without them.
    """

    name: str
    description: str
    pipelines: list[str]
    made: str
    definition: dict[str, Any]
    findings: list[dict[str, str]] | None
    cost: dict[str, Any] | None


@endpoint("GET", "/workflows", "List the workflows", answer=Workflows)
def list_workflows() -> Workflows:
    """List the workflows."""
    states, reports = StepFunctions(), workflow_reports.reports(S3())
    rows = []
    for name, users in _used().items():
        found, _ = states.definition(settings.state_machine(name))
        findings = reports.get(name, {}).get("findings")
        rows.append(
            WorkflowRow(
                name=name,
                description=found.get("Comment", ""),
                states=sum(1 for _ in definition.levels(found)),
                pipelines=users,
                findings=None if findings is None else len(findings),
            )
        )
    return Workflows(workflows=rows)


@endpoint(
    "GET",
    "/workflows/{workflow}",
    "Show a workflow's definition, its lint findings and its costs",
    answer=WorkflowAnswer,
    raises=(errors.UnknownWorkflow,),
)
def show_workflow(workflow: str) -> WorkflowAnswer:
    """Show a workflow."""
    used = _used()
    if workflow not in used:
        raise UnknownWorkflow(f"workflow {workflow[:60]!r}: there are {', '.join(used)}")
    found, made = StepFunctions().definition(settings.state_machine(workflow))
    report = workflow_reports.reports(S3()).get(workflow, {})
    return WorkflowAnswer(
        name=workflow,
        description=found.get("Comment", ""),
        pipelines=used[workflow],
        made=iso(made),
        definition=found,
        findings=report.get("findings"),
        cost=report.get("cost"),
    )


def _used() -> dict[str, list[str]]:
    """Return the pipelines of each workflow, both in the order of their names."""
    found: dict[str, list[str]] = {}
    for name, pipeline in sorted(pipelines.every().items(), key=lambda pair: (pair[1].workflow, pair[0])):
        found.setdefault(pipeline.workflow, []).append(name)
    return found
