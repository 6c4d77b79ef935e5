"""Which events an event pattern matches, by EventBridge's rules."""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISONS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}


class InvalidPatternError(ValueError):
    """An event pattern that EventBridge would not accept."""


def parse(text: str) -> dict[str, Any]:
    """Read and check a pattern.

    Raises:
        InvalidPatternError: not JSON, an empty list, a bare value, or an unknown comparison.
    """
    try:
        pattern = json.loads(text)
    except ValueError:
        raise InvalidPatternError("Invalid JSON") from None
    if not isinstance(pattern, dict):
        raise InvalidPatternError("Filter is not an object")
    _check(pattern)
    return pattern


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether the event has, for every field of the pattern, one of the values listed there."""
    return all(_field_matches(name, wanted, event) for name, wanted in pattern.items())


def _check(pattern: dict[str, Any]) -> None:
    for name, wanted in pattern.items():
        if name == "$or":
            for alternative in wanted:
                _check(alternative)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list):
            raise InvalidPatternError(f"'{name}' must be an object or an array")
        elif not wanted:
            raise InvalidPatternError("Empty arrays are not allowed")
        else:
            for condition in wanted:
                _check_condition(condition)


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        return
    if len(condition) != 1:
        raise InvalidPatternError("Only one key allowed in match expression")
    kind, value = next(iter(condition.items()))
    if kind not in _TESTS and kind not in {"exists", "anything-but"}:
        raise InvalidPatternError(f"Unrecognized match type {kind}")
    if kind == "numeric" and not _is_comparison_list(value):
        raise InvalidPatternError("Numeric match needs pairs of an operator and a number")


def _is_comparison_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and len(value) % 2 == 0
        and all(symbol in _COMPARISONS for symbol in value[::2])
        and all(_is_number(number) for number in value[1::2])
    )


def _field_matches(name: str, wanted: Any, event: Any) -> bool:
    if name == "$or":
        return any(matches(alternative, event) for alternative in wanted)
    if isinstance(event, list):  # a list of objects has the fields of each of them
        return any(_field_matches(name, wanted, element) for element in event)
    present = isinstance(event, dict) and name in event
    value = event[name] if present else None
    if isinstance(wanted, dict):
        return matches(wanted, value)
    return any(_condition_holds(condition, value, present=present) for condition in wanted)


def _condition_holds(condition: Any, value: Any, *, present: bool) -> bool:
    if isinstance(condition, dict) and "exists" in condition:
        # Only leaves count: EventBridge says an object does not exist as a value.
        return (present and not isinstance(value, dict)) == condition["exists"]
    if not present:
        return False
    values = value if isinstance(value, list) else [value]
    return any(_value_matches(condition, one) for one in values)


def _value_matches(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return _equal(condition, value)
    kind, expected = next(iter(condition.items()))
    if kind == "anything-but":
        return not any(_value_matches(one, value) for one in _excluded(expected))
    alternatives = [expected] if kind == "numeric" or not isinstance(expected, list) else expected
    return any(_TESTS[kind](value, one) for one in alternatives)


def _excluded(expected: Any) -> list[Any]:
    """Return the conditions that anything-but negates: values, or one comparison with its values."""
    return expected if isinstance(expected, list) else [expected]


def _equal(expected: Any, value: Any) -> bool:
    # 1 == True in Python, and is not in JSON.
    return (type(expected) is type(value) and expected == value) or (
        _is_number(expected) and _is_number(value) and expected == value
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_test(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """Return a test of text that understands {"equals-ignore-case": ...} and fails for anything else."""

    def tested(value: Any, expected: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(expected, dict):
            return test(value.lower(), expected["equals-ignore-case"].lower())
        return test(value, expected)

    return tested


def _numeric(value: Any, expected: list[Any]) -> bool:
    pairs = zip(expected[::2], expected[1::2], strict=True)
    return _is_number(value) and all(_COMPARISONS[symbol](value, number) for symbol, number in pairs)


def _cidr(value: str, expected: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(expected)
    except ValueError:
        return False


def _wildcard(value: str, expected: str) -> bool:
    # A backslash makes the next star or backslash stand for itself.
    parts = re.split(r"(\\[*\\]|\*)", expected)
    expression = "".join(
        ".*" if part == "*" else re.escape(part[-1:] if part in {r"\*", r"\\"} else part) for part in parts
    )
    return re.fullmatch(expression, value, re.DOTALL) is not None


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text_test(str.startswith),
    "suffix": _text_test(str.endswith),
    "equals-ignore-case": _text_test(lambda value, expected: value.lower() == expected.lower()),
    "wildcard": _text_test(_wildcard),
    "cidr": _text_test(_cidr),
    "numeric": _numeric,
}
