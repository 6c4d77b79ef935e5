"""Arrow batches as the CSV that PostgreSQL's COPY takes, by the rules of Redshift's COPY options."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_aws.services.redshift.columns import Column
    from local_aws.services.redshift.commands import Copy

_LAYOUT = pa.csv.WriteOptions(include_header=False, batch_size=16 * 1024)
_FORMATS = re.compile(r"YYYY|YY|MONTH|MON|MM|DD|HH24|HH12|HH|MI|SS(?:\.S+)?|AM|PM|OF|TZ")
_STRPTIME = {
    "YYYY": "%Y", "YY": "%y", "MONTH": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I",
    "HH": "%H", "MI": "%M", "SS": "%S", "AM": "%p", "PM": "%p", "OF": "%z", "TZ": "%Z",
}  # fmt: skip


def as_csv(batch: pa.RecordBatch, columns: Sequence[Column], copy: Copy) -> bytes:
    """Return the rows; a NULL is an empty field without quotes."""
    prepare = _columnar if copy.format == "parquet" else _textual
    arrays = [prepare(array, column, copy) for array, column in zip(batch.columns, columns, strict=True)]
    table = pa.RecordBatch.from_arrays(arrays, names=[str(index) for index in range(len(arrays))])
    out = io.BytesIO()
    pa.csv.write_csv(table, out, _LAYOUT)
    return out.getvalue()


def _columnar(array: pa.Array, column: Column, copy: Copy) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if column.type == "jsonb":
        return pa.array([_json(value) for value in array.to_pylist()], pa.string())
    if column.type == "bytea":
        return pa.array([None if v is None else "\\x" + v.hex() for v in array.to_pylist()], pa.string())
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if column.is_text:
        return _limited(array, column, copy)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return array.cast(pa.timestamp("us", kind.tz), safe=False)
    return array


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _textual(array: pa.Array, column: Column, copy: Copy) -> pa.Array:
    if pa.types.is_binary(array.type):
        replacement = copy.values.get("invalid_character", "?")
        array = pa.array(
            [
                None if v is None else v.decode("utf-8", "replace").replace("�", replacement)
                for v in array.to_pylist()
            ]
        )
    if column.is_text:
        if "TRIMBLANKS" in copy.switches:
            array = pc.utf8_rtrim(array, " ")
        if "BLANKSASNULL" in copy.switches:
            array = pc.if_else(pc.match_substring_regex(array, r"^\s+$"), None, array)
        if "EMPTYASNULL" in copy.switches:
            array = pc.if_else(pc.equal(array, ""), None, array)
        return _limited(array, column, copy)
    if copy.format != "json":
        array = pc.utf8_trim_whitespace(array)
    array = pc.if_else(pc.equal(array, ""), None, array)
    if column.type == "date":
        return _dated(array, copy.values.get("date_format"))
    if column.type.startswith("timestamp"):
        return _timed(array, copy.values.get("time_format"))
    return array


def _limited(array: pa.Array, column: Column, copy: Copy) -> pa.Array:
    """Cut texts at a character's end within the column's bytes, with TRUNCATECOLUMNS."""
    if "TRUNCATECOLUMNS" not in copy.switches or column.length is None:
        return array
    limit = column.length
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest <= limit:
        return array
    return pa.array(
        [v if v is None else v.encode()[:limit].decode("utf-8", "ignore") for v in array.to_pylist()]
    )


def _dated(array: pa.Array, layout: str | None) -> pa.Array:
    if layout is None or layout.lower() == "auto":
        return array
    # A value that doesn't parse is left as it is, so that the refusal names the value.
    parsed = pc.strptime(array, format=_strptime(layout), unit="s", error_is_null=True)
    return pc.coalesce(pc.strftime(parsed, format="%Y-%m-%d"), array)


def _timed(array: pa.Array, layout: str | None) -> pa.Array:
    if layout is None or layout.lower() == "auto":
        return array
    if layout.lower() in {"epochsecs", "epochmillisecs"}:
        factor = 1_000_000 if layout.lower() == "epochsecs" else 1_000
        numbers = pc.multiply(array.cast(pa.float64()), factor).cast(pa.int64(), safe=False)
        return numbers.cast(pa.timestamp("us")).cast(pa.string())
    parsed = pc.strptime(array, format=_strptime(layout), unit="us", error_is_null=True)
    return pc.coalesce(pc.strftime(parsed, format="%Y-%m-%d %H:%M:%S"), array)


def _strptime(layout: str) -> str:
    return _FORMATS.sub(lambda part: _STRPTIME[part[0].split(".")[0].upper()], layout.upper())
