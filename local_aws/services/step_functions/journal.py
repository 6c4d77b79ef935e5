"""The durable record of executions: one SQLite file, written before anything is acknowledged."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.services.step_functions.record import LISTED, Record, shown_in_lists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RETENTION_SECONDS = 90 * 24 * 3600.0  # AWS forgets a closed execution after 90 days too
FLUSH_SECONDS = 0.1  # the most history that a killed process can lose of a running execution

SCHEMA = """
CREATE TABLE IF NOT EXISTS definitions (id INTEGER PRIMARY KEY, digest TEXT UNIQUE, text TEXT);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY, arn TEXT UNIQUE NOT NULL, account TEXT, region TEXT, machine_arn TEXT,
  machine_name TEXT, name TEXT, kind TEXT, role_arn TEXT, definition INTEGER, input TEXT, logging TEXT,
  version_arn TEXT, alias_arn TEXT, trace_header TEXT, map_run_arn TEXT, status TEXT, start REAL, stop REAL,
  output TEXT, error TEXT, cause TEXT, redrive_count INTEGER, redrive_date REAL, events INTEGER,
  checkpoint TEXT);
DROP INDEX IF EXISTS by_machine;
CREATE INDEX IF NOT EXISTS listed ON executions (machine_arn, start DESC, id DESC, arn, name, status, stop,
  redrive_count, redrive_date, version_arn, alias_arn, map_run_arn);
