"""Values as Athena writes them in a result."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7  # Java writes doubles outside of this with an exponent


def formatter(type_: Any) -> Callable[[Any], str]:  # noqa: PLR0911 - one line a type
    """Return the function that writes a value, not None, of a DuckDB type."""
    match type_.id:
        case "float":
            return lambda value: _double(_shortest(value))
        case "double":
            return _double
        case "list" | "array":
            item = nested(type_.children[0][1])
            return lambda value: f"[{', '.join(map(item, value))}]"
        case "map":
            key, held = (nested(child) for _, child in type_.children)
            return lambda value: "{" + ", ".join(f"{key(k)}={held(v)}" for k, v in value.items()) + "}"
        case "struct":
            fields = [(name, nested(child)) for name, child in type_.children]
            return lambda value: "{" + ", ".join(f"{_field(n)}={f(value[n])}" for n, f in fields) + "}"
        case "tuple":
            items = [nested(child) for _, child in type_.children]
            return lambda value: (
                "{"
                + ", ".join(f"field{at}={f(v)}" for at, (f, v) in enumerate(zip(items, value, strict=True)))
                + "}"
            )
    return _SCALARS.get(type_.id, str)


def nested(type_: Any) -> Callable[[Any], str]:
    """Return the function that writes a value inside an array, map or row, where NULL is a word."""
    write = formatter(type_)
    return lambda value: "null" if value is None else write(value)


def _field(name: str) -> str:
    # An anonymous row's fields are _0, _1 in the engine and field0, field1 in Athena.
    return f"field{name[1:]}" if name.startswith("_") and name[1:].isdigit() else name


def _timestamp(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(" ", "milliseconds")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "milliseconds") + " UTC"


def _interval(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{value.days} {hours:02}:{minutes:02}:{seconds:02}.{value.microseconds // 1000:03}"


def _double(value: float) -> str:
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        text = repr(value)
        return text if "e" not in text else f"{Decimal(text):f}"
    digits, _, exponent = f"{Decimal(repr(value)):e}".lower().partition("e")
    whole, _, fraction = digits.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


def _shortest(value: float) -> float:
    """Return the shortest decimal that is this single-precision number."""
    packed = struct.pack("f", value)
    for digits in range(1, 10):
        shorter = float(f"{value:.{digits}g}")
        if struct.pack("f", shorter) == packed:
            return shorter
    return value


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


def _time(value: time) -> str:
    return value.isoformat("milliseconds")


def _bytes(value: bytes) -> str:
    return value.hex(" ")


# By DuckDB's type id; integers, strings, dates and UUIDs are written as Python does.
_SCALARS: dict[str, Callable[[Any], str]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "timestamp": _timestamp,
    "timestamp_s": _timestamp,
    "timestamp_ms": _timestamp,
    "timestamp_ns": _timestamp,
    "timestamp with time zone": _timestamp,
    "time": _time,
    "time with time zone": _time,
    "blob": _bytes,
    "interval": _interval,
}
