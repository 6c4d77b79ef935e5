"""A backlog of small order exports: one of them bad, one of them large."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cli.sample_data.load_file import ORDER_COLUMNS, order_rows

if TYPE_CHECKING:
    from pathlib import Path

SMALL_FILES = 39
BAD = 17
"""Which of the small files has a quantity that is no number."""

ROWS = 25
ROWS_OF_LARGE = 12_000
FIRST_ORDER = 2_000_001


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One export.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that says what it looks like.
        rows: how many rows it holds.
        kind: `small` files share a load, the `large` one has its own, the `bad` one is rejected.
    """

    path: Path
    pipeline: str
    rows: int
    kind: Literal["small", "large", "bad"]


def write_all(directory: Path) -> list[Sample]:
    """Write 39 small exports and one of over 1 MB."""
    directory.mkdir(parents=True, exist_ok=True)
    samples = [export(directory, number, bad=number == BAD) for number in range(SMALL_FILES)]
    path = directory / "orders_large.csv"
    _write(path, list(order_rows(FIRST_ORDER + 1_000_000, ROWS_OF_LARGE)))
    return [*samples, Sample(path=path, pipeline="orders", rows=ROWS_OF_LARGE, kind="large")]


def export(directory: Path, number: int, *, bad: bool = False) -> Sample:
    """Write one small export; the next one begins with the last order of this one, changed since."""
    path = directory / f"orders_{number:04}.csv"
    rows = list(order_rows(FIRST_ORDER + number * (ROWS - 1), ROWS))
    if bad:
        rows[4][ORDER_COLUMNS.index("quantity")] = "three"
    _write(path, rows)
    return Sample(path=path, pipeline="orders", rows=len(rows), kind="bad" if bad else "small")


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ORDER_COLUMNS)
        writer.writerows(rows)
