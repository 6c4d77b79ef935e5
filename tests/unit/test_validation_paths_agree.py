"""The csv module's path, the pyarrow path and the JSON path give the same answers on generated files."""

import csv
import datetime as dt
import io
import json
import re
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidFile
from chalicelib.pipeline import JSON, NDJSON, Column
from chalicelib.validation import csv_file, typed_batches, validate
from chalicelib.validation.arrow import arrow_type, exact_cast, sift, text_array
from chalicelib.validation.findings import Findings, Unreadable
from chalicelib.validation.json_columns import json_columns
from chalicelib.validation.records import Dialect, blocks
from chalicelib.validation.rules import column_rules
from tests.unit.validation_pipelines import ORDERS, pipeline

TRICKY = {
    "integer": (
        "0 -0 7 007 +7 12.0 1e3 0x1F 9223372036854775807 9223372036854775808 "
        "-9223372036854775808 - + 1_0 \N{ARABIC-INDIC DIGIT ONE} 00000000000000000000000000001"
    ),
    "decimal": (
        "0 -0.00 1.5 1. .5 . 1.230 1.234 1e2 1E-2 1e-3 999999.99 1000000 1e99 -1 nan 100000 100000.01 0e999"
    ),
    "float": "0 1 1. .5 -1e-400 1e400 nan NaN inf -Infinity 1e5 1e 0x1p3 1000 1000.0000000000001 1_0",
    "boolean": "true false True FALSE 1 0 t yes 01 TRUEE",
    "date": (
        "2020-02-29 2021-02-29 1900-02-29 2000-02-29 0000-01-01 0001-01-01 9999-12-31 "
        "1999-12-31 2020-1-1 20200101 2020-13-01 2020-04-31 2020-01-01T00:00:00"
    ),
    "timestamp": (
        "2020-01-01 2020-01-01T12 2020-01-01T12:30 2020-01-01T12:30:15 "
        "2020-01-01T12:30:15.1234567 2020-01-01T12:30:15Z 2020-01-01t12:30:15z "
        "2020-01-01T12:30:15+02:00 2020-01-01T12:30:15-0230 2020-01-01T12+02 "
        "2020-01-01T12:30+02 2020-01-01Z 2020-01-01T24:00:00 2020-01-01T12:30:60 "
        "2020-01-01T12:30:15. 2020-02-30T00:00 2020-01-01T12:30:15+24:00 "
        "0001-01-01T00:00:00+02:00 9999-12-31T23:59:59.999999999"
    ),
    "text": 'DE FR XX hello a,b a"b "" thirteenchars éééééééééééé ééééééééééééé \N{PILE OF POO}',
}


def tricky_cells(column: Column) -> list[str]:
    anywhere = ["", " ", " 1", "1 ", "a\nb", "a\r\nb", "x\ry", "\ufeff", "2020-01-01 12:30"]
    return [*TRICKY[column.type].split(" "), *anywhere]


def cells(column: Column) -> st.SearchStrategy[str]:
    numbers = st.integers(-(10**20), 10**20).map(str)
    decimals = st.decimals(-(10**7), 10**7, places=3).map(str)
    moments = st.datetimes().map(str)
    return st.one_of(
        st.sampled_from(tricky_cells(column)),
        numbers,
        decimals,
        moments,
        st.text('01279-+.eE:TZ ,"\n', max_size=12),
    )


def good_cells(column: Column) -> st.SearchStrategy[str]:
    return {
        "integer": st.integers(1, 60).map(str),
        "decimal": st.decimals(0, 99999, places=2).map(str),
        "float": st.floats(-1000, 1000).map(repr),
        "boolean": st.sampled_from(["true", "false"]),
        "date": st.dates(min_value=dt.date(2000, 1, 1)).map(str),
        "timestamp": st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds")),
        "text": st.sampled_from(["DE", "FR", "US"]),
    }[column.type]


