"""Which small files share a load."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.errors import InvalidRequest
from chalicelib.grouping import LONGEST_ITEM, SMALL, Limits, group, why_alone
from chalicelib.pipeline import Approval, Table
from tests.factories import a_file, a_pipeline

if TYPE_CHECKING:
    from chalicelib.files import File

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def limits(**changes: Any) -> Limits:
    return Limits(**{"files": 3, "bytes": 10 * SMALL, "oldest": timedelta(), **changes})


def landed(*sizes: int, seconds_ago: int = 60) -> list[tuple[File, datetime]]:
    """Files that landed one second after the other, the first one so long ago."""
    first = NOW - timedelta(seconds=seconds_ago)
    return [(a_file(size=size), first + timedelta(seconds=number)) for number, size in enumerate(sizes)]


def test_a_group_is_full_by_its_number_of_files() -> None:
    found = landed(*[10] * 8)
    grouped = group(found, limits(), NOW)
    files = [file for file, _ in found]
    assert grouped.groups == (tuple(files[:3]), tuple(files[3:6]), tuple(files[6:]))
    assert (grouped.alone, grouped.waiting) == ((), ())


def test_a_group_is_full_by_its_bytes() -> None:
    grouped = group(landed(60, 30, 60, 30), limits(bytes=100), NOW)
    assert [sum(file.size for file in files) for files in grouped.groups] == [90, 90]


def test_files_are_put_together_in_the_order_in_which_they_landed() -> None:
    found = landed(1, 2, 3, 4)
    grouped = group(reversed(found), limits(), NOW)
    assert [file.size for file in grouped.groups[0]] == [1, 2, 3]


def test_a_file_that_is_not_small_has_a_load_of_its_own() -> None:
    grouped = group(landed(10, SMALL + 1, 10), limits(), NOW)
    assert [file.size for file in grouped.alone] == [SMALL + 1]
    assert len(grouped.groups[0]) == 2
    assert [file.size for file in group(landed(10, 10, 60), limits(bytes=50), NOW).alone] == [60]


def test_a_group_of_one_file_is_a_file_alone() -> None:
    grouped = group(landed(1, 2, 3, 4), limits(), NOW)
    assert len(grouped.groups) == 1
    assert [file.size for file in grouped.alone] == [4]
    assert group(landed(1, 2), limits(files=1), NOW).groups == ()


@pytest.mark.parametrize(("age", "waiting"), [(59, 0), (60, 0), (61, 2), (3600, 2)])
def test_the_last_group_waits_until_its_oldest_file_is_old_enough(age: int, waiting: int) -> None:
    grouped = group(landed(1, 2), limits(oldest=timedelta(seconds=age)), NOW)
    assert (len(grouped.waiting), len(grouped.groups)) == (waiting, 0 if waiting else 1)


def test_a_full_group_never_waits() -> None:
    grouped = group(landed(1, 2, 3, 4), limits(oldest=timedelta(hours=1)), NOW)
    assert (len(grouped.groups[0]), len(grouped.waiting)) == (3, 1)


def test_a_group_of_long_keys_fits_into_one_item() -> None:
    found = [(a_file(key=f"batch/{'ü' * 500}{number}.csv"), NOW) for number in range(200)]
    grouped = group(found, limits(files=400), NOW)
    for files in grouped.groups:
        assert len(str([file.to_document() for file in files]).encode()) <= LONGEST_ITEM
    assert sum(map(len, grouped.groups)) + len(grouped.alone) == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("most_files_together", "0"),
        ("most_files_together", "401"),
        ("most_bytes_together", "-1"),
        ("oldest_seconds", "-1"),
    ],
)
def test_a_limit_out_of_bounds_is_refused_by_name(name: str, value: str) -> None:
    given = {"most_files_together": "9", "most_bytes_together": "9", "oldest_seconds": "9"}
    with pytest.raises(InvalidRequest, match=rf"parameter {name} {value}: write a number from \d+ to \d+"):
        Limits.of({**given, name: value})


def test_a_pipeline_says_why_its_files_are_not_put_together() -> None:
    assert why_alone(a_pipeline(), "batch/things/") is None
    assert "have a run each" in (why_alone(a_pipeline(), "incoming/things/2026/") or "")
    assert "names no table" in (why_alone(a_pipeline(table=None), "batch/things/") or "")
    overwrite = a_pipeline(table=Table(name="things", mode="overwrite"))
    assert "replaces the whole table" in (why_alone(overwrite, "batch/things/") or "")
    asked = a_pipeline(approval=Approval(always=True))
    assert "a person is asked" in (why_alone(asked, "batch/things/") or "")
    keep = a_pipeline(extra_columns="keep")
    assert "undeclared columns" in (why_alone(keep, "batch/things/") or "")
