"""An embedded AWS in a process of its own, for the tests that talk to it through boto3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
SPARK_PYTHON = PROJECT / ".venv-spark" / "bin" / "python"


@dataclass(frozen=True)
class RunningAWS:
    """A `python -m local_aws` process and how to reach it."""

    directory: Path
    process: subprocess.Popen[str]
    endpoint_url: str
    warehouse_port: int
    ready: dict[str, Any]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point an unmodified AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client over HTTP that makes each request once."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(
                retries={"total_max_attempts": 1},
                inject_host_prefix=False,
                max_pool_connections=64,
                **options,
            ),
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


@contextmanager
def running_aws(
    directory: Path, project: Path = PROJECT, *, spark: bool = False, **options: Any
) -> Iterator[RunningAWS]:
    """Run an embedded AWS in `directory` for a `with` block; keywords become command-line options.

    With Spark it has a JVM ready from its first Spark job on: some 10 s of a core.
    """
    command = [sys.executable, "-m", "local_aws", "--while-stdin-open"]
    command += ["--directory", str(directory), "--project", str(project)]
    if spark and SPARK_PYTHON.exists():
        command += ["--spark-python", str(SPARK_PYTHON)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment
    ) as process:
        try:
            line = process.stdout.readline()
            assert line, f"the embedded AWS ended before it was ready, with code {process.wait(60)}"
            ready = json.loads(line)
            yield RunningAWS(directory, process, ready["endpoint_url"], ready["warehouse_port"], ready)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAWS]:
    """One embedded AWS for all tests of a session; tests use names of their own."""
    with running_aws(tmp_path_factory.mktemp("aws"), spark=True) as running:
        yield running


@pytest.fixture(scope="session")
def fast_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAWS]:
    """An embedded AWS whose waits and retries pass 200 times faster."""
    with running_aws(tmp_path_factory.mktemp("fast"), time_scale=200) as running:
        yield running
