"""The real Chalice command against the embedded AWS, as its users call it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli.local_stage import packaging_environment
from infrastructure.provision import provision
from tests.acceptance.conftest import ROOT
from tests.integration.conftest import RunningAWS, running_aws

if TYPE_CHECKING:
    import pytest


def test_the_app_is_deployed_twice_and_deleted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = tmp_path / "project"
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(
            ROOT / name,
            project / name,
            ignore=shutil.ignore_patterns("deployed", "deployments", "__pycache__"),
        )
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, project / name)
    with running_aws(tmp_path_factory.mktemp("aws")) as aws:
        provision("local", client=aws.client)
        first = _chalice(project, aws, "deploy")
        assert "Rest API URL" in first
        functions = _functions(aws)
        assert {"decant-local", "decant-local-file_landed", "decant-local-validate_file"} <= functions
        _chalice(project, aws, "deploy")
        assert _functions(aws) == functions
        assert len(aws.client("apigateway").get_rest_apis()["items"]) == 1
        _chalice(project, aws, "delete")
        assert _functions(aws) == set()
        assert aws.client("apigateway").get_rest_apis()["items"] == []


def _chalice(project: Path, aws: RunningAWS, command: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("chalice")), command, "--stage", "local"],
        cwd=project,
        env={**os.environ, **aws.environment, **packaging_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Could not install dependencies" not in done.stdout + done.stderr
    return done.stdout


def _functions(aws: RunningAWS) -> set[str]:
    return {found["FunctionName"] for found in aws.client("lambda").list_functions()["Functions"]}
