"""What GitHub runs exists here, is pinned, and may do no more than it needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ROLE = ROOT / "infrastructure" / "github_deploy_role.yaml"

MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy without white space, by IAM's limit."""


class AnyTag(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their plain values."""


AnyTag.add_multi_constructor(
    "!",
    lambda loader, _tag, node: (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
    ),
)


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from yaml.safe_load(path.read_text())["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for _, job in jobs(path):
        yield from job["steps"]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_command_that_github_runs_exists(path: Path) -> None:
    for job in dict(jobs(path)).values():
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [])
        for step in filter(lambda step: "run" in step, job["steps"]):
            for row in rows or [{}]:
                words = step["run"].replace('"$TARGET"', row.get("target", "?")).split()
                if words[0] == "make":
                    assert set(words[1:]) <= make_targets()
                else:
                    assert words[0] == ".venv/bin/decant"
                    command = main.get_command(click.Context(main), words[1])
                    assert command
                    command.make_context(words[1], words[2:])  # refuses an unknown option


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_and_leaves_no_credentials(path: Path) -> None:
    for step in filter(lambda step: "uses" in step, steps(path)):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_job_may_only_what_it_asks_for_and_ends(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in jobs(path):
        wanted = {"contents": "read", **({"id-token": "write"} if name == "deploy" else {})}
        assert job["permissions"] == wanted
        assert job["timeout-minutes"] <= 60


def test_a_deployment_waits_for_the_tests_for_a_person_and_for_the_one_before() -> None:
    document = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())
    assert document["concurrency"] == {"group": "deploy-prod", "cancel-in-progress": False}
    assert document["jobs"]["deploy"]["needs"] == "check"
    assert document["jobs"]["deploy"]["environment"] == "prod"
    assert document[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true


def test_only_jobs_of_one_environment_of_one_repository_get_the_deploy_role() -> None:
    role = yaml.load(ROLE.read_text(), AnyTag)["Resources"]["DeployRole"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:${Repository}:environment:${Environment}",
        }
    }


def test_the_deploy_role_reaches_one_stage_and_cannot_widen_itself() -> None:
    policy = yaml.load(ROLE.read_text(), AnyTag)["Resources"]["Deploying"]["Properties"]["PolicyDocument"]
    text = re.sub(r"\$\{AWS::\w+\}", "123456789012", json.dumps(policy, separators=(",", ":")))
    assert len(text) < MANAGED_POLICY_LIMIT
    assert "AdministratorAccess" not in text
    for statement in policy["Statement"]:
        actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
        assert "*" not in actions
        if resources == ["*"]:
            assert not [action for action in actions if action.endswith(":*")]
        if "iam:PassRole" in actions:
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"]
    denied = [each for each in policy["Statement"] if each["Effect"] == "Deny"]
    assert [each["Resource"].rpartition("/")[2] for each in denied] == ["${App}-${Stage}-github-deploy"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
