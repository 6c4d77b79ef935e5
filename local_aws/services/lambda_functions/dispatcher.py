"""Delivers queued events to their functions, again and again as AWS does, and then gives up loudly."""

from __future__ import annotations

import heapq
import itertools
import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownFunctionException

from local_aws.services.lambda_functions import destinations
from local_aws.services.lambda_functions.invocation import Outcome, TooManyRequestsError
from local_aws.services.lambda_functions.pool import PoolIsClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.backend import Function
    from local_aws.services.lambda_functions.event_queue import EventQueue, QueuedEvent
    from local_aws.services.lambda_functions.invocation import Invoker

_RETRIES = 2  # unless the function's event invoke config says otherwise
_MAXIMUM_AGE = 21_600.0  # seconds, likewise
_FIRST_RETRY = 60.0  # seconds; the second comes after twice as many
_JITTER = 0.1  # of the interval, either way
# Seconds, a quarter of the event's age within these limits; a throttled delivery is no failed attempt.
_THROTTLED_RETRY = (0.1, 5.0)

log = logging.getLogger(__name__)


class Dispatcher:
    """A bounded number of threads that take due events off a heap."""

    def __init__(self, runtime: Runtime, invoker: Invoker, find: Callable[[str], Function]) -> None:
        self._runtime = runtime
        self._invoker = invoker
        self._find = find
        self._queue: EventQueue | None = None
        self._heap: list[tuple[float, int, QueuedEvent]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self, queue: EventQueue) -> None:
        """Take up the events left from before and begin to deliver."""
        self._queue = queue
        for event in queue.all():
            self._push(event)
        # One thread per worker: more could only wait for a worker.
        self._threads = [
            threading.Thread(target=self._deliver_all, name=f"events-{number}", daemon=True)
            for number in range(self._runtime.configuration.function_workers)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop taking events; those in delivery stay stored until they are handled."""
        with self._changed:
            self._queue = None
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the threads, once their workers have ended, 5 seconds in all."""
        deadline = time.monotonic() + 5
        for thread in self._threads:
            thread.join(timeout=max(0, deadline - time.monotonic()))

    def add(self, event: QueuedEvent) -> None:
        """Deliver an event that is stored already."""
        self._push(event)

    def _push(self, event: QueuedEvent) -> None:
        with self._changed:
            heapq.heappush(self._heap, (event.due, next(self._order), event))
            self._changed.notify()

    def _next(self) -> tuple[EventQueue, QueuedEvent] | None:
        """Wait until an event is due; None when stopping."""
        with self._changed:
            while self._queue:
                wait = self._heap[0][0] - time.time() if self._heap else None
                if wait is not None and wait <= 0:
                    return self._queue, heapq.heappop(self._heap)[2]
                self._changed.wait(wait)
        return None

    def _deliver_all(self) -> None:
        while taken := self._next():
            queue, event = taken
            try:
                self._deliver(queue, event)
            except PoolIsClosedError:
                return  # the event is stored and will be delivered after the next start
            except Exception:
                if not self._queue:
                    return
                log.exception(
                    "event %s for %s could not be delivered; trying again", event.id, event.function_arn
                )
                self._push(queue.postpone(event, event.attempts, time.time() + self._retry_interval(1)))

    def _deliver(self, queue: EventQueue, event: QueuedEvent) -> None:
        try:
            function = self._find(event.function_arn)
        except UnknownFunctionException:
            log.warning("event %s dropped: the function %s was deleted", event.id, event.function_arn)
            queue.remove(event)
            return
        try:
            outcome = self._invoker.invoke(function, event.payload, request_id=event.id)
        except TooManyRequestsError:
            self._throttled(queue, event, function)
            return
        if outcome.error and not self._queue:
            return  # stopping ended the worker: that is no failure of the function
        if not outcome.error:
            destinations.succeeded(self._runtime, function, event, outcome)
            queue.remove(event)
            return
        self._failed(queue, event, function, outcome)

    def _failed(self, queue: EventQueue, event: QueuedEvent, function: Function, outcome: Outcome) -> None:
        attempts = event.attempts + 1
        due = time.time() + self._retry_interval(attempts)
        if attempts > invoke_config(function).get("MaximumRetryAttempts", _RETRIES):
            self._give_up(queue, event, function, outcome, "RetriesExhausted", attempts)
        elif due > _expiry(event, function):
            self._give_up(queue, event, function, outcome, "EventAgeExceeded", attempts)
        else:
            self._push(queue.postpone(event, attempts, due))

    def _throttled(self, queue: EventQueue, event: QueuedEvent, function: Function) -> None:
        age = time.time() - event.accepted
        interval = min(max(age / 4, _THROTTLED_RETRY[0]), _THROTTLED_RETRY[1])
        due = time.time() + interval * random.uniform(0.5, 1.5)  # nosec B311  # noqa: S311 - spreads load, keeps no secret
        if due > _expiry(event, function):
            self._give_up(queue, event, function, None, "EventAgeExceeded", event.attempts)
        else:
            self._push(replace(event, due=due))

    def _give_up(
        self,
        queue: EventQueue,
        event: QueuedEvent,
        function: Function,
        outcome: Outcome | None,
        condition: str,
        attempts: int,
    ) -> None:
        log.warning(
            "%s gave up on event %s: %s after %d attempts",
            function.function_name,
            event.id,
            condition,
            attempts,
        )
        destinations.failed(self._runtime, function, event, outcome, condition, attempts)
        queue.remove(event)

    def _retry_interval(self, attempts: int) -> float:
        """Return the seconds until the next attempt, after so many failed ones."""
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # nosec B311  # noqa: S311 - spreads load, keeps no secret
        return _FIRST_RETRY * 2 ** (attempts - 1) * jitter / self._runtime.configuration.time_scale


def invoke_config(function: Function) -> dict[str, Any]:
    """Return how the function wants its queued events retried."""
    configs = function.event_invoke_config
    return dict(configs[0].config) if configs else {}


def _expiry(event: QueuedEvent, function: Function) -> float:
    return event.accepted + float(invoke_config(function).get("MaximumEventAgeInSeconds", _MAXIMUM_AGE))
