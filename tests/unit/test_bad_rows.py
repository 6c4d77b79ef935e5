"""Bad rows that a pipeline tolerates are set aside, each with its reasons, and no other row is."""

from __future__ import annotations

import gzip
import io
import json
import random
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.errors import InvalidFile, InvalidPipeline
from chalicelib.good_rows import write_good_rows
from chalicelib.pipeline import CSV, JSON, NDJSON, Column, Parquet, Pipeline, Tolerance
from chalicelib.transform import write_parquet
from chalicelib.validation import BadRows, Report, validate
from tests.unit.validation_pipelines import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = (
    Column(name="id", type="integer", required=True, unique=True),
    Column(name="country", type="text", required=True, allowed=("DE", "FR")),
    Column(name="amount", type="decimal", precision=8, scale=2, minimum=0),
)
SOURCES = {"csv": CSV(), "json": JSON(), "ndjson": NDJSON(), "parquet": Parquet()}
DIRT: dict[str, dict[str, Any]] = {
    "allowed": {"country": "XX"},
    "required": {"country": None},
    "minimum": {"amount": "-1.00"},
}


def tolerant(form: str, **changes: Any) -> Pipeline:
    given = {"source": SOURCES[form], "tolerate": Tolerance(rows=50_000), "fewest_rows": 0}
    return pipeline(*COLUMNS, **(given | changes))


def a_row(number: int) -> dict[str, Any]:
    return {"id": number, "country": "DE", "amount": "1.50"}


def written(form: str, rows: list[dict[str, Any]]) -> bytes:
    if form == "csv":
        lines = [",".join("" if cell is None else str(cell) for cell in row.values()) for row in rows]
        return "\r\n".join(["id,country,amount", *lines, ""]).encode()
    if form == "json":
        return json.dumps(rows, indent=1).encode()
    if form == "ndjson":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    sink = io.BytesIO()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    table = pa.table({**columns, "amount": pa.array(columns["amount"]).cast(pa.decimal128(8, 2))})
    parquet.write_table(table, sink)
    return sink.getvalue()


def checked(data: bytes, chosen: Pipeline, key: str = "f") -> tuple[Report, list[dict[str, Any]]]:
    if chosen.tolerate is None:
        return validate(io.BytesIO(data), chosen, key=key, size=len(data)), []
    with closing(BadRows(chosen.tolerate.rows)) as bad_rows:
        report = validate(io.BytesIO(data), chosen, key=key, size=len(data), bad_rows=bad_rows)
        return report, list(bad_rows.documents()) if bad_rows.open else []


def kept(data: bytes, chosen: Pipeline, without: Iterable[int], key: str = "f") -> bytes:
    sink = io.BytesIO()
    assert write_good_rows(io.BytesIO(data), chosen, sink, key=key, without=frozenset(without)) >= 0
    return sink.getvalue()


def loaded(data: bytes, chosen: Pipeline) -> list[dict[str, Any]]:
    sink = io.BytesIO()
    write_parquet(io.BytesIO(data), chosen, sink, key="f", processing_date=date(2026, 11, 20))
    return parquet.read_table(sink).drop_columns(["processing_date"]).to_pylist()


