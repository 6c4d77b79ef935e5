"""The cell grammar: what an integer, a decimal, a date is. Every reader obeys this module.

`docs/validation.md` is this module in prose. Each type has a `read` function, which is the definition, and a
`plain` pattern: what it matches is valid without asking `read`, so that whole columns are checked at once.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.pipeline import Column

Value = int | float | bool | str | Decimal | dt.date | dt.datetime

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
FIRST_MOMENT, LAST_MOMENT = dt.datetime.min, dt.datetime.max  # noqa: DTZ901  moments are naive UTC throughout

DAY = (
    r"(?:(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)"
)
"""A day that exists, 0001-01-01 to 9999-12-31."""

CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
ZONE = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
TIMESTAMP = rf"{DAY}(?:[Tt ]{CLOCK}{ZONE}?)?"
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(NUMBER)
_BOOLEAN = {"true": True, "1": True, "false": False, "0": False}
_DAY = re.compile(DAY)
_TIMESTAMP = re.compile(rf"({DAY})(?:[Tt ]({CLOCK})({ZONE})?)?")


@dataclass(frozen=True)
class Grammar:
    """How the cells of one column are read.

    Attributes:
        read: text to value; raises ValueError with the end of a sentence that starts with the value.
        plain: a pattern whose every match is valid, or None when each cell must be read.
    """

    read: Callable[[str], Value]
    plain: str | None


def read_integer(text: str) -> int:
    """Read `[+-]digits` within 64 bits."""
    if not _INTEGER.fullmatch(text):
        raise ValueError("is not an integer")
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits) if len(digits) <= 19 else LARGEST_INTEGER + 2  # noqa: PLR2004  64 bits hold 19 digits
    value = -value if text[0] == "-" else value
    if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        raise ValueError("does not fit in a 64-bit integer")
    return value


def read_float(text: str) -> float:
    """Read a decimal or scientific number that is finite."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("does not fit in a 64-bit float")
    return value


def read_boolean(text: str) -> bool:
    """Read true or false in any case, 1 or 0."""
    value = _BOOLEAN.get(text) if len(text) == 1 else _BOOLEAN.get(text.lower()) if text.isascii() else None
    if value is None:
        raise ValueError("is not a boolean (true, false, 1 or 0)")
    return value


def read_date(text: str) -> dt.date:
    """Read a day as YYYY-MM-DD."""
    if not _DAY.fullmatch(text):
        raise ValueError("is not a date (YYYY-MM-DD)")
    return dt.date.fromisoformat(text)


def read_timestamp(text: str) -> dt.datetime:
    """Read a day with or without a time; an offset is turned into UTC, and no offset means UTC.

    Digits of a second after the sixth are cut off.
    """
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError("is not a timestamp (YYYY-MM-DDThh:mm:ss, with an offset or in UTC)")
    day, clock, zone = match.groups()
    seconds, _, fraction = (clock or "00:00").partition(".")
    moment = dt.datetime.fromisoformat(f"{day}T{seconds}")
    moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    try:
        return moment - _offset(zone)
    except OverflowError:
        return LAST_MOMENT if moment.year > 1 else FIRST_MOMENT


def _offset(zone: str | None) -> dt.timedelta:
    if not zone or zone in "Zz":
        return dt.timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    ahead = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -ahead if zone[0] == "-" else ahead


def read_text(text: str) -> str:
    """Read any text."""
    return text


def decimal_reader(precision: int, scale: int) -> Callable[[str], Decimal]:
    """Return the reader of decimals with that many digits in all and after the point."""

    def read_decimal(text: str) -> Decimal:
        if not _NUMBER.fullmatch(text):
            raise ValueError("is not a decimal")
        value = Decimal(text)
        _, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)  # the pattern lets neither NaN nor Infinity through
        if not value:
            return Decimal(0)
        kept = len("".join(map(str, digits)).rstrip("0"))
        last = exponent + len(digits) - kept
        if -last > scale:
            raise ValueError(f"has more than {scale} digits after the point")
        if kept + last > precision - scale:
            raise ValueError(f"has more than {precision - scale} digits before the point")
        return value

    return read_decimal


def grammar(column: Column) -> Grammar:
    """Return how the column's cells are read."""
    if column.type == "decimal":
        whole = column.precision - column.scale
        plain = rf"[+-]?[0-9]{{1,{whole}}}(?:\.[0-9]{{0,{column.scale}}})?" if whole else None
        return Grammar(decimal_reader(column.precision, column.scale), plain)
    return GRAMMARS[column.type]


GRAMMARS = {
    "integer": Grammar(read_integer, r"[+-]?[0-9]{1,18}"),
    "float": Grammar(
        read_float, r"[+-]?(?:[0-9]{1,200}\.?[0-9]{0,200}|\.[0-9]{1,200})(?:[eE][+-]?[0-9]{1,2})?"
    ),
    "boolean": Grammar(read_boolean, r"(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|1|0)"),
    "date": Grammar(read_date, DAY),
    "timestamp": Grammar(read_timestamp, TIMESTAMP),
    "text": Grammar(read_text, None),
}
