"""A stage on this machine: the embedded AWS with Decant deployed on it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import Failure
from cli.partner_names import PARAMETERS
from cli.project import root, running_stage, spark_python
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Callable

STAGE = "local"

STOP_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class LocalStage:
    """A running stage.

    Attributes:
        directory: where its state lives.
        process: the embedded AWS.
        endpoint_url: where every AWS service answers.
        warehouse_port: where Redshift's protocol is spoken.
        environment: variables that lead an unmodified AWS client there.
        api_url: where the REST API answers.
        api_token: a bearer token of the role approver; it is new at each start.
    """

    directory: Path
    process: subprocess.Popen[bytes]
    endpoint_url: str
    warehouse_port: int
    environment: dict[str, str]
    api_url: str
    api_token: str

    def stop(self) -> None:
        """End the embedded AWS and everything that it started."""
        (self.directory / "stage.json").unlink(missing_ok=True)
        end(self.process)


def start(
    directory: Path,
    *,
    port: int = 0,
    warehouse_port: int = 0,
    time_scale: float = 1.0,
    enforce_iam: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> LocalStage:
    """Start the embedded AWS, make the stack, deploy the app with Chalice, and return the stage.

    Args:
        directory: where state lives; what an earlier start left there is gone on with.
        port: the loopback port of every AWS service; 0 picks a free one.
        warehouse_port: the loopback port of Redshift's protocol; 0 picks a free one.
        time_scale: how many times faster waits between retries and checks pass.
        enforce_iam: refuse what the stage's roles are not allowed.
        tell: is told what happens next, for a progress line.

    Raises:
        Failure: something did not start; the message names the log to read.
    """
    if running_stage() and directory == _directory_of_running():
        raise Failure(
            f"a stage runs here already ({directory}): stop it first, or set DECANT_HOME for another"
        )
    _check_pipelines()
    directory.mkdir(parents=True, exist_ok=True)
    tell("starting the embedded AWS")
    process, ready = _start_aws(directory, port, warehouse_port, time_scale, enforce_iam=enforce_iam)
    try:
        tell("making buckets, topics, roles, state machines and Glue jobs")
        token = secrets.token_urlsafe(24)
        outputs = _provision(ready, token)
        tell("deploying the app with Chalice")
        api_url = _deploy(directory, ready["environment"])
        _set_after_deploy(ready, outputs, api_url)
    except BaseException:
        end(process)
        raise
    stage = LocalStage(
        directory=directory,
        process=process,
        endpoint_url=ready["endpoint_url"],
        warehouse_port=ready["warehouse_port"],
        environment=ready["environment"],
        api_url=api_url,
        api_token=token,
    )
    _write_down(stage)
    return stage


def _check_pipelines() -> None:
    """Refuse a pipeline that is filled in wrongly now, not when its first file lands."""
    from chalicelib import pipelines  # noqa: PLC0415 - read the modules as they are at this start
    from chalicelib.errors import InvalidPipeline  # noqa: PLC0415

    try:
        pipelines.every()
    except InvalidPipeline as error:
        raise Failure(str(error)) from error


def end(process: subprocess.Popen[bytes]) -> None:
    """End the embedded AWS: it saves what it has and ends its children; after a while it is killed."""
    with process:  # closes both pipes
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _start_aws(
    directory: Path, port: int, warehouse_port: int, time_scale: float, *, enforce_iam: bool
) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "local_aws",
        "--directory",
        str(directory / "aws"),
        "--project",
        str(root()),
    ]
    command += ["--port", str(port), "--warehouse-port", str(warehouse_port), "--time-scale", str(time_scale)]
    if enforce_iam:
        command += ["--enforce-iam"]
    if spark := spark_python():
        command += ["--spark-python", str(spark)]
    log = directory / "local_aws.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(  # nosec B603  # noqa: S603 - our own module, our own arguments
            [*command, "--while-stdin-open"],
            cwd=root(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise Failure(f"the embedded AWS did not start: {_last_line(log)} (whole log: {log})")
    ready: dict[str, Any] = json.loads(line)
    return process, ready


def _provision(ready: dict[str, Any], token: str) -> dict[str, str]:
    """Make the stack as on AWS; tell its secrets where the warehouse is and who may call the API."""
    from infrastructure.provision import ProvisioningFailedError, provision  # noqa: PLC0415 - imports boto3

    digest = hashlib.sha256(token.encode()).hexdigest()
    try:
        return provision(
            STAGE,
            root=root(),
            client=functools.partial(client, ready["environment"]),
            parameters=PARAMETERS,
            warehouse={"engine": "redshift", **ready["warehouse"]},
            api_tokens=[{"name": "local", "role": "approver", "sha256": digest}],
        )
    except ProvisioningFailedError as error:
        raise Failure(str(error)) from error


def _set_after_deploy(ready: dict[str, Any], outputs: dict[str, str], api_url: str) -> None:
    from infrastructure.post_deploy import (  # noqa: PLC0415 - imports boto3
        allow_uploads,
        keep_dead_letters,
        limit_requests,
        tell_address,
    )

    reach = functools.partial(client, ready["environment"])
    keep_dead_letters(STAGE, outputs["DeadLettersArn"], client=reach)
    limit_requests(api_url.split("/")[-2], client=reach)
    allow_uploads(outputs["LandingBucket"], api_url, client=reach)
    tell_address(outputs["ArtifactsBucket"], api_url, client=reach)


def _deploy(directory: Path, environment: dict[str, str]) -> str:
    """Run `chalice deploy` in a folder that mirrors the project, and return where the REST API answers.

    The mirror keeps Chalice's record of what it deployed apart for each state directory.
    """
    from infrastructure.deployment.chalice_command import chalice  # noqa: PLC0415 - imports boto3
    from infrastructure.deployment.failures import DeploymentFailedError  # noqa: PLC0415 - as above
    from infrastructure.deployment.state import deployed_api  # noqa: PLC0415 - as above
    from infrastructure.deployment.target import Target  # noqa: PLC0415 - as above

    mirror = directory / "deploy"
    (mirror / ".chalice").mkdir(parents=True, exist_ok=True)
    for name in ("app.py", "chalicelib", "requirements.txt", ".chalice/config.json"):
        link = mirror / name
        link.unlink(missing_ok=True)
        link.symlink_to(root() / name)
    target = Target(
        stage=STAGE,
        root=mirror,
        client=functools.partial(client, environment),
        environment={**environment, **packaging_environment()},
    )
    try:
        chalice(
            "deploy",
            STAGE,
            project=mirror,
            environment=target.environment,
            log=directory / "deploy.log",
        )
        return target.api_url(deployed_api(target))
    except DeploymentFailedError as error:
        raise Failure(str(error)) from error


def packaging_environment() -> dict[str, str]:
    """Return the variables that let Chalice package from the wheels that `make setup` fetched, offline."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(Path(sys.prefix) / "wheels"), "PIP_NO_CACHE_DIR": "1"}


def _write_down(stage: LocalStage) -> None:
    path = stage.directory / "stage.json"
    document = {
        "pid": stage.process.pid,
        "endpoint_url": stage.endpoint_url,
        "warehouse_port": stage.warehouse_port,
        "environment": stage.environment,
        "api_url": stage.api_url,
        "api_token": stage.api_token,
    }
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds a token
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)


def _directory_of_running() -> Path:
    from cli.project import state_directory  # noqa: PLC0415 - read again: DECANT_HOME may differ by now

    return state_directory()


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
