"""`decant deploy` and `decant destroy`, step by step, on the embedded AWS."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime

import pytest
import requests

from infrastructure import post_deploy
from infrastructure.chalice_config import FUNCTIONS
from infrastructure.deployment import inventory, lock, parameters, state
from infrastructure.deployment.deploying import Deployment
from infrastructure.deployment.failures import DeploymentFailedError
from infrastructure.deployment.inventory import BEING_DELETED, things
from infrastructure.deployment.lock import Lock
from infrastructure.deployment.package import build
from infrastructure.deployment.plan import counted, plan
from infrastructure.deployment.preflight import examine
from infrastructure.deployment.removing import Removal
from infrastructure.deployment.rest_api import rest_apis
from infrastructure.deployment.steps import take
from infrastructure.deployment.target import Target
from infrastructure.deployment.tokens import Tokens
from infrastructure.provision import clients_in
from tests.integration import small_stage
from tests.integration.conftest import running_aws
from tests.integration.small_stage import APP, Breakable


@pytest.fixture(scope="module", autouse=True)
def small():
    """Three functions only: their settings are of the real table, and so is the template."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(FUNCTIONS) - set(small_stage.FUNCTIONS):
            patch.delitem(FUNCTIONS, name)
        patch.setattr(post_deploy, "EVENT_FUNCTIONS", ("file_landed",))
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return small_stage.write_tree(tmp_path_factory.mktemp("tree") / "project")


@pytest.fixture(scope="module")
def aws(tmp_path_factory, tree):
    with running_aws(tmp_path_factory.mktemp("account"), tree, time_scale=200) as running:
        yield running


def target_of(stage, aws, tree, client=None):
    return Target(
        stage=stage, client=client or clients_in(aws.environment), environment=aws.environment, root=tree
    )


def deploy(target, **options):
    """Take every step and return the deployment; the lock is given back whatever happens."""
    deployment = Deployment(target, Lock(target, "deploy", **options))
    _take(deployment.steps(with_smoke=True), target, deployment.lock)
    return deployment


def destroy(target, *, delete_data=True):
    removal = Removal(target, Lock(target, "destroy"), delete_data)
    return _take(removal.steps(), target, removal.lock)


def _take(steps, target, held):
    try:
        return take(
            steps, target, again="decant deploy --stage dev", begin=lambda _: None, tell=lambda _: None
        )
    finally:
        held.release()


def left(target):
    return [thing for thing in things(target) if BEING_DELETED not in thing.note]


def is_key(start):
    return lambda params: params["Key"].startswith(start)


DEPLOYING = [
    ("infrastructure stack", "CreateStack", lambda _: True),
    ("infrastructure stack", "UpdateStack", lambda _: True),
    ("Glue scripts", "PutObject", is_key("glue_scripts/")),
    ("Chalice's record", "GetRestApis", lambda _: True),
    ("chalice deploy", "PutObject", is_key(state.KEY)),
    ("API token", "PutSecretValue", lambda _: True),
    ("settings after it", "PutFunctionEventInvokeConfig", lambda _: True),
    ("smoke file", "ListExecutions", lambda _: True),
]
REMOVING = [
    ("chalice delete", "GetRestApis", lambda _: True),
    ("what no record names", "ListFunctions", lambda _: True),
    ("infrastructure stack", "DeleteStack", lambda _: True),
    ("log groups", "DescribeLogGroups", lambda _: True),
    ("buckets", "DeleteObjects", lambda _: True),
    ("KMS key", "ScheduleKeyDeletion", lambda _: True),
]


@dataclasses.dataclass(frozen=True)
class Standing:
    """Two stages side by side, the name of one the beginning of the other's.

    The first came to be through a failure in each of its steps.
    """

    one: Target
    other: Target
    client: Breakable
    failures: list[str]
    deployed: Deployment


@pytest.fixture(scope="module")
def standing(aws, tree):
    client = Breakable(aws.environment)
    one, other = target_of("one", aws, tree, client), target_of("one1", aws, tree)
    assert not left(one)
    failures = []
    for _, operation, when in DEPLOYING:
        client.fail(operation, when)
        with pytest.raises(DeploymentFailedError) as failed:
            deploy(one)
        assert client.has_failed
        failures.append(str(failed.value))
    deployed = deploy(one)
    deploy(other)
    return Standing(one, other, client, failures, deployed)


@pytest.fixture
def one(standing):
    return standing.one


@pytest.fixture
def other(standing):
    return standing.other


def test_a_deployment_goes_on_after_a_failure_in_each_step(standing, one):
    for (step, _, _), message in zip(DEPLOYING, standing.failures, strict=True):
        assert message.startswith(f"{step}: ")
        assert "AWS had a bad moment" in message
        assert message.endswith("then go on with: decant deploy --stage dev")
    assert rest_apis(one) == [state.deployed_api(one)]
    assert standing.deployed.api_url.endswith("/api")
    assert set(inventory.functions(one)) == {"decant-one", "decant-one-authorize", "decant-one-file_landed"}
    assert standing.deployed.api_token is None  # an attempt before this one made it
    assert [entry["role"] for entry in Tokens(one).entries()] == ["approver"]
    written = one.client("s3").get_object(Bucket=one.artifacts_bucket, Key=post_deploy.ADDRESS_KEY)["Body"]
    assert json.load(written) == {"url": standing.deployed.api_url}


