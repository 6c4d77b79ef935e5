"""Lists and counts stay light when there are thousands of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.statistics import kept_seconds
from local_aws.services.step_functions.journal import Journal
from local_aws.services.step_functions.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "executions.sqlite")
    for number in range(6):
        record = begun(made, number)
        record.status = "FAILED" if number % 2 else "SUCCEEDED"
        record.stop, record.output, record.cause = record.start + 1, '{"n": 2}', "a long cause"
        made.settle(record)
    yield made
    made.close()


def begun(journal: Journal, number: int) -> Record:
    record = Record(
        arn=f"{MACHINE}:{number}",
        account="123456789012",
        region="us-east-1",
        machine_arn=MACHINE,
        machine_name="m",
        name=f"run-{number}",
        kind="STANDARD",
        role_arn="role",
        definition='{"States": {}}',
        input='{"n": 1}',
        start=1_800_000_000.0 + number,
    )
    journal.begin(record)
    return record


def test_a_page_is_newest_first_and_shows_what_a_description_of_an_execution_does(journal: Journal) -> None:
    page, last = journal.listed("machine_arn = ? AND status = ?", (MACHINE, "FAILED"), 2)
    assert [row["name"] for row in page] == ["run-5", "run-3"]
    rest, end = journal.listed("machine_arn = ? AND status = ?", (MACHINE, "FAILED"), 2, last)
    assert [row["name"] for row in rest] == ["run-1"]
    assert end is None
    found = journal.find(rest[0]["executionArn"])
    assert found is not None
    assert found.listed() == rest[0]
    assert (found.definition, found.input, found.output) == ('{"States": {}}', '{"n": 1}', '{"n": 2}')


def test_executions_that_begin_between_two_pages_do_not_repeat_older_ones(journal: Journal) -> None:
    _, last = journal.listed("machine_arn = ?", (MACHINE,), 4)
    begun(journal, 9)
    assert [row["name"] for row in journal.listed("machine_arn = ?", (MACHINE,), 4, last)[0]] == [
        "run-1",
        "run-0",
    ]


def test_a_list_is_read_from_the_index_alone(journal: Journal) -> None:
    plan = journal._read(
        "EXPLAIN QUERY PLAN SELECT id, arn, name, status, start, stop, redrive_count, redrive_date,"
        " version_arn, alias_arn, map_run_arn FROM executions WHERE machine_arn = ? AND map_run_arn IS NULL"
        " AND (start, id) < (?, ?) ORDER BY start DESC, id DESC LIMIT 10",
        (MACHINE, 1.0, 1),
    )
    assert "COVERING INDEX listed" in plan[0][-1]
    assert len(plan) == 1  # no step that sorts


def test_a_quick_count_is_kept_for_ten_seconds_and_a_slow_one_for_longer() -> None:
    assert kept_seconds(0.2) == 10
    assert kept_seconds(6.0) == 60