@pytest.mark.parametrize(
    ("form", "count"),
    [*((form, 60) for form in SOURCES), ("csv", 70_000), ("ndjson", 3_000), ("json", 3_000)],
)
def test_what_is_set_aside_and_what_is_loaded_are_all_rows(form: str, count: int) -> None:
    chance = random.Random(count)
    rows = [a_row(number) for number in range(count)]
    chance.shuffle(rows)
    expected: dict[int, str] = {}
    for index in chance.sample(range(30, count), min(count // 5, 300)):
        rule = chance.choice([*DIRT, "unique"])
        rows[index] |= {"id": rows[chance.randrange(30)]["id"]} if rule == "unique" else DIRT[rule]
        expected[index + 1] = rule
    data = written(form, rows)
    chosen = tolerant(form)
    report, bad = checked(data, chosen)
    assert report.valid
    assert report.tolerated
    assert (report.rows, report.bad_rows) == (count, len(expected))
    assert {row["row"]: row["rule"] for row in bad} == expected
    assert [row["row"] for row in bad] == sorted(expected)
    good = kept(data, chosen, set(expected))
    again, none = checked(good, chosen)
    assert (again.rows, again.bad_rows, none) == (report.good_rows, 0, [])
    ids = [row["id"] for number, row in enumerate(rows, 1) if number not in expected]
    assert [row["id"] for row in loaded(good, chosen)] == ids


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_a_reject_line_holds_place_rule_message_and_the_row_as_it_was(form: str) -> None:
    rows = [a_row(1), {"id": 2, "country": "XX", "amount": "-3.00"}, a_row(3)]
    data = written(form, rows)
    _, (bad,) = checked(data, tolerant(form))
    assert (bad["row"], bad["column"], bad["rule"]) == (2, "country", "allowed")
    assert bad["line"] == {"csv": 3, "json": None, "ndjson": 2}[form]
    assert bad["message"] == "'XX' is not one of DE, FR"
    assert [other["column"] for other in bad["also"]] == ["amount"]
    assert bad["raw"] == "2,XX,-3.00" if form == "csv" else json.loads(bad["raw"]) == rows[1]


def test_rows_that_are_no_rows_are_set_aside_as_they_are() -> None:
    text = 'id,country,amount\n1,DE,1\n2,DE\n3,D"E,1\n4,"F\nR",1\n\n5,DE,1,2\n6,FR,1'
    report, bad = checked(text.encode(), tolerant("csv"))
    assert [(row["line"], row["rule"], row["raw"]) for row in bad] == [
        (3, "columns", "2,DE"),
        (4, "quotes", '3,D"E,1'),
        (5, "allowed", '4,"F\nR",1'),
        (8, "columns", "5,DE,1,2"),
    ]
    assert (report.good_rows, report.bad_rows) == (2, 4)
    good = kept(text.encode(), tolerant("csv"), {row["row"] for row in bad})
    assert good == b"id,country,amount\n1,DE,1\n\n6,FR,1"


def test_lines_that_are_no_json_are_set_aside_as_they_are() -> None:
    text = '{"id": 1, "country": "DE"}\n{"id": 2,\n\n[3]\n{"id": 4, "country": "FR"}'
    report, bad = checked(text.encode(), tolerant("ndjson"))
    assert [(row["line"], row["rule"], row["raw"]) for row in bad] == [
        (2, "json", '{"id": 2,'),
        (4, "object", "[3]"),
    ]
    good = kept(text.encode(), tolerant("ndjson"), {row["row"] for row in bad})
    assert checked(good, tolerant("ndjson"))[0].rows == report.good_rows == 2


def test_bytes_that_are_not_utf_8_survive_in_the_reject_file() -> None:
    data = "id,country,amount\n1,DE,1\n2,Köln,1\n".encode("latin-1")
    _, (bad,) = checked(data, tolerant("csv"))
    assert (bad["rule"], bad["encoding"], bad["raw"]) == ("encoding", "latin-1", "2,Köln,1")
    assert bad["raw"].encode(bad["encoding"]) in data


def test_a_compressed_file_is_kept_without_its_bad_rows_and_uncompressed() -> None:
    data = gzip.compress(written("csv", [a_row(1), a_row(1), a_row(2)]))
    report, (bad,) = checked(data, tolerant("csv"), key="f.csv.gz")
    assert (report.good_rows, bad["rule"]) == (2, "unique")
    good = kept(data, tolerant("csv"), {bad["row"]}, key="f.csv.gz")
    assert good == written("csv", [a_row(1), a_row(2)])


def test_the_repeats_of_a_value_whose_first_row_is_bad_are_set_aside_too() -> None:
    rows = [a_row(1) | {"country": "XX"}, a_row(1), a_row(2)]
    _, bad = checked(written("csv", rows), tolerant("csv"))
    assert [(row["row"], row["rule"]) for row in bad] == [(1, "allowed"), (2, "unique")]


@pytest.mark.parametrize(
    ("tolerance", "bad", "rows", "allowed"),
    [
        (Tolerance(rows=2), 2, 10, True),
        (Tolerance(rows=2), 3, 10, False),
        (Tolerance(share=0.29), 29, 100, True),
        (Tolerance(share=0.29), 30, 100, False),
        (Tolerance(rows=5, share=0.01), 5, 499, False),
        (Tolerance(rows=5, share=0.01), 6, 10_000, False),
    ],
)
def test_both_limits_of_a_tolerance_hold(tolerance: Tolerance, bad: int, rows: int, *, allowed: bool) -> None:
    assert tolerance.allows(bad, rows) is allowed


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"rows": 100_001}, {"share": 0}, {"share": 1.5}])
def test_a_tolerance_without_sense_is_refused_with_the_remedy(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPipeline, match="write 0 <"):
        Tolerance(**wrong)


@pytest.mark.parametrize("form", SOURCES)
def test_above_the_threshold_the_file_is_rejected_with_exact_counts(form: str) -> None:
    rows = [a_row(number) | ({"country": "XX"} if number % 2 else {}) for number in range(40)]
    report, bad = checked(written(form, rows), tolerant(form, tolerate=Tolerance(rows=5)))
    assert not report.valid
    assert not report.tolerated
    assert (report.rows, report.bad_rows, bad) == (40, 20, [])
    assert report.defect_counts == {"country:allowed": 20}
    assert "tolerates 5" in (report.reason or "")
    assert len({defect.row for defect in report.defects}) == 20


def test_a_file_with_too_few_good_rows_is_rejected() -> None:
    rows = [a_row(1), a_row(2) | {"country": "XX"}]
    report, _ = checked(written("csv", rows), tolerant("csv", fewest_rows=2))
    assert report.reason == "the file has only 1 good rows; pipeline orders takes at least 2"
    report, _ = checked(written("csv", rows[1:]), tolerant("csv", fewest_rows=1))
    assert "no good rows" in (report.reason or "")


def test_without_a_tolerance_one_bad_row_rejects_the_file() -> None:
    report, _ = checked(written("csv", [a_row(1), a_row(1)]), tolerant("csv", tolerate=None))
    assert not report.valid


def test_bad_rows_that_are_too_large_together_reject_the_file() -> None:
    data = written("csv", [a_row(1), a_row(2) | {"country": "X" * 3000}])
    bad_rows = BadRows(5, most_bytes=2000)
    report = validate(io.BytesIO(data), tolerant("csv"), key="f", size=len(data), bad_rows=bad_rows)
    assert not report.valid
    assert "together they have more than" in (report.reason or "")


def test_a_file_that_cannot_be_read_on_is_rejected_however_much_is_tolerated() -> None:
    report, _ = checked(b'[{"id": 1, "country": "DE"}, {"id"', tolerant("json"))
    assert not report.valid
    with pytest.raises(InvalidFile):
        kept(b"[1, 2", tolerant("json"), set())
