"""The deployed REST API, through API Gateway and its authorizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from openapi_spec_validator import validate

from tests.acceptance.conftest import own
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage


def ask(stage: Stage, method: str, path: str, token: str | None, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, stage.running.api_url + path, headers=headers, json=body, timeout=30)


def test_the_open_paths_need_no_token_and_the_document_is_served(stage: Stage) -> None:
    assert ask(stage, "GET", "/health", None).json() == {"status": "ok", "stage": "local"}
    validate(ask(stage, "GET", "/openapi.json", None).json())


def test_no_token_and_a_wrong_token_are_401(stage: Stage) -> None:
    assert ask(stage, "GET", "/runs", None).status_code == 401
    assert ask(stage, "GET", "/runs", "wrong").status_code == 401


def test_only_digests_of_tokens_are_stored(stage: Stage) -> None:
    manager = stage.client("secretsmanager")
    stored = manager.get_secret_value(SecretId="decant-local-api-tokens")["SecretString"]
    assert stage.running.api_token not in stored


def test_a_run_is_started_for_a_file_and_shown_with_its_steps(stage: Stage) -> None:
    key = f"elsewhere/{own('adhoc')}.csv"
    stage.put(key, orders(3_000_000_001))
    token = stage.running.api_token
    started = ask(stage, "POST", "/pipelines/orders/runs", token, {"key": key})
    assert (started.status_code, started.json()["new"]) == (201, True)
    again = ask(stage, "POST", "/pipelines/orders/runs", token, {"key": key})
    assert (again.status_code, again.json()) == (200, {"run": started.json()["run"], "new": False})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/runs/orders-000000000000000000000000", None, 404),
        ("GET", "/pipelines/nope", None, 404),
        ("GET", "/runs?limit=1000", None, 400),
        ("POST", "/pipelines/orders/runs", {"key": 1}, 400),
        ("POST", "/runs/orders-000000000000000000000000/stop", {}, 404),
        ("DELETE", "/runs", None, 403),
    ],
)
def test_a_wrong_request_has_its_status_and_a_message(
    stage: Stage, method: str, path: str, body: Any, status: int
) -> None:
    answer = ask(stage, method, path, stage.running.api_token, body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert "Traceback" not in answer.text


def test_a_viewer_may_look_but_not_start(stage: Stage) -> None:
    viewer = stage.tokens["viewer"]
    assert ask(stage, "GET", "/pipelines", viewer).status_code == 200
    assert ask(stage, "POST", "/pipelines/orders/runs", viewer, {"key": "k"}).status_code == 403
