"""The steps of flight_metrics, with AWS kept in memory."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from chalicelib.aws.glue import TableIsGoneError
from chalicelib.errors import FileReplaced, WrongColumns
from chalicelib.flights import feedback_rules, flight_rules, inputs
from chalicelib.flights.tables import OF_A_DATE, OF_A_MONTH
from chalicelib.pipelines import batch_pipeline
from chalicelib.steps.clean_flights import clean_file
from chalicelib.steps.combine_flights import combine_files
from chalicelib.steps.compute_metrics import compute
from chalicelib.steps.publish_metrics import publish
from cli.sample_data.flight_metrics import write_day
from tests.fakes import FakeGlue, FakeRedshift, FakeS3

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 1)
TOKEN = "flight_metrics-0123456789abcdef01234567"
HELD = {"SELECT loaded_rows": [[450]]}
FOUND = {"date": "2026-11-01", "token": TOKEN}
TABLES = [
    {"name": table.name, "folder": f"flight_metrics/{table.name}/dt=2026-11-01/content=1/"}
    for table in OF_A_DATE
]


def computed(s3: FakeS3, folder: Path) -> dict[str, Any]:
    """Take a day's files through cleaning, combining and computing."""
    for name in inputs.NAMES:
        s3.put("landing", f"batch/flights/2026-11-01/{name}", (folder / "2026-11-01" / name).read_bytes())
    found = inputs.find(s3, "landing", "batch/flights/", "2026-11-01", "flight_metrics")  # type: ignore[arg-type]
    clean_file(s3, found.flights, flight_rules.recipe(DAY), "w/flights", fewest=1)  # type: ignore[arg-type]
    clean_file(s3, found.feedback, feedback_rules.recipe(), "w/feedback", fewest=0)  # type: ignore[arg-type]
    key = f"flight_metrics/flights/dt=2026-11-01/content={found.token[-24:]}/part-0.parquet"
    combine_files(s3, "w/flights", "w/feedback", "2026-11-01", key)  # type: ignore[arg-type]
    return compute(s3, "flight_metrics", "2026-11-01", found.token, key)  # type: ignore[arg-type]


def test_a_date_s_tables_lie_by_date_and_content_with_a_manifest_of_exactly_their_files(
    tmp_path: Path,
) -> None:
    s3 = FakeS3()
    write_day(tmp_path, DAY)
    done = computed(s3, tmp_path)
    assert [table["name"] for table in done["tables"]] == [table.name for table in OF_A_DATE]
    for table, declared in zip(done["tables"], OF_A_DATE, strict=True):
        bucket, _, key = table["manifest"].removeprefix("s3://").partition("/")
        (entry,) = json.loads(s3.objects[bucket, key])["entries"]
        assert entry["url"] == f"s3://curated/{table['folder']}part-0.parquet"
        body = s3.objects["curated", f"{table['folder']}part-0.parquet"]
        assert entry["meta"]["content_length"] == len(body)
        written = parquet.read_table(io.BytesIO(body))
        assert (written.num_rows, written.column_names) == (
            table["rows"],
            [column.name for column in declared.columns],
        )
    assert len(json.dumps(done)) < 10_000


def test_the_same_content_writes_the_same_bytes_to_the_same_place(tmp_path: Path) -> None:
    s3 = FakeS3()
    write_day(tmp_path, DAY)
    first = computed(s3, tmp_path)
    before = dict(s3.objects)
    assert computed(s3, tmp_path) == first
    assert s3.objects == before


def test_nothing_is_left_of_a_file_that_cannot_be_cleaned() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "batch/flights/2026-11-01/flights.csv", b"a,b\n1,2\n")
    with pytest.raises(WrongColumns, match=r"2026-11-01/flights\.csv: the header lacks flight_id"):
        clean_file(s3, file, flight_rules.recipe(DAY), "w/flights", fewest=1)  # type: ignore[arg-type]
    assert ("curated", "w/flights") not in s3.objects


def publish_with(s3: FakeS3, glue: FakeGlue, warehouse: FakeRedshift) -> None:
    publish(s3, glue, warehouse, "flight_metrics", FOUND, TABLES)  # type: ignore[arg-type]


def test_the_catalogue_is_led_to_the_date_s_folders_and_the_month_is_written() -> None:
    s3, glue = FakeS3(), FakeGlue()
    row = [date(2026, 11, 1), "all", None, None, 3, 1, 1, 0.5, 4.0, 9.0]
    scores = [date(2026, 11, 1), "all", 3, 2, 4.5, -0.5]
    answers = {**HELD, 'FROM "public"."flight_delays_by_month"': [row], "FROM": [scores]}
    publish_with(s3, glue, FakeRedshift(answers))
    for table in TABLES:
        assert glue.places[table["name"], "2026-11-01"] == f"s3://curated/{table['folder']}"
    for table, rows in zip(OF_A_MONTH, ([row], [scores]), strict=True):
        place = f"flight_metrics/{table.name}/month=2026-11/"
        assert glue.places[table.name, "2026-11"] == f"s3://curated/{place}"
        written = parquet.read_table(io.BytesIO(s3.objects["curated", f"{place}part-0.parquet"]))
        assert [list(each.values()) for each in written.to_pylist()] == rows


def test_content_that_another_run_has_replaced_is_not_published() -> None:
    glue = FakeGlue()
    with pytest.raises(FileReplaced, match="another run has loaded newer content"):
        publish_with(FakeS3(), glue, FakeRedshift())
    assert glue.places == {}


def test_a_table_that_was_dropped_meanwhile_is_put_again() -> None:
    class Forgetful(FakeGlue):
        def point_partition(self, database: str, table: str, *rest: Any) -> None:
            if self.arguments.setdefault(table, {}) == {}:
                self.arguments[table] = {"dropped": "once"}
                raise TableIsGoneError(table)
            super().point_partition(database, table, *rest)

    glue = Forgetful()
    publish_with(FakeS3(), glue, FakeRedshift(HELD))
    assert len(glue.places) == 5


def test_the_pipeline_takes_a_date_and_else_the_latest() -> None:
    pipeline = batch_pipeline("flight_metrics")
    assert pipeline.read_parameters({}) == {"date": "latest"}
    assert pipeline.reads == "batch/flights/"
