"""A stage with the real template and a small app: three functions and one workflow that does nothing."""

from __future__ import annotations

import functools
import json
import shutil
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infrastructure.provision import clients_in
from infrastructure.render import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FUNCTIONS = ("api_handler", "authorize", "file_landed")

APP = """
import os

import boto3
from chalice import AuthResponse, Chalice

app = Chalice(app_name="decant")


@app.authorizer()
def authorize(request):
    raise Exception("Unauthorized")


@app.route("/health")
def health():
    return {}


@app.route("/pipelines", authorizer=authorize)
def pipelines():
    return []


@app.on_s3_event(bucket=os.environ.get("DECANT_LANDING_BUCKET", "landing"), prefix="incoming/")
def file_landed(event):
    import json
    found = event.to_dict()["Records"][0]["s3"]["object"]
    file = {"key": found["key"], "version": found["versionId"]}
    machine = os.environ["DECANT_STATE_MACHINES"] + "load_file"
    boto3.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps({"file": file}))
"""

WORKFLOW = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Pass", "End": True}}}


def write_tree(tree: Path) -> Path:
    """Write the source tree and return it."""
    for name in ("infrastructure/parts", "glue_scripts"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("infrastructure/template.yaml", "infrastructure/workflows/load_file.yaml"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "workflows").mkdir()
    (tree / "workflows" / "load_file.asl.json").write_text(json.dumps(WORKFLOW))
    (tree / "chalicelib").mkdir()
    (tree / "chalicelib" / "__init__.py").write_text("")
    (tree / "requirements.txt").write_text("")
    (tree / "app.py").write_text(APP)
    return tree


class Breakable:
    """boto3 clients of which the next call of one operation can be made to fail."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._client = functools.cache(self._make)
        self._clients = clients_in(environment)
        self._operation = ""
        self._when: Callable[[dict[str, Any]], bool] = lambda _: True

    def __call__(self, service: str) -> Any:
        return self._client(service)

    def fail(self, operation: str, when: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
        """Have the next call of an operation, with parameters of a kind, fail as AWS fails."""
        self._operation, self._when = operation, when

    @property
    def has_failed(self) -> bool:
        return not self._operation

    def _make(self, service: str) -> Any:
        client = self._clients(service)
        client.meta.events.register("before-parameter-build", self._look)
        return client

    def _look(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == self._operation and self._when(params):
            self._operation = ""
            error = {"Error": {"Code": "InternalFailure", "Message": "AWS had a bad moment"}}
            raise ClientError(error, model.name)
