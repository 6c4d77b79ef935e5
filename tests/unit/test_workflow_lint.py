"""The rules of the workflow lint, by the examples of their page and by shapes from the field."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cli.main import main
from infrastructure.render import ROOT
from infrastructure.workflow_lint import READING, InvalidLintConfiguration, lint, rules

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "workflow-lint.md").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
TASK = WORKFLOW["States"]["Check"]
RETRY = TASK["Retry"][0]


KEPT = {"ResultPath"}
"""The members that may be null in a workflow."""


def sections() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The bad and the good example of each rule that has them on its page."""
    found = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        examples = re.findall(r"^(?:Bad|Good):\n\n```json\n(.*?)```", section, re.DOTALL | re.MULTILINE)
        if examples:
            bad, good = examples
            found[section.split("`")[1]] = (json.loads(bad), json.loads(good))
    return found


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the good workflow with the members of its states changed; None takes away."""
    workflow = copy.deepcopy(WORKFLOW)
    for name, members in changes.items():
        place = workflow if name == "TimeoutSeconds" else workflow["States"]
        if members is None:
            del place[name]
        else:
            merged = {**place.get(name, {}), **members}
            place[name] = {key: value for key, value in merged.items() if value is not None or key in KEPT}
    return workflow


def findings(tmp_path: Path, workflow: Any) -> set[tuple[str, str]]:
    path = tmp_path / "checked.asl.json"
    path.write_text(json.dumps(workflow))
    return {(found.state, found.rule) for found in lint(path)}


def inside_a_map(**states: Any) -> dict[str, Any]:
    """The good workflow with a Map in place of its Task, without a Catch."""
    processor = {"StartAt": next(iter(states)), "States": states}
    mapped = {"Type": "Map", "ItemProcessor": processor, "Next": "Done"}
    return {**WORKFLOW, "States": {**WORKFLOW["States"], "Check": mapped}}


def test_the_workflow_that_the_examples_change_is_good(tmp_path):
    assert findings(tmp_path, WORKFLOW) == set()


def test_every_workflow_of_the_project_has_no_finding():
    paths = sorted((ROOT / "workflows").glob("*.asl.json"))
    assert paths
    assert [str(found) for path in paths for found in lint(path)] == []


def test_the_page_explains_every_rule_and_no_other():
    assert re.findall(r"^### `(.+)`", PAGE, re.MULTILINE) == list(
        dict.fromkeys(re.findall(r"^### `(.+)`", PAGE, re.MULTILINE))
    )
    assert set(re.findall(r"^### `(.+)`", PAGE, re.MULTILINE)) == {*READING, *(each.name for each in rules())}
    assert set(sections()) == {each.name for each in rules()} | {"amazon-states-language"}


@pytest.mark.parametrize("rule", sections())
def test_the_bad_example_of_a_rule_is_found_and_the_good_one_is_clean(tmp_path, rule):
    bad, good = sections()[rule]
    assert rule in {found for _, found in findings(tmp_path, changed(bad))}
    assert findings(tmp_path, changed(good)) == set()


def test_a_finding_names_file_state_rule_and_remedy(tmp_path):
    path = tmp_path / "checked.asl.json"
    path.write_text(json.dumps(changed({"Check": {"Retry": None}})))
    text = str(lint(path)[0])
    assert str(path) in text
    assert "Check: task-without-retry: add Retry" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not-json"),
        ("", "not-json"),
        (
            '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}',
            '"A" is written twice',
        ),
        ("[]", "not-a-workflow"),
        ('"x"', "not-a-workflow"),
        ('{"Resources": {}}', "this one holds Resources"),
        ("[" * 100_000, "not-json"),
    ],
)
def test_a_file_that_is_no_workflow_is_one_finding_that_says_so(tmp_path, text, said):
    path = tmp_path / "broken.asl.json"
    path.write_text(text)
    (found,) = lint(path)
    assert said in str(found)


def test_bytes_that_are_no_text_are_a_finding(tmp_path):
    path = tmp_path / "broken.asl.json"
    path.write_bytes(b"\xff\xfe{}")
    assert [found.rule for found in lint(path)] == ["not-json"]


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [None], ["a"], [{}]])
@pytest.mark.parametrize("member", ["Type", "Next", "Retry", "Catch", "Parameters", "ResultPath", "Resource"])
def test_a_member_of_the_wrong_type_is_told_and_never_crashes(tmp_path, member, junk):
    workflow = changed({})
    workflow["States"]["Check"][member] = junk
    fine = {
        "Parameters": ({}, [None], ["a"], [{}], [], 1, "x", None),
        "ResultPath": (None,),
        "Catch": ([],),
        "Resource": ("x",),
    }
    assert findings(tmp_path, workflow) or any(junk == each for each in fine.get(member, ()))


def test_what_aws_takes_is_no_finding_although_statelint_does_not_know_it(tmp_path):
    mapped = {
        "Type": "Map",
        "Label": "files",
        "Items": "{% $states.input.files %}",
        "MaxConcurrency": "{% 5 %}",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Arguments": {"Bucket": "b", "Key": "k"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": {"Type": "Wait", "Seconds": "{% $pause %}", "End": True}},
        },
        "Next": "Later",
    }
    later = {"Type": "Wait", "Timestamp": "{% $when %}", "Next": "Check"}
    check = {**TASK, "TimeoutSeconds": "{% $limit %}", "Arguments": {"file": "{% $states.input %}"}}
    check["Catch"] = [
        {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Failed"}
    ]
    states = {**WORKFLOW["States"], "Each": mapped, "Later": later, "Check": check}
    workflow = {**WORKFLOW, "QueryLanguage": "JSONata", "StartAt": "Each", "States": states}
    assert findings(tmp_path, workflow) == set()


# Retries and limits


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("arn:aws:states:::lambda:invoke", "Lambda.TooManyRequestsException"),
        ("arn:aws:states:::athena:startQueryExecution.sync", "Athena.TooManyRequestsException"),
        ("arn:aws:states:::aws-sdk:glue:startCrawler", "Glue.ThrottlingException"),
        ("arn:aws:states:::sns:publish", "SNS.ThrottledException"),
        ("arn:aws:states:::dynamodb:putItem", "DynamoDB.ProvisionedThroughputExceededException"),
        ("arn:aws:states:::sqs:sendMessage", "States.TaskFailed"),
    ],
)
def test_each_services_throttle_counts_and_the_steps_own_does_not(tmp_path, resource, error):
    retried = {"Resource": resource, "Retry": [{**RETRY, "ErrorEquals": [error]}]}
    assert findings(tmp_path, changed({"Check": retried})) == set()
    retried["Retry"] = [{**RETRY, "ErrorEquals": ["Throttled"]}]
    assert ("Check", "retry-without-throttles") in findings(tmp_path, changed({"Check": retried}))
    retried["Retry"] = [{"ErrorEquals": [error], "MaxAttempts": 0}]
    assert ("Check", "retry-without-throttles") in findings(tmp_path, changed({"Check": retried}))


def test_a_task_inside_a_map_may_leave_the_catch_to_the_map(tmp_path):
    inner = {k: v for k, v in TASK.items() if k not in {"Catch", "Next"}} | {"End": True}
    workflow = inside_a_map(One=inner)
    assert ("Check > One", "task-without-catch") in findings(tmp_path, workflow)
    workflow["States"]["Check"]["Catch"] = TASK["Catch"]
    assert findings(tmp_path, workflow) == set()


def test_a_state_deep_inside_is_named_with_those_around_it(tmp_path):
    inner = {k: v for k, v in TASK.items() if k not in {"TimeoutSeconds", "Catch", "Next"}} | {"End": True}
    both = {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "One", "States": {"One": inner}}]}
    workflow = inside_a_map(Both=both)
    workflow["States"]["Check"]["Catch"] = TASK["Catch"]
    assert findings(tmp_path, workflow) == {("Check > Both > One", "task-without-timeout")}


# Outcomes


def test_a_catch_that_goes_green_only_later_is_found(tmp_path):
    workflow = changed(
        {"Check": {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Calm"}]}, "Failed": None}
    )
    workflow["States"]["Calm"] = {"Type": "Pass", "Next": "Done"}
    assert ("Check", "caught-failure-ends-green") in findings(tmp_path, workflow)


def test_a_named_error_must_not_end_green_on_a_way_of_its_own(tmp_path):
    catch = [{"ErrorEquals": ["ValueError"], "Next": "Calm"}, *TASK["Catch"]]
    workflow = changed({"Check": {"Catch": catch}, "Calm": {"Type": "Succeed"}})
    assert findings(tmp_path, workflow) == {("Check", "caught-failure-ends-green")}


def test_an_item_may_end_green_when_a_choice_behind_the_map_can_fail(tmp_path):
    inner = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Note"}], "End": True}
    del inner["Next"]
    workflow = inside_a_map(One=inner, Note={"Type": "Pass", "End": True})
    workflow["States"]["Check"]["Catch"] = TASK["Catch"]
    assert findings(tmp_path, workflow) == {("Check > One", "caught-failure-ends-green")}
    workflow["States"]["Check"]["Next"] = "DidAllLoad"
    workflow["States"]["DidAllLoad"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$[0].error", "IsPresent": True, "Next": "Failed"}],
        "Default": "Done",
    }
    assert findings(tmp_path, workflow) == set()


# Error names


@pytest.mark.parametrize(
    "error",
    [
        "States.ItemReaderFailed",
        "States.Http.StatusCode.429",
        "Lambda.Unknown",
        "Lambda.ResourceNotReadyException",
        "Glue.AlreadyExistsException",
        "StepFunctions.ExecutionAlreadyExistsException",
        "EventBridge.InternalException",
        "Sandbox.Timedout",
        "com.example.Refused",
        "ValueError",
        "AnythingAtAll",
    ],
)
def test_an_error_that_something_can_raise_is_known(tmp_path, error):
    catch = [{"ErrorEquals": [error], "Next": "Failed"}]
    assert findings(tmp_path, changed({"Check": {"Catch": catch}})) == set()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("States.Timedout", "did you mean States.Timeout?"),
        ("States.Http.StatusCode.999", "Step Functions has no such error"),
        ("Lambda.TooManyRequestException", "did you mean Lambda.TooManyRequestsException?"),
        ("Lambda.", "Lambda has no such error"),
        ("Glu.AlreadyExistsException", "no service's errors begin with Glu."),
        ("Glue.", "name one of Glue's errors"),
    ],
)
def test_an_error_that_nothing_raises_is_found_with_the_nearest_name(tmp_path, error, said):
    path = tmp_path / "checked.asl.json"
    path.write_text(json.dumps(changed({"Check": {"Catch": [{"ErrorEquals": [error], "Next": "Failed"}]}})))
    (found,) = lint(path)
    assert found.rule == "unknown-error"
    assert said in found.remedy


def test_an_sdk_integrations_error_ends_in_exception(tmp_path):
    task = {
        "Resource": "arn:aws:states:::aws-sdk:s3:createBucket",
        "Retry": [{**RETRY, "ErrorEquals": ["States.TaskFailed"]}],
        "Catch": [{"ErrorEquals": ["S3.BucketAlreadyExists"], "Next": "Failed"}],
    }
    assert findings(tmp_path, changed({"Check": task})) == {("Check", "unknown-error")}
    task["Catch"] = [{"ErrorEquals": ["S3.BucketAlreadyExistsException"], "Next": "Failed"}]
    assert findings(tmp_path, changed({"Check": task})) == set()


@pytest.fixture
def project(tmp_path):
    """A project whose steps raise the classes of one file."""
    (tmp_path / "pyproject.toml").write_text('[tool.decant.workflows]\nstep-errors = ["errors.py", "Odd"]\n')
    (tmp_path / "errors.py").write_text("class Throttled(Exception): pass\n")
    return tmp_path


def test_a_project_that_says_what_its_steps_raise_is_held_to_it(project):
    def catching(error: str) -> dict[str, Any]:
        return changed({"Check": {"Catch": [{"ErrorEquals": [error], "Next": "Failed"}]}})

    for known in ("Throttled", "Odd", "KeyError"):
        assert findings(project, catching(known)) == set()
    assert findings(project, catching("Throtled")) == {("Check", "unknown-error")}


def test_what_a_fail_state_inside_or_a_token_holder_reports_is_known(project):
    waiting = {
        "Check": {
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Catch": [{"ErrorEquals": ["Rejected"], "Next": "Failed"}],
        }
    }
    assert findings(project, changed(waiting)) == set()
    workflow = inside_a_map(Refuse={"Type": "Fail", "Error": "Rejected"})
    workflow["States"]["Check"]["Catch"] = [{"ErrorEquals": ["Rejected"], "Next": "Failed"}]
    assert findings(project, workflow) == set()
    workflow["States"]["Check"]["Catch"] = [{"ErrorEquals": ["Refused"], "Next": "Failed"}]
    assert findings(project, workflow) == {("Check", "unknown-error")}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[tool.decant.workflows]\nstep-errors = 1\n", "write step-errors = "),
        ("[tool.decant.workflows]\nsteps = []\n", "unknown steps"),
        ('[tool.decant.workflows]\nstep-errors = ["none.py"]\n', "none.py cannot be read"),
        ("[tool", "cannot be read"),
    ],
)
def test_a_configuration_that_cannot_be_followed_is_told(project, toml, said):
    (project / "pyproject.toml").write_text(toml)
    with pytest.raises(InvalidLintConfiguration, match=said):
        findings(project, WORKFLOW)


# Loops


def looping(**states: Any) -> dict[str, Any]:
    """A loop of Check, IsDone and these states, the first of which follows IsDone."""
    first, last = next(iter(states)), list(states)[-1]
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}],
        "Default": first,
    }
    states[last] = {**states[last], "Next": "Check"}
    return changed({"Check": {"Next": "IsDone", "ResultPath": "$.check"}, "IsDone": choice, **states})


def test_states_that_only_reach_each_other_are_unreachable(tmp_path):
    lost = {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "Next": "One"}}
    found = findings(tmp_path, changed(lost))
    assert {("One", "unreachable-state"), ("Two", "unreachable-state")} <= found


def test_a_loop_that_a_catch_closes_needs_a_bound_too(tmp_path):
    catch = [{"ErrorEquals": ["Glue.CrawlerRunningException"], "Next": "Pause"}, *TASK["Catch"]]
    states = {"Check": {"Catch": catch}, "Pause": {"Type": "Wait", "Seconds": 30, "Next": "Check"}}
    assert findings(tmp_path, changed(states)) == set()
    unbounded = changed({**states, "TimeoutSeconds": None})
    assert findings(tmp_path, unbounded) == {("Check", "loop-without-bound")}


def test_an_answer_is_no_bound_but_a_count_in_jsonata_is(tmp_path):
    workflow = looping(Pause={"Type": "Wait", "Seconds": 5})
    del workflow["TimeoutSeconds"]
    rule = {"Variable": "$.check.status", "NumericEquals": 200, "Next": "Done"}
    workflow["States"]["IsDone"]["Choices"] = [rule]
    assert findings(tmp_path, workflow) == {("Check", "loop-without-bound")}
    condition = {"Condition": "{% $turns >= 100 %}", "Next": "Done"}
    workflow["States"]["IsDone"] |= {"QueryLanguage": "JSONata", "Choices": [condition]}
    assert findings(tmp_path, workflow) == set()


COPY = {"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "End": True}}}
FRESH = {"StartAt": "Make", "States": {"Make": {"Type": "Pass", "Result": 1, "End": True}}}


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "ResultPath": "$.before"},
        {"Type": "Pass", "Parameters": {"all.$": "$"}, "ResultPath": "$.history"},
        {"Type": "Pass", "InputPath": "$.history", "ResultPath": "$.history.older"},
        {"Type": "Pass", "Parameters": {"log.$": "States.Array($.log, $.check)"}},
        {"Type": "Pass", "Parameters": {"log.$": "States.Array($.log[*], $.check)"}},
        {"Type": "Pass", "Parameters": {"log.$": "States.Format('{} {}', $.log, $.check)"}},
        {"Type": "Pass", "Assign": {"log.$": "States.Array($log, $.check)"}},
        {"Type": "Parallel", "Branches": [COPY], "ResultPath": "$.copies"},
        {"Type": "Parallel", "Branches": [FRESH, COPY]},
        {"Type": "Map", "ItemSelector": {"all.$": "$"}, "ItemProcessor": COPY, "ResultPath": "$.items"},
        {**TASK, "Parameters": {"all.$": "$"}, "ResultPath": "$.turn"},
        {
            **TASK,
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Retry": [{**RETRY, "ErrorEquals": ["States.TaskFailed"]}],
            "Parameters": {"StateMachineArn": "x", "Input.$": "$"},
            "ResultPath": "$.child",
        },
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"before": "{% $states.input %}"}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": '{% {"before": $states.input} %}'},
        {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"log": "{% $append($states.input.log, 1) %}"},
        },
        {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"log": "{% $append($log, $states.input) %}"}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"log": "{% [$log, 1] %}"}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"log": "{% $log & '.' %}"}},
    ],
    ids=lambda state: json.dumps({k: v for k, v in state.items() if k not in {"Retry", "Catch"}})[:70],
)
def test_payload_that_grows_in_a_loop_is_found_and_outside_of_one_is_not(tmp_path, state):
    assert findings(tmp_path, looping(Remember=state)) == {("Remember", "payload-grows-in-loop")}
    straight = changed({"Check": {"Next": "Remember"}, "Remember": {**state, "Next": "Done"}})
    assert findings(tmp_path, straight) == set()


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Wait", "Seconds": 5},
        {"Type": "Pass"},
        {"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.before"},
        {"Type": "Pass", "Parameters": {"turns.$": "States.MathAdd($.turns, 1)"}, "ResultPath": "$.count"},
        {"Type": "Pass", "Parameters": {"last.$": "$.check", "now.$": "$$.State.EnteredTime"}},
        {"Type": "Pass", "Assign": {"snapshot.$": "$"}},
        {"Type": "Parallel", "Branches": [COPY], "ResultPath": None},
        {"Type": "Parallel", "Branches": [FRESH], "ResultPath": "$.copies"},
        {"Type": "Map", "ItemsPath": "$.check.items", "ItemProcessor": COPY, "ResultPath": "$.items"},
        {**TASK, "Parameters": {"all.$": "$"}, "ResultPath": None},
        {
            **TASK,
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload.$": "$"},
            "ResultPath": "$.turn",
        },
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"last": "{% $states.input.check %}"}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"turns": "{% $turns + 1 %}"}},
    ],
    ids=lambda state: json.dumps({k: v for k, v in state.items() if k not in {"Retry", "Catch"}})[:70],
)
def test_what_keeps_its_size_in_a_loop_is_no_finding(tmp_path, state):
    assert findings(tmp_path, looping(Remember=state)) == set()


# The command


def test_the_command_tells_programs_and_people_and_fails_on_a_finding(tmp_path):
    good, bad = tmp_path / "good.asl.json", tmp_path / "bad.asl.json"
    good.write_text(json.dumps(WORKFLOW))
    bad.write_text(json.dumps(changed({"Check": {"Retry": None}})))
    said = CliRunner().invoke(main, ["workflows", "lint", str(good)])
    assert (said.exit_code, said.output) == (0, "1 workflow(s): nothing to mend\n")
    said = CliRunner().invoke(main, ["workflows", "lint", str(good), str(bad)])
    assert said.exit_code == 1
    assert f"{bad}: Check: task-without-retry: add Retry" in said.output
    said = CliRunner().invoke(main, ["workflows", "lint", str(bad), "--json"])
    assert said.exit_code == 1
    (found,) = json.loads(said.output)
    assert found["state"], found["rule"] == ("Check", "task-without-retry")
    assert CliRunner().invoke(main, ["workflows", "lint", str(tmp_path / "none.asl.json")]).exit_code == 2
