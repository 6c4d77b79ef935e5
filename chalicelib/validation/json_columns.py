"""Good JSON rows turned into columns by pyarrow, without a Python value for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from chalicelib.validation.arrow import NO_TEXT, arrow_type, exact_cast, text_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.validation.rules import ColumnRules

AS_WRITTEN = frozenset({"date", "timestamp", "text"})
"""Types read as text first: dates are pyarrow's numbers, and an empty text is a null."""

EMPTY = text_array([""])[0]


def json_columns(lines: Iterable[bytes], rules: tuple[ColumnRules, ...]) -> dict[str, pa.Array] | None:
    """Return the declared columns of rows that keep every rule; None when pyarrow reads one otherwise.

    Args:
        lines: objects with a line end after each. One may go over many lines.
        rules: the declared columns.
    """
    data = b"".join(lines)
    schema = pa.schema(
        [
            (column.name, pa.string() if column.column.type in AS_WRITTEN else arrow_type(column.column))
            for column in rules
        ]
    )
    try:
        table = json.read_json(
            pa.BufferReader(data),
            read_options=json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=json.ParseOptions(
                explicit_schema=schema, newlines_in_values=True, unexpected_field_behavior="ignore"
            ),
        )
    except pa.ArrowInvalid:  # such as 1.0 for an integer, or "" for a decimal
        return None
    columns: dict[str, pa.Array] = {}
    for column in rules:
        found = table.column(column.name).combine_chunks()
        values = _typed(found, column) if column.column.type in AS_WRITTEN else found
        if values is None:
            return None
        columns[column.name] = values
    return columns


def _typed(texts: pa.StringArray, rules: ColumnRules) -> pa.Array | None:
    empty = pc.equal(texts, EMPTY)
    if empty.true_count:
        texts = pc.if_else(pc.fill_null(empty, False), NO_TEXT, texts)
    return exact_cast(texts, rules)
