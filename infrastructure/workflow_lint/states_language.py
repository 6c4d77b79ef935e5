"""The States Language's own check, statelint, of a definition whose placeholders are not filled in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "amazon-states-language"

SAMPLE = "arn:aws:lambda:us-east-1:123456789012:function:sample"
"""Stands for every text that is a placeholder while statelint looks at the definition."""

LEFT_OUT = re.compile(
    r"No transition found to state"
    r'|.* is "\{%.*%\}" but should be an? '
    r'|Field "(Assign|Label|WriterConfig|InputType|ManifestType|Transformation|ItemsPointer'
    r'|CSVHeaderLocation|CSVHeaders|CSVDelimiter)" not allowed',
    re.DOTALL,
)
"""What a rule of ours tells better, and what AWS takes but statelint 3.1 does not.

AWS takes JSONata for every number and time, Assign in JSONPath too, and more fields in a Distributed Map:
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

PLACEHOLDER = re.compile(r"\$\{[^${}]+\}")

STATELINT = Config(ignored_problem_types={ProblemType.FLOAT}, evaluate_jsonata=True)
"""AWS takes 2 as well as 2.0 for a BackoffRate."""


def problems(text: str) -> Iterator[tuple[str, str]]:
    """Yield each problem that statelint sees: the path of the state, and what it says."""
    try:
        found = Linter.validate(json.loads(PLACEHOLDER.sub(SAMPLE, text)), STATELINT)
    except TypeError as error:  # statelint takes every StartAt and Next for a text
        yield "", f"a StartAt, Next or Default holds something else than one state's name: {error}"
        return
    for problem in found:
        if LEFT_OUT.match(problem):
            continue
        yield " > ".join(_names(problem)), problem.removeprefix("State Machine.")


def _names(problem: str) -> list[str]:
    """Return the states that a problem's place runs through, the innermost last."""
    return re.findall(r"\.States\.([^.\[ ]+)", problem)
