"""One thread that calls functions at their time."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TIDY = 1024  # alarms; above this, cancelled ones are dropped whenever the heap has doubled

log = logging.getLogger(__name__)


@dataclass(order=True)
class Alarm:
    """A call to make at `moment`, in seconds of the monotonic clock."""

    moment: float
    number: int
    ring: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Let the moment pass silently, and let go of what would have been called."""
        self.ring = None


class Alarms:
    """Calls functions at their time, from one thread; they must not block."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []
        self._numbers = itertools.count()
        self._tidy_at = TIDY
        self._changed = threading.Condition()
        self._running = False
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` in `seconds`, or soon when they are not positive."""
        alarm = Alarm(time.monotonic() + seconds, next(self._numbers), ring)
        with self._changed:
            if len(self._heap) >= self._tidy_at:
                self._tidy()
            heapq.heappush(self._heap, alarm)
            if self._heap[0] is alarm:
                self._changed.notify()
        return alarm

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name="step-functions-alarms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; alarms that are left never ring."""
        with self._changed:
            self._running = False
            self._changed.notify()
        if self._thread:
            self._thread.join()

    def _tidy(self) -> None:
        self._heap = [alarm for alarm in self._heap if alarm.ring is not None]
        heapq.heapify(self._heap)
        self._tidy_at = max(TIDY, 2 * len(self._heap))

    def _run(self) -> None:
        while True:
            with self._changed:
                alarm = self._next()
            if alarm is None:
                return
            ring = alarm.ring
            if ring is None:
                continue
            try:
                ring()
            except Exception:
                log.exception("A timed call of Step Functions raised")

    def _next(self) -> Alarm | None:
        while self._running:
            while self._heap and self._heap[0].ring is None:
                heapq.heappop(self._heap)
            left = self._heap[0].moment - time.monotonic() if self._heap else None
            if left is not None and left <= 0:
                return heapq.heappop(self._heap)
            self._changed.wait(left)
        return None
