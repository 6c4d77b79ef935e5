"""A partner's orders: a small file, one that is large enough for the Glue job, and one with bad rows."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ("order_id", "ordered_on", "product", "quantity", "price")
PRODUCTS = ("Azulejo", "Café, moído", "Cortiça", "Filigrana", "Sardinhas")
FIRST_DAY = date(2026, 11, 1)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One file.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that takes it.
        rows: how many rows it holds.
        outcome: how its run should end.
    """

    path: Path
    pipeline: str
    rows: int
    outcome: str


def write_all(directory: Path) -> list[Sample]:
    """Write the three files."""
    directory.mkdir(parents=True, exist_ok=True)
    return [
        orders(directory, "partner_small.csv", first=1, rows=500),
        orders(directory, "partner_large.csv", first=10_000, rows=9_000),
        orders(directory, "partner_dirty.csv", first=90_000, rows=50, bad=True),
    ]


def orders(directory: Path, name: str, *, first: int, rows: int, bad: bool = False) -> Sample:
    """Write one file; a bad one has a quantity in words and a price below nothing."""
    chance = random.Random(first)  # nosec B311  # noqa: S311 - samples need the same numbers every time, not secret ones
    lines = [_order(chance, first + number) for number in range(rows)]
    if bad:
        lines[6][3], lines[11][4] = "three", "-4.00"
    path = directory / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(lines)
    outcome = "rejected" if bad else "succeeded"
    return Sample(path=path, pipeline="partner_orders", rows=rows, outcome=outcome)


def _order(chance: random.Random, number: int) -> list[str]:
    return [
        str(number),
        (FIRST_DAY + timedelta(days=chance.randrange(20))).isoformat(),
        chance.choice(PRODUCTS),
        str(chance.randrange(1, 20)),
        f"{chance.randrange(100, 20_000) / 100:.2f}",
    ]
