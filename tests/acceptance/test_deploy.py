"""The real command line makes a stage on the embedded AWS, uses it, removes it, and brings it back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.local_stage import packaging_environment
from tests.acceptance.conftest import DECANT, ROOT
from tests.acceptance.test_exactly_once import orders
from tests.integration.conftest import RunningAWS, running_aws
from tests.integration.waiting import until

ACCOUNT = "123456789012"
LOAD_FILE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:decant-dev-load_file"

SOURCES = (
    "app.py",
    "requirements.txt",
    "chalicelib",
    "infrastructure",
    "workflows",
    "glue_scripts",
    ".chalice",
)


@pytest.mark.timeout(600)  # two whole deployments, which take 200 s where others are at work too
def test_a_stage_is_deployed_used_destroyed_and_comes_back(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = clone(tmp_path / "project")
    with running_aws(tmp_path_factory.mktemp("aws"), time_scale=20) as aws:
        decant = Decant(project, aws)
        assert "there is no stage dev" in decant("destroy", "--stage", "dev", "--yes", code=1)
        plan = decant("deploy", "--stage", "dev", "--plan")
        assert "AWS::StepFunctions::StateMachine" in plan
        deployed = decant.json("deploy", "--stage", "dev", "--yes", *warehouse_of(aws))
        assert [step["name"] for step in deployed["steps"]][-1] == "smoke file"
        functions = names_of(aws)
        assert {"decant-dev", "decant-dev-file_landed", "decant-dev-validate_file"} <= functions

        (run,) = decant.json("--stage", "dev", "runs", "list")["runs"]
        assert (run["pipeline"], run["outcome"]) == ("smoke", "succeeded")
        assert "[smoke] succeeded" in decant("--stage", "dev", "notices")
        token = decant.json("tokens", "add", "ada", "--role", "viewer", "--stage", "dev")["token"]
        assert token not in decant("tokens", "list", "--stage", "dev")
        decant("tokens", "remove", "ada", "--stage", "dev")

        old = load(aws, "old", orders(1))
        assert copied(old) == {"table": "public.orders", "rows": 3, "already": False}
        written = curated(aws)

        decant.chalice("deploy")  # as Chalice's users expect
        assert names_of(aws) == functions
        assert len(aws.client("apigateway").get_rest_apis()["items"]) == 1

        said = decant("destroy", "--stage", "dev", "--yes")
        assert f"decant-dev-landing-{ACCOUNT}" in said
        assert "nothing else of stage dev is left" in said
        assert names_of(aws) == set()
        assert "knows no stage dev" in decant("--stage", "dev", "runs", "list", code=1)

        password = warehouse_of(aws, "password")  # all else was kept
        again = decant.json("deploy", "--stage", "dev", "--yes", "--no-smoke", *password)
        assert again["api_token"] != deployed["api_token"]
        assert curated(aws) == written
        assert copied(delivered_again(aws, old))["already"] is True
        assert copied(load(aws, "new", orders(4)))["already"] is False

        removed = decant.json("destroy", "--stage", "dev", "--delete-data", "--yes")
        assert removed["kept"] == []
        assert {(each["kind"], each["note"]) for each in removed["left"]} == {("KMS key", "is being deleted")}
        assert aws.client("s3").list_buckets()["Buckets"] == []


WAREHOUSE = {
    "host": "WarehouseHost",
    "port": "WarehousePort",
    "username": "WarehouseUser",
    "password": "WarehousePassword",
    "dbname": "WarehouseDatabase",
}


def warehouse_of(aws: RunningAWS, *names: str) -> list[str]:
    """Return the options that lead a stage to the local warehouse, or those of these names only."""
    known = aws.ready["warehouse"]
    given = [f"{WAREHOUSE[name]}={known[name]}" for name in names or WAREHOUSE]
    return [word for value in given for word in ("--parameter", value)]


def load(aws: RunningAWS, name: str, content: str) -> dict[str, Any]:
    """Put a file where the pipeline `orders` takes it, and return its execution once that has succeeded."""
    bucket, steps = f"decant-dev-landing-{ACCOUNT}", aws.client("stepfunctions")
    put = aws.client("s3").put_object(Bucket=bucket, Key=f"incoming/orders/{name}.csv", Body=content.encode())

    def started() -> str | None:
        for each in steps.list_executions(stateMachineArn=LOAD_FILE, maxResults=3)["executions"]:
            found = steps.describe_execution(executionArn=each["executionArn"])
            if json.loads(found["input"])["file"]["version"] == put["VersionId"]:
                return str(each["executionArn"])
        return None

    return succeeded(aws, until(started, seconds=90))


def delivered_again(aws: RunningAWS, run: dict[str, Any]) -> dict[str, Any]:
    """Run the same version of a file once more, as when nobody remembers its run, and return the new one."""
    begun = aws.client("stepfunctions").start_execution(
        stateMachineArn=LOAD_FILE, name=f"{run['name']}-2", input=run["input"]
    )
    return succeeded(aws, begun["executionArn"])


def succeeded(aws: RunningAWS, execution: str) -> dict[str, Any]:
    """Wait until an execution has ended, and return it; it must have succeeded."""
    steps = aws.client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = steps.describe_execution(executionArn=execution)
        return None if found["status"] == "RUNNING" else found

    run: dict[str, Any] = until(ended, seconds=90)
    assert run["status"] == "SUCCEEDED", run
    return run


def copied(run: dict[str, Any]) -> Any:
    """Return what an execution's load did."""
    return json.loads(run["output"])["copy_to_redshift"]


def curated(aws: RunningAWS) -> list[tuple[str, str]]:
    """Return the keys of the curated orders with what tells one content from another."""
    found = aws.client("s3").list_objects_v2(Bucket=f"decant-dev-curated-{ACCOUNT}", Prefix="orders/")
    return [(each["Key"], each["ETag"]) for each in found["Contents"]]


class Decant:
    """The command in a project of its own, with the variables that lead to the embedded AWS."""

    def __init__(self, project: Path, aws: RunningAWS) -> None:
        self._project = project
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DECANT_"))}
        self.environment = {**kept, **aws.environment, **packaging_environment(), "COLUMNS": "200"}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run the command and return what it printed; its exit code must be `code`."""
        done = self._run([str(DECANT), *arguments])
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def chalice(self, command: str) -> None:
        done = self._run([str(Path(sys.executable).with_name("chalice")), command, "--stage", "dev"])
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Could not install dependencies" not in done.stdout + done.stderr

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self._project, env=self.environment, capture_output=True, text=True, check=False
        )


def clone(project: Path) -> Path:
    """Copy what a deployment reads of the source tree."""
    project.mkdir()
    ignored = shutil.ignore_patterns("deployed", "deployments", "__pycache__")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, project / name)
    return project


def names_of(aws: RunningAWS) -> set[str]:
    return {found["FunctionName"] for found in aws.client("lambda").list_functions()["Functions"]}
