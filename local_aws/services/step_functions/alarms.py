"""One thread that calls functions at their time."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(order=True)
class Alarm:
    """A call to make at `moment`, in seconds of the monotonic clock."""

    moment: float
    number: int
    ring: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let the moment pass silently."""
        self.cancelled = True


class Alarms:
    """Calls functions at their time, from one thread; they must not block."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._running = False
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` in `seconds`, or soon when they are not positive."""
        alarm = Alarm(time.monotonic() + seconds, next(self._numbers), ring)
        with self._changed:
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

    def _run(self) -> None:
        while True:
            with self._changed:
                alarm = self._next()
            if alarm is None:
                return
            try:
                alarm.ring()
            except Exception:
                log.exception("A timed call of Step Functions raised")

    def _next(self) -> Alarm | None:
        while self._running:
            while self._heap and self._heap[0].cancelled:
                heapq.heappop(self._heap)
            left = self._heap[0].moment - time.monotonic() if self._heap else None
            if left is not None and left <= 0:
                return heapq.heappop(self._heap)
            self._changed.wait(left)
        return None
