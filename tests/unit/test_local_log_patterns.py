"""CloudWatch Logs filter patterns of the embedded AWS."""

from __future__ import annotations

import json

import pytest
from moto.logs.exceptions import InvalidParameterException

from local_aws.services.logs.pattern import matcher

LINE = json.dumps(
    {"run": "a-1", "seconds": 2.5, "ok": True, "error": None, "file": {"key": "x/y.csv"}, "n": [7]}
)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a-1 seconds",
        '"a-1"',
        "?nothing ?seconds",
        "seconds -nothing",
        '{ $.run = "a-1" }',
        "{ $.run = a-* }",
        '{$.run="a-1"&&$.seconds>2}',
        '{ $.run = "b" || $.seconds <= 2.5 }',
        '{ ($.run = "b" || $.ok IS TRUE) && $.file.key = "x/*.csv" }',
        '{ $.run != "b" }',
        "{ $.error IS NULL }",
        "{ $.missing NOT EXISTS }",
        "{ $.n[0] = 7 }",
    ],
)
def test_a_line_is_selected(pattern: str) -> None:
    assert matcher(pattern).matches(LINE)


@pytest.mark.parametrize(
    "pattern",
    [
        "a-1 nothing",
        "?nothing ?never",
        "seconds -a-1",
        '{ $.run = "a-2" }',
        '{ $.run = "a-1" && $.seconds > 3 }',
        '{ $.missing = "a-1" }',
        '{ $.missing != "a-1" }',
        "{ $.ok IS FALSE }",
        "{ $.seconds NOT EXISTS }",
        '{ $.seconds > "2" }',
    ],
)
def test_a_line_is_not_selected(pattern: str) -> None:
    assert not matcher(pattern).matches(LINE)


def test_a_line_that_is_no_json_is_never_selected_by_a_json_pattern() -> None:
    assert not matcher('{ $.run = "a-1" }').matches('REPORT "a-1"')
    assert not matcher('{ $.run = "a-1" }').matches('{"a-1" broken')


@pytest.mark.parametrize(
    "pattern", ["{ $.run = }", "{ run = 1 }", "{ $.a = 1", "[ip, user]", "%re%", "{ $.a = %x% }"]
)
def test_a_pattern_that_is_wrong_or_unknown_here_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidParameterException):
        matcher(pattern)
