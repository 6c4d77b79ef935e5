"""What state an alarm is in, from the values of its metric."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an alarm asks.

    Attributes:
        comparison, threshold: when a period is breaching.
        periods: how many of the newest periods are looked at.
        datapoints: how many of them must be breaching.
        missing: what a period without data counts as: missing, ignore, breaching or notBreaching.
    """

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str


def state(rule: Rule, points: Sequence[float | None], before: str) -> str:
    """Return OK, ALARM or INSUFFICIENT_DATA.

    Args:
        rule: what the alarm asks.
        points: the value of each of the newest periods, None for one without data.
        before: the state until now.
    """
    if all(point is None for point in points):
        if rule.missing == "missing":
            return "INSUFFICIENT_DATA"
        if rule.missing == "ignore":
            return before
    breaches = COMPARISONS[rule.comparison]
    found = [
        rule.missing == "breaching" if point is None else bool(breaches(point, rule.threshold))
        for point in points
    ]
    return "ALARM" if sum(found) >= rule.datapoints else "OK"