def test_the_console_alone_may_upload_from_a_browser(standing, one, aws):
    s3, bucket = one.client("s3"), f"decant-one-landing-{one.account}"
    (rule,) = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["POST"], [aws.endpoint_url])
    form = s3.generate_presigned_post(bucket, "elsewhere/a.csv")
    preflight = {"Origin": aws.endpoint_url, "Access-Control-Request-Method": "POST"}
    allowed = requests.options(form["url"], headers=preflight, timeout=10)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, aws.endpoint_url)
    refused = requests.options(form["url"], headers={**preflight, "Origin": "https://a.example"}, timeout=10)
    assert refused.status_code == 403
    posted = requests.post(
        form["url"],
        data=form["fields"],
        files={"file": b"a,b"},
        headers={"Origin": aws.endpoint_url},
        timeout=10,
    )
    assert (posted.status_code, posted.headers["Access-Control-Allow-Origin"]) == (204, aws.endpoint_url)
    with s3.get_object(Bucket=bucket, Key="elsewhere/a.csv")["Body"] as body:
        assert body.read() == b"a,b"


def test_deploying_again_changes_nothing(one):
    assert plan(one, build(one.root)) == []
    before = things(one)
    assert deploy(one).api_token is None
    assert things(one) == before


def test_a_plan_names_the_resources_and_functions_that_would_change(one, aws, tree):
    changed = dataclasses.replace(one, parameters={"QuarantineDays": "1"})
    assert [(each.action, each.name) for each in plan(changed, None)] == [("change", "QuarantineBucket")]
    app = tree / "app.py"
    try:
        app.write_text(APP + "# another line\n")
        changes = plan(one, build(tree))
    finally:
        app.write_text(APP)
    assert {(each.name, each.what) for each in changes} == {
        (name, "code") for name in ("decant-one", "decant-one-authorize", "decant-one-file_landed")
    }
    new = plan(target_of("new", aws, tree), None)
    assert counted(new) == f"{len(new)} to add"
    assert {"LandingBucket", "decant-new-authorize"} <= {each.name for each in new}


def test_a_second_machine_finds_the_rest_api_of_the_first(one, aws, tmp_path):
    apis = rest_apis(one)
    second = target_of("one", aws, small_stage.write_tree(tmp_path / "clone"))
    deploy(second)
    assert rest_apis(second) == apis == [state.deployed_api(second)]


def test_a_lost_record_makes_no_second_rest_api(one):
    (api,) = rest_apis(one)
    state.forget(one)
    assert f"REST API {api} found again" in state.pull(one)
    assert state.deployed_api(one) == api
    state.push(one)


def test_a_failed_chalice_deploy_names_its_log_and_can_be_repeated(one, tree):
    apis = rest_apis(one)
    app = tree / "app.py"
    try:
        app.write_text(APP.replace('os.environ.get("DECANT_LANDING_BUCKET", "landing")', '"no-such-bucket"'))
        with pytest.raises(DeploymentFailedError, match=r"chalice deploy: .*\n.*one-deploy.log") as failed:
            deploy(one)
        assert "bucket" in str(failed.value)
    finally:
        app.write_text(APP)
    deploy(one)
    assert rest_apis(one) == apis


def test_two_people_do_not_change_a_stage_at_once(one):
    held = Lock(one, "deploy")
    held.take()
    with pytest.raises(DeploymentFailedError, match=r"(?s)deploys stage one since .*--take-over"):
        deploy(one)
    assert Lock(one, "deploy", take_over=True).take().startswith("taken over from ")
    held.release()  # it is no longer this one's: it stays
    with pytest.raises(DeploymentFailedError, match="since"):
        Lock(one, "destroy").take()
    one.client("s3").delete_object(Bucket=one.artifacts_bucket, Key=lock.KEY)


def problems(target):
    return {each.what: f"{each.found}: {each.remedy}" for each in examine(target).problems}


def test_a_fresh_stage_has_no_problems(aws, tree):
    assert problems(target_of("fresh", aws, tree)) == {}


@pytest.mark.parametrize(
    ("stage", "said"),
    [("local", "the stage of `decant up`"), ("Dev-1", "lower-case"), ("x" * 17, "1 to 16")],
)
def test_a_bad_stage_name_is_refused(aws, tree, stage, said):
    assert said in problems(target_of(stage, aws, tree))["stage's name"]


def test_another_apps_configuration_is_refused(aws, tree, tmp_path):
    mine = shutil.copytree(tree, tmp_path / "mine", ignore=shutil.ignore_patterns("deploy*"))
    (mine / ".chalice").mkdir(exist_ok=True)
    config = {"version": "2.0", "app_name": "other", "stages": {"x": {"tags": {}}}}
    (mine / ".chalice" / "config.json").write_text(json.dumps(config))
    assert (
        "'environment_variables' is a required"
        in problems(target_of("fresh", aws, mine))[".chalice/config.json"]
    )


