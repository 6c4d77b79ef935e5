"""The real command line makes a stage on the embedded AWS, uses it, and removes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.local_stage import packaging_environment
from tests.acceptance.conftest import DECANT, ROOT
from tests.integration.conftest import RunningAWS, running_aws

if TYPE_CHECKING:
    import pytest

SOURCES = (
    "app.py",
    "requirements.txt",
    "chalicelib",
    "infrastructure",
    "workflows",
    "glue_scripts",
    ".chalice",
)


def test_a_stage_is_deployed_used_and_destroyed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = clone(tmp_path / "project")
    with running_aws(tmp_path_factory.mktemp("aws"), time_scale=20) as aws:
        decant = Decant(project, aws)
        assert "there is no stage dev" in decant("destroy", "--stage", "dev", "--yes", code=1)
        plan = decant("deploy", "--stage", "dev", "--plan")
        assert "AWS::StepFunctions::StateMachine" in plan
        deployed = decant.json("deploy", "--stage", "dev", "--yes")
        assert [step["name"] for step in deployed["steps"]][-1] == "smoke file"
        functions = names_of(aws)
        assert {"decant-dev", "decant-dev-file_landed", "decant-dev-validate_file"} <= functions

        (run,) = decant.json("--stage", "dev", "runs", "list")["runs"]
        assert (run["pipeline"], run["outcome"]) == ("smoke", "succeeded")
        assert "[smoke] succeeded" in decant("--stage", "dev", "notices")
        token = decant.json("tokens", "add", "ada", "--role", "viewer", "--stage", "dev")["token"]
        assert token not in decant("tokens", "list", "--stage", "dev")
        decant("tokens", "remove", "ada", "--stage", "dev")

        decant.chalice("deploy")  # as Chalice's users expect
        assert names_of(aws) == functions
        assert len(aws.client("apigateway").get_rest_apis()["items"]) == 1

        said = decant("destroy", "--stage", "dev", "--yes")
        assert "decant-dev-landing-123456789012" in said
        assert "nothing else of stage dev is left" in said
        assert names_of(aws) == set()
        assert "knows no stage dev" in decant("--stage", "dev", "runs", "list", code=1)
        removed = decant.json("destroy", "--stage", "dev", "--delete-data", "--yes")
        assert removed["kept"] == []
        assert {(each["kind"], each["note"]) for each in removed["left"]} == {("KMS key", "is being deleted")}
        assert aws.client("s3").list_buckets()["Buckets"] == []


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
