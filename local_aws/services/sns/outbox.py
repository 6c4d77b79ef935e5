"""Every SNS delivery, made or still to be made, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 10_000  # the newest deliveries that the outbox page lists

SCHEMA = """
create table if not exists delivery (
    id integer primary key,
    status text not null,
    attempts integer not null default 0,
    due real not null default 0,
    error text,
    content text not null
);
create index if not exists waiting on delivery (due) where status = 'waiting';
"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message on its way to one subscription, or to nobody when the topic has none.

    Attributes:
        kind: Notification or SubscriptionConfirmation.
        timestamp: when it was published, ISO 8601 in UTC.
        message_attributes: name -> {"Type": ..., "Value": ...}; binary values are in base64.
    """

    kind: str = "Notification"
    topic: str
    message_id: str
    timestamp: str
    message: str
    subject: str | None = None
    message_attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    subscription: str | None = None
    protocol: str | None = None
    endpoint: str | None = None
    raw: bool = False
    group_id: str | None = None
    deduplication_id: str | None = None
    dead_letters: str | None = None


class Outbox:
    """The deliveries, oldest first; a row is on disk when the method that writes it returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(SCHEMA)

    def add(self, deliveries: list[tuple[str, Delivery]]) -> list[int]:
        """Write deliveries with their first status, all or none, and return their numbers."""
        with self._lock:
            self._database.execute("begin immediate")
            numbers = [
                self._database.execute(
                    "insert into delivery (status, content) values (?, ?)", (status, _text(delivery))
                ).lastrowid
                or 0
                for status, delivery in deliveries
            ]
            self._database.execute("commit")
        return numbers

    def settle(self, number: int, status: str, error: str | None = None) -> None:
        """Note how a delivery ended."""
        self._change("update delivery set status = ?, error = ? where id = ?", (status, error, number))

    def postpone(self, number: int, due: float, error: str) -> None:
        """Note a failed attempt, and when to make the next."""
        self._change(
            "update delivery set attempts = attempts + 1, due = ?, error = ? where id = ?",
            (due, error, number),
        )

    def waiting(self, status: str) -> list[tuple[int, int, float, Delivery]]:
        """Return number, failed attempts, due time and delivery of all that have `status`."""
        rows = self._rows("select id, attempts, due, content from delivery where status = ?", (status,))
        return [(*row[:3], Delivery(**json.loads(row[3]))) for row in rows]

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the newest deliveries, oldest first, as the outbox page shows them."""
        rows = self._rows(
            "select content, status, attempts, error from delivery order by id desc limit ?", (SHOWN,)
        )
        return [
            json.loads(content) | {"status": status, "failed_attempts": attempts, "error": error}
            for content, status, attempts, error in reversed(rows)
        ]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            self._database.execute(statement, values)

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def _text(delivery: Delivery) -> str:
    return json.dumps(asdict(delivery), ensure_ascii=False)
