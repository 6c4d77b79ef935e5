"""Runs on a stage of this machine: how long one takes, and how many end in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.runs_engines"


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield the cases; `seconds` leaves the start of the stage out, `peak_rss_mb` is the embedded AWS's."""
    drops = 200 if max(sizes.megabytes) > 1 else 50
    yield Case(
        suite="runs",
        name="latency of one run, from the put to its end",
        engines={"decant": f"{ENGINES}:latency"},
        arguments=("15",),
        rounds=3,
    )
    yield Case(
        suite="runs",
        name=f"{drops} small drops, all loaded",
        engines={"decant": f"{ENGINES}:drops"},
        arguments=(str(drops),),
        rounds=3,
    )
