"""The steps, with AWS kept in memory."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.errors import (
    AccessRefused,
    FileReplaced,
    GlueIsBusy,
    GlueJobTimedOut,
    RowsLost,
    StorageIsUnreachable,
)
from chalicelib.files import File
from chalicelib.pipeline import CSV, GlueJob, Tolerance
from chalicelib.steps.catalogue import register
from chalicelib.steps.check_glue_job import ENDED, check, wait_seconds, with_last_line
from chalicelib.steps.keep_good_rows import keep
from chalicelib.steps.quarantine_file import quarantine
from chalicelib.steps.start_glue_job import job_arguments, start
from chalicelib.steps.transform_file import transform
from chalicelib.steps.validate_file import check as validate
from tests.factories import STARTED, a_file, a_pipeline
from tests.fakes import FakeGlue, FakeS3

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = GlueJob(name="process_csv", first_wait=10, growth=2.0, longest_wait=60, deadline=600)
FOLDER = "things/dt=2026-11-20/run=things-1/"


def parquet_bytes(rows: int) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"id": list(range(rows)), "label": ["x"] * rows}), sink)
    return sink.getvalue()


def test_a_small_valid_file_goes_to_lambda() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\n2,b\n")
    report = validate(s3, a_pipeline(), file, "things-1")
    assert (report["valid"], report["rows"], report["route"]) == (True, 2, "lambda")
    json.dumps(report)


def test_a_file_over_the_pipeline_s_size_goes_to_glue() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\n2,b\n")
    assert validate(s3, a_pipeline(largest_for_lambda=10), file, "things-1")["route"] == "glue"


def test_a_large_file_without_a_glue_job_is_rejected_with_the_remedy() -> None:
    file = a_file(size=11)
    report = validate(FakeS3(), a_pipeline(largest_for_lambda=10, glue_job=None), file, "things-1")
    assert not report["valid"]
    assert "glue_job" in report["reason"]


def test_tolerated_rows_go_to_the_reject_file_and_the_others_are_kept() -> None:
    s3 = FakeS3()
    pipeline = a_pipeline(tolerate=Tolerance(rows=2))
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\nx,b\n2,c\n2,d\n")
    found = validate(s3, pipeline, file, "things-1-2")
    assert (found["valid"], found["tolerated"], found["good_rows"], found["bad_rows"]) == (True, True, 2, 2)
    assert found["flags"] == ["rows_quarantined"]
    assert found["reject_file"] == "s3://quarantine/things/things-1-2/rows.ndjson"
    lines = s3.objects["quarantine", "things/things-1-2/rows.ndjson"].splitlines()
    assert [json.loads(line)["raw"] for line in lines] == ["x,b", "2,d"]
    assert json.loads(lines[0])["file"] == file.uri
    assert json.loads(s3.objects["quarantine", "things/things-1-2/report.json"])["bad_rows"] == 2
    kept = keep(s3, pipeline, file, "things-1", found)
    assert kept["rows"] == 2
    assert kept["file"]["key"] == "good_rows/things/things-1/a.csv"
    assert s3.open(File.from_document(kept["file"])).read() == b"id,label\n1,a\n2,c\n"


def test_rows_that_are_neither_kept_nor_set_aside_fail_the_run() -> None:
    s3 = FakeS3()
    pipeline = a_pipeline(tolerate=Tolerance(rows=2))
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\nx,b\n")
    found = validate(s3, pipeline, file, "things-1")
    with pytest.raises(RowsLost, match="1 were kept and 1 set aside"):
        keep(s3, pipeline, file, "things-1", {**found, "rows": 3, "good_rows": 2})
    assert not any(key.startswith("good_rows/") for _, key in s3.objects)


def test_a_file_that_is_unusual_is_flagged_and_not_rejected() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label,new\n1,a,x\n")
    report = validate(s3, a_pipeline(extra_columns="keep", usual_rows=(2, 9)), file, "things-1")
    assert (report["valid"], report["flags"]) == (True, ["schema_evolved", "unusual_row_count"])
    report = validate(s3, a_pipeline(usual_rows=(2, 9)), file, "things-1")
    assert (report["valid"], report["flags"]) == (False, [])


def test_a_small_file_becomes_one_parquet_file_with_the_processing_date() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\n2,b\n")
    assert transform(s3, a_pipeline(), file, FOLDER, STARTED)["rows"] == 2
    written = parquet.read_table(io.BytesIO(s3.objects["curated", f"{FOLDER}part-0.parquet"]))
    assert written.column_names == ["id", "label", "processing_date"]
    assert set(written["processing_date"].to_pylist()) == {date(2026, 11, 20)}


def test_a_second_attempt_finds_the_glue_run_that_the_first_one_started() -> None:
    s3, glue = FakeS3(), FakeGlue()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n")
    arguments = job_arguments(a_pipeline(), file, FOLDER, STARTED, "things-1")
    first = start(s3, glue, JOB, file, arguments)
    glue.busy = True
    assert start(s3, glue, JOB, file, arguments) == first
    assert len(glue.states) == 1


def test_a_job_that_runs_as_often_as_it_may_is_busy() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n")
    arguments = job_arguments(a_pipeline(), file, FOLDER, STARTED, "things-1")
    with pytest.raises(GlueIsBusy):
        start(s3, FakeGlue(busy=True), JOB, file, arguments)


def test_glue_does_not_read_content_that_replaced_the_file() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n")
    s3.put("landing", "incoming/things/a.csv", b"id,label\n9,new\n")
    arguments = job_arguments(a_pipeline(), file, FOLDER, STARTED, "things-1")
    with pytest.raises(FileReplaced):
        start(s3, FakeGlue(), JOB, file, arguments)


def test_the_job_is_told_how_the_file_is_written() -> None:
    pipeline = a_pipeline(source=CSV(delimiter="|", quote="'"))
    arguments = job_arguments(pipeline, a_file(), FOLDER, STARTED, "things-1")
    assert (arguments["--delimiter"], arguments["--quote"]) == ("|", "'")
    assert arguments["--target_path"] == f"s3://curated/{FOLDER}"
    assert json.loads(arguments["--columns"])[0] == {"name": "id", "type": "integer", "required": True}


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "WAITING", "STOPPING"])
def test_a_job_run_that_lasts_is_waited_for(state: str) -> None:
    standing = _check(state, now=1030)
    assert (standing["done"], standing["wait_seconds"]) == (False, 30)


@pytest.mark.parametrize("state", sorted(ENDED - {"SUCCEEDED"}))
def test_a_job_run_that_ended_badly_says_how(state: str) -> None:
    standing = _check(state)
    assert (standing["done"], standing["succeeded"], standing["error"]) == (True, False, "GlueJobFailed")
    assert state in standing["cause"]
    assert "Java heap space" in standing["cause"]


def test_a_job_run_over_its_deadline_is_stopped() -> None:
    glue = FakeGlue(states={"jr_0": "RUNNING"})
    with pytest.raises(GlueJobTimedOut, match="600 s"):
        check(FakeS3(), glue, JOB, {"job": "j", "job_run": "jr_0", "started_at": 1000}, a_file(), 1601)
    assert glue.stopped == ["jr_0"]


@pytest.mark.parametrize(("elapsed", "wait"), [(0, 10), (5, 10), (20, 20), (45, 45), (90, 60), (9000, 60)])
def test_the_wait_grows_with_the_time_and_has_a_limit(elapsed: float, wait: int) -> None:
    assert wait_seconds(JOB, elapsed) == wait


def test_the_catalogue_counts_rows_and_writes_a_manifest_of_exactly_the_files() -> None:
    s3, glue = FakeS3(), FakeGlue()
    for part, rows in enumerate((3, 4)):
        s3.put("curated", f"{FOLDER}part-{part}.parquet", parquet_bytes(rows))
    s3.put("curated", "things/dt=2026-11-20/run=other/part-0.parquet", parquet_bytes(9))
    found = register(s3, glue, a_pipeline(), "things-1", STARTED, 7)
    manifest = json.loads(s3.objects["curated", "_manifests/things/things-1.json"])
    assert (found["rows"], found["files"], found["load"]) == (7, 2, True)
    assert [entry["url"] for entry in manifest["entries"]] == [
        f"s3://curated/{FOLDER}part-0.parquet",
        f"s3://curated/{FOLDER}part-1.parquet",
    ]
    assert all(entry["mandatory"] and entry["meta"]["content_length"] for entry in manifest["entries"])
    assert glue.partitions == {("2026-11-20", "things-1"): f"s3://curated/{FOLDER}"}


def test_rows_that_were_lost_on_the_way_fail_the_run_before_anybody_sees_the_rest() -> None:
    s3, glue = FakeS3(), FakeGlue()
    s3.put("curated", f"{FOLDER}part-0.parquet", parquet_bytes(3))
    with pytest.raises(RowsLost, match="3 rows, the source file 4"):
        register(s3, glue, a_pipeline(), "things-1", STARTED, 4)
    assert not glue.partitions


def test_a_rejected_file_is_moved_and_its_report_stands_beside_it() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/bad file.csv", b"junk")
    for _ in range(2):  # a repeated attempt finds it moved
        found = quarantine(s3, "things-1", "things", file, {"reason": "junk"})
    assert ("landing", file.key) not in s3.objects
    assert s3.objects["quarantine", "things/things-1/file/bad file.csv"] == b"junk"
    assert json.loads(s3.objects["quarantine", "things/things-1/report.json"])["reason"] == "junk"
    assert found["report"] == "s3://quarantine/things/things-1/report.json"


def _check(state: str, now: float = 1001.0) -> dict[str, object]:
    s3, glue = FakeS3(), FakeGlue(states={"jr_0": state})
    file = s3.put("landing", "k", b"x")
    return check(s3, glue, JOB, {"job": "j", "job_run": "jr_0", "started_at": 1000}, file, now)


class Broken(io.BytesIO):
    """A connection that is reset in the middle of the file."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError("reset by peer")


