"""Query executions on disk: what a client was told stays true after kill -9."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from local_aws.services.athena.execution import ENDED, Execution

if TYPE_CHECKING:
    from pathlib import Path

_INTERRUPTED = (
    "INTERNAL_ERROR_QUERY_ENGINE: The embedded AWS ended while this query was {state}. Please run it again."
)


class ExecutionStore:
    """Every execution of every account and region, in one SQLite file.

    The write-ahead log survives the death of the process, which is all that is promised; it is not synced
    against a power cut, so one write costs about 50 µs.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = wal")
        self._database.execute("PRAGMA synchronous = normal")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS executions (id TEXT PRIMARY KEY, place TEXT, workgroup TEXT,"
            " token TEXT, submitted REAL, state TEXT, document TEXT)"
        )
        self._database.execute(
            "CREATE INDEX IF NOT EXISTS newest ON executions (place, workgroup, submitted DESC)"
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def save(self, execution: Execution) -> None:
        """Write an execution as it stands."""
        row = (
            execution.id,
            f"{execution.account}/{execution.region}",
            execution.workgroup,
            execution.token,
            execution.submitted,
            execution.state,
            execution.to_json(),
        )
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def find(self, place: str, execution_id: str) -> Execution | None:
        """Return one execution of an "account/region"."""
        return self._one("SELECT document FROM executions WHERE place = ? AND id = ?", place, execution_id)

    def with_token(self, place: str, token: str) -> Execution | None:
        """Return the execution that a ClientRequestToken started."""
        return self._one("SELECT document FROM executions WHERE place = ? AND token = ?", place, token)

    def newest(self, place: str, workgroup: str, offset: int, limit: int) -> list[str]:
        """Return ids of a workgroup's executions, newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id FROM executions WHERE place = ? AND workgroup = ?"
                " ORDER BY submitted DESC, rowid DESC LIMIT ? OFFSET ?",
                (place, workgroup, limit, offset),
            ).fetchall()
        return [row[0] for row in rows]

    def fail_interrupted(self) -> None:
        """Fail what was queued or running when the process died: nothing works on it any more."""
        with self._lock:
            marks = ", ".join("?" * len(ENDED))
            rows = self._database.execute(
                f"SELECT document FROM executions WHERE state NOT IN ({marks})",  # nosec B608  # question marks only
                sorted(ENDED),
            ).fetchall()
        for (document,) in rows:
            execution = Execution.from_json(document)
            reason = _INTERRUPTED.format(state=execution.state)
            execution.state, execution.reason, execution.completed = "FAILED", reason, time.time()
            execution.error = {
                "ErrorCategory": 1,
                "ErrorType": 200,
                "Retryable": True,
                "ErrorMessage": reason,
            }
            self.save(execution)

    def _one(self, statement: str, *values: str) -> Execution | None:
        with self._lock:
            row = self._database.execute(statement, values).fetchone()
        return Execution.from_json(row[0]) if row else None
