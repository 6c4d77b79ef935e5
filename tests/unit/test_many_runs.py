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
        made.begin(record)
        record.status = "FAILED" if number % 2 else "SUCCEEDED"
        record.stop, record.output, record.cause = record.start + 1, '{"n": 2}', "a long cause"
        made.settle(record)
    yield made
    made.close()


def test_a_page_is_newest_first_and_leaves_out_what_no_list_shows(journal: Journal) -> None:
    page = journal.listed("machine_arn = ? AND status = ?", (MACHINE, "FAILED"), 2, 1)
    assert [record.name for record in page] == ["run-3", "run-1"]
    assert {(each.definition, each.input, each.output, each.cause) for each in page} == {("", "", "", "")}
    found = journal.find(page[0].arn)
    assert found is not None
    assert found.listed() == page[0].listed()
    assert (found.definition, found.input, found.output) == ('{"States": {}}', '{"n": 1}', '{"n": 2}')


def test_a_quick_count_is_kept_for_ten_seconds_and_a_slow_one_for_longer() -> None:
    assert kept_seconds(0.2) == 10
    assert kept_seconds(6.0) == 60
