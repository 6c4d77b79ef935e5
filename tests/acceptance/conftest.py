"""A whole stage on this machine, and the real command line."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli import local_stage
from cli.service import Service
from cli.sql import query_stage
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
DECANT = Path(sys.executable).with_name("decant")
LANDING = "decant-local-landing-123456789012"
ARTIFACTS = "decant-local-artifacts-123456789012"


@dataclass
class Stage:
    """One running stage and how tests use it; `tokens` holds a bearer token of each role."""

    home: Path
    running: local_stage.LocalStage
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Service:
        return Service(self.running.api_url, self.running.api_token)

    def client(self, service: str) -> Any:
        return client(self.running.environment, service)

    def put(self, key: str, body: bytes | str) -> dict[str, Any]:
        body = body.encode() if isinstance(body, str) else body
        return dict(self.client("s3").put_object(Bucket=LANDING, Key=key, Body=body))

    def runs_of(self, key: str) -> list[dict[str, Any]]:
        pipeline = key.split("/")[1]
        found = self.api.get("/runs", pipeline=pipeline, limit=100)["runs"]
        return [self.api.get(f"/runs/{run['name']}") for run in found if run["file"] == key]

    def ended(self, key: str, count: int = 1, seconds: float = 90) -> list[dict[str, Any]]:
        """Wait until `count` runs of a key have ended, and return them, newest first."""

        def all_ended() -> list[dict[str, Any]] | None:
            runs = self.runs_of(key)
            done = len(runs) >= count and all(run["outcome"] != "running" for run in runs)
            return runs if done else None

        return wait_for(all_ended, f"{count} ended run(s) of {key}", seconds)

    def notice(self, run: dict[str, Any]) -> dict[str, Any]:
        """Return what people were told of a run's end; its like may have been sent for another run."""
        key = f"notices/{run['name']}/{run['outcome']}.json"
        found = self.client("s3").get_object(Bucket=ARTIFACTS, Key=key)
        return dict(json.load(found["Body"]))

    def sql(self, statement: str) -> list[list[Any]]:
        return query_stage(statement, self.running.environment)[1]

    def decant(self, *arguments: str, code: int = 0) -> str:
        """Run the command and return what it printed; its exit code must be `code`."""
        done = subprocess.run(
            [str(DECANT), *arguments],
            cwd=ROOT,
            env={**clean_environment(), "DECANT_HOME": str(self.home), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code in {0, 1} and done.stdout else done.stdout + done.stderr

    def decant_json(self, *arguments: str) -> Any:
        return json.loads(self.decant(*arguments, "--json"))


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return what the condition gives once it is something."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.1)


def own(word: str) -> str:
    """Return a name that no other test has."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the settings are those of the stage, which only its functions have."""
    for name in [name for name in os.environ if name.startswith("DECANT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage for all acceptance tests, whose roles are enforced; retries pass 20 times faster."""
    home = tmp_path_factory.mktemp("home")
    running = local_stage.start(home, time_scale=20, enforce_iam=True)
    try:
        yield Stage(home, running, hand_out_tokens(running))
    finally:
        running.stop()


def hand_out_tokens(running: local_stage.LocalStage) -> dict[str, str]:
    """Return a token of each role. Before the API's first request: it keeps the secret for a minute."""
    manager, name = client(running.environment, "secretsmanager"), "decant-local-api-tokens"
    known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    made = {role: secrets.token_urlsafe(16) for role in ("viewer", "operator")}
    for role, token in made.items():
        digest = hashlib.sha256(token.encode()).hexdigest()
        known["tokens"].append({"name": f"test {role}", "role": role, "sha256": digest})
    manager.put_secret_value(SecretId=name, SecretString=json.dumps(known))
    return {**made, "approver": running.api_token}


def clean_environment() -> dict[str, str]:
    """Return this process's variables without those that lead to AWS or to a stage."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DECANT_"))}
