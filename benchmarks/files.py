"""Files to measure with: ten mixed columns, quoted commas and newlines, made once under .decant/bench."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / ".decant" / "bench"
HEADER = "id,customer,country,amount,quantity,weight,active,ordered,created,note\n"
COUNTRIES = ("DE", "FR", "US", "GB", "JP")
NOTES = ("plain words", "left, at the door", "two\nlines", "")
MB = 1_000_000


def csv_file(megabytes: int, *, bad_rows_in_thousand: int = 0) -> Path:
    """Return a CSV file of that size, made if it is not there yet."""
    path = FOLDER / f"orders-{megabytes}-{bad_rows_in_thousand}.csv"
    return _made(path, HEADER, _lines(bad_rows_in_thousand), megabytes)


def json_file(megabytes: int) -> Path:
    """Return a file with one JSON array of objects."""
    objects = (("[" if not number else ",") + text for number, text in enumerate(_objects()))
    return _made(FOLDER / f"orders-{megabytes}.json", "", objects, megabytes, "]")


def ndjson_file(megabytes: int, *, bad_rows_in_thousand: int = 0) -> Path:
    """Return a file with one object on each line."""
    path = FOLDER / f"orders-{megabytes}-{bad_rows_in_thousand}.ndjson"
    return _made(path, "", (text + "\n" for text in _objects(bad_rows_in_thousand)), megabytes)


def _made(path: Path, head: str, parts: Iterator[str], megabytes: int, tail: str = "") -> Path:
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="") as file:
        size = file.write(head)
        for part in parts:
            size += file.write(part)
            if size >= megabytes * MB:
                break
        file.write(tail)
    return unfinished.rename(path)


def _rows(bad_rows_in_thousand: int = 0) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)
    first = date(2020, 1, 1)
    number = 0
    while True:
        number += 1
        day = first + timedelta(days=chance.randrange(2000))
        bad = chance.randrange(1000) < bad_rows_in_thousand
        yield {
            "id": number,
            "customer": f"Customer {chance.randrange(100_000)}",
            "country": chance.choice(COUNTRIES),
            "amount": f"{chance.randrange(10_000_000) / 100:.2f}" if not bad or number % 2 else "a lot",
            "quantity": chance.randrange(1, 100) if not bad or not number % 2 else 4711,
            "weight": round(chance.random() * 50, 4),
            "active": chance.choice((True, False)),
            "ordered": day.isoformat(),
            "created": f"{day}T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}",
            "note": chance.choice(NOTES[:1] * 7 + NOTES[1:]),
        }


def _lines(bad_rows_in_thousand: int) -> Iterator[str]:
    for row in _rows(bad_rows_in_thousand):
        row["active"] = "true" if row["active"] else "false"
        if "," in row["note"] or "\n" in row["note"]:
            row["note"] = f'"{row["note"]}"'
        yield ",".join(map(str, row.values())) + "\n"


def _objects(bad_rows_in_thousand: int = 0) -> Iterator[str]:
    for row in _rows(bad_rows_in_thousand):
        if row["amount"] != "a lot":
            row["amount"] = float(row["amount"])
        row["note"] = row["note"] or None
        yield json.dumps(row, separators=(",", ":"))
