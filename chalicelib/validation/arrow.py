"""pyarrow, set up for bounded memory, and what is missing from it: exact casts by the cell grammar."""

from __future__ import annotations

from array import array
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from chalicelib.validation.rules import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chalicelib.pipeline import Column
    from chalicelib.validation.cells import Value
    from chalicelib.validation.records import Dialect
    from chalicelib.validation.rules import ColumnRules

pa.set_memory_pool(pa.system_memory_pool())  # the default pool keeps 60 to 100 MB more of what was freed

SLICE = 256
"""Cells cast at once when looking for the bad ones: the cells of a failing slice are read one by one."""

HOUR_ONLY = pa.Int32Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(array("i", [13]))])[0]
"""Characters of `YYYY-MM-DDThh`, which pyarrow takes for a timestamp and the grammar does not."""


def arrow_type(column: Column) -> pa.DataType:
    """Return the type that a declared column has in memory and in Parquet."""
    if column.type == "decimal":
        return pa.decimal128(column.precision, column.scale)
    return TYPES[column.type]


TYPES = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "text": pa.string(),
}


def parse(
    data: bytes, dialect: Dialect, width: int, refuse: Callable[[csv.InvalidRow], str] | None
) -> pa.RecordBatch:
    """Parse whole CSV records into text columns named by position; an empty cell is null.

    Raises:
        pyarrow.ArrowInvalid: when a cell is not UTF-8.
    """
    names = list(map(str, range(width)))
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote, invalid_row_handler=refuse
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
            check_utf8=not data.isascii(),
        ),
    )
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_arrays([text_array([])] * width, names)


_CR, _LF = pa.UInt8Array.from_buffers(
    pa.uint8(), 2, [None, pa.py_buffer(b"\r\n")]
)  # pa.scalar imports pandas


def count_lines(data: bytes) -> int:
    """Count line ends, as `records.count_lines` does, at a fifth of the cost."""
    column = pa.UInt8Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    feeds = pc.equal(column, _LF)
    count: int = feeds.true_count
    if b"\r" in data:
        returns = pc.equal(column, _CR)
        count += returns.true_count - pc.and_(returns[:-1], feeds[1:]).true_count
    return count


def text_array(texts: Sequence[str | None]) -> pa.StringArray:
    """Make a text column; `pa.array` of a list would import pandas wherever it is installed."""
    present = [text or "" for text in texts]
    data = "".join(present).encode()
    sizes = (
        map(len, present) if len(data) == sum(map(len, present)) else (len(text.encode()) for text in present)
    )
    offsets = array("i", accumulate(sizes, initial=0))
    valid = pa.py_buffer(_bits([text is not None for text in texts])) if None in texts else None
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(data), valid)


