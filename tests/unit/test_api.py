"""The REST API through Chalice's own test client."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from chalice.test import Client
from openapi_spec_validator import validate

import app as entry
from chalicelib import api, auth, openapi, rest, runs, sent_notices, sources, statistics, workflow_reports
from chalicelib.rest import registration
from tests.factories import a_file, an_execution
from tests.fakes import FakeS3, FakeStepFunctions
from tests.unit.test_states import events

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = {"/health", "/openapi.json", "/console", "/console/{asset}"}
TOKENS = {"viewer": "v-token", "operator": "o-token", "approver": "a-token"}
KNOWN = [
    {"name": role, "role": role, "sha256": __import__("hashlib").sha256(token.encode()).hexdigest()}
    for role, token in TOKENS.items()
]


def resources_with(client: str) -> list[ModuleType]:
    """Return the modules of `rest` that make this client."""
    return [
        module for module in vars(rest).values() if isinstance(module, ModuleType) and hasattr(module, client)
    ]


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch, s3: FakeS3) -> FakeStepFunctions:
    fake = FakeStepFunctions()
    for module in resources_with("StepFunctions"):
        monkeypatch.setattr(module, "StepFunctions", lambda: fake)
    return fake


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    monkeypatch.setattr(sources, "storage", lambda *_: fake)
    for module in resources_with("S3"):
        monkeypatch.setattr(module, "S3", lambda: fake)
    monkeypatch.setattr(workflow_reports, "_kept", {})
    statistics.forget()
    return fake


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    class Known:
        def read(self, _secret: str) -> dict[str, Any]:
            return {"tokens": KNOWN}

    monkeypatch.setattr(registration, "_secrets", Known())
    with Client(entry.app, stage_name="unit") as client:
        yield client.http


def ask(
    http: Any, method: str, path: str, body: Any = None, role: str = "approver", **headers: str
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {TOKENS[role]}", "Content-Type": "application/json", **headers}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    answer = http.request(method, path, headers=headers, body=raw)
    return answer.status_code, answer.json_body


def test_every_route_needs_a_token_unless_it_is_listed_as_open() -> None:
    guarded = {
        path for path, methods in entry.app.routes.items() for entry_ in methods.values() if entry_.authorizer
    }
    assert set(entry.app.routes) - guarded == OPEN


def test_the_document_is_valid_openapi_and_describes_exactly_the_routes() -> None:
    document = openapi.document(api.ENDPOINTS)
    validate(document)
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert described == {(path, method) for path, methods in entry.app.routes.items() for method in methods}


@pytest.mark.parametrize("role", TOKENS)
def test_every_role_may_look(http: Any, states: FakeStepFunctions, role: str) -> None:
    assert ask(http, "GET", "/pipelines", role=role)[0] == 200


def test_a_viewer_may_not_start_a_run(http: Any, states: FakeStepFunctions, s3: FakeS3) -> None:
    assert ask(http, "POST", "/pipelines/orders/runs", {"key": "k"}, role="viewer")[0] == 403


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("viewer", []),
        ("operator", ["start", "upload", "stop", "redrive", "requeue"]),
        ("approver", ["start", "upload", "stop", "redrive", "requeue", "approve", "refuse"]),
    ],
)
def test_a_caller_is_told_its_role_and_what_that_may(http: Any, role: str, may: list[str]) -> None:
    assert ask(http, "GET", "/me", role=role) == (
        200,
        {"name": role, "role": role, "may": may, "stage": "test"},
    )


def test_every_action_is_a_route_that_only_the_roles_told_so_may_call(http: Any, s3: FakeS3) -> None:
    for role in TOKENS:
        for action, path in auth.ACTIONS.items():
            refused = ask(http, "POST", path, {}, role=role)[0] == 403
            assert refused == (action not in auth.may(role)), (role, action)


def test_no_token_is_401(http: Any) -> None:
    assert http.get("/runs").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic o-token", "o-token"])
def test_an_unknown_token_is_refused(header: str) -> None:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        auth.respond(header, KNOWN)


def test_a_token_of_an_unknown_role_is_refused() -> None:
    assert auth.holder("v-token", [{**KNOWN[0], "role": "king"}]) is None


def test_starting_a_file_twice_answers_201_then_200(http: Any, states: FakeStepFunctions, s3: FakeS3) -> None:
    s3.put("landing", "incoming/orders/a b.csv", b"x")
    first = ask(http, "POST", "/pipelines/orders/runs", {"key": "incoming/orders/a b.csv"})
    second = ask(http, "POST", "/pipelines/orders/runs", {"key": "incoming/orders/a b.csv"})
    assert (first[0], second[0]) == (201, 200), first
    assert first[1]["run"] == second[1]["run"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/pipelines/nope/runs", {"key": "k"}, 404, "nope"),
        ("/pipelines/orders/runs", {"key": "missing.csv"}, 404, "missing.csv"),
        ("/pipelines/orders/runs", {}, 400, "key"),
        ("/pipelines/orders/runs", {"key": 5}, 400, "$.key"),
        ("/pipelines/orders/runs", {"key": "k", "bucket": "other"}, 400, "bucket"),
        ("/pipelines/orders/runs", b"{", 400, "body"),
        ("/pipelines/orders/runs", b"[" * 50_000, 400, "body"),
        ("/pipelines/orders/runs", b"null", 400, "body"),
        ("/pipelines/orders/runs", b'{"key": NaN}', 400, "body"),
        ("/pipelines/orders/runs", b'{"key": "a", "key": "b"}', 400, "twice"),
        ("/pipelines/orders/runs", b'{"key": "\\ud800"}', 400, "body"),
        ("/pipelines/orders/runs", b'{"key": "\xff"}', 400, "body"),
        ("/pipelines/orders/runs", b'{"key": ' + b"9" * 5000 + b"}", 400, "body"),
        ("/pipelines/orders/runs", b'{"key": ' + b'{"a":' * 10_000, 400, "body"),
        ("/runs/orders-000000000000000000000000/stop", {"reason": "a\x1b[2J"}, 400, "reason"),
        ("/runs/orders-000000000000000000000000/stop", {"reason": "gnp\u202e"}, 400, "reason"),
        ("/pipelines/orders/runs", b" " * 70_000, 413, "65,536"),
        ("/runs/orders-000000000000000000000000/stop", {}, 404, "no such run"),
        ("/runs/orders/redrive", None, 404, "no such run"),
    ],
)
def test_a_bad_request_names_what_is_wrong(
    http: Any, states: FakeStepFunctions, s3: FakeS3, path: str, body: Any, status: int, words: str
) -> None:
    found, answer = ask(http, "POST", path, body)
    assert found == status
    assert words in answer["message"]
    assert answer["code"]


def test_a_body_that_is_no_json_is_415(http: Any, s3: FakeS3, states: FakeStepFunctions) -> None:
    status, answer = ask(http, "POST", "/pipelines/orders/runs", {"key": "k"}, **{"Content-Type": "text/csv"})
    assert (status, answer["code"]) == (415, "UnsupportedBody")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=1e3",
        "outcome=fine",
        "since=now",
        "next=%00",
        "next=" + "x" * 10_000,
        "next=eyJsb2FkX2ZpbGUiOiBbNSwgW11dfQ==",  # {"load_file": [5, []]}
        "sort=up",
    ],
)
def test_a_bad_query_is_400(http: Any, states: FakeStepFunctions, query: str) -> None:
    assert ask(http, "GET", f"/runs?{query}")[0] == 400


def test_stopping_a_run_that_has_ended_is_409(http: Any, states: FakeStepFunctions) -> None:
    name = "orders-" + "0" * 24
    states.add(an_execution(name))
    status, answer = ask(http, "POST", f"/runs/{name}/stop", {})
    assert (status, answer["code"]) == (409, "RunConflict")


def test_a_run_is_listed_and_shown(http: Any, states: FakeStepFunctions) -> None:
    name = runs.start_for_file(states, a_file()).run
    assert ask(http, "GET", "/runs?pipeline=orders&limit=1")[1]["runs"][0]["name"] == name
    status, shown = ask(http, "GET", f"/runs/{name}")
    assert (status, shown["outcome"], shown["steps"]) == (200, "running", [])


def test_a_fault_of_ours_says_nothing_of_its_inside(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("password is hunter2")

    monkeypatch.setattr(rest.runs, "StepFunctions", broken)
    status, answer = ask(http, "GET", "/runs")
    assert (status, answer["code"]) == (500, "InternalError")
    assert "hunter2" not in json.dumps(answer)


def test_the_history_hides_task_tokens(http: Any, states: FakeStepFunctions) -> None:
    name = runs.start_for_file(states, a_file()).run
    details = {"taskToken": "secret", "resource": "r"}
    event = {
        "id": 1,
        "previousEventId": 0,
        "type": "TaskScheduled",
        "timestamp": states.executions[0]["startDate"],
    }
    states.executions[0]["history"] = [{**event, "taskScheduledEventDetails": details}]
    status, answer = ask(http, "GET", f"/runs/{name}/events")
    assert status == 200
    assert answer["events"][0]["details"] == {"resource": "r"}


def test_the_states_of_a_run_that_waits_are_shown_without_its_token(
    http: Any, states: FakeStepFunctions
) -> None:
    name = runs.start_for_file(states, a_file()).run
    history = events("load_file-refused")
    submitted = next(number for number, event in enumerate(history) if event["type"] == "TaskSubmitted")
    states.executions[0]["history"] = history[: submitted + 1]
    (token,) = {
        json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"]["task_token"]
        for event in history
        if event["type"] == "TaskScheduled"
        and "task_token" in event["taskScheduledEventDetails"]["parameters"]
    }
    status, answer = ask(http, "GET", f"/runs/{name}/states", role="viewer")
    assert (status, answer["outcome"], answer["ended"]) == (200, "running", None)
    assert [state["status"] for state in answer["states"][:3]] == ["done", "done", "waiting"]
    assert token not in json.dumps(answer)
    brief = ask(http, "GET", f"/runs/{name}/states?brief=true")[1]
    assert {state["input"] for state in brief["states"]} == {None}
    assert ask(http, "GET", f"/runs/{name}/states?brief=perhaps")[0] == 400
    assert ask(http, "GET", f"/runs/{name}/definition")[1]["workflow"] == "load_file"


def test_the_items_of_a_distributed_map_are_counted_and_its_runs_named(
    http: Any, states: FakeStepFunctions
) -> None:
    name = "load_batch-" + "1" * 24
    states.add(an_execution(name, history=events("load_batch-part_failed")))
    answer = ask(http, "GET", f"/runs/{name}/states")[1]
    (each,) = [state for state in answer["states"] if state["name"] == "LoadEach"]
    assert each["iterations"] == {"total": 3, "running": 1, "done": 1, "failed": 1}
    assert each["children"][0]["outcome"] == "running"


COST = {
    "ways": [
        {
            "states": ["A"],
            "results": ["validate_file", "transform_file"],
            "fails": False,
            "usd": 0.001,
            "usd_per_gb": 1.0,
        },
        {
            "states": ["B", "C"],
            "results": ["validate_file", "start_glue_job"],
            "fails": False,
            "usd": 0.1,
            "usd_per_gb": 1.0,
        },
        {
            "states": ["A", "FileRejected"],
            "results": [],
            "fails": True,
            "error": "FileRejected",
            "usd": 0.0005,
            "usd_per_gb": 0.0,
        },
        {
            "states": ["B", "RunFailed"],
            "results": ["start_glue_job"],
            "fails": True,
            "error": "GlueJobFailed",
            "usd": 0.07,
            "usd_per_gb": 0.0,
        },
    ]
}


def test_workflows_are_listed_and_shown_with_what_lint_and_the_price_list_said(
    http: Any, states: FakeStepFunctions, s3: FakeS3
) -> None:
    listed = ask(http, "GET", "/workflows")[1]["workflows"]
    row = next(row for row in listed if row["name"] == "load_file")
    assert (row["findings"], "orders" in row["pipelines"], row["states"] > 20) == (None, True, True)
    monkey = {"load_file": {"findings": [{"state": "A", "rule": "r", "remedy": "m"}], "cost": COST}}
    s3.put_json("artifacts", workflow_reports.KEY, {"workflows": monkey})
    workflow_reports._kept.clear()
    status, shown = ask(http, "GET", "/workflows/load_file", role="viewer")
    assert (status, shown["definition"]["StartAt"]) == (200, "ValidateFile")
    assert (shown["findings"][0]["rule"], shown["cost"]) == ("r", COST)
    assert ask(http, "GET", "/workflows/nope")[0] == 404


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({"output": json.dumps({"validate_file": {}, "transform_file": {}})}, 0.501),
        ({"output": json.dumps({"validate_file": {}, "start_glue_job": {}})}, 0.6),
        ({"status": "FAILED", "error": "FileRejected"}, 0.0005),
        ({"status": "FAILED", "error": "GlueJobFailed"}, 0.07),
        ({"status": "FAILED", "error": "LoadFailed"}, None),
        ({"status": "RUNNING"}, None),
    ],
)
def test_a_run_has_a_price_when_its_way_is_known(
    http: Any, states: FakeStepFunctions, s3: FakeS3, changes: dict[str, Any], cost: float | None
) -> None:
    s3.put_json("artifacts", workflow_reports.KEY, {"workflows": {"load_file": {"cost": COST}}})
    given = json.dumps({"file": {"key": "k", "size": 500_000_000}})
    name = runs.start_for_file(FakeStepFunctions(), a_file()).run
    states.add({**an_execution(name, changes.get("status", "SUCCEEDED")), "input": given, **changes})
    assert ask(http, "GET", "/runs")[1]["runs"][0]["cost"] == cost
    assert ask(http, "GET", f"/runs/{name}")[1]["cost"] == cost


def test_how_runs_ended_is_told_by_pipeline_and_hour(http: Any, states: FakeStepFunctions) -> None:
    now = datetime.now(UTC)
    for number, changes in enumerate(
        [
            {"status": "SUCCEEDED", "output": json.dumps({"catalogue": {"rows": 7}})},
            {"status": "FAILED", "error": "FileRejected"},
            {"status": "FAILED", "error": "LoadFailed"},
            {"status": "RUNNING", "stopDate": None},
        ]
    ):
        times = {"startDate": now, "stopDate": now + timedelta(seconds=2)}
        states.add({**an_execution(f"orders-{number:024x}"), **times, **changes})
    status, shown = ask(http, "GET", "/pipelines/orders/statistics?hours=3", role="viewer")
    assert (status, len(shown["hours"]), shown["truncated"]) == (200, 3, False)
    hour = shown["hours"][-1]
    found = {name: hour[name] for name in ("succeeded", "rejected", "failed", "running", "rows")}
    assert found == {"succeeded": 1, "rejected": 1, "failed": 1, "running": 1, "rows": 7}
    assert hour["seconds_median"] == 2.0
    every = {row["pipeline"]: row for row in ask(http, "GET", "/statistics")[1]["pipelines"]}
    assert every["orders"]["hours"][-1]["rejected"] == 1
    assert every["orders"]["last"]["outcome"] in {"succeeded", "rejected", "failed", "running"}
    assert every["events"]["hours"] == []
    assert ask(http, "GET", "/statistics?hours=169")[0] == 400
    assert ask(http, "GET", "/pipelines/nope/statistics")[0] == 404


def test_a_file_is_followed_from_its_key_to_its_table(
    http: Any, states: FakeStepFunctions, s3: FakeS3
) -> None:
    key = "incoming/orders/<script>a & b.csv"
    file = s3.put("landing", key, b"x")
    s3.put("landing", "incoming/orders/new.csv", b"y")
    run = runs.start_for_file(states, file).run
    copied = {"validate_file": {"rows": 3, "bad_rows": 1}, "copy_to_redshift": {"rows": 2}}
    ended = {"status": "SUCCEEDED", "stopDate": datetime.now(UTC), "output": json.dumps(copied)}
    states.executions[0].update(ended)
    began = json.loads(states.executions[0]["input"])["started"]
    s3.put("curated", f"orders/dt={began[:10]}/run={run}/part-0.parquet", b"PAR1")
    status, listed = ask(http, "GET", "/files?pipeline=orders&limit=1")
    assert (status, listed["files"][0]["key"], listed["truncated"]) == (200, "incoming/orders/new.csv", False)
    assert (listed["files"][0]["run"], listed["files"][0]["outcome"]) == (None, None)
    rest_of = ask(http, "GET", f"/files?pipeline=orders&limit=1&next={quote(listed['next'])}")[1]
    assert (rest_of["files"][0]["key"], rest_of["files"][0]["outcome"]) == (key, "succeeded")
    assert rest_of["next"] is None
    status, shown = ask(http, "GET", f"/files/lineage?pipeline=orders&key={quote(key)}")
    assert (status, shown["file"]["run"], shown["file"]["size"]) == (200, run, 1)
    (only,) = shown["runs"]
    assert (only["loaded"], only["table"], only["quarantine"]) == (2, "public.orders", None)
    assert only["parquet"][0]["key"].endswith("part-0.parquet")


def test_a_rejected_file_is_listed_under_the_key_where_it_landed(
    http: Any, states: FakeStepFunctions, s3: FakeS3
) -> None:
    key = "incoming/orders/dirty.csv"
    run = runs.start_for_file(states, replace(a_file(), key=key)).run
    states.executions[0].update({"status": "FAILED", "stopDate": datetime.now(UTC), "error": "FileRejected"})
    for name in (run, f"{run}-2"):
        s3.put("quarantine", f"orders/{name}/file/dirty.csv", b"id\nx\n")
        s3.put_json("quarantine", f"orders/{name}/report.json", {})
    (only,) = ask(http, "GET", "/files?pipeline=orders")[1]["files"]
    assert (only["key"], only["size"], only["landed"]) == (key, 5, None)
    assert (only["run"], only["outcome"], only["quarantined"][:2]) == (run, "rejected", "20")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/files?limit=0", 400),
        ("/files?next=x", 400),
        ("/files?pipeline=nope", 404),
        ("/files/lineage?pipeline=orders", 400),
        ("/files/lineage?key=k", 400),
        ("/files/lineage?pipeline=orders&key=missing", 404),
        ("/runs/nope/notices", 404),
    ],
)
def test_a_wrong_question_about_files_is_refused(
    http: Any, states: FakeStepFunctions, s3: FakeS3, path: str, status: int
) -> None:
    assert ask(http, "GET", path)[0] == status


def test_what_people_were_told_of_a_run_is_shown(http: Any, states: FakeStepFunctions, s3: FakeS3) -> None:
    run = "orders-" + "d" * 24
    kept = {"name": run, "pipeline": "orders", "outcome": "failed", "severity": "error", "subject": "s"}
    kept |= {"body": "b", "facts": {}, "sent": "2026-11-22T00:00:00.000Z", "folded": False, "message": "m"}
    s3.put_json("artifacts", f"{sent_notices.FOLDER}{run}/failed.json", kept)
    status, shown = ask(http, "GET", f"/runs/{run}/notices", role="viewer")
    assert (status, [notice["subject"] for notice in shown["notices"]]) == (200, ["s"])


def test_a_scheduled_pipeline_tells_its_next_tick(http: Any, states: FakeStepFunctions) -> None:
    shown = ask(http, "GET", "/pipelines/nightly_batch")[1]
    assert datetime.fromisoformat(shown["next_tick"]) > datetime.now(UTC)
    assert ask(http, "GET", "/pipelines/orders")[1]["next_tick"] is None


def test_quarantine_is_listed_shown_and_put_back(http: Any, states: FakeStepFunctions, s3: FakeS3) -> None:
    run = "orders-" + "a" * 24
    file = a_file().to_document()
    defect = {"line": 2, "row": 1, "column": "quantity", "rule": "type", "value": "x", "message": "is wrong"}
    report = {"file": file, "rows": 5, "bad_rows": 1, "reason": "1 of 5 rows are bad", "defects": [defect]}
    s3.put_json("quarantine", f"orders/{run}/report.json", report)
    s3.put("quarantine", f"orders/{run}/file/a.csv", b"x")
    states.add(
        an_execution(run, "FAILED", error="FileRejected", input=json.dumps({"file": file, "started": "t"}))
    )
    (listed,) = ask(http, "GET", "/quarantine?pipeline=orders&limit=5", role="viewer")[1]["quarantine"]
    assert (listed["run"], listed["kind"], listed["reason"]) == (run, "file", "1 of 5 rows are bad")
    status, shown = ask(http, "GET", f"/quarantine/{run}", role="viewer")
    assert (status, shown["offending"][0]["message"]) == (200, "is wrong")
    assert ask(http, "POST", f"/quarantine/{run}/requeue", {}, role="viewer")[0] == 403
    status, started = ask(http, "POST", f"/quarantine/{run}/requeue", {}, role="operator")
    assert (status, started) == (201, {"run": f"{run}-2", "new": True})
    assert ask(http, "GET", "/quarantine")[1] == {"quarantine": [], "next": None}
    (listed,) = ask(http, "GET", "/quarantine?all=true")[1]["quarantine"]
    assert listed["requeued"] == [f"{run}-2"]
    assert ask(http, "POST", f"/quarantine/{run}/requeue", {})[0] == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/quarantine?all=perhaps", None, 400),
        ("GET", "/quarantine?limit=101", None, 400),
        ("GET", "/quarantine?pipeline=nope", None, 404),
        ("GET", "/quarantine/orders-000000000000000000000000", None, 404),
        ("POST", "/quarantine/orders-000000000000000000000000/requeue", {}, 404),
        ("POST", "/quarantine/orders-000000000000000000000000/requeue", {"file": "x"}, 400),
    ],
)
def test_a_wrong_request_to_quarantine_is_refused(
    http: Any, states: FakeStepFunctions, s3: FakeS3, method: str, path: str, body: Any, status: int
) -> None:
    answer = ask(http, method, path, body)
    assert answer[0] == status
    assert answer[1]["message"]
