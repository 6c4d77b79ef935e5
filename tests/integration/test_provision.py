"""A stage provisioned on the embedded AWS, as `decant up` and a deployment do it."""

from __future__ import annotations

import json
import shutil

import pytest

from cli.partner_names import PARAMETERS
from infrastructure import provision as provisioning
from infrastructure.chalice_config import read, stage_block, tags_of
from infrastructure.deployment.kept import legacy, take_up
from infrastructure.deployment.target import Target
from infrastructure.post_deploy import EVENT_FUNCTIONS, dead_letters_of, keep_dead_letters
from infrastructure.provision import ProvisioningFailedError, Stack, bring_up, clients_in, provision
from infrastructure.render import ROOT
from tests.integration.conftest import running_aws

WAREHOUSE = {
    "engine": "redshift",
    "host": "127.0.0.1",
    "port": 5439,
    "username": "u",
    "password": "p",
    "dbname": "d",
}
TOKENS = [{"name": "ada", "role": "viewer", "sha256": "0" * 64}]


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An embedded AWS of its own: stages have fixed names."""
    with running_aws(tmp_path_factory.mktemp("provisioned")) as running:
        yield running


@pytest.fixture(scope="module")
def outputs(aws):
    return provision(
        "local",
        client=clients_in(aws.environment),
        warehouse=WAREHOUSE,
        api_tokens=TOKENS,
        parameters=PARAMETERS,
    )


@pytest.fixture
def tree(tmp_path):
    """A source tree to break: the template and one workflow."""
    for name in (
        "infrastructure/template.yaml",
        "infrastructure/prices.json",
        "infrastructure/workflows/load_file.yaml",
        "workflows/load_file.asl.json",
        "glue_scripts/extra.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "infrastructure" / "parts", tmp_path / "infrastructure" / "parts")
    (tmp_path / "glue_scripts" / "extra.py").write_text("print('extra')")
    return tmp_path


def test_a_stage_gets_its_buckets_topic_state_machine_jobs_and_secrets(aws, outputs):
    names = {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert {
        f"decant-local-{each}-123456789012" for each in ("landing", "curated", "quarantine", "artifacts")
    } <= names
    machine = aws.client("stepfunctions").describe_state_machine(
        stateMachineArn=outputs["StateMachines"] + "load_file"
    )
    assert "${" not in machine["definition"]
    assert "function:decant-local-validate_file" in machine["definition"]
    assert "$$.Execution.Id" in machine["definition"]
    assert machine["loggingConfiguration"]["level"] == "ALL"
    assert machine["loggingConfiguration"]["includeExecutionData"] is False
    job = aws.client("glue").get_job(JobName="decant-local-process_csv")["Job"]
    assert job["GlueVersion"] == "5.0"
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 10}
    secrets = aws.client("secretsmanager")
    assert (
        json.loads(secrets.get_secret_value(SecretId="decant-local-warehouse")["SecretString"]) == WAREHOUSE
    )
    tokens = secrets.get_secret_value(SecretId="decant-local-api-tokens")["SecretString"]
    assert json.loads(tokens) == {"tokens": TOKENS}


def test_the_committed_configuration_is_what_this_stack_gives(outputs):
    assert read(ROOT / ".chalice" / "config.json")["stages"]["local"] == stage_block(outputs, None)


def test_every_glue_script_is_where_its_job_looks(aws, outputs):
    s3, glue = aws.client("s3"), aws.client("glue")
    for name in ("ProcessCsvJob", "ProcessJsonJob"):
        script = glue.get_job(JobName=outputs[name])["Job"]["Command"]["ScriptLocation"]
        bucket, _, key = script.removeprefix("s3://").partition("/")
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert body == (ROOT / key).read_bytes()


def test_provisioning_again_changes_nothing(aws, outputs):
    cloudformation = aws.client("cloudformation")
    before = cloudformation.describe_stacks(StackName="decant-local-infra")["Stacks"][0]
    again = provision("local", client=clients_in(aws.environment))
    after = cloudformation.describe_stacks(StackName="decant-local-infra")["Stacks"][0]
    assert again == outputs
    assert after.get("LastUpdatedTime") == before.get("LastUpdatedTime")
    secret = aws.client("secretsmanager").get_secret_value(SecretId="decant-local-warehouse")
    assert json.loads(secret["SecretString"]) == WAREHOUSE


def test_a_changed_parameter_is_applied_and_kept_by_the_next_time(aws, tree):
    client = clients_in(aws.environment)
    provision("other", root=tree, client=client, parameters={"LogRetentionDays": "3"})
    provision("other", root=tree, client=client, parameters={"GlueConcurrentRuns": "4"})
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/decant-other-notify")[
        "logGroups"
    ]
    assert group["retentionInDays"] == 3
    job = aws.client("glue").get_job(JobName="decant-other-process_json")["Job"]
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 4}
    script = aws.client("s3").get_object(
        Bucket="decant-other-artifacts-123456789012", Key="glue_scripts/extra.py"
    )
    assert script["Body"].read() == b"print('extra')"


def test_a_template_too_large_for_a_request_goes_through_the_artifacts_bucket(aws, tree, monkeypatch):
    monkeypatch.setattr(provisioning, "INLINE_LIMIT", 5_000)
    outputs = provision("large", root=tree, client=clients_in(aws.environment))
    assert outputs["Stage"] == "large"
    assert provision("large", root=tree, client=clients_in(aws.environment)) == outputs


def test_a_failure_names_the_resource_and_the_next_attempt_starts_anew(aws, tree):
    client = clients_in(aws.environment)
    path = tree / "infrastructure" / "parts" / "catalogue.yaml"
    good = path.read_text()
    path.write_text(good.replace("AWS::Athena::WorkGroup", "AWS::Athena::DataCatalog"))
    with pytest.raises(ProvisioningFailedError, match=r"Queries \(AWS::Athena::DataCatalog\)"):
        provision("broken", root=tree, client=client)
    path.write_text(good)
    assert provision("broken", root=tree, client=client)["Stage"] == "broken"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"LogRetentionDays": "2"}, "LogRetentionDays"),
        ({"NoSuch": "x"}, "NoSuch"),
        ({"WarehousePassword": 'a"b'}, "WarehousePassword"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(aws, tree, parameters, named):
    with pytest.raises(ProvisioningFailedError, match=named):
        provision("wrong", root=tree, client=clients_in(aws.environment), parameters=parameters)


def test_given_up_events_of_the_triggered_functions_go_to_the_dead_letters(aws, outputs):
    client = clients_in(aws.environment)
    functions = client("lambda")
    for name in EVENT_FUNCTIONS:
        functions.create_function(
            FunctionName=f"decant-local-{name}",
            Runtime="python3.12",
            Role=f"arn:aws:iam::123456789012:role/decant-local-{name}",
            Handler=f"app.{name}",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        )
    for _ in range(2):
        keep_dead_letters("local", dead_letters_of("local", client=client), client=client)
    config = functions.get_function_event_invoke_config(FunctionName="decant-local-reconcile_due")
    assert config["DestinationConfig"]["OnFailure"] == {"Destination": outputs["DeadLettersArn"]}
    assert config["MaximumRetryAttempts"] == 2


def test_a_stack_outlives_a_killed_process_and_can_be_updated(tmp_path, tree):
    with running_aws(tmp_path / "killed") as first:
        before = provision("local", root=tree, client=clients_in(first.environment))
        first.kill()
    with running_aws(tmp_path / "killed") as second:
        client = clients_in(second.environment)
        after = provision("local", root=tree, client=client, parameters={"LogRetentionDays": "3"})
        assert after == before
        stack = client("cloudformation").describe_stacks(StackName="decant-local-infra")["Stacks"][0]
        assert stack["StackStatus"] == "UPDATE_COMPLETE"


def test_a_serverless_warehouse_gets_a_network_a_password_and_a_limit_and_is_taken_up_again(aws, tree):
    client = clients_in(aws.environment)
    with pytest.raises(ProvisioningFailedError, match="Warehouse=serverless needs Network=own"):
        provision("quick", root=tree, client=client, parameters={"Warehouse": "serverless"})
    wanted = {"Warehouse": "serverless", "Network": "own", "WarehouseDailyHours": "5"}
    outputs = provision("quick", root=tree, client=client, parameters=wanted)
    text = aws.client("secretsmanager").get_secret_value(SecretId=outputs["WarehouseSecret"])["SecretString"]
    secret = json.loads(text)
    assert (secret["host"], secret["port"], secret["username"]) == ("127.0.0.1", aws.warehouse_port, "decant")
    assert len(secret["password"]) == 40
    (limit,) = aws.client("redshift-serverless").list_usage_limits()["usageLimits"]
    assert (limit["amount"], limit["breachAction"], limit["period"]) == (5, "deactivate", "daily")
    again = provision("quick", root=tree, client=client, parameters={"WarehouseDailyHours": "6"})
    assert {**again, "WarehouseDailyHours": "5"} == outputs
    (limit,) = aws.client("redshift-serverless").list_usage_limits()["usageLimits"]
    assert limit["amount"] == 6
    policy = aws.client("iam").get_role_policy(
        RoleName="decant-quick-copy_to_redshift", PolicyName="join-network"
    )
    assert "ec2:CreateNetworkInterface" in json.dumps(policy["PolicyDocument"])
    subnets = outputs["FunctionSubnets"].split(",")
    found = aws.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert len({each["AvailabilityZone"] for each in found}) == 2

    # Its tables outlive it, and what was deleted meanwhile is made again.
    told = {"Warehouse": "serverless", "Network": "own"}
    stage = Target(stage="quick", client=client, environment=aws.environment, root=tree, parameters=told)
    serverless, s3 = aws.client("redshift-serverless"), aws.client("s3")
    before = serverless.get_namespace(namespaceName="decant-quick")["namespace"]
    Stack(stage.stack, client("cloudformation")).delete()
    for each in s3.list_object_versions(Bucket=stage.artifacts_bucket)["Versions"]:
        s3.delete_object(Bucket=stage.artifacts_bucket, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=stage.artifacts_bucket)

    left = legacy(stage)
    expected = {"LandingBucket", "CuratedBucket", "QuarantineBucket", "Key", "WarehouseNamespace"}
    assert set(left.taken_up) == expected
    take_up(stage, left)
    bring_up("quick", root=tree, client=client, parameters=left.parameters)
    assert serverless.get_namespace(namespaceName="decant-quick")["namespace"] == before
    tags = serverless.list_tags_for_resource(resourceArn=before["namespaceArn"])["tags"]
    assert {each["key"]: each["value"] for each in tags} == tags_of("decant", "quick")
