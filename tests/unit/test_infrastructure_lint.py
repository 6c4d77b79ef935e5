"""The checks of workflows, the rendered template and Chalice's configuration."""

from __future__ import annotations

import copy
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from infrastructure.lint import lint as lint_tree
from infrastructure.render import ROOT
from infrastructure.workflow_lint import lint

if TYPE_CHECKING:
    from pathlib import Path

RETRY = {
    "ErrorEquals": ["Throttled"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
TASK = {
    "Type": "Task",
    "Resource": "${ValidateFileArn}",
    "TimeoutSeconds": 60,
    "Retry": [RETRY],
    "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
    "Next": "Done",
}
WORKFLOW = {
    "StartAt": "Check",
    "TimeoutSeconds": 3600,
    "States": {"Check": TASK, "Done": {"Type": "Succeed"}, "Failed": {"Type": "Fail"}},
}


def findings(tmp_path: Path, workflow: dict[str, Any]) -> set[tuple[str, str]]:
    path = tmp_path / "checked.asl.json"
    path.write_text(json.dumps(workflow))
    return {(found.state, found.rule) for found in lint(path)}


def changed(state: str = "Check", **members: Any) -> dict[str, Any]:
    """Return the good workflow with members of one state changed; None takes a member away."""
    workflow = copy.deepcopy(WORKFLOW)
    workflow["States"].setdefault(state, {}).update(members)
    workflow["States"][state] = {k: v for k, v in workflow["States"][state].items() if v is not None}
    return workflow


def test_a_good_workflow_has_no_finding(tmp_path):
    assert findings(tmp_path, WORKFLOW) == set()


def test_every_workflow_of_the_project_has_no_finding():
    paths = sorted((ROOT / "workflows").glob("*.asl.json"))
    assert paths
    assert [str(found) for path in paths for found in lint(path)] == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"Retry": None}, "task-without-retry"),
        ({"TimeoutSeconds": None}, "task-without-timeout"),
        ({"Catch": None}, "task-without-catch"),
        ({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]}, "caught-failure-ends-green"),
        ({"Retry": [{**RETRY, "ErrorEquals": ["States.ALL", "Throttled"]}]}, "states-all-not-alone"),
        ({"Retry": [{**RETRY, "ErrorEquals": ["States.ALL"]}, RETRY]}, "states-all-not-last"),
        (
            {"Retry": [{k: v for k, v in RETRY.items() if k != "MaxDelaySeconds"}]},
            "retry-without-longest-wait",
        ),
        ({"Retry": [{**RETRY, "JitterStrategy": "NONE"}]}, "retry-without-jitter"),
        ({"InputPath": "file"}, "not-a-path"),
        ({"Parameters": {"file.$": "file"}}, "not-a-path"),
        ({"Next": "Nowhere"}, "amazon-states-language"),
    ],
)
def test_each_mistake_in_a_task_is_found_at_its_state(tmp_path, change, rule):
    assert ("Check", rule) in findings(tmp_path, changed(**change))


def test_a_catch_that_goes_green_only_later_is_found(tmp_path):
    workflow = changed(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Calm"}])
    workflow["States"]["Calm"] = {"Type": "Pass", "Next": "Done"}
    assert ("Check", "caught-failure-ends-green") in findings(tmp_path, workflow)


def test_a_task_inside_a_map_may_leave_the_catch_to_the_map(tmp_path):
    inner = {k: v for k, v in TASK.items() if k not in {"Catch", "Next"}} | {"End": True}
    mapped = {"Type": "Map", "ItemProcessor": {"StartAt": "One", "States": {"One": inner}}, "Next": "Done"}
    workflow = {**WORKFLOW, "States": {**WORKFLOW["States"], "Check": mapped}}
    assert ("One", "task-without-catch") in findings(tmp_path, workflow)
    mapped["Catch"] = TASK["Catch"]
    assert findings(tmp_path, workflow) == set()


def test_tolerated_failures_need_a_choice_that_can_fail(tmp_path):
    inner = {k: v for k, v in TASK.items() if k not in {"Catch", "Next"}} | {"End": True}
    mapped = {
        "Type": "Map",
        "ToleratedFailurePercentage": 100,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": inner},
        },
        "Catch": TASK["Catch"],
        "Next": "Done",
    }
    workflow = {**WORKFLOW, "States": {**WORKFLOW["States"], "Check": mapped}}
    assert ("Check", "tolerated-failure-without-check") in findings(tmp_path, workflow)
    mapped["Next"] = "DidAllSucceed"
    workflow["States"]["DidAllSucceed"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.failed", "NumericEquals": 0, "Next": "Done"}],
        "Default": "Failed",
    }
    assert findings(tmp_path, workflow) == set()