def test_a_connection_that_breaks_is_tried_again() -> None:
    s3 = FakeS3()
    file = s3.put("landing", "incoming/things/a.csv", b"id,label\n1,a\n")
    s3.open = lambda _file: Broken()  # type: ignore[method-assign, assignment]
    with pytest.raises(StorageIsUnreachable, match="reset by peer"):
        validate(s3, a_pipeline(), file, "things-1")


class ErrorLog:
    """A job's error log, or a refusal to show it."""

    def __init__(self, lines: list[str] | None) -> None:
        self.lines = lines

    def matching(self, *_: object, **__: object) -> Iterator[dict[str, str]]:
        if self.lines is None:
            raise AccessRefused("FilterLogEvents")
        yield from ({"message": line} for line in self.lines)


def test_a_failed_job_run_is_told_with_the_last_useful_line_of_its_log() -> None:
    found = {"done": True, "succeeded": False, "cause": "Glue job j, run jr_0: FAILED. Command failed"}
    lines = ["INFO started", "ValueError: row 7: 'x' is no integer", "\tat a.b.C(D.java:1)"]
    told = with_last_line(ErrorLog(lines), found, "jr_0", 1000.0)  # type: ignore[arg-type]
    assert told["cause"].splitlines()[1] == "Its log ends: ValueError: row 7: 'x' is no integer"
    for nothing in ([], None):
        assert with_last_line(ErrorLog(nothing), found, "jr_0", 1000.0) == found  # type: ignore[arg-type]
