"""How many requests a stage's methods take: a token bucket each, as a stage's method settings say."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from local_aws.services.api_gateway import answer
from local_aws.services.api_gateway.answer import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.services.api_gateway.request import ApiRequest

_EVERY = "*/*"
"""The settings of all methods that have none of their own; each still has a bucket of its own."""


class Throttle:
    """Refuses what comes faster than a method's settings allow.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def check(self, request: ApiRequest) -> None:
        """Take one request from its method's bucket.

        Raises:
            RefusedError: the bucket is empty.
        """
        settings = _settings(request)
        if settings is None:
            return
        rate, burst = float(settings["throttlingRateLimit"]), int(settings["throttlingBurstLimit"])
        key = (request.api.id, request.stage.name, request.route.resource_path, request.http_method)
        with self._lock:
            now = self._clock()
            left, since = self._buckets.get(key, (float(burst), now))
            left = min(float(burst), left + (now - since) * rate)
            taken = left >= 1
            self._buckets[key] = (left - 1 if taken else left, now)
        if not taken:
            raise RefusedError(answer.TOO_MANY)


def _settings(request: ApiRequest) -> dict[str, Any] | None:
    """Return the method's settings: its own, the stage's, or None where nothing was set."""
    settings: dict[str, dict[str, Any]] = request.stage.method_settings
    own = f"{request.route.resource_path.replace('/', '~1')}/{request.http_method}"
    return settings.get(own) or settings.get(_EVERY)