def _bits(flags: Sequence[bool]) -> bytes:
    packed = bytearray((len(flags) + 7) // 8)
    for index, flag in enumerate(flags):
        if flag:
            packed[index >> 3] |= 1 << (index & 7)
    return bytes(packed)


def mask(size: int, marked: Iterable[int]) -> pa.BooleanArray:
    """Make a column that is true at the marked indexes."""
    packed = bytearray((size + 7) // 8)
    for index in marked:
        packed[index >> 3] |= 1 << (index & 7)
    return pa.BooleanArray.from_buffers(pa.bool_(), size, [None, pa.py_buffer(bytes(packed))])


def holds(column: pa.StringArray, what: bytes) -> bool:
    """Return whether the bytes are anywhere in the column's memory."""
    _, offsets, data = column.buffers()
    if data is None or not len(column):
        return False
    ends = memoryview(offsets).cast("i")
    start, end = ends[column.offset], ends[column.offset + len(column)]
    return what in data.slice(start, end - start).to_pybytes()


NO_TEXT = text_array([None])[0]
NO = mask(1, ())[0]

PLAIN = {"float": r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"}
"""Plain patterns that pyarrow's regular expressions take badly, written for them."""


def indexes(flags: pa.BooleanArray) -> list[int]:
    """Return where the flags are true."""
    found: list[int] = pc.indices_nonzero(flags).to_pylist()
    return found


def exact_cast(column: pa.StringArray, rules: ColumnRules) -> pa.Array | None:
    """Cast text to the column's type, or return None when some cell may not obey the grammar."""
    kind = rules.column.type
    if kind == "text":
        return column
    if any(holds(column, what) for what in FOREIGN_TO.get(kind, ())):
        return None
    if kind == "timestamp":
        return _timestamps(column)
    try:
        values = pc.cast(column, arrow_type(rules.column))
    except pa.ArrowInvalid:
        return None
    finite = kind != "float" or pc.all(pc.is_finite(values), min_count=0).as_py()
    return values if finite else None


FOREIGN_TO = {"integer": (b"x", b"X"), "date": (b"0000-",), "timestamp": (b"0000-",)}
"""What pyarrow would read though the grammar does not: hexadecimal numbers and the year 0."""


def _timestamps(column: pa.StringArray) -> pa.Array | None:
    lengths = pc.min_max(pc.binary_length(column))
    if lengths["min"].as_py() is not None and lengths["max"].as_py() > len("2000-01-01T00:00:00.000000"):
        column = pc.replace_substring_regex(column, r"(\.[0-9]{6})[0-9]+", r"\1")
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            values = pc.cast(column, kind)
        except pa.ArrowInvalid:
            continue
        if kind.tz or pc.any(pc.equal(pc.binary_length(column), HOUR_ONLY), min_count=0).as_py():
            minutes = pc.match_substring_regex(column, "^.{10}(.[0-9]{2}:|$)")
            return pc.cast(values, pa.timestamp("us")) if pc.all(minutes, min_count=0).as_py() else None
        return values
    return None


def sift(column: pa.StringArray, rules: ColumnRules) -> tuple[pa.Array, dict[int, str]]:
    """Cast what obeys the grammar and return it with the messages of the cells that do not, now null."""
    wrong: dict[int, str] = {}
    values = _sift_by_pattern(column, rules, wrong)
    if values is not None:
        return values, wrong
    wrong.clear()
    parts: list[pa.Array] = []
    for start in range(0, len(column), SLICE):
        part = column.slice(start, SLICE)
        cast = exact_cast(part, rules)
        read = range(start, start + len(part))
        parts.append(_read_each(part.to_pylist(), read, rules, wrong) if cast is None else cast)
    return pa.concat_arrays(parts), wrong


def _sift_by_pattern(column: pa.StringArray, rules: ColumnRules, wrong: dict[int, str]) -> pa.Array | None:
    """Cast what matches the plain pattern at once and read the rest; None when pyarrow cannot."""
    plain = PLAIN.get(rules.column.type, rules.grammar.plain)
    if plain is None:
        return None
    matches = pc.match_substring_regex(column, f"^(?:{plain.replace('[+-]?', '-?', 1)})$")
    others = pc.invert(matches)
    rest = indexes(others)
    if len(rest) > len(column) // 2:
        return None
    values = exact_cast(pc.if_else(matches, column, NO_TEXT), rules)
    if values is None:
        return None
    texts = [column[index].as_py() for index in rest]
    return pc.replace_with_mask(values, pc.fill_null(others, NO), _read_each(texts, rest, rules, wrong))


def _read_each(
    texts: Sequence[str | None], places: Sequence[int], rules: ColumnRules, wrong: dict[int, str]
) -> pa.Array:
    values: list[Value | None] = []
    for index, text in zip(places, texts, strict=True):
        try:
            values.append(None if text is None else rules.grammar.read(text))
        except ValueError as error:
            wrong[index] = f"{shown(text or '')} {error}"
            values.append(None)
    return value_array(values, rules.column)


def value_array(values: Sequence[Value | None], column: Column) -> pa.Array:
    """Make a column of values by writing each as pyarrow reads it."""
    texts = [None if value is None else _canonical(value) for value in values]
    return pc.cast(text_array(texts), arrow_type(column))


def _canonical(value: Value) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, float) else str(value)
