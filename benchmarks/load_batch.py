"""Many small files: dropped one by one, and loaded as a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.load_batch_engines"
ROUNDS = {50: 3, 200: 3, 1000: 1}
"""How often each number of files is measured: the most files take minutes."""


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield the case; `runs` and `transitions` are counted by Step Functions, children of a batch too."""
    files = {1: 50, 100: 200, 1000: 1000}[max(sizes.megabytes)]
    yield Case(
        suite="load_batch",
        name=f"{files:,} small files, all loaded",
        engines={"load_batch": f"{ENGINES}:batch", "single drops": f"{ENGINES}:drops"},
        arguments=(str(files),),
        compared_to={"load_batch": "single drops"},
        rounds=ROUNDS[files],
    )
