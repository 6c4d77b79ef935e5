"""What each defect is called, and where it is found."""

import gzip
import io
import json
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from chalicelib.errors import InvalidPipeline, StorageIsUnreachable
from chalicelib.pipeline import CSV, Column, Parquet
from chalicelib.validation import validate
from tests.unit.validation_pipelines import (
    GOOD,
    HEADER,
    check_csv,
    check_json,
    check_ndjson,
    order,
    pipeline,
    text_pipeline,
)


def only(report):
    (defect,) = report.defects
    return defect.line, defect.row, defect.column, defect.rule


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("id", "12.7", "type"),
        ("id", "", "required"),
        ("id", "0", "minimum"),
        ("amount", "1.234", "type"),
        ("amount", "100000.01", "maximum"),
        ("weight", "NaN", "type"),
        ("active", "yes", "type"),
        ("ordered", "2021-02-29", "type"),
        ("ordered", "1999-12-31", "minimum"),
        ("created", "yesterday", "type"),
        ("country", "XX", "allowed"),
        ("note", "thirteenchars", "longest"),
    ],
)
def test_a_cell_is_reported_with_its_line_column_rule_and_value(column, value, rule):
    report = check_csv(f"{HEADER}\n{order()}\n{order(**{'id': '2', column: value})}\n")
    assert only(report) == (3, 2, column, rule)
    assert report.defects[0].value == value
    assert not report.valid
    assert (report.rows, report.bad_rows) == (2, 1)
    assert report.defect_counts == {f"{column}:{rule}": 1}
    json.dumps(report.to_document())


def test_a_good_file_is_valid():
    report = check_csv(f"{HEADER}\n{order()}\n")
    assert report.valid
    assert report.reason is None
    assert (report.rows, report.bad_rows, report.columns) == (1, 0, tuple(HEADER.split(",")))
    assert report.summary().startswith("valid csv: 1 rows")


def test_a_line_number_counts_the_newlines_inside_cells_and_the_empty_lines():
    report = check_csv('a,b\n"1\n2\r\n3",x\n\n\nonly\n', text_pipeline("a", "b"))
    assert only(report) == (7, 2, None, "columns")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_end_counts_as_one_line(end):
    report = check_csv(end.join(["a,b", "1,2", "only", ""]), text_pipeline("a", "b"))
    assert only(report) == (3, 2, None, "columns")


def test_a_repeated_value_is_reported_where_it_comes_again():
    report = check_csv(f"{HEADER}\n{order()}\n{order(id='5')}\n{order(id='01')}\n")
    assert only(report) == (4, 3, "id", "unique")


def test_a_row_with_two_defects_is_one_bad_row():
    report = check_csv(f"{HEADER}\n{order(amount='x', country='XX')}\n")
    assert report.bad_rows == 1
    assert [defect.rule for defect in report.defects] == ["type", "allowed"]


def test_only_the_first_bad_rows_are_described_and_all_are_counted():
    rows = "\n".join(order(id=str(number), country="XX") for number in range(1, 51))
    report = check_csv(f"{HEADER}\n{rows}\n")
    assert report.bad_rows == 50
    assert [defect.row for defect in report.defects] == list(range(1, 21))
    assert report.reason.startswith(
        "50 of 50 rows are bad; the first: line 2, column country: 'XX' is not one of"
    )


def test_a_long_value_is_cut_at_a_hundred_characters():
    report = check_csv(f"{HEADER}\n{order(note='x' * 5000)}\n")
    assert report.defects[0].value == "x" * 100
    assert len(report.defects[0].message) < 200


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("a", "the header lacks 'b'"),
        ("a,B", "the header lacks 'b'; it has 'B' instead"),
        ("a,b,c", "the header has 'c', which pipeline orders does not declare"),
        ("a,b,a", "the header has 'a' more than once"),
        ('a,b"', "the header has a quote out of its place"),
    ],
)
def test_a_header_that_is_not_the_declared_one_is_named(header, reason):
    report = check_csv(f"{header}\n1,2\n", text_pipeline("a", "b"))
    assert report.reason.startswith(reason)
    assert not report.complete


def test_the_order_of_columns_does_not_matter():
    assert check_csv("b,a\n1,2\n", text_pipeline("a", "b")).valid


def test_an_undeclared_column_may_be_kept():
    report = check_csv("b,a,c\n1,2,3\n", text_pipeline("a", "b", extra_columns="keep"))
    assert report.valid
    assert report.columns == ("b", "a", "c")


def test_a_byte_order_mark_is_skipped():
    assert check_csv("\ufeffa,b\n1,2\n", text_pipeline("a", "b")).valid


