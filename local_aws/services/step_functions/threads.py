"""Threads that are kept for the next call, because starting one per task is slow."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS = 10.0

log = logging.getLogger(__name__)


class Threads:
    """Runs every call at once: in a thread that is idle, else in a new one.

    A call may wait for other calls (a Map waits for its iterations), so a bounded pool would lock up.
    """

    def __init__(self) -> None:
        self._idle: list[queue.SimpleQueue[Callable[[], None]]] = []
        self._lock = threading.Lock()

    def run(self, call: Callable[[], None]) -> None:
        """Start `call` in the background."""
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put(call)
            return
        threading.Thread(target=self._work, args=(call,), name="step-functions", daemon=True).start()

    def _work(self, call: Callable[[], None]) -> None:
        inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        while True:
            try:
                call()
            except Exception:
                log.exception("A task of Step Functions raised")
            with self._lock:
                self._idle.append(inbox)
            try:
                call = inbox.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if inbox in self._idle:
                        self._idle.remove(inbox)
                        return
                call = inbox.get()
