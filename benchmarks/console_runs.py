"""The API and the console of a stage with thousands of runs: how long people wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Sizes, Timed
from benchmarks.console_runs_engines import waits

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 1000
"""Megabytes that `--full` asks for."""


def cases(sizes: Sizes) -> Iterator[Timed]:
    """Yield the case; `peak_rss_mb` is the embedded AWS's own process, the most until then."""
    runs = 10_000 if max(sizes.megabytes) > 1 else 1000
    pages = max(sizes.megabytes) >= LARGE
    name = f"{runs:,} finished runs over 24 hours"
    yield Timed(suite="console_runs", name=name, rows=lambda told: waits(name, runs, told, every_page=pages))
