"""Which months of taxi trips are loaded, and what is told of files that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib import settings, taxi_files
from chalicelib.errors import InvalidBatch
from chalicelib.pipelines.nyc_taxi import pipeline
from chalicelib.steps.plan_taxi import plan
from cli.sample_data import nyc_taxi as samples
from tests.fakes import FakeS3

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "nyc_taxi-0123456789abcdef01234567"
YELLOW, ZONES = "batch/nyc_taxi/yellow/", "batch/nyc_taxi/zones/taxi_zone_lookup.csv"
HEADER = ",".join(samples.COLUMNS)


@pytest.fixture
def s3(tmp_path: Path) -> FakeS3:
    """A landing bucket with the zone lookup and two months."""
    found = FakeS3()
    put(found, ZONES, samples.write_zones(tmp_path).path.read_text())
    for month in ("2025-01", "2025-02"):
        put(found, f"{YELLOW}{month}/a.csv", "\n".join([HEADER, *samples.trips(month, 3)]))
    return found


def put(s3: FakeS3, key: str, text: str) -> None:
    s3.put(settings.landing_bucket(), key, text.encode())


def refused(s3: FakeS3, *, asked: str = "new", loaded: set[str] | None = None) -> str:
    with pytest.raises(InvalidBatch) as caught:
        plan(s3, asked=asked, token=TOKEN, loaded=loaded)
    return str(caught.value)


def test_the_first_run_converts_every_month_that_has_landed(s3: FakeS3) -> None:
    planned = plan(s3, asked="new", token=TOKEN, loaded=None)
    assert planned["months"] == ["2025-01", "2025-02"]
    assert planned["items"] == []
    assert "month IN ('2025-01', '2025-02')" in planned["statements"]["convert"]
    landing = f"s3://{settings.landing_bucket()}/batch/nyc_taxi"
    assert f"'{landing}/yellow/${{month}}/'" in planned["statements"]["create_raw_trips"]


def test_a_later_run_inserts_what_is_new_and_nothing_else(s3: FakeS3) -> None:
    planned = plan(s3, asked="new", token=TOKEN, loaded={"2025-01"})
    assert planned["months"] == ["2025-02"]
    (item,) = planned["items"]
    assert item["table"] == "loading_2025_02_01234567"
    assert item["publish"].startswith("ALTER TABLE yellow_trips ADD IF NOT EXISTS PARTITION")
    written = planned["statements"]["write_month"].format(item["table"], item["month"])
    assert written.startswith("CREATE TABLE loading_2025_02_01234567\n")
    assert written.endswith("WHERE month IN ('2025-02')")


def test_nothing_new_is_no_error(s3: FakeS3) -> None:
    planned = plan(s3, asked="new", token=TOKEN, loaded={"2025-01", "2025-02"})
    assert (planned["months"], planned["items"]) == ([], [])


def test_a_month_that_is_asked_for_again_is_replaced(s3: FakeS3) -> None:
    planned = plan(s3, asked="2025-02,2025-01", token=TOKEN, loaded={"2025-01"})
    publish = {item["month"]: item["publish"] for item in planned["items"]}
    assert "SET LOCATION" in publish["2025-01"]
    assert "ADD IF NOT EXISTS" in publish["2025-02"]


@pytest.mark.parametrize("given", ["2025-13", "2025-1", "2025-01;2025-02", "all", "2025-01,"])
def test_months_that_are_none_are_refused_when_the_run_is_started(given: str) -> None:
    with pytest.raises(Exception, match="parameter months"):
        pipeline.read_parameters({"months": given})
    assert pipeline.read_parameters({"months": "2025-01,2025-02"}) == {"months": "2025-01,2025-02"}


def test_a_month_that_has_not_landed_is_named(s3: FakeS3) -> None:
    assert "2025-07 has no folder; the landing bucket has 2025-01, 2025-02" in refused(s3, asked="2025-07")


def test_without_any_month_the_folder_is_named(s3: FakeS3) -> None:
    s3.objects = {where: body for where, body in s3.objects.items() if YELLOW not in where[1]}
    assert "batch/nyc_taxi/yellow/<yyyy-mm>/" in refused(s3)


def test_an_empty_month_is_named(s3: FakeS3) -> None:
    put(s3, f"{YELLOW}2025-03/", "")
    put(s3, f"{YELLOW}2025-03/_SUCCESS", "")
    assert "month 2025-03" in refused(s3, loaded={"2025-01"})
    assert plan(s3, asked="new", token=TOKEN, loaded={"2025-01", "2025-03"})["months"] == ["2025-02"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (HEADER.replace("tip_amount", "gratuity"), "without tip_amount and with gratuity"),
        (HEADER.replace(",tip_amount", ""), "without tip_amount."),
        (HEADER + ",driver", "with driver."),
        (",".join(reversed(samples.COLUMNS)), "in another order"),
        ("", "without VendorID, tpep_pickup_datetime"),
    ],
)
def test_other_columns_are_named_with_the_file(s3: FakeS3, header: str, told: str) -> None:
    put(s3, f"{YELLOW}2025-03/b.csv", f"{header}\n1\n")
    message = refused(s3, loaded={"2025-01", "2025-02"})
    assert told in message
    assert "2025-03/b.csv" in message
    assert plan(s3, asked="2025-01", token=TOKEN, loaded=None)["months"] == ["2025-01"]


def test_case_byte_order_mark_and_line_ends_of_a_header_do_not_matter(s3: FakeS3) -> None:
    put(s3, f"{YELLOW}2025-03/b.csv", f"\ufeff{HEADER.lower()}\r\n1\r\n")
    assert plan(s3, asked="2025-03", token=TOKEN, loaded=None)["months"] == ["2025-03"]


def test_a_file_without_a_trip_is_named(s3: FakeS3) -> None:
    put(s3, f"{YELLOW}2025-03/b.csv", HEADER + "\n")
    assert "2025-03/b.csv: there is a header and no trip" in refused(s3, loaded={"2025-01", "2025-02"})


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("2025-3/a.csv", "'2025-3' is no month"),
        ("a.csv", "'a.csv' is no month"),
        ("2008-12/a.csv", "is before 2009-01 or in the future"),
        ("2999-01/a.csv", "is before 2009-01 or in the future"),
        ("2025-03/deeper/a.csv", "straight into"),
        ("2025-03/a.parquet", "put CSV files, and nothing else"),
    ],
)
def test_a_file_where_it_does_not_belong_is_named(s3: FakeS3, key: str, told: str) -> None:
    put(s3, YELLOW + key, HEADER)
    message = refused(s3)
    assert told in message
    assert key in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "put TLC's taxi_zone_lookup.csv there"),
        ("LocationID,Borough\n1,EWR\n", "without Zone, service_zone"),
        (
            '"LocationID","Borough","Zone","service_zone"\n1,a,b,c\n1,a,b,d\n',
            "line 3: LocationID 1 came before",
        ),
        (
            '"LocationID","Borough","Zone","service_zone"\nx,a,b,c\n',
            "line 2: write LocationID, a whole number",
        ),
        ('"LocationID","Borough","Zone","service_zone"\n', "no zone below"),
        ("x" * (taxi_files.LARGEST_LOOKUP + 1), "too many for a zone lookup"),
    ],
)
def test_a_zone_lookup_that_cannot_serve_is_named(s3: FakeS3, text: str | None, told: str) -> None:
    del s3.objects[settings.landing_bucket(), ZONES]
    if text is not None:
        put(s3, ZONES, text)
    assert told in refused(s3)


def test_a_second_zone_lookup_is_refused_for_athena_would_read_both(s3: FakeS3) -> None:
    put(s3, ZONES.replace("lookup", "lookup_2026"), "x")
    assert "keep one zone lookup only" in refused(s3)


def test_more_months_than_athena_writes_at_once_are_to_be_asked_for_in_parts(s3: FakeS3) -> None:
    for number in range(120):
        put(s3, f"{YELLOW}{2010 + number // 12}-{number % 12 + 1:02}/a.csv", f"{HEADER}\n1\n")
    assert "122 months at once: ask for 100 at most" in refused(s3)
