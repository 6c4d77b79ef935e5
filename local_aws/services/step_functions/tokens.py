"""Task tokens: what waits for a callback, and the callbacks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager

from local_aws.services.step_functions.errors import InvalidToken, TaskTimedOut

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSED_KEPT = 10_000  # tokens of ended tasks that still answer TaskTimedOut instead of InvalidToken


class Waiting:
    """A task that waits for its callback.

    Args:
        machine: the ARN of the state machine whose execution waits.
        store: writes the outcome to disk before SendTaskSuccess or SendTaskFailure is acknowledged.

    """

    def __init__(self, machine: str, store: Callable[[dict[str, Any]], None]) -> None:
        self.machine = machine
        self.bell = threading.Event()
        self.beat = time.monotonic()
        self.outcome: dict[str, Any] | None = None
        self._store = store
        self._ending = threading.Lock()

    def end(self, outcome: dict[str, Any]) -> None:
        """End the task; the first outcome counts."""
        with self._ending:
            if self.outcome is None:
                self._store(outcome)
                self.outcome = outcome
        self.bell.set()

    def heartbeat(self) -> None:
        """Restart the heartbeat timeout, if the task has one."""
        self.beat = time.monotonic()
        self.bell.set()


class Tokens:
    """Every task token in use, in all executions."""

    def __init__(self) -> None:
        self._open: dict[str, Waiting] = {}
        self._closed: dict[str, str] = {}
        self._lock = threading.Lock()

    def open(self, token: str, waiting: Waiting) -> None:
        """Let `token` be called back."""
        with self._lock:
            self._open[token] = waiting

    def close(self, token: str) -> None:
        """Refuse callbacks of `token` from now on."""
        with self._lock:
            if waiting := self._open.pop(token, None):
                self._closed[token] = waiting.machine
                if len(self._closed) > CLOSED_KEPT:
                    self._closed.pop(next(iter(self._closed)))

    def machine_of(self, token: str) -> str:
        """Return the ARN of the state machine that gave out a token, or "" when none is known to have."""
        with self._lock:
            waiting = self._open.get(token)
            return waiting.machine if waiting else self._closed.get(token, "")

    def waiting(self, token: str) -> Waiting:
        """Return the task that waits for this token.

        Raises:
            TaskTimedOut: it waits no more.
            InvalidToken: there never was one.

        """
        with self._lock:
            found = self._open.get(token)
            if found is None and token not in self._closed:
                raise InvalidToken("Invalid Token: 'Invalid token'")
            if found is None or found.outcome is not None:
                raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
            return found


class NoPool(CallbackPoolManager):
    """Stands in for moto's own pool of callbacks, which nothing uses any more."""

    def __init__(self) -> None:
        super().__init__(activity_store={})