ROW = st.tuples(*(st.one_of(good_cells(column), good_cells(column), cells(column)) for column in ORDERS)).map(
    list
)
RAGGED = st.lists(st.sampled_from(["", "1", "x\ny"]), min_size=1, max_size=10).filter(lambda row: row != [""])
ROWS = st.lists(st.one_of(ROW, ROW, ROW, RAGGED), min_size=1, max_size=25)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    text = io.StringIO()
    writer = csv.writer(
        text,
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow([column.name for column in ORDERS])
    for row in draw(ROWS):
        writer.writerow(row)
        if draw(st.integers(0, 9)) == 0:
            text.write("\n")
    data = text.getvalue().encode()
    spoil = draw(st.sampled_from([b"", b"", b"", b"\xff", b'"', b"\r", b'x"y', b'"a"b,', b"\xef\xbb\xbf"]))
    place = draw(st.integers(len(data) // 2, len(data)))
    return data[:place] + spoil + data[place:]


def outcome(check: object, data: bytes, chunk: int) -> tuple[object, ...]:
    findings = Findings(5)
    dialect = Dialect(",", '"')
    pieces = (data[start : start + chunk] for start in range(0, len(data), chunk))
    stop = None
    try:
        check(blocks(pieces, dialect), dialect, pipeline(), findings)
    except Unreadable as unreadable:
        stop = str(unreadable)
    return findings.rows, findings.bad_rows, findings.counts, findings.defects, stop


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=csv_files(), chunk=st.integers(60, 4000))
@example(data=f'{",".join(column.name for column in ORDERS)}\n1,2,3,4,5,6,7,"8""\n"9",\n'.encode(), chunk=65)
def test_both_csv_paths_find_the_same_defects_on_the_same_lines(data, chunk):
    by_rows = outcome(csv_file.check_by_rows, data, len(data))
    assert outcome(csv_file.check_by_columns, data, len(data)) == by_rows
    assert outcome(csv_file.check_by_rows, data, chunk) == by_rows
    assert outcome(csv_file.check_by_columns, data, chunk) == by_rows


NUMERIC = {"integer", "decimal", "float"}
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def as_json(column: Column, text: str) -> str | None:
    """The cell as JSON writes it, or None where JSON cannot say the same."""
    if text == "":
        return "null"
    if column.type in NUMERIC:
        return text if JSON_NUMBER.fullmatch(text) else None
    if column.type == "boolean":
        return text if text in {"true", "false"} else None
    return json.dumps(text)


def json_cells(column: Column) -> st.SearchStrategy[str]:
    return st.one_of(good_cells(column), good_cells(column), cells(column)).filter(
        lambda text: as_json(column, text) is not None
    )


JSON_ROWS = st.lists(st.tuples(*map(json_cells, ORDERS)), min_size=1, max_size=25)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=JSON_ROWS, pretty=st.booleans(), absent=st.booleans())
def test_json_and_ndjson_give_the_answers_of_csv(rows, pretty, absent):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)  # or it leaves a lone CR unquoted
    writer.writerow([column.name for column in ORDERS])
    writer.writerows(rows)
    objects = [
        ", ".join(
            f'"{column.name}"{" " if pretty else ""}: {cell}'
            for column, cell in zip(
                ORDERS, [as_json(*pair) for pair in zip(ORDERS, row, strict=True)], strict=True
            )
            if cell != "null" or not absent
        )
        for row in rows
    ]
    objects = [f"{{{body}}}" for body in objects]
    expected = validate(io.BytesIO(text.getvalue().encode()), pipeline(), key="f.csv", size=0)
    for source, content in ((NDJSON(), "\n".join(objects)), (JSON(), f"[{', '.join(objects)}]")):
        report = validate(io.BytesIO(content.encode()), pipeline(source=source), key="f.json", size=0)
        assert (report.rows, report.bad_rows, report.defect_counts) == (
            expected.rows,
            expected.bad_rows,
            expected.defect_counts,
        )
        assert [replace(defect, line=None, message="") for defect in report.defects] == [
            replace(defect, line=None, message="") for defect in expected.defects
        ]


