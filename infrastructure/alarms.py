"""The alarms of one workflow's state machine."""

from __future__ import annotations

from typing import Any

from infrastructure.definition import levels

OF_THE_FILE = frozenset({"FileRejected", "ApprovalExpired"})
"""Errors of executions that ended as they should: a workflow that can raise one is judged by RunsFailed."""

WORDS = {
    "ExecutionsFailed": ("failed", "A run failed: decant logs RUN says why. Then: decant runs redrive RUN."),
    "ExecutionsTimedOut": (
        "timed-out",
        "A run reached its time limit; no Catch could tell of it: decant runs show, then redrive RUN.",
    ),
    "ExecutionThrottled": (
        "throttled",
        "More states a second than the quota: if it lasts, raise StateTransition, or load batches.",
    ),
}
"""AWS's metric, what its alarm is called, and what to do."""


def alarms(workflow: str, logical: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Return the alarms of a workflow: each is one metric and costs 0.10 dollars a month.

    Args:
        workflow: its name, such as load_file.
        logical: its logical id in the template, such as LoadFile.
        definition: its Amazon States Language.
    """
    states = [state for level in levels(definition) for state in level.states.values()]
    errors = {state.get("Error") for state in states if state["Type"] == "Fail"}
    passed_on = any(str(state.get("ErrorPath")).startswith("$.load_file.") for state in states)
    of_the_file = passed_on or errors & OF_THE_FILE
    chosen = [name for name in WORDS if name != "ExecutionsFailed" or not of_the_file]
    return {
        f"{logical}{name.removeprefix('Executions').removeprefix('Execution')}": _alarm(
            workflow, logical, name
        )
        for name in chosen
    }


def _alarm(workflow: str, logical: str, metric: str) -> dict[str, Any]:
    ending, description = WORDS[metric]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{App}}-${{Stage}}-{workflow}-{ending}"},
            "AlarmDescription": description,
            "Namespace": "AWS/States",
            "MetricName": metric,
            "Dimensions": [{"Name": "StateMachineArn", "Value": {"Ref": f"{logical}StateMachine"}}],
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",  # nothing counted means that nothing ran
            "AlarmActions": [{"Ref": "NoticesTopic"}],
        },
    }
