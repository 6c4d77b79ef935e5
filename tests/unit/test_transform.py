"""Files become typed Parquet, as streams."""

import datetime as dt
import gzip
import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.errors import InvalidFile
from chalicelib.pipeline import JSON, NDJSON, Column, Parquet
from chalicelib.transform import write_parquet
from tests.unit.validation_pipelines import HEADER, order, pipeline, text_pipeline

DAY = dt.date(2026, 11, 21)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def transform(content: bytes | str, chosen, key="f.csv"):
    data = content.encode() if isinstance(content, str) else content
    sink = io.BytesIO()
    done = write_parquet(io.BytesIO(data), chosen, sink, key=key, processing_date=DAY)
    assert done.bytes == len(sink.getvalue())
    table = parquet.read_table(sink)
    assert done.rows == table.num_rows
    assert done.columns == tuple(table.column_names)
    return table


def test_a_csv_file_becomes_its_declared_columns_and_the_processing_date():
    table = transform(f"{HEADER}\n{order()}\n{order(id='2', note='', amount='')}\n", pipeline())
    first, second = table.to_pylist()
    assert first == {
        "id": 1,
        "amount": Decimal("9.50"),
        "weight": 1.5,
        "active": True,
        "ordered": dt.date(2020, 2, 29),
        "created": moment("2020-01-01T10:20:30"),
        "country": "DE",
        "note": "hello",
        "processing_date": DAY,
    }
    assert second["note"] is None
    assert second["amount"] is None


def test_columns_are_written_in_the_declared_order():
    table = transform("b,a\n1,2\n", text_pipeline("a", "b"))
    assert table.column_names == ["a", "b", "processing_date"]
    assert table.to_pylist()[0]["a"] == "2"


def test_undeclared_columns_are_kept_as_text_before_the_processing_date():
    table = transform("x,a,y\n1,2,\n", text_pipeline("a", extra_columns="keep"))
    assert table.to_pylist() == [{"a": "2", "x": "1", "y": None, "processing_date": DAY}]


@pytest.mark.parametrize("lines", [True, False])
def test_undeclared_json_keys_are_kept_wherever_they_first_come(lines):
    rows = [{"a": "1"}, {"a": "2", "x": 1.50}, {"a": "3", "y": {"z": ["é"]}, "x": "text"}, {"x": None}]
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    content = "\n".join(texts) if lines else f"[{','.join(texts)}]"
    chosen = text_pipeline("a", source=NDJSON() if lines else JSON(), extra_columns="keep")
    table = transform(content, chosen, "f.json")
    assert table.column_names == ["a", "x", "y", "processing_date"]
    assert table.drop_columns("processing_date").to_pylist() == [
        {"a": "1", "x": None, "y": None},
        {"a": "2", "x": "1.5", "y": None},
        {"a": "3", "x": "text", "y": '{"z": ["é"]}'},
        {"a": None, "x": None, "y": None},
    ]


def test_a_file_with_its_own_processing_date_is_refused():
    with pytest.raises(InvalidFile, match="rename it"):
        transform("a,processing_date\n1,2\n", text_pipeline("a", extra_columns="keep"))


def test_parquet_is_cast_to_the_declared_types():
    source = io.BytesIO()
    moments = pa.array([moment("2020-01-01T12:00")], pa.timestamp("ns", "Europe/Paris"))
    parquet.write_table(
        pa.table({"n": pa.array([7], pa.int16()), "t": moments, "e": [[1]]}).drop(["e"]), source
    )
    columns = (Column(name="t", type="timestamp"), Column(name="n", type="decimal"))
    table = transform(source.getvalue(), pipeline(*columns, source=Parquet()), "f.parquet")
    assert table.to_pylist() == [
        {"t": moment("2020-01-01T12:00"), "n": Decimal("7.00"), "processing_date": DAY}
    ]


def test_a_large_compressed_file_is_written_in_several_row_groups():
    rows = "".join(f"{number},{'words ' * 8}{number}\n" for number in range(600_000))
    content = gzip.compress(f"n,t\n{rows}".encode(), 1)
    chosen = pipeline(Column(name="n", type="integer", unique=True), Column(name="t", type="text"))
    sink = io.BytesIO()
    write_parquet(io.BytesIO(content), chosen, sink, key="f.csv.gz", processing_date=DAY)
    written = parquet.ParquetFile(sink)
    assert written.num_row_groups > 1
    assert written.read(["n"]).column(0).to_pylist() == list(range(600_000))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}\n{order(amount='x')}\n", "line 2, column amount: 'x' is not a decimal"),
        (f"{HEADER}\n{order()}\n{order()}\n", "line 3, column id: '1' came in an earlier row"),
        (f"{HEADER}\n1\n", "line 2: the row has 1 cells"),
        (f"{HEADER}\n", "0 rows; the pipeline allows 1"),
        ("id\n", "the header lacks"),
        ("", "the file is empty"),
    ],
)
def test_what_validation_rejects_is_not_written(content, message):
    with pytest.raises(InvalidFile, match=message):
        transform(content, pipeline())
