"""A bounded number of worker processes, shared by all functions of one app."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.services.lambda_functions.worker import Worker


@dataclass(frozen=True)
class Sandbox:
    """What makes two functions able to share a worker.

    Attributes:
        source: the directory that handlers are imported from.
        version: changes when a file of the source changes.
        environment: the variables, without those that name the function.
    """

    source: str
    version: int
    environment: frozenset[tuple[str, str]]


class PoolIsClosedError(Exception):
    """The embedded AWS is stopping."""


class WorkerPool:
    """Lends workers. A blank one waits ready, so that a first invocation pays only its own imports."""

    def __init__(self, size: int, start: Callable[[], Worker]) -> None:
        self._size = size
        self._start = start
        self._idle: list[Worker] = []
        self._lent: set[Worker] = set()
        self._alive = 0
        self._closed = False
        self._changed = threading.Condition()

    def warm_soon(self) -> None:
        """Do the same as `warm`, without waiting for it."""
        threading.Thread(target=self.warm, name="warm-worker", daemon=True).start()

    def warm(self) -> None:
        """Have one more blank worker when there is room for it."""
        with self._changed:
            if self._closed or self._alive >= self._size or any(w.sandbox is None for w in self._idle):
                return
            self._alive += 1
        self._give_back(self._start_counted())

    @contextmanager
    def lend(self, sandbox: Sandbox, timeout: float) -> Iterator[Worker]:
        """Lend a worker of `sandbox`, or a blank one, waiting up to `timeout` seconds for it.

        Raises:
            TimeoutError: every worker was busy all that time.
            PoolIsClosedError: the embedded AWS is stopping.
        """
        with self._lending(self._take(sandbox, timeout)) as worker:
            yield worker

    @contextmanager
    def _lending(self, worker: Worker) -> Iterator[Worker]:
        with self._changed:
            self._lent.add(worker)
            if self._closed:  # since it was taken: nobody else ends it
                worker.interrupt()
        try:
            yield worker
        finally:
            self._give_back(worker)

    @contextmanager
    def lend_blank(self, sandbox: Sandbox, most: int) -> Iterator[Worker | None]:
        """Lend a worker to prepare for `sandbox`; None when `most` are prepared or all are at work.

        Raises:
            PoolIsClosedError: the embedded AWS is stopping.
        """
        worker = self._take_blank(sandbox, most)
        if worker is None:
            yield None
            return
        with self._lending(worker):
            yield worker

    def close(self) -> None:
        """End every worker, in the middle of its work too."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._alive -= len(idle)
            for worker in self._lent:
                worker.interrupt()
            self._changed.notify_all()
        for worker in idle:
            worker.kill()

    def _take_blank(self, sandbox: Sandbox, most: int) -> Worker | None:
        outdated: Worker | None = None
        with self._changed:
            if self._closed:
                raise PoolIsClosedError
            if sum(worker.sandbox == sandbox for worker in (*self._idle, *self._lent)) >= most:
                return None
            if worker := self._idle_of(None):
                return worker
            if self._alive < self._size:
                self._alive += 1
            else:
                outdated = next((worker for worker in self._idle if worker.sandbox != sandbox), None)
                if outdated is None:
                    return None
                self._idle.remove(outdated)
        if outdated:
            outdated.kill()
        return self._start_counted()

    def _take(self, sandbox: Sandbox, timeout: float) -> Worker:
        deadline = time.monotonic() + timeout
        outdated: Worker | None = None
        with self._changed:
            while True:
                if self._closed:
                    raise PoolIsClosedError
                if worker := self._idle_of(sandbox) or self._idle_of(None):
                    return worker
                if self._alive < self._size:
                    self._alive += 1
                    break
                if self._idle:  # the one idle for longest belongs to another sandbox, or to old code
                    outdated = self._idle.pop(0)
                    break
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError
        if outdated:
            outdated.kill()
        return self._start_counted()

    def _idle_of(self, sandbox: Sandbox | None) -> Worker | None:
        """Take the most recently used worker of `sandbox`, or a blank one for None."""
        for worker in reversed(self._idle):
            if worker.sandbox == sandbox:
                self._idle.remove(worker)
                return worker
        return None

    def _start_counted(self) -> Worker:
        try:
            return self._start()
        except BaseException:
            with self._changed:
                self._alive -= 1
                self._changed.notify()
            raise

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            self._lent.discard(worker)
            if worker.alive and not self._closed:
                self._idle.append(worker)
            else:
                self._alive -= 1
            self._changed.notify()
            closed = self._closed
        if closed and worker.alive:
            worker.kill()