def test_another_delimiter_and_quote_are_read():
    chosen = text_pipeline("a", "b", source=CSV(delimiter=";", quote="'"))
    assert check_csv("a;b\n'1;2';\"\n", chosen).valid


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b\n", "the file has no rows"),
        (b"\xff\xfea\x00", "the file is UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "the file holds a NUL byte"),
        (b"a,b\n1,\x00\n", "the file holds a NUL byte"),
        (b"\x1f\x8b\x08", "the file is gzip data: let its name end in .gz"),
        (b"PK\x03\x04", "the file is a zip archive"),
        (b"PAR1....PAR1", "the file is Parquet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)) * 50, "the header"),
        (b"justonecolumn\n" * 500, "the header lacks"),
    ],
)
def test_what_is_no_table_is_rejected_with_a_reason(content, reason):
    report = check_csv(content, text_pipeline("a", "b"))
    assert report.reason.startswith(reason)
    assert not report.valid


def test_a_byte_that_is_not_utf8_is_named_with_its_line():
    report = check_csv(b"a,b\n1,2\n3,caf\xe9\n", text_pipeline("a", "b"))
    assert only(report) == (3, 2, "b", "encoding")


@pytest.mark.parametrize("row", ['5" pipe,x', '"abc"d,x', 'x,"never closed', 'x,"a"b"c"'])
def test_a_quote_out_of_its_place_spoils_its_row_only(row):
    report = check_csv(f"a,b\n1,2\n{row}\n", text_pipeline("a", "b"))
    assert only(report) == (3, 2, None, "quotes")
    after = check_csv(f"a,b\n{row}\n3,4\n", text_pipeline("a", "b"))
    assert after.bad_rows == 1


def test_a_gzip_file_is_read_in_all_its_members():
    content = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n") + b"\0" * 10
    report = check_csv(content, text_pipeline("a", "b"), "f.csv.gz")
    assert (report.valid, report.rows, report.compressed) == (True, 2, True)


def test_a_gzip_file_cut_short_is_rejected():
    content = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    for size in (5, 15, len(content) // 2, len(content) - 3):
        report = check_csv(content[:size], text_pipeline("a", "b"), "f.csv.gz")
        assert report.reason == "the gzip data is cut short: drop the file again"


def test_a_gzip_file_with_a_wrong_checksum_is_rejected():
    content = bytearray(gzip.compress(b"a,b\n1,2\n"))
    content[-6] ^= 1
    assert "the gzip data is damaged" in check_csv(bytes(content), text_pipeline("a", "b"), "f.csv.gz").reason


def test_what_follows_a_gzip_member_must_be_gzip():
    content = gzip.compress(b"a,b\n1,2\n") + b"junk" * 10
    assert "the gzip data is damaged" in check_csv(content, text_pipeline("a", "b"), "f.csv.gz").reason


def test_too_few_or_too_many_rows_are_rejected():
    assert "only 1 rows" in check_csv("a\n1\n", text_pipeline("a", fewest_rows=2)).reason
    assert "takes at most 1" in check_csv("a\n1\n2\n", text_pipeline("a", most_rows=1)).reason
    assert check_csv("a\n", text_pipeline("a", fewest_rows=0)).valid


def test_a_stream_that_ends_early_is_no_verdict_on_the_file():
    with pytest.raises(StorageIsUnreachable, match="after 6 of 9 bytes"):
        validate(io.BytesIO(b"a,b\n1,"), text_pipeline("a", "b"), key="f.csv", size=9)


@pytest.mark.parametrize(
    "rules",
    [
        {"type": "integer", "minimum": "x"},
        {"type": "decimal", "maximum": "1.234"},
        {"type": "date", "allowed": ("2020-02-30",)},
        {"type": "integer", "minimum": 5, "allowed": (1, 7)},
    ],
)
def test_an_impossible_rule_is_the_pipelines_fault(rules):
    with pytest.raises(InvalidPipeline, match="column a: "):
        check_csv("a\n1\n", pipeline(Column(name="a", **rules)))


INTEGER = Column(name="a", type="integer", required=True)
TEXT = Column(name="b", type="text")


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ('{"a": "1"}', "a", "type"),
        ('{"a": 1.0}', "a", "type"),
        ('{"a": true}', "a", "type"),
        ('{"a": null}', "a", "required"),
        ("{}", "a", "required"),
        ('{"a": 9223372036854775808}', "a", "type"),
        ('{"a": 1, "b": 2}', "b", "type"),
        ('{"a": 1, "b": ["x"]}', "b", "type"),
        ('{"a": 1, "c": 2}', "c", "extra"),
        ('{"a": 1, "a": 2}', None, "repeated"),
        ('{"a": 1, "b": "x:y", "b": "x"}', None, "repeated"),
        ('{"a" : 1, "b" : "x", "b" : "x"}', None, "repeated"),
        ('{"a": 1, "b": "\\u003a", "a": 2}', None, "repeated"),
        ('{"a": NaN}', None, "json"),
        ('{"a": Infinity}', None, "json"),
        ('{"a": 1,}', None, "json"),
        ('{"a": 01}', None, "json"),
        ("{'a': 1}", None, "json"),
        ('{"a": 1', None, "json"),
        ("[1]", None, "object"),
        ("7", None, "object"),
        ('{"a": 1} {"a": 2}', None, "json"),
        ('{"a": 1, "b": "\\ud800"}', "b", "encoding"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", None, "json"),
    ],
)
def test_a_bad_line_of_ndjson_is_reported_and_the_rest_is_read(row, column, rule):
    report = check_ndjson(f'{{"a": 1}}\n{row}\n\n{{"a": 3, "b": "x"}}\n', INTEGER, TEXT)
    assert only(report) == (2, 2, column, rule)
    assert (report.rows, report.bad_rows, report.complete) == (3, 1, True)


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ('{"a": "1"}', "a", "type"),
        ('{"a": 1, "a": 2}', None, "repeated"),
        ('{"a": NaN}', None, "json"),
        ('{"a": 1, "b": "}, {"}', None, None),
        ("7", None, "object"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", None, "json"),
    ],
)
def test_a_bad_element_of_an_array_is_reported_and_the_rest_is_read(row, column, rule):
    report = check_json(f'[{{"a": 1}},\n {row},\n{{"a": 3, "b": "x"}} ]\n', INTEGER, TEXT)
    if rule is None:
        assert report.valid
    else:
        assert only(report) == (None, 2, column, rule)
    assert (report.rows, report.complete) == (3, True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("   ", "the file is empty"),
        ("hello", "the file is neither a JSON array nor an object"),
        ('[{"a": 1}', "byte 9: the array is not closed"),
        ('[{"a": 1},', "byte 10: the file is cut short"),
        ('[{"a": 1},]', "byte 10: a value is missing here"),
        ('[{"a": 1} {"a": 2}]', "byte 10: ',' or ']' is missing here"),
        ('[{"a": 1}] x', "byte 11: more follows"),
        ('{"a": 1}\n{"a": 2}', "byte 9: more follows the first JSON value: is this NDJSON?"),
        ('[{"a": "x', "byte 1: the file is cut short"),
        ("[]", "the file has no rows"),
    ],
)
def test_json_that_cannot_be_read_on_is_rejected_with_the_place(content, reason):
    report = check_json(content, INTEGER, TEXT)
    assert report.reason.startswith(reason)


