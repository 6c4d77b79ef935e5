"""What the code and the workflows call, compared with what the template allows their roles."""

from __future__ import annotations

import copy

from infrastructure.permissions import functions, workflows
from infrastructure.permissions.actions import EVERYWHERE
from infrastructure.permissions.call_graph import read
from infrastructure.permissions.operations import ASSUMERS, NOT_CALLED
from infrastructure.render import ROOT, render

TEMPLATE = render("local")
WHERE = "the role is in infrastructure/parts/functions.yaml or infrastructure/workflows/"


def told(findings, role):
    return [finding.remedy for finding in findings if finding.role == role]


def changed(role, change):
    """Return a template in which the statements of a role's own policy are changed."""
    template = copy.deepcopy(TEMPLATE)
    change(template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])
    return template


def test_every_function_may_do_what_its_code_calls_and_nothing_else():
    found = functions.findings(TEMPLATE)
    assert not found, "\n".join([f"{WHERE}:", *map(str, found)])


def test_every_state_machine_may_do_what_its_definition_calls_and_nothing_else():
    found = workflows.findings(TEMPLATE)
    assert not found, "\n".join([f"{WHERE}:", *map(str, found)])


def test_every_function_of_the_app_is_looked_at():
    roles = {functions.role_of(function) for function in functions.needs()}
    lambda_roles = {
        name
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "lambda.amazonaws.com" in str(resource)
    }
    assert roles == lambda_roles


def test_a_permission_that_the_code_needs_and_the_role_lacks_is_told_with_the_way_to_the_call():
    template = changed("NotifyRole", lambda statements: statements.pop())
    assert told(functions.findings(template), "NotifyRole") == [
        (
            "allow sns:Publish: app.notify -> chalicelib.steps.notify.notify -> "
            "chalicelib.steps.notify.tell -> chalicelib.notices.sending.send -> "
            "chalicelib.notices.sending._publish -> chalicelib.aws.sns.SNS.publish calls sns.publish"
        ),
        "allow what it does with NoticesTopic: notify reaches chalicelib.settings.notices_topic",
    ]


def test_a_permission_that_nothing_needs_is_told():
    extra = {"Effect": "Allow", "Action": "glue:DeleteTable", "Resource": "arn:aws:glue:::table/x"}
    template = changed("NotifyRole", lambda statements: statements.append(extra))
    assert told(functions.findings(template), "NotifyRole") == [
        "take glue:DeleteTable out: nothing that notify reaches calls it"
    ]


def test_a_star_in_the_place_of_an_arn_is_told():
    template = changed("NotifyRole", lambda statements: statements[-1].update(Resource="*"))
    assert "name the resource of sns:Publish in the place of *" in told(
        functions.findings(template), "NotifyRole"
    )


def test_a_bucket_that_a_function_never_comes_to_know_is_told():
    extra = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": {"Fn::Sub": "${QuarantineBucket.Arn}/*"},
    }
    template = changed("PlanTaxiRole", lambda statements: statements.append(extra))
    assert told(functions.findings(template), "PlanTaxiRole") == [
        "take ${QuarantineBucket.Arn}/* out: plan_taxi reaches none of chalicelib.settings.quarantine_bucket"
    ]


def test_a_managed_policy_is_told_since_nobody_here_knows_what_it_allows():
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["NotifyRole"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/Any"]
    [remedy] = told(functions.findings(template), "NotifyRole")
    assert remedy.startswith("write the statements that it needs in the place of ManagedPolicyArns")


def test_a_function_that_a_state_invokes_must_be_allowed_by_its_own_arn():
    def widen(statements):
        [invoke] = [each for each in statements if each["Action"] == "lambda:InvokeFunction"]
        invoke["Resource"] = {"Fn::Sub": "arn:aws:lambda:::function:${App}-${Stage}-*"}

    remedies = told(workflows.findings(changed("NycTaxiStatesRole", widen)), "NycTaxiStatesRole")
    assert len([each for each in remedies if each.startswith("allow lambda:InvokeFunction on")]) == 2
    assert (
        "take lambda:InvokeFunction on arn:aws:lambda:::function:${App}-${Stage}-* out: no state invokes it"
        in (remedies)
    )


def test_each_exception_still_holds():
    """What the tables say of a function must still be so, and the names in them must exist."""
    definitions, needs = read(ROOT).definitions, functions.needs()
    for user, used in NOT_CALLED:
        assert used in definitions[user].uses
    for names in [*functions.REASONS.values(), *ASSUMERS.values()]:
        assert names <= definitions.keys()
    for function, resource in functions.FROM_ELSEWHERE:
        assert not functions.REASONS[resource] & needs[function].reached
    for function, resource in functions.ONLY_NAMED:
        assert functions.REASONS[resource] & needs[function].reached


def test_only_actions_without_a_resource_are_allowed_on_everything():
    for role in [name for name, each in TEMPLATE["Resources"].items() if each["Type"] == "AWS::IAM::Role"]:
        for statement in functions.statements(TEMPLATE, role):
            if "*" in statement.resources:
                assert set(statement.actions) <= EVERYWHERE.keys(), (role, statement)
