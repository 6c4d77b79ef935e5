"""Carriers' delivery reports of two days, with what carriers get wrong."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    "delivery_id",
    "order_id",
    "carrier",
    "country",
    "dispatched_at",
    "delivered_at",
    "weight_kg",
    "status",
)
CARRIERS = ("Correios", "DHL", "La Poste", "Royal Mail", "Seur")
COUNTRIES = ("DE", "ES", "FR", "GB", "PT")
FIRST_DAY = datetime(2026, 11, 19, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One day's report.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that takes it.
        rows: how many rows it holds.
        good: how many rows are left of it: one for each delivery, and none that cannot be.
    """

    path: Path
    pipeline: str
    rows: int
    good: int


def write_all(directory: Path) -> list[Sample]:
    """Write the reports of two days."""
    directory.mkdir(parents=True, exist_ok=True)
    return [report(directory, day=0, count=1_200), report(directory, day=1, count=800)]


def report(directory: Path, *, day: int, count: int) -> Sample:
    """Write one day's report: every fortieth delivery comes twice, every fiftieth cannot be."""
    chance = random.Random(day)  # nosec B311  # noqa: S311 - samples need the same numbers every time, not secret ones
    rows, good = [], 0
    for number in range(count):
        row = _delivery(chance, day, number)
        rows.append(row)
        if number % 50 == 49:  # noqa: PLR2004 - see above
            _spoil(row, number)
            continue
        good += 1
        if number % 40 == 39:  # noqa: PLR2004
            rows.append(list(row))
    path = directory / f"deliveries_{FIRST_DAY + timedelta(days=day):%Y-%m-%d}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return Sample(path=path, pipeline="deliveries", rows=len(rows), good=good)


def _delivery(chance: random.Random, day: int, number: int) -> list[str]:
    dispatched = FIRST_DAY + timedelta(days=day, seconds=chance.randrange(86_400))
    delivered = dispatched + timedelta(minutes=chance.randrange(90, 5_000))
    on_the_way = chance.random() < 0.1  # noqa: PLR2004 - one in ten
    return [
        str(1_000_000 * (day + 1) + number),
        str(chance.randrange(1, 92_000)),
        chance.choice(CARRIERS).upper() if chance.random() < 0.05 else chance.choice(CARRIERS),  # noqa: PLR2004
        chance.choice(COUNTRIES),
        f"{dispatched:%Y-%m-%d %H:%M:%S}",
        "" if on_the_way else f"{delivered:%Y-%m-%d %H:%M:%S}",
        f"{chance.randrange(100, 30_000) / 1000:.3f}",
        "on the way" if on_the_way else "delivered",
    ]


def _spoil(row: list[str], number: int) -> None:
    """Make the row one that cannot be: a weight below nothing, no dispatch, or delivered before it left."""
    column, value = ((6, "-1.5"), (4, ""), (5, "2001-01-01 00:00:00"))[number // 50 % 3]
    row[column] = value
