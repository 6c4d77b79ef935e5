"""What each workflow's definition calls, compared with what its state machine's role allows."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from infrastructure.permissions.actions import EVERYWHERE, KEYS, LOG_DELIVERY, TRACING, Needed, needed
from infrastructure.permissions.finding import Finding
from infrastructure.permissions.policies import Statement, statements, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_SERVICE = re.compile(
    r"arn:[^:]+:states:::(?P<sdk>aws-sdk:)?(?P<service>[\w-]+):(?P<action>\w+)(?P<how>\.[\w:]+)?"
)


def _actions(*lists: str) -> Needed:
    always, sometimes = lists if len(lists) > 1 else (lists[0], "")
    return Needed(always=frozenset(always.split()), sometimes=frozenset(sometimes.split()))


# What a query reads and writes, and so which of these it needs, is in its text.
_QUERY_DATA = (
    "athena:GetDataCatalog athena:GetWorkGroup "
    "glue:CreateDatabase glue:GetTables glue:CreateTable glue:UpdateTable glue:DeleteTable "
    "glue:GetPartition glue:BatchGetPartition glue:CreatePartition glue:BatchCreatePartition "
    "glue:UpdatePartition glue:DeletePartition "
    "s3:PutObject s3:AbortMultipartUpload s3:ListMultipartUploadParts s3:ListBucketMultipartUploads"
)

INTEGRATIONS: dict[str, Needed] = {
    "lambda:invoke": _actions("lambda:InvokeFunction"),
    "glue:startJobRun.sync": _actions("glue:StartJobRun glue:GetJobRun glue:GetJobRuns glue:BatchStopJobRun"),
    "athena:startQueryExecution.sync": _actions(
        "athena:StartQueryExecution athena:GetQueryExecution athena:StopQueryExecution glue:GetDatabase "
        "glue:GetTable glue:GetPartitions s3:GetObject s3:ListBucket s3:GetBucketLocation",
        _QUERY_DATA,
    ),
    "athena:getQueryResults": _actions("athena:GetQueryResults s3:GetObject"),
    "states:startExecution": _actions("states:StartExecution"),
    "states:startExecution.sync": _actions(
        "states:StartExecution states:DescribeExecution states:StopExecution "
        "events:PutTargets events:PutRule events:DescribeRule"
    ),
    "sqs:sendMessage": _actions("sqs:SendMessage"),
    "sns:publish": _actions("sns:Publish"),
    "s3:getObject": needed("s3", "get_object", "GetObject"),
    "s3:putObject": _actions("s3:PutObject", "s3:ListMultipartUploadParts s3:AbortMultipartUpload"),
    "s3:listObjectsV2": _actions("s3:ListBucket"),
}
"""What Step Functions' own integrations need, by AWS's policy templates for them."""

CHILD_RUNS = _actions(
    "states:StartExecution", "states:DescribeExecution states:StopExecution states:RedriveExecution"
)
"""What a Distributed Map needs for the executions of its items, the last three for redriving."""

WRITES_RESULTS = _actions("s3:PutObject", "s3:GetObject s3:ListMultipartUploadParts s3:AbortMultipartUpload")
"""What a Distributed Map's ResultWriter needs."""

TARGETS = frozenset(
    {
        "AWS::Glue::Job",
        "AWS::Glue::Crawler",
        "AWS::StepFunctions::StateMachine",
        "AWS::SQS::Queue",
        "AWS::SNS::Topic",
        "AWS::Athena::WorkGroup",
    }
)
"""Types of resources that a definition names itself, so that the role may name no other."""


@dataclass(frozen=True, kw_only=True)
class WorkflowNeeds:
    """What a definition calls.

    Attributes:
        needed: the actions.
        functions: the functions' ARNs as the template writes them.
        targets: the logical ids of the jobs, crawlers, queues, ... that it names.
    """

    needed: Needed
    functions: frozenset[str]
    targets: frozenset[str]


