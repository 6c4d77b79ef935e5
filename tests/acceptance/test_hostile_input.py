"""What means something to SQL, a shell, a path, HTML or a terminal is only a name or a value here."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.acceptance.conftest import own
from tests.acceptance.test_approvals import dropped
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import Stage

HOSTILE = [
    "'; DROP TABLE orders; --",
    '"; $(touch /tmp/owned); `id` | sh #',
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}%s%n$.store[*]",
    "a\nb\r\nSubject: forged",
    "\x1b[2J\x1b]0;owned\x07",
    "gnp\u202e.exe \u2066hidden\u2069",
    "100% + 50%41 & a=b c",
    "\U0001f4a5 äöü 文件",
    "x" * 2000,
    "é" * 600,  # few enough characters for a key, too many bytes
]

IN_A_KEY = [text for text in HOSTILE if len(text) < 100] + ["k" * 900]


@pytest.fixture(scope="module")
def served(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{stage.running.api_url}/openapi.json", timeout=30).json()
    return document


def test_a_file_of_any_name_is_loaded_once_and_told_of_in_one_line(stage: Stage) -> None:
    first, mine = random.randrange(10**8) * 1000, own("hostile")
    keys = [f"incoming/orders/{mine}/{name}.csv" for name in IN_A_KEY]
    for number, key in enumerate(keys):
        stage.put(key, orders(first + 10 * number, 2))
    sent = []
    for key in keys:
        (run,) = stage.ended(key)
        assert (run["outcome"], run["cause"]) == ("succeeded", None), key
        sent.append(stage.notice(run))
    last = first + 10 * len(keys)
    assert stage.sql(f"SELECT count(*) FROM orders WHERE order_id >= {first} AND order_id < {last}") == [
        [2 * len(keys)]
    ]
    for notice in sent:
        assert len(notice["subject"]) < 100
        assert notice["subject"].isprintable()
        assert notice["subject"].isascii()
        assert mine in notice["body"]
        assert not {"\x1b", "\r", "\u202e"} & set(notice["body"])
        assert "\nSubject:" not in notice["body"]


def test_a_terminal_is_shown_no_control_characters(stage: Stage) -> None:
    key = f"incoming/orders/{own('terminal')}\x1b[2J\u202e.csv"
    stage.put(key, orders(random.randrange(10**9), 1))
    (run,) = stage.ended(key)
    shown = stage.decant("runs", "show", run["name"]) + stage.decant("runs", "list", "--limit", "100")
    assert not {"\x1b", "\u202e"} & set(shown)


def test_a_hostile_value_anywhere_in_a_request_is_no_fault_of_the_service(
    stage: Stage, served: dict[str, Any]
) -> None:
    run, asked = dropped(stage)[1], 0
    faults = []
    for method, path, query, body in requests_of(served, run):
        answer = requests.request(
            method,
            stage.running.api_url + path,
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {stage.running.api_token}"},
            timeout=30,
        )
        asked += 1
        if answer.status_code >= 500 or "Traceback" in answer.text:
            faults.append((method, path, query, body, answer.status_code, answer.text[:300]))
    assert faults == []
    assert asked > 200
    assert stage.api.get(f"/runs/{run}")["outcome"] == "running"  # nothing of that decided on it
    stage.decant("approvals", "refuse", run, "--reason", "it was only asked about")


def requests_of(served: dict[str, Any], run: str) -> Iterator[tuple[str, str, dict[str, str] | None, Any]]:
    """Yield requests with a hostile value in each path parameter, query parameter and field of a body."""
    schemas = served["components"]["schemas"]
    for path, methods in served["paths"].items():
        known = path.replace("{run}", run).replace("{pipeline}", "orders").replace("{asset}", "app.js")
        known = known.replace("{workflow}", "load_file")
        for method, operation in methods.items():
            verb = method.upper()
            for parameter in operation["parameters"]:
                name = parameter["name"]
                for value in HOSTILE:
                    if parameter["in"] == "path":
                        yield verb, path.replace(f"{{{name}}}", quote(value, safe="")), None, {}
                    else:
                        yield verb, known, {name: value}, None
            if "requestBody" in operation:
                ref = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                for field in schemas[ref.rpartition("/")[2]]["properties"]:
                    if path.endswith(("/approve", "/refuse", "/stop")):
                        yield verb, known.replace(run, "orders-" + "0" * 24), None, {field: HOSTILE[0]}
                    else:
                        for value in HOSTILE:
                            yield verb, known, None, {field: value}
                            yield verb, known, None, {field: {value: value}}


SECRETS = ("decant-local-api-tokens", "decant-local-warehouse")


def test_no_secret_and_no_token_is_told_anywhere(stage: Stage, served: dict[str, Any]) -> None:
    key, run = dropped(stage)
    s3, bucket = stage.client("s3"), "decant-local-artifacts-123456789012"
    kept = json.loads(s3.get_object(Bucket=bucket, Key=f"approvals/{run}.json")["Body"].read())
    hidden = {"the task's token": kept["task_token"], **secrets_of(stage)}
    hidden |= {f"the {role}'s token": token for role, token in stage.tokens.items()}
    said = dict(answers_about(stage, served, run))
    stage.decant("approvals", "approve", run, "--reason", "seen")
    (ended,) = stage.ended(key)
    assert ended["outcome"] == "succeeded"
    said |= {f"{where} afterwards": text for where, text in answers_about(stage, served, run)}
    said |= dict(logs_of(stage))
    said["notices"] = stage.decant("notices", "--json", "--limit", "500")
    said["the command line"] = stage.decant("runs", "show", run) + stage.decant("runs", "show", run, "--json")
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        if not found["Key"].startswith("approvals/"):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            said[found["Key"]] = body.decode(errors="replace")
    for log in ("local_aws.log", "deploy.log"):
        said[log] = (stage.home / log).read_text(encoding="utf-8", errors="replace")
    assert len(said) > 30
    assert all(hidden.values())
    leaks = {(what, where) for what, value in hidden.items() for where, text in said.items() if value in text}
    assert leaks == set()


def secrets_of(stage: Stage) -> dict[str, str]:
    """Return what the stage's secrets hold that nobody may see: a password and the digests of tokens."""
    manager = stage.client("secretsmanager")
    tokens, warehouse = (
        json.loads(manager.get_secret_value(SecretId=name)["SecretString"]) for name in SECRETS
    )
    return {"the warehouse's password": warehouse["password"]} | {
        f"the digest of {each['name']}": each["sha256"] for each in tokens["tokens"]
    }


def answers_about(stage: Stage, served: dict[str, Any], run: str) -> Iterator[tuple[str, str]]:
    """Yield every page of the API that can be read, about this run where it asks for one."""
    for path, methods in served["paths"].items():
        if "get" in methods and "{asset}" not in path:
            page = (
                path.replace("{run}", run).replace("{pipeline}", "refunds").replace("{workflow}", "load_file")
            )
            headers = {"Authorization": f"Bearer {stage.running.api_token}"}
            yield page, requests.get(stage.running.api_url + page, headers=headers, timeout=30).text


def logs_of(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield what each log group holds."""
    logs = stage.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            yield name, "\n".join(event["message"] for found in pages for event in found["events"])
