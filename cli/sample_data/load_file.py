"""Sample files that look like real ones: the same seed always writes the same bytes."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE = (
    (1, "John Doe", 30, "New York"),
    (2, "Jane Smith", 25, "San Francisco"),
    (3, "Robert Johnson", 35, "Chicago"),
    (4, "Sarah Williams", 28, "Seattle"),
    (5, "Michael Brown", 40, "Boston"),
)

ORDER_COLUMNS = (
    "order_id",
    "ordered_at",
    "customer",
    "email",
    "country",
    "product",
    "quantity",
    "unit_price",
    "gift",
    "deliver_on",
)

FIRST_NAMES = ("Aino", "Björn", "Chloé", "Dmitri", "Elif", "Fátima", "Gwen", "Héctor", "Inês", "Jürgen")
LAST_NAMES = (
    "Almeida",
    "Brown",
    "Citroën",
    "Díaz",
    "Evans",
    "Fröhlich",
    "García",
    "Hughes",
    "O'Neill",
    "Smith",
)
COUNTRIES = ("DE", "ES", "FR", "GB", "PT", "US")
PRODUCTS = (
    "Carafe, 1 l",
    'Funnel "Lisboa"',
    "Oak barrel, 5 l",
    "Sieve\nwith two inserts",
    "Glass, set of six",
    "Decanter No. 5",
)
KINDS = ("view", "view", "view", "search", "cart", "checkout")
PAGES = ("/", "/carafes", "/barrels/5l", "/search?q=oak", "/basket", "/checkout")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample file and what becomes of it.

    Attributes:
        path: where it was written.
        pipeline: the pipeline that takes it.
        rows: how many rows it holds.
        bad_rows: how many of them go to quarantine while the others are loaded.
        way: how it is transformed; None for a file that is rejected.
        outcome: how its run ends.
    """

    path: Path
    pipeline: str
    rows: int
    way: Literal["lambda", "glue"] | None
    outcome: Literal["succeeded", "rejected"]
    bad_rows: int = 0


def write_all(directory: Path) -> list[Sample]:
    """Write every sample into a directory and say what each one is."""
    directory.mkdir(parents=True, exist_ok=True)
    return [
        _people_csv(directory / "people.csv"),
        _people_json(directory / "people.json"),
        _orders(directory / "orders_small.csv", first=1, count=2_000),
        _orders(directory / "orders_large.csv", first=100_001, count=90_000, way="glue"),
        _dirty_orders(directory / "orders_dirty.csv"),
        _events(directory / "events.ndjson", count=5_000),
        _readings(directory / "readings.csv", count=1_000),
    ]


def _people_csv(path: Path) -> Sample:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "name", "age", "city"))
        writer.writerows(PEOPLE)
    return Sample(path=path, pipeline="people_csv", rows=len(PEOPLE), way="lambda", outcome="succeeded")


def _people_json(path: Path) -> Sample:
    people = [dict(zip(("id", "name", "age", "city"), person, strict=True)) for person in PEOPLE]
    path.write_text(json.dumps(people, indent=1), encoding="utf-8")
    return Sample(path=path, pipeline="people_json", rows=len(PEOPLE), way="lambda", outcome="succeeded")


def _orders(path: Path, *, first: int, count: int, way: Literal["lambda", "glue"] = "lambda") -> Sample:
    _write_orders(path, order_rows(first, count))
    return Sample(path=path, pipeline="orders", rows=count, way=way, outcome="succeeded")


def _dirty_orders(path: Path) -> Sample:
    rows = list(order_rows(500_001, 200))
    rows[3][ORDER_COLUMNS.index("quantity")] = "three"
    rows[7][ORDER_COLUMNS.index("country")] = "XX"
    rows[20][ORDER_COLUMNS.index("ordered_at")] = "2026-02-30T10:00:00"
    rows[41][ORDER_COLUMNS.index("unit_price")] = "-4.00"
    rows[42][ORDER_COLUMNS.index("customer")] = ""
    rows[99][ORDER_COLUMNS.index("order_id")] = rows[98][ORDER_COLUMNS.index("order_id")]
    rows[150].append("one field too many")
    _write_orders(path, rows)
    return Sample(path=path, pipeline="orders", rows=len(rows), way=None, outcome="rejected")


def order_rows(first: int, count: int) -> Iterator[list[str]]:
    """Yield orders whose ids start at `first`, with quoted commas, quotes, newlines and empty values."""
    chance = random.Random(first)  # nosec B311  # noqa: S311 - samples need the same numbers every time, not secret ones
    for order_id in range(first, first + count):
        ordered_at = FIRST_DAY + timedelta(seconds=chance.randrange(300 * 86_400))
        given, family = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        delivered = date.fromordinal(ordered_at.toordinal() + chance.randrange(1, 9))
        yield [
            str(order_id),
            ordered_at.strftime("%Y-%m-%dT%H:%M:%S"),
            f"{given} {family}",
            "" if chance.random() < 0.1 else f"customer{chance.randrange(9_999)}@example.com",  # noqa: PLR2004
            chance.choice(COUNTRIES),
            chance.choice(PRODUCTS),
            str(chance.randrange(1, 12)),
            f"{chance.randrange(99, 25_000) / 100:.2f}",
            chance.choice(("true", "false")),
            "" if chance.random() < 0.2 else delivered.isoformat(),  # noqa: PLR2004
        ]


def _write_orders(path: Path, rows: Any) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ORDER_COLUMNS)
        writer.writerows(rows)


def _events(path: Path, *, count: int) -> Sample:
    chance = random.Random(count)  # nosec B311  # noqa: S311 - as above
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            happened = FIRST_DAY + timedelta(seconds=number * 17 + chance.randrange(10))
            event = {
                "event_id": f"{number:08x}-{chance.getrandbits(32):08x}",
                "happened_at": happened.strftime("%Y-%m-%dT%H:%M:%S"),
                "kind": chance.choice(KINDS),
                "visitor": chance.randrange(1, 400),
                "page": chance.choice(PAGES),
                "seconds": round(chance.expovariate(1 / 40), 2),
            }
            file.write(json.dumps(event, ensure_ascii=False) + "\n")
    return Sample(path=path, pipeline="events", rows=count, way="lambda", outcome="succeeded")


def _readings(path: Path, *, count: int) -> Sample:
    chance = random.Random(count)  # nosec B311  # noqa: S311 - as above
    rows = []
    for number in range(1, count + 1):
        measured = FIRST_DAY + timedelta(seconds=number * 36)
        celsius = f"{chance.gauss(12, 1.5):.2f}"
        row = [str(number), f"cellar-{number % 9 + 1}", measured.strftime("%Y-%m-%dT%H:%M:%S"), celsius]
        rows.append([*row, "" if chance.random() < 0.05 else str(chance.randrange(60, 90))])  # noqa: PLR2004
    bad = _spoil(rows)
    lines = ["reading_id;sensor;measured_at;celsius;humidity", *map(";".join, rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Sample(path=path, pipeline="readings", rows=count, bad_rows=bad, way="lambda", outcome="succeeded")


def _spoil(rows: list[list[str]]) -> int:
    """Break readings as sensors do, and return how many."""
    rows[40][3] = "n/a"
    rows[41][3] = "n/a"
    rows[200][3] = "85.00"  # what a sensor reports that has just been switched on
    rows[333] = rows[332][:]  # sent twice
    rows[480] = rows[480][:3]  # the connection broke off
    rows[700][4] = "104"
    rows[911][2] = "1970-01-01T00:00:60"
    return 7