def needs(template: Mapping[str, Any], machine: str) -> WorkflowNeeds:
    """Return what a state machine of the template calls, by its logical id."""
    properties = template["Resources"][machine]["Properties"]
    sub = properties["DefinitionString"]["Fn::Sub"]
    text, values = sub if isinstance(sub, list) else (sub, {})
    named = {name: values[name] for name in _PLACEHOLDER.findall(text) if name in values}
    found = list(_calls(json.loads(text)))
    if properties.get("LoggingConfiguration"):
        found.append(Needed(always=LOG_DELIVERY))
    if properties.get("TracingConfiguration", {}).get("Enabled"):
        found.append(Needed(always=TRACING))
    resources = template["Resources"]
    return WorkflowNeeds(
        needed=functools.reduce(Needed.__or__, found, Needed(sometimes=KEYS)),
        functions=frozenset(written(value) for value in named.values() if ":function:" in written(value)),
        targets=frozenset(
            value["Ref"]
            for value in named.values()
            if resources.get(value.get("Ref"), {}).get("Type") in TARGETS
        ),
    )


def findings(template: Mapping[str, Any]) -> list[Finding]:
    """Return everything to mend in the state machines' roles."""
    machines = [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    found = []
    for machine in machines:
        role = template["Resources"][machine]["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        need, granted = needs(template, machine), statements(template, role)
        found += [Finding(role=role, remedy=remedy) for remedy in _remedies(template, need, granted)]
    return found


def _remedies(template: Mapping[str, Any], need: WorkflowNeeds, granted: list[Statement]) -> Iterator[str]:
    actions = {action for each in granted for action in each.actions}
    for action in sorted(need.needed.always - actions):
        yield f"allow {action}: the definition calls it"
    for action in sorted(actions - need.needed.always - need.needed.sometimes):
        yield f"take {action} out: no state of the definition needs it"
    for each in granted:
        if "*" in each.resources and (wide := sorted(set(each.actions) - EVERYWHERE.keys())):
            yield f"name the resource of {', '.join(wide)} in the place of *"
    allowed = {
        written(resource)
        for each in granted
        if "lambda:InvokeFunction" in each.actions
        for resource in each.resources
    }
    for function in sorted(need.functions - allowed):
        yield f"allow lambda:InvokeFunction on {function}: a state invokes it"
    for function in sorted(allowed - need.functions):
        yield f"take lambda:InvokeFunction on {function} out: no state invokes it"
    resources = template["Resources"]
    named = {name for each in granted for name in each.names}
    named = {name for name in named if resources.get(name, {}).get("Type") in TARGETS}
    for target in sorted(named - need.targets):
        yield f"take {target} out: no state names it"


def _calls(node: Any) -> Iterator[Needed]:
    """Yield what each state needs, at any depth."""
    if isinstance(node, list):
        for each in node:
            yield from _calls(each)
    elif isinstance(node, dict):
        if node.get("Type") == "Task" and isinstance(node.get("Resource"), str):
            yield _task(node)
        if node.get("Type") == "Map":
            yield from _map(node)
        for name, each in node.items():
            if name not in {"Arguments", "Parameters"}:  # what a state sends may look like a state
                yield from _calls(each)


def _task(state: Mapping[str, Any]) -> Needed:
    if "Credentials" in state:  # the role that is assumed does the rest
        return _actions("sts:AssumeRole")
    found = _SERVICE.fullmatch(state["Resource"])
    if not found:
        return INTEGRATIONS["lambda:invoke"]  # a function's own ARN
    service, action, how = found["service"], found["action"], (found["how"] or "").removesuffix(":2")
    if found["sdk"]:
        return needed(service, xform_name(action[0].upper() + action[1:]), action[0].upper() + action[1:])
    key = f"{service}:{action}" + ("" if how == ".waitForTaskToken" else how)
    return INTEGRATIONS[key]


def _map(state: Mapping[str, Any]) -> Iterator[Needed]:
    if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        yield CHILD_RUNS
    for part in ("ItemReader", "ResultWriter"):
        if resource := state.get(part, {}).get("Resource"):
            yield WRITES_RESULTS if part == "ResultWriter" else INTEGRATIONS[resource.partition(":::")[2]]
