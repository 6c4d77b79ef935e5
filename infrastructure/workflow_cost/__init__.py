"""What a workflow's runs cost: the ways through it, what each uses, and a month's bill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.definition import levels
from infrastructure.workflow_cost.bill import Bill, bill
from infrastructure.workflow_cost.limits import warnings
from infrastructure.workflow_cost.prices import Prices, UnknownRegion, prices, regions
from infrastructure.workflow_cost.question import GlueCapacity, GrowingWaits, Question
from infrastructure.workflow_cost.walk import Walked, Walker
from infrastructure.workflow_cost.ways import NoWay, TooManyWays

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Estimate",
    "GlueCapacity",
    "GrowingWaits",
    "NoWay",
    "PricedWay",
    "Question",
    "TooManyWays",
    "UnknownRegion",
    "estimate",
    "regions",
]


@dataclass(frozen=True)
class PricedWay:
    """One way through the workflow and its month.

    Attributes:
        walked: its states and what one run uses.
        bill: what the month costs if every run takes this way.
        warnings: the limits that a run comes near to.
    """

    walked: Walked
    bill: Bill
    warnings: list[str]


@dataclass(frozen=True)
class Estimate:
    """The answer.

    Attributes:
        ways: every way asked for, those that end well first.
        prices: what was counted with.
        sources: what was assumed of the work, by what it is about.
    """

    ways: list[PricedWay]
    prices: Prices
    sources: dict[str, str]


def estimate(definition: dict[str, Any], question: Question) -> Estimate:
    """Price every way through a workflow, without errors and retries.

    Raises:
        UnknownRegion: there are no prices of the region.
        NoWay: no way leads through the states asked for.
        TooManyWays: nobody would read them all.
    """
    known = prices(question.region)
    _check_names(definition, question)
    found = sorted(_priced(definition, question, known), key=lambda each: each.walked.fails)
    if not found:
        raise NoWay(f"no way without errors leads through {', '.join(question.through)}")
    sources = {what: source for each in found for what, source in each.walked.sources.items()}
    return Estimate(found, known, sources)


def _check_names(definition: dict[str, Any], question: Question) -> None:
    """Refuse the name of a state that the workflow does not hold: it would silently change nothing."""
    states = [name for level in levels(definition) for name in level.states]
    for name in (*question.through, *question.durations, *question.scans):
        if name not in states:
            raise NoWay(f"there is no state {name!r}; there are {', '.join(states)}")


def _priced(definition: dict[str, Any], question: Question, known: Prices) -> Iterator[PricedWay]:
    size = len(json.dumps(definition))
    for walked in Walker(definition, question, known).walk_all():
        month = bill(walked.usage, question.runs, size, walked.not_express, known)
        yield PricedWay(walked, month, warnings(definition, walked, question))
