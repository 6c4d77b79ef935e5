"""One JSON row parsed strictly, and its cells by the cell grammar: slow, and it says what is wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from chalicelib.validation.json_pieces import Number
from chalicelib.validation.rules import shown

if TYPE_CHECKING:
    from chalicelib.validation.rules import ColumnRules

DEEPEST = 500
"""Levels of nesting in one row; Python's own parser stops near a thousand."""


class NotARow(Exception):
    """The bytes are not one JSON object."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object strictly; numbers stay as they are written.

    Raises:
        NotARow: for anything else, and for a repeated key, NaN, Infinity, or bytes that are not UTF-8.
    """
    try:
        text = raw.decode()
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise NotARow("json", f"the row is nested deeper than {DEEPEST} levels")
        value = json.loads(
            text, object_pairs_hook=unrepeated, parse_float=Number, parse_int=Number, parse_constant=_constant
        )
    except UnicodeDecodeError:
        raise NotARow("encoding", "the row is not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as wrong:
        raise NotARow("json", f"the row is not JSON: {wrong.msg} at character {wrong.pos + 1}") from None
    if not isinstance(value, dict):
        raise NotARow("object", "the row is not an object: write {...} with a key for each column")
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', text, re.DOTALL):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object that a parser read.

    Raises:
        NotARow: a key comes more than once.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise NotARow("repeated", f"the key {shown(name)} comes more than once in the row")
    return found


def _constant(name: str) -> Any:
    raise NotARow("json", f"{name} is not JSON: write null or a number")


JSON_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "integer": ((Number,), "number"),
    "decimal": ((Number, str), "number, or a string that holds one"),
    "float": ((Number,), "number"),
    "boolean": ((bool,), "true or false"),
    "date": ((str,), "string"),
    "timestamp": ((str,), "string"),
    "text": ((str,), "string"),
}
"""What a column's cells may be in JSON; `Number` is a `str`, so it is looked at first."""


def broken_by_json(rules: ColumnRules, value: Any) -> tuple[str, str] | None:
    """Return the first rule that the JSON value breaks, and a sentence; None for a good one."""
    if value is None or value == "":
        return rules.broken_by_null()
    kinds, written = JSON_KINDS[rules.column.type]
    if not isinstance(value, kinds) or (isinstance(value, Number) and Number not in kinds):
        return "type", f"{shown(as_written(value))} is not a JSON {written}"
    text = as_written(value)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return "encoding", f"{shown(text)} holds half of a surrogate pair"
    return rules.broken_by(text)


def as_written(value: Any) -> str:
    """Return a cell as the file has it."""
    return value if isinstance(value, str) else json.dumps(value)
