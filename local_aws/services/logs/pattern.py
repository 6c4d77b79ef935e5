"""CloudWatch Logs filter patterns: terms, and conditions on a JSON line.

ERROR timeout            lines with both
?ERROR ?timeout          lines with one of them
ERROR -retried           lines with the first and without the second
{ $.run = "a-1" && $.seconds > 2.5 }
"""

from __future__ import annotations

import fnmatch
import functools
import json
import operator
import re
from typing import TYPE_CHECKING, Any

from moto.logs.exceptions import InvalidParameterException

if TYPE_CHECKING:
    from collections.abc import Callable

TERM = re.compile(r'([?-]?)("(?:[^"\\]|\\.)*"|[^\s"]+)')
TOKEN = re.compile(
    r"""\s*(?:(?P<sign>&&|\|\||!=|<=|>=|[()=<>])
    |(?P<field>\$(?:\.[A-Za-z_][\w-]*|\[\d+\])+)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<word>[^\s()&|=<>!]+))""",
    re.VERBOSE,
)
PART = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MISSING = object()


class Matcher:
    """Says which messages a pattern selects."""

    def __init__(self, matches: Callable[[str], bool]) -> None:
        self.matches = matches


@functools.lru_cache(maxsize=256)
def matcher(pattern: str | None) -> Matcher:
    """Return a pattern, compiled.

    Raises:
        InvalidParameterException: it cannot be understood, or is one that is not supported here.
    """
    text = (pattern or "").strip()
    if not text:
        return Matcher(lambda _message: True)
    if text.startswith("["):
        raise _unsupported("Filter patterns by columns", text)
    if text.startswith("{"):
        if not text.endswith("}"):
            raise _invalid(text)
        return Matcher(_of_json(text))
    return Matcher(_of_terms(text))


def _of_terms(text: str) -> Callable[[str], bool]:
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for sign, term in TERM.findall(text):
        if term.startswith("%"):
            raise _unsupported("Regular expressions in filter patterns", text)
        terms[sign].append(json.loads(term) if term.startswith('"') else term)
    every, some, none = terms[""], terms["?"], terms["-"]

    def matches(message: str) -> bool:
        return (
            all(term in message for term in every)
            and (not some or any(term in message for term in some))
            and not any(term in message for term in none)
        )

    return matches


def _of_json(text: str) -> Callable[[str], bool]:
    condition = _Conditions(text).whole()
    # Most lines are another run's: a line without the text of the only equality need not be parsed.
    needles = re.findall(r'=\s*"([^"\\*]*)"', text) if "!" not in text and "||" not in text else []

    def matches(message: str) -> bool:
        if not message.startswith("{") or not all(needle in message for needle in needles):
            return False
        try:
            return condition(json.loads(message))
        except ValueError:
            return False

    return matches


class _Conditions:
    """Reads `{ ... }` by recursive descent: or, and, a condition or a parenthesis."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text[1:-1])
        self._next = 0

    def whole(self) -> Callable[[Any], bool]:
        condition = self._either()
        if self._next < len(self._tokens):
            raise _invalid(self._text)
        return condition

    def _split(self, inside: str) -> list[tuple[str, str]]:
        tokens, place = [], 0
        while inside[place:].strip():
            found = TOKEN.match(inside, place)
            if not found or not found.lastgroup:
                raise _invalid(self._text)
            tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        return tokens

    def _take(self, *kinds: str) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] not in kinds:
            raise _invalid(self._text)
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _at(self, *texts: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][1].upper() in texts

    def _either(self) -> Callable[[Any], bool]:
        parts = [self._all()]
        while self._at("||"):
            self._next += 1
            parts.append(self._all())
        return lambda document: any(part(document) for part in parts)

    def _all(self) -> Callable[[Any], bool]:
        parts = [self._one()]
        while self._at("&&"):
            self._next += 1
            parts.append(self._one())
        return lambda document: all(part(document) for part in parts)

    def _one(self) -> Callable[[Any], bool]:
        if self._at("("):
            self._next += 1
            inner = self._either()
            if not self._at(")"):
                raise _invalid(self._text)
            self._next += 1
            return inner
        path = self._take("field")
        if self._at("IS"):
            self._next += 1
            wanted = {"TRUE": True, "FALSE": False, "NULL": None}
            word = self._take("word").upper()
            if word not in wanted:
                raise _invalid(self._text)
            return lambda document: _value(document, path) is wanted[word]
        if self._at("NOT"):
            self._next += 1
            if self._take("word").upper() != "EXISTS":
                raise _invalid(self._text)
            return lambda document: _value(document, path) is MISSING
        return self._comparison(path)

    def _comparison(self, path: str) -> Callable[[Any], bool]:
        sign = self._take("sign")
        if sign not in COMPARISONS:
            raise _invalid(self._text)
        written = self._take("text", "word")
        if written.startswith("%"):
            raise _unsupported("Regular expressions in filter patterns", self._text)
        return functools.partial(_compare, path=path, sign=sign, wanted=_literal(written))


def _compare(document: Any, *, path: str, sign: str, wanted: str | float) -> bool:
    value = _value(document, path)
    if value is MISSING or isinstance(value, dict | list):
        return False
    if isinstance(wanted, str):
        if sign not in {"=", "!="}:
            return False
        equal = fnmatch.fnmatchcase(str(value), wanted.replace("[", "[[]").replace("?", "[?]"))
        return equal == (sign == "=")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return COMPARISONS[sign](value, wanted)


def _literal(written: str) -> str | float:
    if written.startswith('"'):
        return str(json.loads(written))
    try:
        return float(written)
    except ValueError:
        return written


def _value(document: Any, path: str) -> Any:
    for name, index in PART.findall(path):
        if name and isinstance(document, dict) and name in document:
            document = document[name]
        elif index and isinstance(document, list) and int(index) < len(document):
            document = document[int(index)]
        else:
            return MISSING
    return document


def _invalid(text: str) -> InvalidParameterException:
    return InvalidParameterException(f"Invalid filter pattern: {text}")


def _unsupported(what: str, text: str) -> InvalidParameterException:
    return InvalidParameterException(f"{what} are not supported here: {text}")
