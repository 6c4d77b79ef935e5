"""One column's cells checked together: what is plainly valid in one match, the rest one by one."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chalicelib.validation.cells import read_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from chalicelib.validation.cells import Value
    from chalicelib.validation.rules import ColumnRules

READ_PLAIN: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "decimal": Decimal,
    "float": float,
    "date": dt.date.fromisoformat,
    "timestamp": read_timestamp,
    "text": str,
}
"""How to read a cell that is known to match its type's plain pattern."""


@lru_cache
def _plain_lines(plain: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{plain})?\n)*+", re.ASCII)


def bad_texts(rules: ColumnRules, cells: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the cells that break a rule other than `unique`, each with the rule and a sentence."""
    if _all_good(rules, cells):
        return {}
    broken = ((text, rules.broken_by(text)) for text in set(cells))
    return {text: wrong for text, wrong in broken if wrong}


def _all_good(rules: ColumnRules, cells: Collection[str]) -> bool:
    """Return True when the cells are quickly seen to be good; False means that they have to be looked at."""
    if rules.column.required and "" in cells:
        return False
    if rules.column.type != "text":
        plain = rules.grammar.plain
        if plain is None:
            return False
        lines = "\n".join(cells) + "\n"
        if not _plain_lines(plain).fullmatch(lines) or lines.count("\n") != len(cells):
            return False
    elif rules.column.longest is not None and len(max(cells, key=len, default="")) > rules.column.longest:
        return False
    return _within_limits(rules, set(cells))


def _within_limits(rules: ColumnRules, texts: set[str]) -> bool:
    if rules.minimum is None and rules.maximum is None and rules.allowed is None:
        return True
    texts.discard("")
    if not texts or rules.column.type == "boolean":
        return not texts
    values: list[Value] = list(map(READ_PLAIN[rules.column.type], texts))
    return (
        (rules.minimum is None or min(values) >= rules.minimum)  # type: ignore[operator]
        and (rules.maximum is None or max(values) <= rules.maximum)  # type: ignore[operator]
        and (rules.allowed is None or rules.allowed.issuperset(values))
    )
