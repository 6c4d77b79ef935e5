"""A month's bill: quantities times prices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infrastructure.workflow_cost.prices import Prices
    from infrastructure.workflow_cost.usage import Usage

EXPRESS_BASE_MB = 50
"""Memory of an Express run before its definition and payload: https://aws.amazon.com/step-functions/pricing/"""

LONGEST_EXPRESS_SECONDS = 300

SECONDS_AN_HOUR = 3600
MILLION = 1_000_000
TB = 10**12


@dataclass(frozen=True)
class Line:
    """One line of the bill.

    Attributes:
        what: the service and what it counts.
        quantity: in a month.
        unit: what is counted.
        usd: the price of that quantity.
    """

    what: str
    quantity: float
    unit: str
    usd: float


@dataclass(frozen=True)
class Bill:
    """What a month costs.

    Attributes:
        transitions: the line of Standard runs.
        express: the lines of the same runs as Express ones.
        express_impossible: why they cannot be, or "".
        rest: what both have in common.
        free_usd: what the free tiers that do not end would take off the Standard total.
    """

    transitions: Line
    express: tuple[Line, ...]
    express_impossible: str
    rest: tuple[Line, ...]
    free_usd: float

    @property
    def standard_usd(self) -> float:
        """The month with Standard runs."""
        return self.transitions.usd + self._rest_usd

    @property
    def express_usd(self) -> float | None:
        """The month with Express runs, or None where they are not possible."""
        return None if self.express_impossible else sum(line.usd for line in self.express) + self._rest_usd

    @property
    def _rest_usd(self) -> float:
        return sum(line.usd for line in self.rest)


def bill(usage: Usage, runs: int, definition_bytes: int, not_express: str, prices: Prices) -> Bill:
    """Return the bill of `runs` equal runs in a month."""
    units, month = prices.units, usage.times(runs)
    transitions = _transitions(month.transitions, prices)
    requests = runs + month.child_requests
    gb_seconds = _express_gb_seconds(usage.seconds, definition_bytes, prices) * runs
    express = (
        Line(
            "Step Functions Express", runs, "requests", runs / MILLION * units["express_requests_per_million"]
        ),
        Line(
            "Step Functions Express", gb_seconds, "GB-s", prices.express_hours(gb_seconds / SECONDS_AN_HOUR)
        ),
    )
    if usage.seconds > LONGEST_EXPRESS_SECONDS:
        not_express = not_express or f"a run takes {usage.seconds:.0f} s, and Express ends at 300 s"
    rest = tuple(line for line in _rest(month, requests - runs, prices) if line.quantity)
    return Bill(transitions, express, not_express, rest, _free(month, prices))


def _transitions(number: float, prices: Prices) -> Line:
    return Line(
        "Step Functions Standard", number, "transitions", number / 1000 * prices.units["transitions_per_1000"]
    )


def _rest(month: Usage, child_requests: int, prices: Prices) -> tuple[Line, ...]:
    units = prices.units
    child_hours = month.child_gb_seconds / SECONDS_AN_HOUR
    return (
        Line(
            "Lambda",
            month.lambda_requests,
            "requests",
            month.lambda_requests / MILLION * units["lambda_requests_per_million"],
        ),
        Line("Lambda", month.lambda_gb_seconds, "GB-s", month.lambda_gb_seconds * units["lambda_gb_second"]),
        Line(
            "Glue",
            month.glue_dpu_minutes,
            "DPU-minutes",
            month.glue_dpu_minutes / 60 * units["glue_dpu_hour"],
        ),
        Line(
            "Athena", month.athena_bytes / TB, "TB scanned", month.athena_bytes / TB * units["athena_per_tb"]
        ),
        Line("S3", month.s3_puts, "PUT, COPY, LIST", month.s3_puts / 1000 * units["s3_puts_per_1000"]),
        Line("S3", month.s3_gets, "GET and other", month.s3_gets / 1000 * units["s3_gets_per_1000"]),
        Line(
            "Express child runs",
            child_requests,
            "requests",
            child_requests / MILLION * units["express_requests_per_million"],
        ),
        Line("Express child runs", month.child_gb_seconds, "GB-s", prices.express_hours(child_hours)),
    )


def _express_gb_seconds(seconds: float, definition_bytes: int, prices: Prices) -> float:
    """Return what one Express run is billed: its memory in steps of 64 MB, its time in steps of 100 ms."""
    step, tick = prices.minimums["express_memory_step_mb"], prices.minimums["express_duration_step_seconds"]
    memory = math.ceil((EXPRESS_BASE_MB + definition_bytes / MILLION) / step) * step
    return memory / 1024 * math.ceil(round(seconds / tick, 6)) * tick


def _free(month: Usage, prices: Prices) -> float:
    units, free = prices.units, prices.free
    return float(
        min(month.transitions, free["transitions"]) / 1000 * units["transitions_per_1000"]
        + min(month.lambda_requests, free["lambda_requests"]) / MILLION * units["lambda_requests_per_million"]
        + min(month.lambda_gb_seconds, free["lambda_gb_seconds"]) * units["lambda_gb_second"]
    )
