"""What is in quarantine is listed, shown and put back; nothing is lost and nothing is loaded twice."""

from __future__ import annotations

import io
import json
from contextlib import closing
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib import pipelines, quarantine, quarantined, rows_file, runs
from chalicelib.errors import InvalidRequest, NotInQuarantine, RunConflict, UnknownFile, UnknownRun
from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Parquet, Pipeline, Tolerance
from chalicelib.requeue import requeue
from chalicelib.steps.quarantine_file import quarantine as move_to_quarantine
from chalicelib.steps.validate_file import check
from chalicelib.validation import BadRows, validate
from tests.fakes import FakeS3, FakeStepFunctions
from tests.unit.validation_pipelines import pipeline as a_pipeline

HEADER = b"reading_id;sensor;measured_at;celsius;humidity\n"
GOOD = "".join(f"{number};cellar-1;2026-01-01T00:00:00;12.00;60\n" for number in range(1, 101)).encode()
BAD = b"101;cellar-1;2026-01-01T00:00:00;n/a;60\n102;cellar-1;soon;12.00;60\n"


class Stage:
    """A stage in memory on which one file of readings landed."""

    def __init__(self, body: bytes = HEADER + GOOD + BAD, name: str = "a.csv") -> None:
        self.s3, self.states = FakeS3(), FakeStepFunctions()
        self.file = self.s3.put("landing", f"incoming/readings/{name}", body)
        self.run = runs.start_for_file(self.states, self.file).run
        self.work(self.run)

    def work(self, run: str) -> dict[str, Any]:
        """Do what the workflow does up to the end of validation, and end the run."""
        execution = self.states.describe("", run)
        file = self.s3.find("landing", json.loads(execution["input"])["file"]["key"])
        chosen = quarantine.rules(pipelines.file_pipeline("readings"), file.key)
        found = check(self.s3, chosen, file, run)
        if found["valid"]:
            execution.update(status="SUCCEEDED")
        else:
            move_to_quarantine(self.s3, run, "readings", file, found)
            execution.update(status="FAILED", error="FileRejected")
        return found

    def upload(self, name: str, body: bytes) -> str:
        key = f"corrections/readings/{self.run}/{name}"
        self.s3.put("landing", key, body)
        return key

    def content_of(self, run: str) -> bytes:
        file = json.loads(self.states.describe("", run)["input"])["file"]
        return self.s3.objects[file["bucket"], file["key"]]

    def rejects(self) -> list[dict[str, Any]]:
        entry = quarantined.find(self.s3, self.run)
        return list(quarantine.rows(self.s3, entry.held.uri))


def rejected() -> Stage:
    return Stage(HEADER + BAD)


def listed(stage: Stage, **changes: Any) -> list[quarantined.Entry]:
    asked: dict[str, Any] = {"pipeline": None, "everything": False, "limit": 20, "cursor": None}
    return quarantined.page(stage.s3, **(asked | changes))[0]


def test_rejected_files_and_rows_are_listed_with_their_reasons() -> None:
    for stage, kind, why in (
        (Stage(), "rows", "2 of 102 rows were set aside"),
        (rejected(), "file", "are bad"),
    ):
        (entry,) = listed(stage)
        assert (entry.run, entry.pipeline, entry.kind) == (stage.run, "readings", kind)
        assert why in quarantined.why(quarantined.report(stage.s3, entry))
        assert "line" in quarantined.why(quarantined.report(stage.s3, entry))


def test_pages_go_from_the_newest_to_the_oldest_and_hold_each_entry_once() -> None:
    stage = Stage()
    for number in range(5):
        folder = f"orders/orders-{number:024x}/"
        for name in ("report.json", "file/a.csv"):
            stage.s3.put("quarantine", folder + name, b"{}", age=timedelta(hours=number + 1))
    stage.s3.put("quarantine", f"orders/orders-{9:024x}/report.json", b"{}")  # its file is still to come
    seen, cursor = [], None
    while True:
        found, cursor = quarantined.page(stage.s3, pipeline=None, everything=False, limit=2, cursor=cursor)
        seen += [entry.run for entry in found]
        if cursor is None:
            break
    assert seen == [stage.run, *(f"orders-{number:024x}" for number in range(5))]
    assert [entry.run for entry in listed(stage, pipeline="readings")] == [stage.run]
    with pytest.raises(InvalidRequest, match="cursor"):
        listed(stage, cursor="nonsense")


