"""The one thread that fires schedules and repeats failed deliveries."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local_aws.services.events.schedule import Schedule

# A laptop may have slept, or its clock been set: look again this often whatever the heap says.
_LONGEST_WAIT = 30.0  # seconds

log = logging.getLogger(__name__)


class Fireable(Protocol):
    """A rule or a schedule that fires at times."""

    schedule: Schedule

    def fire(self, due: datetime) -> None:
        """Do what is due."""


class Ticker:
    """Sleeps until the next thing is due, or until something changed."""

    def __init__(self, fireables: Callable[[], Iterable[Fireable]]) -> None:
        self._fireables = fireables
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._is_changed = False
        self._running = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to fire; what was due while nothing ran stays missed."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing."""
        with self._changed:
            self._running = False
            self._changed.notify()
        if self._thread:
            self._thread.join(timeout=5)

    def changed(self) -> None:
        """Look at the schedules again: one was added, changed or removed."""
        with self._changed:
            self._is_changed = True
            self._changed.notify()

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Make a call later, in the ticker's thread."""
        with self._changed:
            heapq.heappush(self._later, (_now() + timedelta(seconds=seconds), next(self._order), call))
            self._changed.notify()

    def _run(self) -> None:
        checked = _now()
        while self._running:
            now = _now()
            for call in self._due(checked, now):
                try:
                    call()
                except Exception:
                    log.exception("a scheduled call failed")
            checked = now
            with self._changed:
                if self._running and not self._is_changed:
                    self._changed.wait(self._wait(now))
                self._is_changed = False

    def _due(self, checked: datetime, now: datetime) -> list[Callable[[], None]]:
        calls: list[Callable[[], None]] = []
        with self._changed:
            while self._later and self._later[0][0] <= now:
                calls.append(heapq.heappop(self._later)[2])
        for fireable in self._fireables():
            due = fireable.schedule.next_after(checked)
            if due and due <= now:
                calls.append(_firing(fireable, due))
        return calls

    def _wait(self, now: datetime) -> float:
        """Return the seconds until something is due."""
        due = [time for fireable in self._fireables() if (time := fireable.schedule.next_after(now))]
        due += [self._later[0][0]] if self._later else []
        return min([_LONGEST_WAIT, *((moment - _now()).total_seconds() for moment in due)])


def _firing(fireable: Fireable, due: datetime) -> Callable[[], None]:
    return lambda: fireable.fire(due)


def _now() -> datetime:
    return datetime.now(UTC)