def test_without_credentials_or_a_region_one_message_names_both(aws, tree, monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    environment = {"AWS_ENDPOINT_URL": aws.endpoint_url}
    here = Target(stage="fresh", client=clients_in(environment), environment=environment, root=tree)
    assert "AWS_REGION" in problems(here)["region"]
    environment["AWS_REGION"] = "eu-west-1"
    here = Target(stage="fresh", client=clients_in(environment), environment=environment, root=tree)
    assert "AWS_PROFILE" in problems(here)["credentials"]


def test_a_secret_that_waits_for_its_deletion_blocks_its_name(aws, tree):
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="decant-fresh-api-tokens", SecretString="{}")
    secrets.delete_secret(SecretId="decant-fresh-api-tokens")
    try:
        found = problems(target_of("fresh", aws, tree))["secret decant-fresh-api-tokens"]
        assert "--force-delete-without-recovery" in found
    finally:
        secrets.delete_secret(SecretId="decant-fresh-api-tokens", ForceDeleteWithoutRecovery=True)


def test_tokens_are_added_listed_and_removed(other):
    tokens = Tokens(other)
    secret = tokens.add("ada", "viewer")
    assert secret not in json.dumps(tokens.entries())
    with pytest.raises(DeploymentFailedError, match="ada exists already"):
        tokens.add("ada", "operator")
    tokens.remove("ada")
    with pytest.raises(DeploymentFailedError, match="there is no token ada; there is: first"):
        tokens.remove("ada")


def test_a_stage_that_does_not_stand_has_no_tokens(aws, tree):
    with pytest.raises(DeploymentFailedError, match="there is no stage nowhere in account"):
        Tokens(target_of("nowhere", aws, tree)).entries()


def test_a_lock_tells_since_when_it_is_held(other):
    held = Lock(other, "deploy")
    held.take()
    answer = other.client("s3").get_object(Bucket=other.artifacts_bucket, Key=lock.KEY)
    with answer["Body"] as body:
        note = json.loads(body.read())
    assert datetime.fromisoformat(note["since"]) <= datetime.now(UTC)
    held.release()
    assert held.take() == "taken"
    held.release()


TAKING_UP = [
    ("what was kept", "CreateChangeSet", lambda _: True),
    ("what was kept", "ExecuteChangeSet", lambda _: True),
    ("infrastructure stack", "UpdateStack", lambda _: True),
]


def test_a_destroyed_stage_comes_back_with_its_data_and_parameters(standing, one, other):
    """The last test but one: the first stage is gone for a while; the other stands beside it."""
    before, s3 = things(other), one.client("s3")
    landing, quarantine = (f"decant-one-{each}-{one.account}" for each in ("landing", "quarantine"))
    versions = version_ids(s3, landing)
    destroy_with_failures(standing, one, REMOVING[:4])
    kept = left(one)
    assert {thing.kind for thing in kept} == {"bucket", "KMS key"}

    assert problems(one) == {}
    was = parameters.recall(one)
    assert was["QuarantineDays"] == "90"
    s3.put_object(
        Bucket=one.artifacts_bucket, Key=parameters.KEY, Body=json.dumps({**was, "QuarantineDays": "9"})
    )
    would = plan(one, None)
    assert counted(would).startswith("5 to take up, ")
    assert {each.what for each in would if each.action == "take up"} == {thing.name for thing in kept}
    for step, operation, when in TAKING_UP:
        standing.client.fail(operation, when)
        with pytest.raises(DeploymentFailedError, match=rf"^{step}: .*bad moment"):
            deploy(one)
        assert standing.client.has_failed
    deploy(one)
    assert [each for each in left(one) if each.kind in {"bucket", "KMS key"}] == kept
    assert versions < version_ids(s3, landing)  # the smoke file was sent once more
    rules = s3.get_bucket_lifecycle_configuration(Bucket=quarantine)["Rules"]
    assert [each["Expiration"]["Days"] for each in rules if "Expiration" in each] == [9]
    assert plan(one, build(one.root)) == []
    assert things(other) == before


def version_ids(s3, bucket):
    return {each["VersionId"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]}


def test_destroying_a_stage_with_its_data_leaves_nothing(standing, one, other):
    """The last test: a bucket that may be a stranger's is refused, then the first stage is gone."""
    before, s3 = things(other), one.client("s3")
    destroy(one, delete_data=False)
    landing = f"decant-one-landing-{one.account}"
    s3.delete_bucket_tagging(Bucket=landing)
    refused = problems(one)[f"bucket {landing}"]
    assert refused.startswith(
        "yours, in no stack, and it has no tag decant:app=decant: choose another --stage"
    )
    destroy_with_failures(standing, one, REMOVING[4:], delete_data=True)
    assert not left(one)
    assert things(other) == before


def destroy_with_failures(standing, target, failures, *, delete_data=False):
    for step, operation, when in failures:
        standing.client.fail(operation, when)
        with pytest.raises(DeploymentFailedError, match=rf"^{step}: .*bad moment"):
            destroy(target, delete_data=delete_data)
        assert standing.client.has_failed
    destroy(target, delete_data=delete_data)