def looping(**choice: Any) -> dict[str, Any]:
    workflow = changed(Next="IsDone")
    workflow["States"]["IsDone"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}],
        "Default": "WaitABit",
        **choice,
    }
    workflow["States"]["WaitABit"] = {"Type": "Wait", "Seconds": 5, "Next": "Check"}
    return workflow


def test_a_poll_loop_needs_a_bound(tmp_path):
    workflow = looping()
    assert findings(tmp_path, workflow) == set()
    del workflow["TimeoutSeconds"]
    assert findings(tmp_path, workflow) == {("Check", "loop-without-bound")}
    counted = {"Variable": "$.tries", "NumericGreaterThan": 100, "Next": "Failed"}
    workflow["States"]["IsDone"]["Choices"].append(counted)
    assert findings(tmp_path, workflow) == set()


def test_a_choice_needs_a_default(tmp_path):
    workflow = looping()
    del workflow["States"]["IsDone"]["Default"]
    assert ("IsDone", "choice-without-default") in findings(tmp_path, workflow)


def test_a_loop_without_an_exit_is_found(tmp_path):
    workflow = changed(Next="WaitABit")
    workflow["States"]["WaitABit"] = {"Type": "Wait", "Seconds": 5, "Next": "Check"}
    assert ("Check", "loop-without-exit") in findings(tmp_path, workflow)


def test_text_that_is_no_json_is_a_finding_and_not_a_crash(tmp_path):
    path = tmp_path / "broken.asl.json"
    for text in ("{", "[]", '"x"', ""):
        path.write_text(text)
        assert len(lint(path)) == 1, text


def test_a_finding_names_file_state_rule_and_remedy(tmp_path):
    path = tmp_path / "checked.asl.json"
    path.write_text(json.dumps(changed(Retry=None)))
    text = str(lint(path)[0])
    assert str(path) in text
    assert "Check: task-without-retry: add Retry" in text


@pytest.fixture
def tree(tmp_path):
    """A copy of what the lint reads, to break."""
    for name in (
        "infrastructure/template.yaml",
        "infrastructure/workflows/load_file.yaml",
        "workflows/load_file.asl.json",
        ".chalice/config.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_project_itself_is_clean():
    assert [str(found) for found in lint_tree()] == []


def test_a_property_that_cloudformation_does_not_know_is_found(tree):
    path = tree / "infrastructure" / "template.yaml"
    path.write_text(path.read_text().replace("TopicName:", "TopikName:"))
    assert {found.rule for found in lint_tree(tree)} == {"E3002"}


def test_a_placeholder_that_stands_for_nothing_is_found(tree):
    path = tree / "workflows" / "load_file.asl.json"
    path.write_text(path.read_text().replace("${NotifyArn}", "${NotifiArn}"))
    (found,) = [found for found in lint_tree(tree) if found.rule == "unknown-placeholder"]
    assert "${NotifiArn}" in found.remedy
    assert "NotifyArn" in found.remedy


def test_a_key_that_chalice_would_ignore_is_found(tree):
    path = tree / ".chalice" / "config.json"
    document = json.loads(path.read_text())
    document["stages"]["local"]["lambda_functions"]["notify"]["lambda_memory"] = 128
    path.write_text(json.dumps(document))
    (found,) = lint_tree(tree)
    assert found.rule == "chalice-configuration"
    assert "lambda_memory" in found.remedy
    assert "notify" in found.remedy
