"""Make thousands of finished runs out of a few real ones, in the embedded AWS's journal of executions."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from chalicelib.run import RunName

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600.0
EVERY = 100
REJECTED, FAILED = frozenset({7, 57}), 83
"""Which of each `EVERY` runs had their file rejected, and which failed; the others loaded theirs."""


def multiply(journal: Path, runs: int) -> None:
    """Make `runs` finished runs of a loaded and a rejected one, spread over the last 24 hours.

    Each has its own name, ARN, file, times and history; apart from these, the entries are as the embedded
    AWS wrote them. A failed run is a rejected one with another error. The stage must not be running.

    Args:
        journal: the SQLite file, in which the two runs are.
        runs: how many runs there are to be, the two not counted.
    """
    with closing(sqlite3.connect(journal)) as database:
        database.row_factory = sqlite3.Row
        loaded, rejected = (_found(database, status) for status in ("SUCCEEDED", "FAILED"))
        began, apart = time.time() - DAY, DAY / runs
        with database:
            for number in range(runs):
                place = number % EVERY
                model = rejected if place in {*REJECTED, FAILED} else loaded
                changes = (
                    {"error": "Lambda.Unknown", "cause": "the function ended"} if place == FAILED else {}
                )
                _copy(database, model, number, began + number * apart, changes)


def file_name(number: int) -> str:
    """Return the name of a run's file, by which it is found."""
    return f"copy-{number:06}.csv"


def _found(database: sqlite3.Connection, status: str) -> dict[str, Any]:
    return dict(database.execute("SELECT * FROM executions WHERE status = ?", (status,)).fetchone())


def _copy(
    database: sqlite3.Connection, model: dict[str, Any], number: int, start: float, changes: dict[str, str]
) -> None:
    name = str(RunName.of_identity("orders", "copy", str(number)))
    file = {"good.csv": file_name(number), "bad.csv": file_name(number), model["name"]: name}
    row = {key: _renamed(value, file) for key, value in model.items()} | changes
    later = start - model["start"]
    row |= {"id": None, "start": start, "stop": model["stop"] + later}
    insert = f"INSERT INTO executions ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    made = database.execute(insert, list(row.values())).lastrowid
    database.execute(
        "INSERT INTO events SELECT ?, id, json_set(replace(replace(replace(document, ?, ?), 'good.csv', ?),"
        " 'bad.csv', ?), '$.timestamp', json_extract(document, '$.timestamp') + ?)"
        " FROM events WHERE execution = ?",
        (made, model["name"], name, file_name(number), file_name(number), later, model["id"]),
    )


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value
