"""Decimals of JSON rows, which stay as they are written until they are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from chalicelib.validation.rules import ColumnRules


def decimal_text(raw: msgspec.Raw) -> str:
    """Return the decimal without quotes; empty for null."""
    text = bytes(raw).decode().strip('"')
    return "" if text == "null" else text


@lru_cache
def _raw_decimals(plain: str) -> re.Pattern[bytes]:
    return re.compile(rf'(?:(?:{plain}|"{plain}"|null|"")\n)*+'.encode())


def check_decimals(rules: ColumnRules, raws: list[msgspec.Raw]) -> bool:
    """Return whether every decimal keeps the column's rules but `unique`."""
    plain = rules.grammar.plain
    if not all(raws):
        raws = [raw for raw in raws if isinstance(raw, msgspec.Raw)]
    lines = b"\n".join([*raws, b""])
    if plain is None or not _raw_decimals(plain).fullmatch(lines):
        return False
    if rules.column.required and (b"null" in lines or b'""' in lines):
        return False
    if rules.minimum is None and rules.maximum is None and rules.allowed is None:
        return True
    if b'"' in lines or b"null" in lines:
        lines = lines.replace(b'"', b"").replace(b"null", b"")
    texts = lines.split()
    if rules.allowed is not None:
        return not any(rules.broken_by(text.decode()) for text in set(texts))
    return _within(rules, texts)


def _within(rules: ColumnRules, texts: list[bytes]) -> bool:
    """Compare as floats, whose rounding keeps the order: only equal ones need a closer look."""
    values = list(map(float, texts))
    for limit, extreme in ((rules.minimum, min), (rules.maximum, max)):
        if limit is None or not values:
            continue
        near, furthest = float(limit), extreme(values)  # type: ignore[arg-type]
        if extreme(near, furthest) != near:
            return False
        if furthest == near:
            equal = {text for text, value in zip(texts, values, strict=True) if value == near}
            if any(rules.broken_by(text.decode()) for text in equal):
                return False
    return True
