"""The rendered template and Chalice's configuration: names that agree, roles that allow little."""

from __future__ import annotations

import json
import re

import pytest

import app
from infrastructure.chalice_config import (
    FUNCTIONS,
    NEEDS_LAYER,
    InvalidConfigError,
    check,
    read,
    stage_block,
    write,
)
from infrastructure.encryption import USES
from infrastructure.render import ROOT, camel_case, render, snake_case, steps_of

TEMPLATE = render("local")
RESOURCES = TEMPLATE["Resources"]
ROLES = {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::IAM::Role"}
NARROWEST_IS_EVERYTHING = {"logs", "xray"}
"""Services whose log delivery and tracing know no narrower resource than `*`; only workflows use them so."""


def functions_of_the_app():
    kinds = (app.app.pure_lambda_functions, app.app.event_sources, app.app.builtin_auth_handlers)
    return {"api_handler", *(each.name for kind in kinds for each in kind)}


def statements(role):
    for policy in ROLES[role]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            yield [actions] if isinstance(actions, str) else actions, statement


def output_names():
    return {name: f"value-of-{name}" for name in TEMPLATE["Outputs"]} | {
        "Stage": "local",
        "App": "decant",
        "FunctionSubnets": "none",
        "FunctionSecurityGroups": "none",
        "StateMachines": "arn:aws:states:eu-west-1:111122223333:stateMachine:decant-local-",
        **{
            f"{camel_case(name)}Role": f"arn:aws:iam::111122223333:role/decant-local-{name}"
            for name in ["api", *FUNCTIONS]
        },
    }


def test_every_function_of_the_app_is_configured_and_no_other():
    assert set(FUNCTIONS) == functions_of_the_app()


def test_every_function_has_a_role_and_a_log_group_of_its_own():
    for name in functions_of_the_app():
        word = "api" if name == "api_handler" else name
        suffix = "" if word == "api" else f"-{word}"
        assert ROLES[f"{camel_case(word)}Role"]["RoleName"] == {"Fn::Sub": f"${{App}}-${{Stage}}-{word}"}
        group = RESOURCES[f"{camel_case(word)}LogGroup"]["Properties"]["LogGroupName"]
        assert group == {"Fn::Sub": f"/aws/lambda/${{App}}-${{Stage}}{suffix}"}


def test_a_function_may_write_to_its_own_log_group_only():
    for name in functions_of_the_app():
        role = "ApiRole" if name == "api_handler" else f"{camel_case(name)}Role"
        resources = [each["Resource"] for actions, each in statements(role) if "logs:PutLogEvents" in actions]
        assert resources == [{"Fn::GetAtt": [role.replace("Role", "LogGroup"), "Arn"]}]


def test_no_role_may_do_everything_or_to_everything():
    for role in ROLES:
        for actions, statement in statements(role):
            assert not [action for action in actions if "*" in action], role
            if statement["Resource"] == "*":
                metrics = actions == ["cloudwatch:PutMetricData"] and "Condition" in statement
                services = {action.partition(":")[0] for action in actions}
                assert metrics or (role.endswith("StatesRole") and services <= NARROWEST_IS_EVERYTHING), role


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.asl.json")), ids=lambda path: path.name)
def test_a_workflow_may_invoke_the_steps_that_it_calls_and_no_others(path):
    called = {
        snake_case(name)
        for name in re.findall(r"\$\{(\w+)Arn\}", path.read_text())
        if snake_case(name) in steps_of(TEMPLATE)
    }
    role = f"{camel_case(path.name.removesuffix('.asl.json'))}StatesRole"
    allowed = set()
    for actions, statement in statements(role):
        if "lambda:InvokeFunction" in actions:
            given = statement["Resource"]
            allowed |= {
                arn["Fn::Sub"].rpartition("-")[2] for arn in (given if isinstance(given, list) else [given])
            }
    assert allowed == called


def test_every_bucket_is_closed_encrypted_versioned_and_refuses_plain_http():
    buckets = {name for name, each in RESOURCES.items() if each["Type"] == "AWS::S3::Bucket"}
    assert len(buckets) == 4
    for name in buckets:
        properties = RESOURCES[name]["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["BucketEncryption"]
        assert properties["LifecycleConfiguration"]
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"
        # With plain Retain a bucket of a failed first deployment would stand in the way of the next.
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        policy = RESOURCES[f"{name}Policy"]["Properties"]["PolicyDocument"]
        assert "aws:SecureTransport" in json.dumps(policy)


def roles_of(policy):
    return {each["Ref"] for each in RESOURCES[policy]["Properties"]["Roles"]}


def test_whoever_reads_or_writes_something_encrypted_may_use_the_key_for_that_and_nobody_else():
    for policy, use in USES.items():
        statement = RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"][0]
        assert statement["Resource"] == {"Fn::GetAtt": ["Key", "Arn"]}
        assert statement["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Sub"].startswith(use["service"])
    for role in ROLES:
        allowed = {action for actions, _ in statements(role) for action in actions}
        writes = "s3:PutObject" in allowed
        assert (role in roles_of("WriteFilesWithKey")) == writes, role
        assert (role in roles_of("ReadFilesWithKey")) == ("s3:GetObject" in allowed and not writes), role
        assert (role in roles_of("ReadSecretsWithKey")) == ("secretsmanager:GetSecretValue" in allowed), role
        assert (role in roles_of("PublishWithKey")) == ("sns:Publish" in allowed), role
        assert (role in roles_of("QueueWithKey")) == ("sqs:SendMessage" in allowed), role


def test_the_key_or_awss_own_encrypts_everything_that_the_stack_keeps():
    without = {"Ref": "AWS::NoValue"}
    places = {
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::Glue::Job": "SecurityConfiguration",
        "AWS::Glue::Crawler": "CrawlerSecurityConfiguration",
    }
    for name, resource in RESOURCES.items():
        if place := places.get(resource["Type"]):
            condition, key, other = resource["Properties"][place]["Fn::If"]
            assert (condition, other) == ("HasOwnKey", without), name
            assert key in ({"Ref": "Key"}, {"Fn::GetAtt": ["Key", "Arn"]}, {"Ref": "JobEncryption"}), name
        if resource["Type"] == "AWS::Athena::WorkGroup":
            results = resource["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"]
            assert results["EncryptionConfiguration"]["EncryptionOption"]["Fn::If"][1:] == [
                "SSE_KMS",
                "SSE_S3",
            ]


def test_the_key_rotates_and_outlives_the_stack_like_the_buckets_that_need_it():
    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True
    assert RESOURCES["Key"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_landing_buckets_notifications_are_left_to_chalice():
    assert "NotificationConfiguration" not in RESOURCES["LandingBucket"]["Properties"]


def test_a_workflows_definition_arrives_whole():
    text, values = RESOURCES["LoadFileStateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    assert json.loads(text) == json.loads((ROOT / "workflows" / "load_file.asl.json").read_text())
    assert set(values) == set(re.findall(r"\$\{(\w+)\}", text))


def test_the_stage_is_the_templates_default():
    assert render("dev")["Parameters"]["Stage"]["Default"] == "dev"


def test_the_committed_configuration_holds_the_local_stage_and_keeps_to_the_schema():
    assert {"local", "dev"} <= set(read(ROOT / ".chalice" / "config.json")["stages"])


def test_only_the_functions_that_need_the_layer_get_it():
    functions = stage_block(output_names(), "3.12")["lambda_functions"]
    assert {name for name, each in functions.items() if "layers" in each} == set(NEEDS_LAYER)
    assert functions["catalogue"]["layers"] == [
        "arn:aws:lambda:eu-west-1:336392948345:layer:AWSSDKPandas-Python312:29"
    ]
    assert "layers" not in json.dumps(stage_block(output_names(), None))


def test_exactly_the_functions_that_may_read_the_warehouses_secret_run_in_its_network():
    reaching = {"copy_to_redshift", "copy_group", "load_metrics", "plan_batch", "publish_metrics"}
    assert set(TEMPLATE["Outputs"]["WarehouseFunctions"]["Value"].split(",")) == reaching
    assert roles_of("JoinNetwork") == {f"{camel_case(name)}Role" for name in reaching}
    outputs = {
        **output_names(),
        "FunctionSubnets": "subnet-1,subnet-2",
        "FunctionSecurityGroups": "sg-1",
        "WarehouseFunctions": ",".join(reaching),
    }
    functions = stage_block(outputs, None)["lambda_functions"]
    assert {name for name, each in functions.items() if "subnet_ids" in each} == reaching
    assert functions["copy_group"]["subnet_ids"] == ["subnet-1", "subnet-2"]
    assert functions["copy_group"]["security_group_ids"] == ["sg-1"]
    assert "subnet_ids" not in json.dumps(stage_block(output_names(), None))


def test_whoever_runs_in_the_stages_own_network_finds_the_services_that_it_calls():
    services = {
        each["Properties"]["ServiceName"]["Fn::Sub"].rpartition(".")[2]
        for each in RESOURCES.values()
        if each["Type"] == "AWS::EC2::VPCEndpoint"
    }
    without = {"logs", "xray", "cloudwatch"}  # Lambda sends these itself
    for role in roles_of("JoinNetwork"):
        called = {action.partition(":")[0] for actions, _ in statements(role) for action in actions}
        assert called - without <= services, role


def test_every_parameter_says_what_it_does_what_it_may_be_and_what_it_is_without_being_asked():
    for name, declared in TEMPLATE["Parameters"].items():
        assert declared["Description"].endswith((".", ")")), name
        assert "Default" in declared, name
        if declared["Type"] == "Number":
            assert {"AllowedValues", "MinValue"} & set(declared), name
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])


def test_a_python_without_a_layer_is_refused():
    with pytest.raises(InvalidConfigError, match=r"3\.9.*use 3\.11"):
        stage_block(output_names(), "3.9")


def test_writing_one_stage_leaves_the_others(tmp_path):
    path = tmp_path / ".chalice" / "config.json"
    write(path, output_names(), None)
    write(path, {**output_names(), "Stage": "dev"}, "3.13")
    stages = json.loads(path.read_text())["stages"]
    assert stages["local"] == stage_block(output_names(), None)
    assert stages["dev"]["environment_variables"]["DECANT_STAGE"] == "dev"


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ((), "lambda_functions", {}),
        (("stages", "local"), "log_retention_in_days", 30),
        (("stages", "local"), "api_gateway_endpoint_type", "EDGE"),
        (("stages", "local", "lambda_functions", "notify"), "environment_variable", {}),
        (("stages", "local", "lambda_functions", "notify"), "manage_iam_role", True),
        (("stages", "local", "lambda_functions", "notify"), "lambda_timeout", 901),
        (("stages", "local", "environment_variables"), "DECANT_STAGE", 1),
    ],
)
def test_what_chalice_would_ignore_or_misread_is_refused_by_name(place, key, value):
    document = read(ROOT / ".chalice" / "config.json")
    level = document
    for name in place:
        level = level[name]
    level[key] = value
    with pytest.raises(InvalidConfigError) as refusal:
        check(document, ROOT / ".chalice" / "config.json")
    assert key in str(refusal.value)
