"""A batch on a whole stage: every file once, whoever loads it; what failed goes again alone."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from cli.sample_data.load_file import ORDER_COLUMNS, order_rows
from tests.acceptance.conftest import own, wait_for

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

ARTIFACTS = "decant-local-artifacts-123456789012"
ROWS = 3


class Backlog:
    """A folder of small order exports, with order ids that no other test has."""

    def __init__(self, stage: Stage, count: int, *, bad: int | None = None) -> None:
        self.stage = stage
        self.prefix = f"batch/{own('orders')}/"
        self.first = random.randrange(10**9, 2 * 10**9)
        self.keys = [self.put(number, bad=number == bad) for number in range(count)]

    def put(self, number: int, *, bad: bool = False, rows: int = ROWS) -> str:
        found = list(order_rows(self.first + 10 * number, rows))
        if bad:
            found[0][ORDER_COLUMNS.index("quantity")] = "three"
        text = io.StringIO()
        csv.writer(text).writerows([ORDER_COLUMNS, *found])
        key = f"{self.prefix}{number:03}.csv"
        self.stage.put(key, text.getvalue())
        return key

    def load(self, outcome: str, **parameters: str) -> dict[str, Any]:
        """Run a batch of the folder to its end and return its run."""
        asked = {"prefix": self.prefix, "pipeline": "orders", "most_files_together": "3", **parameters}
        started = self.stage.api.post("/pipelines/load_batch/runs", {"parameters": asked})
        return self.ended(started["run"], outcome)

    def ended(self, run: str, outcome: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self.stage.api.get(f"/runs/{run}")
            return found if found["outcome"] != "running" else None

        found: dict[str, Any] = wait_for(over, f"the end of {run}", 120)
        assert found["outcome"] == outcome, (found["error"], found["cause"])
        return found

    def summary(self, run: dict[str, Any]) -> dict[str, Any]:
        key = f"batches/{run['name']}/summary.json"
        body = self.stage.client("s3").get_object(Bucket=ARTIFACTS, Key=key)["Body"]
        return dict(json.loads(body.read()))

    def rows(self) -> int:
        where = f"order_id BETWEEN {self.first} AND {self.first + 99_999}"
        return int(self.stage.sql(f"SELECT count(*) FROM orders WHERE {where}")[0][0])

    def catalogued(self) -> int:
        where = f"order_id BETWEEN {self.first} AND {self.first + 99_999}"
        told = self.stage.decant_json("sql", "--athena", f"SELECT count(*) AS n FROM orders WHERE {where}")
        return int(told[0]["n"])

    def start_alone(self, key: str) -> dict[str, Any]:
        run = self.stage.api.post("/pipelines/orders/runs", {"key": key})["run"]
        return self.ended(run, "succeeded")


def test_every_file_is_loaded_once_alone_or_in_a_group(stage: Stage) -> None:
    backlog = Backlog(stage, 7, bad=4)
    backlog.start_alone(backlog.keys[0])
    first = backlog.load("succeeded")
    summary = backlog.summary(first)
    assert summary["headline"] == "5 of 6 files loaded, 1 rejected, 1 loaded before"
    assert (summary["rows"], summary["loads_of_several_files"]) == (5 * ROWS, 2)
    ends = {file["file"].rpartition("/")[2]: file for file in summary["files"]}
    assert (ends["004.csv"]["outcome"], "three" in ends["004.csv"]["reason"]) == ("rejected", True)
    assert (backlog.rows(), backlog.catalogued()) == (6 * ROWS, 6 * ROWS)

    alone = backlog.start_alone(backlog.keys[1])
    assert alone["output"]["copy_to_redshift"]["already"] is True
    again = backlog.load("succeeded")
    assert backlog.summary(again)["headline"] == "nothing new to load, 6 loaded before"
    assert (backlog.rows(), backlog.catalogued()) == (6 * ROWS, 6 * ROWS)


def test_a_group_that_failed_goes_again_alone(stage: Stage) -> None:
    Backlog(stage, 1).load("succeeded")  # the table is there
    backlog = Backlog(stage, 6)
    stage.sql(f"ALTER TABLE orders ADD CONSTRAINT not_yet CHECK (order_id <> {backlog.first + 10})")
    try:
        first = backlog.load("failed")
    finally:
        stage.sql("ALTER TABLE orders DROP CONSTRAINT not_yet")
    assert first["error"] == "BatchIncomplete"
    assert first["cause"].startswith("3 of 6 files loaded, 3 failed. s3://")
    assert "not_yet" in first["cause"]
    assert backlog.rows() == 3 * ROWS

    late = backlog.put(6)
    stage.decant("runs", "redrive", first["name"])
    again = backlog.ended(f"{first['name']}-2", "succeeded")
    names = [file["file"].rpartition("/")[2] for file in backlog.summary(again)["files"]]
    assert sorted(names) == ["000.csv", "001.csv", "002.csv"]
    assert (backlog.rows(), backlog.catalogued()) == (6 * ROWS, 6 * ROWS)
    assert late not in names


def test_a_file_whose_run_was_stopped_goes_again_alone(stage: Stage) -> None:
    backlog = Backlog(stage, 2)
    large = backlog.put(2, rows=12_000)
    run = stage.api.post("/pipelines/orders/runs", {"key": large})["run"]
    stage.api.post(f"/runs/{run}/stop", {"reason": "by hand"})
    first = backlog.load("failed")
    assert "Stopped: by hand" in first["cause"]
    again = stage.api.post(f"/runs/{first['name']}/redrive")["run"]
    (file,) = backlog.summary(backlog.ended(again, "succeeded"))["files"]
    assert (file["run"], file["outcome"], file["rows"]) == (f"{run}-2", "loaded", 12_000)
    assert backlog.rows() == 2 * ROWS + 12_000


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"prefix": "batch/nowhere/"}, "EmptyPrefix", "no file under s3://"),
        ({"pipeline": "nonsense"}, "UnknownPipeline", "there is none of this name"),
        ({"prefix": "s3://elsewhere/batch/"}, "WrongPrefix", "outside of the landing bucket"),
        ({"prefix": "incoming/events/"}, "WrongPrefix", "loads what is under incoming/orders/"),
        ({"concurrency": "0"}, "InvalidRequest", "write a number from 1 to 1000"),
    ],
)
def test_a_batch_that_cannot_be_is_told_of_and_red(
    stage: Stage, parameters: dict[str, str], error: str, words: str
) -> None:
    backlog = Backlog(stage, 0)
    run = backlog.load("failed", **parameters)
    assert (run["error"], words in run["cause"]) == (error, True)
    notice = stage.notice(run)
    assert notice["subject"].startswith("[load_batch] failed: ")
    assert words in notice["body"]
