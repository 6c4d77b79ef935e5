"""The messages of every queue, in one SQLite file."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from moto.sqs.models import Message

SCHEMA = """
create table if not exists message (
    sent integer primary key autoincrement, id text not null unique, queue text not null, record blob not null
);
create index if not exists queue on message (queue);
"""

_chosen: list[Journal] = []


def use(journal: Journal) -> None:
    """Keep every message in `journal` from now on."""
    _chosen[:] = [journal]


def current() -> Journal:
    """Return the journal in use."""
    return _chosen[0]


class Journal:
    """Rows of messages; each is on disk when the method that writes it returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(SCHEMA)

    def put(self, queue: str, message: Message) -> None:
        """Write a message of `queue`, also one that moves there from another queue."""
        with self._lock:
            self._database.execute(
                "insert or replace into message (id, queue, record) values (?, ?, ?)",
                (message.id, queue, pickle.dumps(message)),
            )

    def remove(self, queue: str, messages: Iterable[str]) -> None:
        """Forget messages of `queue`, given by their ids."""
        with self._lock:
            self._database.executemany(
                "delete from message where queue = ? and id = ?", [(queue, each) for each in messages]
            )

    def clear(self, queue: str) -> None:
        """Forget all messages of `queue`."""
        with self._lock:
            self._database.execute("delete from message where queue = ?", (queue,))

    def messages(self, queue: str) -> list[Message]:
        """Return the messages of `queue`, in the order of sending."""
        with self._lock:
            rows = self._database.execute(
                "select record from message where queue = ? order by sent", (queue,)
            )
            return [pickle.loads(record) for (record,) in rows]  # nosec B301  # noqa: S301 - we wrote it

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
