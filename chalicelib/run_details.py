"""What a list of executions does not say about each: its file, rows, error and cost."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib import settings
from chalicelib.runs import from_execution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.run import Outcome, Rows, Run

AT_ONCE = 8
"""DescribeExecution requests under way at once. AWS lets an account make 15 a second and 300 in a burst."""

MOST_KEPT = 5000
"""Runs whose details this process keeps, about 2 MB; a run that has ended changes only by a redrive."""


Price = Callable[[str, "Run"], "float | None"]
"""Says what a run of a workflow cost, in US dollars."""


@dataclass(frozen=True)
class _Details:
    outcome: Outcome
    error: str | None
    cause: str | None
    file: str | None
    rows: Rows | None
    cost: float | None
    priced: bool  # whether somebody asked what it cost


_kept: OrderedDict[tuple[str, str | None], _Details] = OrderedDict()
_lock = threading.Lock()


def detailed(
    states: StepFunctions, listed: Sequence[tuple[str, Run]], price: Price | None = None
) -> list[Run]:
    """Return runs with their details.

    Args:
        states: Step Functions.
        listed: each run, as a list has it, with its workflow.
        price: what a run cost; without it none is told.
    """
    unknown = [(workflow, run) for workflow, run in listed if _known(run, price) is None]
    if unknown:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            found = list(pool.map(lambda pair: _described(states, pair[0], pair[1], price), unknown))
        _keep(found)
    fresh = {_key(run): details for run, details in found} if unknown else {}
    return [_with(run, fresh.get(_key(run)) or _known(run, price)) for _, run in listed]


def _described(states: StepFunctions, workflow: str, run: Run, price: Price | None) -> tuple[Run, _Details]:
    full = from_execution(states.describe(settings.state_machine(workflow), run.name))
    return run, _Details(
        outcome=full.outcome if run.ended else run.outcome,
        error=full.error if run.ended else None,
        cause=full.cause if run.ended else None,
        file=full.file,
        rows=full.rows,
        cost=price(workflow, full) if price and run.ended else None,
        priced=price is not None,
    )


def _key(run: Run) -> tuple[str, str | None]:
    return run.name, run.ended  # a run that goes on has an input only, which never changes


def _known(run: Run, price: Price | None) -> _Details | None:
    with _lock:
        details = _kept.get(_key(run))
        if details is None or (price and not details.priced):
            return None
        _kept.move_to_end(_key(run))
        return details


def _keep(found: Sequence[tuple[Run, _Details]]) -> None:
    with _lock:
        for run, details in found:
            _kept[_key(run)] = details
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def _with(run: Run, details: _Details | None) -> Run:
    assert details is not None
    return replace(
        run,
        outcome=details.outcome,
        error=details.error,
        cause=details.cause,
        file=details.file,
        rows=details.rows,
        cost=details.cost,
    )
