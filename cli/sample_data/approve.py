"""Two files of refunds: one that anybody would approve, and one that nobody should."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ("refund_id", "order_id", "refunded_on", "amount", "reason")
REASONS = ("damaged", "late", "lost", "returned")
FIRST_DAY = date(2026, 11, 1)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A file of refunds, and what the person who is asked should say."""

    path: Path
    pipeline: str
    rows: int
    approve: bool


def write_all(directory: Path) -> list[Sample]:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    return [
        _refunds(directory / "refunds.csv", count=40, most=12_000, approve=True),
        _refunds(directory / "refunds_twice_the_turnover.csv", count=900, most=490_000, approve=False),
    ]


def _refunds(path: Path, *, count: int, most: int, approve: bool) -> Sample:
    """Write refunds of at most so many cents."""
    chance = random.Random(count)  # nosec B311  # noqa: S311 - samples need the same numbers every time, not secret ones
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(1, count + 1):
            day = FIRST_DAY + timedelta(days=chance.randrange(20))
            amount = f"{chance.randrange(99, most) / 100:.2f}"
            order = chance.randrange(1, 92_000)
            writer.writerow((count * 1_000 + number, order, day.isoformat(), amount, chance.choice(REASONS)))
    return Sample(path=path, pipeline="refunds", rows=count, approve=approve)
