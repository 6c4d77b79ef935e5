"""What the stage counts, and the embedded AWS's reading of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import metrics
from local_aws.services.cloudwatch.embedded_metrics import values
from local_aws.services.cloudwatch.judgement import Rule, state
from tests.factories import a_file

NOW = datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)


def an_end(outcome: str = "succeeded", **changes: Any) -> dict[str, Any]:
    given = {
        "run": "orders-0123456789abcdef01234567",
        "pipeline": "orders",
        "outcome": outcome,
        "started": "2026-11-20T10:00:00.000Z",
        "file": {"bucket": "landing", "key": "incoming/orders/a.csv", "size": 100},
        "details": {"validate_file": {"rows": 5, "bad_rows": 1}, "catalogue": {"rows": 4}},
    }
    return {**given, **changes}


def counted(capsys: Any) -> dict[tuple[str, ...], dict[str, float]]:
    """Return the metrics of the lines that were printed, by the values of their dimensions."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for line in capsys.readouterr().out.splitlines():
        for value in values(line):
            assert value.namespace == "Decant"
            found.setdefault(tuple(text for _, text in value.dimensions), {})[value.name] = value.value
    return found


def test_a_run_that_loaded_its_file_is_counted_with_its_rows(capsys: Any) -> None:
    metrics.run_ended(an_end(), NOW)
    assert counted(capsys) == {
        ("decant", "orders", "test"): {
            "RunsSucceeded": 1,
            "RunSeconds": 30,
            "Files": 1,
            "FileBytes": 100,
            "RowsRead": 5,
            "RowsLoaded": 4,
            "RowsRejected": 1,
        }
    }


def test_a_rejected_file_loads_nothing_and_is_no_failure(capsys: Any) -> None:
    metrics.run_ended(an_end("rejected", details={"validate_file": {"rows": 5, "bad_rows": 2}}), NOW)
    (found,) = counted(capsys).values()
    assert (found["RunsRejected"], found["RowsLoaded"], found["RowsRejected"]) == (1, 0, 2)
    assert "RunsFailed" not in found


def test_a_failure_counts_for_the_stage_too(capsys: Any) -> None:
    metrics.run_ended(an_end("failed", details={"error": {"Error": "LoadFailed"}}), NOW)
    found = counted(capsys)
    assert found["decant", "test"] == {"RunsFailed": 1}
    assert found["decant", "orders", "test"]["RunsFailed"] == 1
    assert "RowsRead" not in found["decant", "orders", "test"]


def test_a_batch_counts_no_file_and_a_run_that_waits_nothing(capsys: Any) -> None:
    batch = an_end(details={"headline": "Done."})
    del batch["file"]
    metrics.run_ended(batch, NOW)
    metrics.run_ended(an_end("waiting"), NOW)
    assert counted(capsys) == {("decant", "orders", "test"): {"RunsSucceeded": 1, "RunSeconds": 30}}


def test_whoever_looks_for_a_run_finds_its_numbers(capsys: Any) -> None:
    metrics.run_ended(an_end(), NOW)
    document = json.loads(capsys.readouterr().out)
    assert (document["run"], document["outcome"]) == ("orders-0123456789abcdef01234567", "succeeded")


def test_service_levels_are_told_when_all_is_well_too(capsys: Any) -> None:
    metrics.service_levels(oldest_unprocessed=0, late=(), missed_ticks=())
    assert counted(capsys) == {
        ("decant", "test"): {"OldestUnprocessedFileSeconds": 0, "FilesLate": 0, "TicksMissed": 0}
    }


def test_the_oldest_file_is_the_one_that_waits_longest() -> None:
    files = [(a_file(), NOW - timedelta(seconds=age)) for age in (10, 300, 20)]
    assert metrics.oldest_age(files, NOW) == 300
    assert metrics.oldest_age([], NOW) == 0


@pytest.mark.parametrize("line", ["", "no json", '{"a": 1}', '{"_aws": {}}', "[1]", '{"_aws": 5}'])
def test_a_line_that_is_no_metric_holds_none(line: str) -> None:
    assert not list(values(line))


def a_rule(missing: str = "missing", *, periods: int = 1, datapoints: int = 1) -> Rule:
    return Rule(
        comparison="GreaterThanThreshold",
        threshold=0,
        periods=periods,
        datapoints=datapoints,
        missing=missing,
    )


@pytest.mark.parametrize(
    ("missing", "points", "expected"),
    [
        ("notBreaching", [1.0], "ALARM"),
        ("notBreaching", [0.0], "OK"),
        ("notBreaching", [None], "OK"),
        ("breaching", [None], "ALARM"),
        ("breaching", [0.0], "OK"),
        ("ignore", [None], "before"),
        ("ignore", [2.0], "ALARM"),
        ("missing", [None], "INSUFFICIENT_DATA"),
        ("missing", [0.0], "OK"),
    ],
)
def test_silence_means_what_the_alarm_says(missing: str, points: list[float | None], expected: str) -> None:
    assert state(a_rule(missing), points, "before") == expected


def test_an_alarm_may_ask_for_some_of_its_newest_periods() -> None:
    rule = a_rule("notBreaching", periods=5, datapoints=3)
    assert state(rule, [1, None, 1, 0, 1], "OK") == "ALARM"
    assert state(rule, [1, None, None, 0, 1], "OK") == "OK"
