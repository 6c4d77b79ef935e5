"""The real command line against a whole stage."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import DECANT, ROOT, own, wait_for
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Stage


def test_a_dropped_file_is_watched_and_queried(stage: Stage, tmp_path: Path) -> None:
    first = random.randrange(10**9, 2 * 10**9)
    file = tmp_path / f"{own('mine')}.csv"
    file.write_text(orders(first))
    dropped = stage.decant_json("drop", str(file), "--pipeline", "orders")
    (run,) = wait_for(lambda: stage.runs_of(dropped["key"]), "the run of the dropped file")
    assert stage.decant_json("runs", "watch", run["name"])["outcome"] == "succeeded"
    found = stage.decant_json(
        "sql", f"select count(*) as n from orders where order_id between {first} and {first + 2}"
    )
    assert found == [{"n": 3}]
    shown = stage.decant("runs", "show", run["name"])
    assert "CopyToRedshift" in shown
    assert run["name"] in stage.decant("runs", "list", "--pipeline", "orders", "--limit", "100")


def test_a_dirty_file_is_rejected_with_its_rows_and_a_notice(stage: Stage) -> None:
    key = f"incoming/orders/{own('dirty')}.csv"
    stage.put(key, orders(random.randrange(10**9, 2 * 10**9), gift="maybe"))
    (run,) = stage.ended(key)
    assert (run["outcome"], run["error"]) == ("rejected", "FileRejected")
    found = stage.client("s3").list_objects_v2(
        Bucket="decant-local-quarantine-123456789012", Prefix=f"orders/{run['name']}/"
    )
    assert {each["Key"].rpartition("/")[2] for each in found["Contents"]} == {
        "report.json",
        key.rpartition("/")[2],
    }
    notice = stage.notice(run)
    assert "gift" in notice["body"]
    assert "maybe" in notice["body"]
    assert notice["subject"].startswith("[orders] rejected")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("runs", "show", "orders-000000000000000000000000"), 1, "no such run"),
        (("runs", "list", "--pipeline", "nope"), 1, "nope"),
        (("runs", "list", "--since", "yesterday"), 1, "since"),
        (("drop", "/no/such/file", "--pipeline", "orders"), 2, "/no/such/file"),
        (("drop", "README.md", "--pipeline", "nope"), 1, "nope"),
        (("sql", "select * from nothing_here"), 1, "nothing_here"),
        (("workflows", "draw", "nope"), 1, "load_file"),
        (("workflows", "draw", "load_fil"), 1, "did you mean load_file?"),
        (("pipelines", "show", "order"), 1, "did you mean orders?"),
        (("pipeline", "list"), 2, "Did you mean 'pipelines'?"),
        (("runs", "show", "a/b"), 1, "is the name right?"),
        (("runs", "list", "--limit", "0"), 2, "--limit"),
        (("up", "--port", "99999"), 2, "--port"),
    ],
)
def test_bad_input_names_itself_and_shows_no_trace(
    stage: Stage, arguments: tuple[str, ...], code: int, words: str
) -> None:
    said = stage.decant(*arguments, code=code)
    assert words in said
    assert "Traceback" not in said


def test_a_reader_that_has_seen_enough_is_no_failure_to_explain(stage: Stage) -> None:
    pipe = f"{DECANT} workflows cost load_file | head -1"
    done = subprocess.run(["sh", "-c", pipe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("load_file: ")
    assert done.stderr == ""


def test_without_a_stage_a_command_says_how_to_start_one(stage: Stage, tmp_path: Path) -> None:
    from tests.acceptance.conftest import Stage as Elsewhere  # noqa: PLC0415 - a type only, elsewhere

    said = Elsewhere(tmp_path, stage.running).decant("runs", "list", code=3)
    assert "decant up" in said


def test_pipelines_are_listed_and_shown(stage: Stage) -> None:
    names = {each["name"] for each in stage.decant_json("pipelines", "list")}
    assert {"orders", "events", "people_csv", "people_json"} <= names
    assert "order_id" in stage.decant("pipelines", "show", "orders")


def test_the_workflows_have_nothing_to_mend_and_can_be_drawn(stage: Stage) -> None:
    assert stage.decant_json("workflows", "lint") == []
    assert stage.decant("workflows", "draw", "load_file").startswith("<svg ")
    assert stage.decant("workflows", "draw", "load_file", "--format", "mermaid").startswith("flowchart TD")


def test_a_workflow_with_a_fault_is_named_with_its_state_and_the_remedy(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "bad.asl.json"
    path.write_text(
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::x", "Next": "B"}}}'
    )
    said = stage.decant("workflows", "lint", str(path), code=1)
    assert "A" in said
    assert "Retry" in said


def test_the_doctor_finds_everything_that_is_needed(stage: Stage) -> None:
    findings = stage.decant_json("doctor")
    assert all(finding["ok"] for finding in findings if finding["needed"])