def test_the_offending_rows_of_both_kinds_say_where_and_why() -> None:
    for stage in (Stage(), rejected()):
        entry = quarantined.find(stage.s3, stage.run)
        rows = quarantined.offending(stage.s3, entry, quarantined.report(stage.s3, entry))
        assert [(row["column"], row["rule"]) for row in rows] == [
            ("celsius", "type"),
            ("measured_at", "type"),
        ]
        assert all(row["message"] and row["line"] for row in rows)
        assert [row["raw"] for row in rows] == BAD.decode().splitlines()


@pytest.mark.parametrize(
    ("run", "error"), [("readings-" + "0" * 24, NotInQuarantine), ("../../etc", UnknownRun)]
)
def test_a_run_without_anything_in_quarantine_is_named(run: str, error: type[Exception]) -> None:
    stage = Stage()
    with pytest.raises(error, match=run[:5]):
        requeue(stage.states, stage.s3, run)


def test_a_corrected_file_starts_one_run_however_often_it_is_put_back() -> None:
    stage = rejected()
    key = stage.upload("a.csv", HEADER + GOOD)
    first = requeue(stage.states, stage.s3, stage.run, key)
    stage.upload("a.csv", HEADER + GOOD)
    second = requeue(stage.states, stage.s3, stage.run, key)
    assert (first.new, second.new, first.run == second.run) == (True, False, True)
    assert first.run.split("-")[1] != stage.run.split("-")[1]
    assert stage.work(first.run)["good_rows"] == 100
    assert not requeue(stage.states, stage.s3, stage.run, key).new
    with pytest.raises(RunConflict, match=first.run):
        requeue(stage.states, stage.s3, stage.run, stage.upload("b.csv", HEADER + GOOD))
    stage.states.executions = [found for found in stage.states.executions if found["name"] != first.run]
    with pytest.raises(RunConflict, match=first.run):  # though Step Functions has forgotten that run
        requeue(stage.states, stage.s3, stage.run)


def test_what_was_put_back_stays_and_is_listed_only_when_asked_for() -> None:
    stage = rejected()
    started = requeue(stage.states, stage.s3, stage.run, stage.upload("a.csv", HEADER + GOOD))
    assert listed(stage) == []
    (entry,) = listed(stage, everything=True)
    assert (entry.run, entry.requeued) == (stage.run, (started.run,))
    assert stage.s3.objects[entry.held.bucket, entry.held.key] == HEADER + BAD


def test_a_correction_that_is_rejected_again_waits_in_quarantine_by_itself() -> None:
    stage = rejected()
    key = stage.upload("a.csv", HEADER + BAD + b"103;c;soon;1;1\n")
    started = requeue(stage.states, stage.s3, stage.run, key)
    stage.work(started.run)
    assert [entry.run for entry in listed(stage)] == [started.run]
    key = stage.upload("a.csv", HEADER + BAD + b"103;c;soon;1;1\n")
    assert requeue(stage.states, stage.s3, stage.run, key).run == f"{started.run}-2"


def test_an_unchanged_file_is_tried_again_as_an_attempt_with_the_same_token() -> None:
    stage = rejected()
    started = requeue(stage.states, stage.s3, stage.run)
    assert (started.run, started.new) == (f"{stage.run}-2", True)
    document = json.loads(stage.states.describe("", started.run)["input"])
    assert document["token"] == stage.run
    assert stage.content_of(started.run) == HEADER + BAD
    with pytest.raises(RunConflict, match="-2"):
        requeue(stage.states, stage.s3, stage.run)
    assert stage.s3.objects["quarantine", f"readings/{stage.run}/file/a.csv"] == HEADER + BAD
    stage.work(started.run)
    assert requeue(stage.states, stage.s3, stage.run).run == f"{stage.run}-3"


