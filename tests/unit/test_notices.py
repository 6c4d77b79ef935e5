"""What people read."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.history import readable_cause
from chalicelib.notices import notice
from tests.factories import STARTED, a_file


def written(outcome: str, details: dict[str, Any], **file: Any) -> Any:
    event = {"outcome": outcome, "run": "orders-1", "pipeline": "orders", "started": STARTED}
    return notice({**event, "file": a_file(**file).to_document(), "details": details})


def test_a_subject_is_what_sns_takes_however_the_file_is_called() -> None:
    found = written("failed", {"error": {"Error": "E", "Cause": ""}}, key="incoming/orders/é\n" + "x" * 300)
    assert len(found.subject) < 100
    assert found.subject.isascii()
    assert found.subject.isprintable()
    assert found.subject.startswith("[orders] failed: ??xxx")


def test_a_rejection_shows_the_first_rows_counts_the_rest_and_says_what_to_do() -> None:
    defects = [
        {"line": line, "row": line, "message": f"quantity 'x{line}' is no integer"} for line in range(2, 22)
    ]
    report = {"reason": "37 of 200 rows are bad", "defects": defects, "bad_rows": 37}
    places = {"file": "s3://quarantine/f", "report": "s3://quarantine/r"}
    body = written("rejected", {"validate_file": report, "quarantine_file": places}).body
    assert "37 of 200 rows are bad" in body
    assert "line 2: quantity 'x2' is no integer" in body
    assert "27 more rows" in body
    assert "s3://quarantine/r" in body
    assert "decant runs show orders-1" in body


def test_a_failure_shows_the_decoded_cause_and_the_command_to_try_again() -> None:
    cause = json.dumps({"errorMessage": "the warehouse refused: no such role", "stackTrace": ["secret"]})
    body = written("failed", {"error": {"Error": "LoadFailed", "Cause": cause}}).body
    assert "LoadFailed" in body
    assert "the warehouse refused: no such role" in body
    assert "decant runs redrive orders-1" in body
    assert "stackTrace" not in body


def test_a_success_says_where_the_rows_are() -> None:
    details = {
        "validate_file": {"good_rows": 5, "bad_rows": 0, "flags": []},
        "catalogue": {"database": "decant_local", "table": "orders", "rows": 5},
        "copy_to_redshift": {"table": "public.orders", "rows": 5, "already": True},
    }
    body = written("succeeded", details).body
    assert "public.orders, 5 rows, which an earlier attempt had loaded" in body


def test_a_success_with_bad_rows_says_how_many_which_and_where_they_are() -> None:
    report = {
        "good_rows": 988,
        "bad_rows": 12,
        "flags": ["rows_quarantined", "unusual_row_count"],
        "defects": [{"line": 7, "row": 6, "column": "celsius", "message": "'n/a' is not a decimal"}],
        "reject_file": "s3://quarantine/readings/readings-1/rows.ndjson",
    }
    catalogue = {"database": "decant_local", "table": "readings", "rows": 988}
    body = written("succeeded", {"validate_file": report, "catalogue": catalogue}).body
    assert "988 rows loaded, 12 quarantined" in body
    assert "line 7, column celsius: 'n/a' is not a decimal" in body
    assert "11 more rows" in body
    assert "s3://quarantine/readings/readings-1/rows.ndjson" in body
    assert "decant quarantine show orders-1" in body
    assert "more or fewer rows than" in body


def test_a_cause_that_is_no_json_is_shown_as_it_is() -> None:
    assert readable_cause("plain") == "plain"
    assert readable_cause("[1]") == "[1]"
    query = {"Query": "CREATE TABLE t\nAS SELECT 1", "Status": {"StateChangeReason": "no such column"}}
    assert readable_cause(json.dumps({"QueryExecution": query})) == (
        "no such column (Athena, CREATE TABLE t ...)"
    )


def test_a_batch_tells_its_headline_its_parameters_and_its_numbers() -> None:
    event = {
        "run": "nightly-1",
        "pipeline": "nightly",
        "started": STARTED,
        "parameters": {"day": "2026-11-20"},
    }
    details = {
        "headline": "2 files became 1,500 rows.",
        "facts": {"Rows": 1500},
        "lines": ["Report: s3://x/y"],
    }
    found = notice({**event, "outcome": "succeeded", "details": details})
    assert found.subject == "[nightly] succeeded: 2 files became 1,500 rows."
    for line in ("Day:      2026-11-20", "Rows: 1,500", "Report: s3://x/y"):
        assert line in found.body.splitlines()
    failed = notice(
        {**event, "outcome": "failed", "details": {"error": {"Error": "Slow", "Cause": "too slow"}}}
    )
    assert failed.subject == "[nightly] failed: Slow"
    assert "half-loaded" not in failed.body