CREATE INDEX IF NOT EXISTS by_status ON executions (machine_arn, status, start DESC, id DESC);
CREATE INDEX IF NOT EXISTS by_map_run ON executions (map_run_arn) WHERE map_run_arn IS NOT NULL;
CREATE INDEX IF NOT EXISTS running ON executions (status) WHERE status = 'RUNNING';
CREATE TABLE IF NOT EXISTS events (
  execution INTEGER, id INTEGER, document TEXT, PRIMARY KEY (execution, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS backends (account TEXT, region TEXT, state BLOB, PRIMARY KEY (account, region));
CREATE TABLE IF NOT EXISTS map_runs (arn TEXT PRIMARY KEY, execution_arn TEXT, document TEXT);
"""

_FIELDS = tuple(f.name for f in dataclasses.fields(Record) if f.name != "id")
_COLUMNS = ", ".join(f"executions.{name}" if name != "definition" else "definitions.text" for name in _FIELDS)
_SELECT = (
    f"SELECT executions.id, {_COLUMNS} FROM executions "  # nosec B608  # noqa: S608 - column names only, from the dataclass
    "JOIN definitions ON definitions.id = executions.definition "
)
_SELECT_LISTED = f"SELECT id, {', '.join(LISTED)} FROM executions "  # nosec B608  # noqa: S608 - as above
_INSERT = f"INSERT INTO executions ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))})"  # nosec B608  # noqa: S608 - as above
_CHANGING = ("status", "stop", "output", "error", "cause", "redrive_count", "redrive_date", "events")
_UPDATE = f"UPDATE executions SET {', '.join(f'{name} = ?' for name in _CHANGING)} WHERE id = ?"  # nosec B608  # noqa: S608 - as above


@dataclass
class Unwritten:
    """What happened in a running execution since the last flush."""

    events: list[tuple[int, str]] = field(default_factory=list)
    checkpoint: str | None = None


class Journal:
    """Executions, their histories, Map Runs and the state machines, in SQLite.

    Every method may be called from any thread. A killed process loses nothing that a method has
    returned from, except the last 0.1 s of `note`.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._unwritten: dict[int, Unwritten] = {}
        self._unwritten_lock = threading.Lock()
        self._definitions: dict[str, int] = {}
        self._stopping = threading.Event()
        self._flusher: threading.Thread | None = None
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        self._forget(time.time() - RETENTION_SECONDS)

    def start(self) -> None:
        """Start writing noted history in the background."""
        self._flusher = threading.Thread(target=self._keep_flushing, name="journal", daemon=True)
        self._flusher.start()

    def writing(self) -> threading.RLock:
        """Return the lock that keeps everybody else from reading and writing, for a `with` block."""
        return self._lock

    def close(self) -> None:
        """Write what is left and close the file."""
        self._stopping.set()
        if self._flusher:
            self._flusher.join()
        self.flush()
        with self._lock:
            self._database.close()

    def begin(self, record: Record) -> None:
        """Store a new running execution and give it its id."""
        with self._lock:
            definition = self._definition_id(record.definition)
            row = [getattr(record, name) for name in _FIELDS]
            row[_FIELDS.index("definition")] = definition
            row[_FIELDS.index("logging")] = json.dumps(record.logging)
            record.id = self._database.execute(_INSERT, row).lastrowid or 0

    def note(self, execution: int, event: tuple[int, str], checkpoint: str | None) -> None:
        """Remember an event, and the state it entered if any; written within 0.1 s."""
        with self._unwritten_lock:
            unwritten = self._unwritten.setdefault(execution, Unwritten())
            unwritten.events.append(event)
            unwritten.checkpoint = checkpoint or unwritten.checkpoint

    def note_checkpoint(self, execution: int, checkpoint: str) -> None:
        """Store at once where a running execution would go on after a crash."""
        with self._unwritten_lock:
            self._unwritten.setdefault(execution, Unwritten()).checkpoint = checkpoint
        self.flush()

    def flush(self) -> None:
        """Write all that was noted, in one transaction."""
        with self._lock:
            with self._unwritten_lock:
                unwritten, self._unwritten = self._unwritten, {}
            if not unwritten:
                return
            with self._transaction():
                for execution, news in unwritten.items():
                    self._write(execution, news)

    def settle(self, record: Record) -> None:
        """Store how an execution stands now, with all its noted history, in one transaction."""
        with self._lock:
            with self._unwritten_lock:
                news = self._unwritten.pop(record.id, Unwritten())
            with self._transaction():
                self._write(record.id, news)
                self._database.execute(_UPDATE, [getattr(record, name) for name in (*_CHANGING, "id")])

    def erase(self, execution: int) -> None:
        """Forget an execution and its history."""
        with self._lock, self._transaction():
            self._database.execute("DELETE FROM events WHERE execution = ?", (execution,))
            self._database.execute("DELETE FROM executions WHERE id = ?", (execution,))

    def find(self, arn: str) -> Record | None:
        """Return the execution with this ARN, or None."""
        rows = self._read(_SELECT + "WHERE arn = ?", (arn,))
        return _record(rows[0]) if rows else None

    def running(self) -> list[Record]:
        """Return the executions that had not ended."""
        return [
            _record(row) for row in self._read(_SELECT + "WHERE status = 'RUNNING' ORDER BY executions.id")
        ]

    def listed(
        self, where: str, values: tuple[Any, ...], limit: int, after: tuple[float, int] | None = None
    ) -> tuple[list[dict[str, Any]], tuple[float, int] | None]:
        """Return executions that match an SQL condition, newest first, as a list shows them.

        An index holds all that is shown: the rows of a machine, kilobytes each, are not read.

        Args:
            where: the condition.
            values: for its question marks.
            limit: how many.
            after: the place of the last one that an earlier page had.

        Returns: them, and the place of the last one when there are more.
        """
        if after:
            where, values = f"{where} AND (start, id) < (?, ?)", (*values, *after)
        sql = f"{_SELECT_LISTED} WHERE {where} ORDER BY start DESC, id DESC LIMIT ?"
        rows = self._read(sql, (*values, limit + 1))
        shown = [shown_in_lists(*row[1:]) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        return shown, (last[1 + LISTED.index("start")], last[0]) if last else None

    def checkpoint(self, execution: int) -> dict[str, Any] | None:
        """Return the last state that the execution entered at its top level, or None."""
        rows = self._read("SELECT checkpoint FROM executions WHERE id = ?", (execution,))
        return json.loads(rows[0][0]) if rows and rows[0][0] else None

    def history(
        self, execution: int, limit: int, offset: int = 0, *, reverse: bool = False
    ) -> list[dict[str, Any]]:
        """Return a page of the execution's history; timestamps are epoch seconds."""
        self.flush()
        order = "DESC" if reverse else "ASC"
        sql = f"SELECT document FROM events WHERE execution = ? ORDER BY id {order} LIMIT ? OFFSET ?"  # nosec B608  # noqa: S608 - ASC or DESC
        return [json.loads(document) for (document,) in self._read(sql, (execution, limit, offset))]

    def last_event(self, execution: int) -> int:
        """Return the number of the newest event in the history, 0 without one."""
        self.flush()
        return int(
            self._read("SELECT coalesce(max(id), 0) FROM events WHERE execution = ?", (execution,))[0][0]
        )

    def save_backend(self, account: str, region: str, state: bytes) -> None:
        """Store the state machines of one account and region."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO backends VALUES (?, ?, ?)", (account, region, state)
            )

    def backends(self) -> list[tuple[str, str, bytes]]:
        """Return (account, region, state) of everything that `save_backend` stored."""
        return self._read("SELECT account, region, state FROM backends")

    def save_map_run(self, arn: str, execution_arn: str, document: dict[str, Any]) -> None:
        """Store how a Map Run stands."""
        with self._lock:
            row = (arn, execution_arn, json.dumps(document))
            self._database.execute("INSERT OR REPLACE INTO map_runs VALUES (?, ?, ?)", row)

    def map_runs(self, column: str, value: str) -> list[dict[str, Any]]:
        """Return the Map Runs whose `arn` or `execution_arn` is `value`."""
        sql = f"SELECT document FROM map_runs WHERE {column} = ? ORDER BY rowid"  # nosec B608  # noqa: S608 - one of two column names
        return [json.loads(document) for (document,) in self._read(sql, (value,))]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _read(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _write(self, execution: int, news: Unwritten) -> None:
        rows = [(execution, number, document) for number, document in news.events]
        self._database.executemany("INSERT OR REPLACE INTO events VALUES (?, ?, ?)", rows)
        if news.checkpoint:
            self._database.execute(
                "UPDATE executions SET checkpoint = ? WHERE id = ?", (news.checkpoint, execution)
            )

    def _definition_id(self, text: str) -> int:
        known = self._definitions.get(text)
        if known is None:
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._database.execute(
                "INSERT OR IGNORE INTO definitions (digest, text) VALUES (?, ?)", (digest, text)
            )
            known = int(self._read("SELECT id FROM definitions WHERE digest = ?", (digest,))[0][0])
            self._definitions[text] = known
        return known

    def _forget(self, before: float) -> None:
        self._database.execute(
            "DELETE FROM events WHERE execution IN (SELECT id FROM executions WHERE stop < ?)", (before,)
        )
        self._database.execute("DELETE FROM executions WHERE stop < ?", (before,))

    def _keep_flushing(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self.flush()


def _record(row: tuple[Any, ...]) -> Record:
    values = dict(zip(("id", *_FIELDS), row, strict=True))
    values["logging"] = json.loads(values["logging"])
    return Record(**values)
