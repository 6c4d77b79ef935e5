"""One word for one thing: states, modules, functions, result keys, errors, template and docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import app as entry
from chalicelib import errors, steps
from chalicelib.notices import console
from cli.workflow_diagram import with_inner
from infrastructure.post_deploy import ADDRESS_KEY
from infrastructure.render import render, snake_case

ROOT = Path(__file__).parents[2]
WORKFLOWS = {
    path.name: json.loads(path.read_text()) for path in sorted((ROOT / "workflows").glob("*.asl.json"))
}

AWS_ERRORS = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "States.Timeout",
    "States.ALL",
    "Sandbox.Timedout",
}
SERVICES = ("Glue.", "Athena.", "S3.", "SNS.", "SQS.", "States.", "StepFunctions.")
"""What begins so is raised by an AWS service, not by a step of ours."""


def tasks() -> list[tuple[str, str, dict[str, Any]]]:
    """Return every Task state that calls a step."""
    return [
        (file, name, state)
        for file, definition in WORKFLOWS.items()
        for name, state in with_inner(definition["States"])
        if state["Type"] == "Task" and calls_a_step(state)
    ]


def calls_a_step(state: dict[str, Any]) -> bool:
    return "Arn}" in step_resource(state)


def step_resource(state: dict[str, Any]) -> str:
    """Return what names the function: the resource, or its parameter when it is invoked through the API."""
    if state["Resource"].startswith("arn:aws:states:::lambda:invoke"):
        given = state.get("Parameters") or state.get("Arguments")
        return str(given["FunctionName"])
    return str(state["Resource"])


def step_of(state: dict[str, Any]) -> str:
    return snake_case(step_resource(state).removeprefix("${").removesuffix("Arn}"))


def retried() -> set[str]:
    return {
        name
        for definition in WORKFLOWS.values()
        for _, state in with_inner(definition["States"])
        for retry in state.get("Retry", ())
        for name in retry["ErrorEquals"]
    }


def family(parent: type) -> set[str]:
    return {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and parent in value.__mro__[1:]
    }


def test_every_task_is_called_after_the_step_that_it_calls() -> None:
    for file, name, state in tasks():
        assert snake_case(name).startswith(step_of(state)), f"{file}: {name} calls {step_of(state)}"


def test_every_step_has_a_module_a_function_a_lambda_and_a_state() -> None:
    modules = {path.stem for path in (ROOT / "chalicelib" / "steps").glob("*.py")} - {"__init__"}
    functions = {function.name for function in entry.app.pure_lambda_functions}
    called = {step_of(state) for _, _, state in tasks()}
    assert modules == set(steps.__all__) == functions == called


def test_a_result_is_kept_under_the_name_of_its_step() -> None:
    for file, name, state in tasks():
        assert state["ResultPath"] == f"$.{step_of(state)}", f"{file}: {name}"


def test_every_error_to_try_again_is_retried_and_none_to_give_up_is() -> None:
    assert family(errors.TryAgain) <= retried()
    assert family(errors.GiveUp) & retried() == set()


def test_no_workflow_retries_an_error_that_nobody_raises() -> None:
    ours = {name for name in retried() if not name.startswith(SERVICES)}
    assert ours - family(errors.TryAgain) <= AWS_ERRORS


def test_the_template_has_a_role_for_every_function() -> None:
    names = {function.name for function in entry.app.pure_lambda_functions} | {
        "file_landed",
        "reconcile_due",
        "digest_due",
    }
    roles = {
        resource["Properties"]["RoleName"]["Fn::Sub"].partition("${Stage}-")[2]
        for resource in render("local")["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert names | {"authorize"} <= roles


def test_the_glossary_has_every_outcome_and_role() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    for word in (
        "running, succeeded, rejected, failed, expired, stopped, timed_out",
        "viewer, operator or approver",
    ):
        assert word in glossary


def test_every_error_s_docstring_is_its_message() -> None:
    for name in family(errors.DecantError):
        assert str(getattr(errors, name)()).endswith(".")


def test_a_deployment_writes_the_address_where_notices_read_it() -> None:
    assert ADDRESS_KEY == console.KEY
