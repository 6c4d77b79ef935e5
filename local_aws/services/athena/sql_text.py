"""Names and strings quoted for DuckDB, and their places in a client's SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def name(text: str) -> str:
    """Quote an identifier."""
    return '"' + text.replace('"', '""') + '"'


def string(text: str) -> str:
    """Quote a string."""
    return "'" + text.replace("'", "''") + "'"


def strings(texts: Iterable[str]) -> str:
    """Quote a list of strings."""
    return "[" + ", ".join(map(string, texts)) + "]"


def position(sql: str, offset: int) -> str:
    """Return "line 1:8" for an offset into `sql`, both counted from 1, as Presto does."""
    before = sql[:offset]
    return f"line {before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"