def test_corrected_rows_become_a_file_of_those_rows_alone() -> None:
    stage = Stage()
    rows = stage.rejects()
    rows[0]["raw"] = rows[0]["raw"].replace("n/a", "11.50")
    body = json.dumps(rows[0]).encode() + b"\n"
    started = requeue(stage.states, stage.s3, stage.run, stage.upload("fixed.ndjson", body))
    assert stage.content_of(started.run) == HEADER + b"101;cellar-1;2026-01-01T00:00:00;11.50;60\n"
    found = stage.work(started.run)
    assert (found["good_rows"], found["flags"]) == (1, [])
    again = requeue(stage.states, stage.s3, stage.run, stage.upload("other name.ndjson", body))
    assert (again.run, again.new) == (started.run, False)
    assert len(stage.rejects()) == 2


def test_a_row_is_put_back_once_until_its_run_ended_without_loading_it() -> None:
    stage = Stage()
    first, second = (json.dumps(row).encode().replace(b"n/a", b"1") + b"\n" for row in stage.rejects())
    one = requeue(stage.states, stage.s3, stage.run, stage.upload("1.ndjson", first))
    with pytest.raises(RunConflict, match="row 101 was put back already"):
        requeue(stage.states, stage.s3, stage.run, stage.upload("2.ndjson", first + second))
    two = requeue(stage.states, stage.s3, stage.run, stage.upload("2.ndjson", second))
    assert two.run != one.run
    assert stage.work(two.run)["valid"] is False
    three = requeue(
        stage.states, stage.s3, stage.run, stage.upload("3.ndjson", second.replace(b"soon", b"2026-01-01"))
    )
    assert three.new


def test_rows_can_be_corrected_in_a_file_as_the_pipeline_takes_it() -> None:
    stage = Stage()
    body = HEADER + b"101;cellar-1;2026-01-01T00:00:00;11.50;60\n"
    started = requeue(stage.states, stage.s3, stage.run, stage.upload("fixed.csv", body))
    assert stage.content_of(started.run) == body


def test_unchanged_rows_are_tried_again_byte_for_byte() -> None:
    stage = Stage(HEADER + GOOD + "103;kéller;soon;1;1\n".encode("latin-1") + BAD)
    started = requeue(stage.states, stage.s3, stage.run)
    assert stage.content_of(started.run) == HEADER + "103;kéller;soon;1;1\n".encode("latin-1") + BAD
    assert requeue(stage.states, stage.s3, stage.run) == runs.Started(run=started.run, new=False)


def test_a_row_that_was_not_utf_8_is_corrected_as_text() -> None:
    stage = Stage(HEADER + GOOD + "103;kéller;2026-01-01;1;1\n".encode("latin-1"))
    (row,) = stage.rejects()
    started = requeue(stage.states, stage.s3, stage.run, stage.upload("r.ndjson", json.dumps(row).encode()))
    assert stage.content_of(started.run) == HEADER + "103;kéller;2026-01-01;1;1\n".encode()
    assert stage.work(started.run)["bad_rows"] == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"row": 1, "rule": "type", "raw": "x"}\n{"row": 2}\n', "line 2"),
        (b'{"row":1,"rule":"","raw":4}', "line 1"),
    ],
)
def test_a_corrected_reject_file_that_cannot_be_read_names_the_line(body: bytes, words: str) -> None:
    stage = Stage()
    with pytest.raises(InvalidRequest, match=words):
        requeue(stage.states, stage.s3, stage.run, stage.upload("r.ndjson", body))
    assert listed(stage)[0].requeued == ()


def test_a_correction_belongs_to_the_run_that_it_corrects() -> None:
    stage = Stage()
    with pytest.raises(InvalidRequest, match="corrections/readings/"):
        requeue(stage.states, stage.s3, stage.run, stage.file.key)
    with pytest.raises(UnknownFile):
        requeue(stage.states, stage.s3, stage.run, f"corrections/readings/{stage.run}/missing.csv")


COLUMNS = (
    Column(name="id", type="integer", required=True),
    Column(name="day", type="date"),
    Column(name="price", type="decimal", precision=8, scale=2, minimum=0),
    Column(name="at", type="timestamp"),
    Column(name="note", type="text"),
)