@pytest.mark.parametrize("column", ORDERS, ids=lambda column: column.type)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_column_cast_at_once_has_the_values_that_the_grammar_reads(column, data):
    rules = column_rules(replace(column, minimum=None, maximum=None, allowed=None, required=False))
    texts = data.draw(
        st.lists(st.one_of(good_cells(column), cells(column)).filter(bool), min_size=1, max_size=40)
    )
    array = text_array(texts)
    values = exact_cast(array, rules)
    values, wrong = (values, {}) if values is not None else sift(array, rules)
    assert values.type == arrow_type(column)
    for index, text in enumerate(texts):
        try:
            expected = rules.grammar.read(text)
        except ValueError:
            assert index in wrong
            assert not values[index].is_valid
        else:
            assert index not in wrong
            if not text.startswith(("0001-01-01", "9999-12-31")):
                assert values[index].as_py() == expected


def _reads(column: Column, text: str) -> bool:
    try:
        column_rules(column).grammar.read(text)
    except ValueError:
        return text == ""
    return not text.startswith(("0001-01-01", "9999-12-31"))


def readable_cells(column: Column) -> st.SearchStrategy[str]:
    """Return cells that JSON can say and the grammar reads; most texts made at random are no such ones."""

    def fits(text: str) -> bool:
        return as_json(column, text) is not None and _reads(column, text)

    tricky = st.sampled_from([text for text in tricky_cells(column) if fits(text)])
    good = good_cells(column).filter(fits)
    if column.type in {"boolean", "date", "timestamp"}:
        return st.one_of(good, good, tricky)
    return st.one_of(good, good, tricky, cells(column).filter(fits))


@pytest.mark.parametrize("column", ORDERS, ids=lambda column: column.type)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_json_rows_converted_at_once_have_the_values_that_the_grammar_reads(column, data):
    rules = column_rules(column)
    texts = data.draw(st.lists(readable_cells(column), min_size=1, max_size=20))
    rows = [f'{{"{column.name}":\n{as_json(column, text)}}}\n'.encode() for text in texts]
    found = json_columns(rows, (rules,))
    if found is not None:  # else each value is read by Python
        assert found[column.name].type == arrow_type(column)
        assert found[column.name].to_pylist() == [
            rules.grammar.read(text) if text else None for text in texts
        ]


def test_plain_json_rows_are_converted_at_once():
    rows = [{"id": 1, "amount": 9.5, "weight": 1.5, "active": True, "ordered": "2020-02-29"}, {"id": None}]
    rows[0] |= {"created": "2020-01-01T10:20:30+02:00", "country": "DE", "note": ""}
    found = json_columns([json.dumps(row).encode() + b"\n" for row in rows], tuple(map(column_rules, ORDERS)))
    assert found is not None
    assert found["amount"].to_pylist() == [Decimal("9.50"), None]
    assert found["note"].to_pylist() == [None, None]


def test_typed_batches_of_csv_and_json_are_the_same():
    rows = [
        ["1", "9.50", "1.5", "true", "2020-02-29", "2020-01-01T10:20:30+02:00", "DE", ""],
        ["2", *[""] * 7],
    ]
    text = "\n".join([",".join(column.name for column in ORDERS), *map(",".join, rows)])
    objects = [{"id": 1, "amount": 9.5, "weight": 1.5, "active": True, "ordered": "2020-02-29"}, {"id": 2}]
    objects[0] |= {"created": "2020-01-01T10:20:30+02:00", "country": "DE", "note": ""}
    first = typed_batches(io.BytesIO(text.encode()), pipeline(), key="f.csv")
    second = typed_batches(io.BytesIO(json.dumps(objects).encode()), pipeline(source=JSON()), key="f.json")
    table = pa.Table.from_batches(first)
    assert table.equals(pa.Table.from_batches(second))
    assert table.to_pylist()[0]["created"].hour == 8


def test_typed_batches_refuse_what_validation_rejects():
    text = ",".join(column.name for column in ORDERS) + "\n" + ",".join(["x", *[""] * 7])
    with pytest.raises(InvalidFile, match="line 2, column id: 'x' is not an integer"):
        list(typed_batches(io.BytesIO(text.encode()), pipeline(), key="f.csv"))