def test_one_object_is_one_row():
    assert check_json('\ufeff {"a": 1}\n', INTEGER, TEXT).rows == 1


def test_a_repeat_in_json_is_found_with_its_value():
    column = Column(name="a", type="text", unique=True)
    report = check_ndjson('{"a": "x"}\n{"a": "y"}\n{"a": "x"}\n', column)
    assert only(report) == (3, 3, "a", "unique")
    assert report.defects[0].value == "x"


def parquet_of(**columns) -> io.BytesIO:
    content = io.BytesIO()
    parquet.write_table(pa.table(columns), content)
    content.seek(0)
    return content


def check_parquet(content: io.BytesIO, *columns: Column):
    return validate(
        content, pipeline(*columns, source=Parquet()), key="f.parquet", size=len(content.getvalue())
    )


def test_parquet_is_checked_by_the_same_rules():
    report = check_parquet(
        parquet_of(a=[1, None, 3, 3], b=["x", "", "toolong", "y"]),
        Column(name="a", type="integer", required=True, unique=True),
        Column(name="b", type="text", longest=3),
    )
    assert report.defect_counts == {"a:required": 1, "a:unique": 1, "b:longest": 1}
    assert (report.rows, report.bad_rows) == (4, 3)


def test_parquet_of_another_type_is_rejected():
    report = check_parquet(parquet_of(a=["x"], b=["x"]), INTEGER, TEXT)
    assert report.reason == "column a is string in the file; the pipeline declares integer"


def test_parquet_without_a_declared_column_is_rejected():
    assert check_parquet(parquet_of(a=[1]), INTEGER, TEXT).reason.startswith("the header lacks 'b'")


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"junk" * 100])
def test_damaged_parquet_is_rejected(damage):
    assert "not Parquet that can be read" in check_parquet(io.BytesIO(damage), INTEGER).reason


def test_parquet_cut_short_is_rejected():
    content = parquet_of(a=list(range(1000))).getvalue()
    assert "not Parquet that can be read" in check_parquet(io.BytesIO(content[:-100]), INTEGER).reason


def test_the_module_is_imported_without_pyarrow_or_pandas():
    code = "import sys, chalicelib.validation; print({'pyarrow', 'pandas', 'msgspec'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_good_value_of_the_sample_row_is_good():
    assert len(GOOD) == len(HEADER.split(","))