def source_of(form: str) -> tuple[bytes, Pipeline]:
    """A file whose second row is bad, and its pipeline."""
    sources = {"csv": CSV(quote="'"), "json": JSON(), "ndjson": NDJSON(), "parquet": Parquet()}
    chosen = a_pipeline(*COLUMNS, source=sources[form], tolerate=Tolerance(rows=5))
    rows = [
        {"id": number, "day": "2026-01-02", "price": price, "at": "2026-01-02 03:04:05", "note": "a, 'b'\nc"}
        for number, price in ((1, "1.00"), (2, "-2.00"))
    ]
    if form == "csv":
        lines = [f"{row['id']},2026-01-02,{row['price']},2026-01-02 03:04:05,'a, ''b''\nc'" for row in rows]
        return "\n".join(["id,day,price,at,note", *lines, ""]).encode(), chosen
    if form == "parquet":
        sink = io.BytesIO()
        table = pa.Table.from_pylist(rows)
        kinds = {"day": pa.date32(), "price": pa.decimal128(8, 2), "at": pa.timestamp("us")}
        for name, kind in kinds.items():
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].cast(kind))
        parquet.write_table(table, sink)
        return sink.getvalue(), chosen
    text = json.dumps(rows) if form == "json" else "".join(json.dumps(row) + "\n" for row in rows)
    return text.encode(), chosen


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_corrected_rows_of_every_format_are_a_valid_file_of_that_format(form: str) -> None:
    data, chosen = source_of(form)
    with closing(BadRows(5)) as bad_rows:
        report = validate(io.BytesIO(data), chosen, key="f", size=len(data), bad_rows=bad_rows)
        (row,) = bad_rows.documents()
    assert (report.good_rows, row["rule"]) == (1, "minimum")
    line = json.dumps(row | {"raw": row["raw"].replace("-2.00", "2.00")}).encode()
    sink = io.BytesIO()
    rows_file.write(rows_file.read([line, b""], correcting=True), chosen, list(report.columns), sink)
    again = validate(io.BytesIO(sink.getvalue()), chosen, key="f", size=len(sink.getvalue()))
    assert (again.valid, again.rows, again.reason) == (True, 1, None)


def test_a_row_that_does_not_fit_a_parquet_file_is_named() -> None:
    _, chosen = source_of("parquet")
    line = json.dumps({"raw": '{"id": "seven"}'}).encode()
    with pytest.raises(InvalidRequest, match=r"column id.*correct this row"):
        rows_file.write(rows_file.read([line], correcting=True), chosen, [], io.BytesIO())


def test_a_correction_may_have_fewer_rows_than_a_file_must_have() -> None:
    chosen = a_pipeline(fewest_rows=100, usual_rows=(100, 200))
    assert quarantine.rules(chosen, "corrections/orders/orders-1/a.csv").fewest_rows == 1
    assert quarantine.rules(chosen, "incoming/orders/a.csv") == chosen


def test_rows_of_an_attempt_that_failed_are_neither_listed_nor_put_back_twice() -> None:
    stage = Stage()
    stage.states.describe("", stage.run).update(status="FAILED", error="LoadFailed")
    second = runs.redrive(stage.states, stage.run).run
    stage.work(second)
    assert [entry.run for entry in listed(stage)] == [second]
    fixed = json.dumps(stage.rejects()[0]).replace("n/a", "1").encode()
    requeue(stage.states, stage.s3, stage.run, stage.upload("r.ndjson", fixed))
    key = f"corrections/readings/{second}/r.ndjson"
    stage.s3.put("landing", key, fixed)
    with pytest.raises(RunConflict, match="row 101 was put back already"):
        requeue(stage.states, stage.s3, second, key)


def test_a_file_corrected_after_a_second_attempt_is_not_put_back_from_the_first() -> None:
    stage = rejected()
    second = requeue(stage.states, stage.s3, stage.run).run
    stage.work(second)
    key = f"corrections/readings/{second}/a.csv"
    stage.s3.put("landing", key, HEADER + GOOD)
    corrected = requeue(stage.states, stage.s3, second, key)
    stage.work(corrected.run)
    with pytest.raises(RunConflict, match=corrected.run):
        requeue(stage.states, stage.s3, stage.run, stage.upload("a.csv", HEADER + GOOD))
