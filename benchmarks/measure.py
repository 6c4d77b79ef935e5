"""Run a case's engines in turn, each in a fresh process, and reduce the runs to medians."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.case import Case

ROOT = Path(__file__).parents[1]


COUNTED = ("runs", "transitions")
"""What an engine may count besides; the last round's numbers are kept."""


@dataclass
class Runs:
    """What one engine cost in each round."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)


def measure(case: Case, told: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return a row for each engine.

    `seconds` is the median time inside the process, with the engine's imports and without the interpreter's
    start; `ratio` is the median of the ratios taken round by round, which a busy machine disturbs least.
    """
    runs = {engine: Runs() for engine in case.engines}
    for number in range(case.rounds):
        for engine, function in case.engines.items():
            told(f"{case.suite}: {case.name}: round {number + 1} of {case.rounds}: {engine}")
            _run(runs[engine], function, case.arguments_of(engine))
    return [_row(case, engine, runs) for engine in case.engines]


def _run(runs: Runs, function: str, arguments: tuple[str, ...]) -> None:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", function, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise SystemExit(f"{function} {' '.join(arguments)} failed:\n{done.stderr}")
    cost = json.loads(done.stdout.splitlines()[-1])
    runs.whole.append(time.perf_counter() - started)
    runs.seconds.append(cost["seconds"])
    runs.processor.append(cost["processor"])
    runs.peaks.append(cost["peak_rss_mb"])
    runs.counted = {name: cost[name] for name in COUNTED if name in cost}


def _row(case: Case, engine: str, runs: dict[str, Runs]) -> dict[str, Any]:
    mine, other = runs[engine], case.compared_to.get(engine)
    pairs = zip(mine.seconds, runs[other].seconds, strict=True) if other else ()
    processor = zip(mine.processor, runs[other].processor, strict=True) if other else ()
    return {
        "suite": case.suite,
        "case": case.name,
        "engine": engine,
        "seconds": round(median(mine.seconds), 4),
        "peak_rss_mb": round(median(mine.peaks), 1),
        "compared_to": other,
        "ratio": round(median(a / b for a, b in pairs), 3) if other else None,
        "whole_process_seconds": round(median(mine.whole), 4),
        "processor_seconds": round(median(mine.processor), 4),
        **mine.counted,
        "processor_ratio": round(median(a / b for a, b in processor), 3) if other else None,
    }
