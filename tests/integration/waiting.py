"""Waiting for a fact, with a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 0.02  # seconds between two looks


def until(fact: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Return what `fact` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{fact} was not true within {seconds} seconds"
        time.sleep(PAUSE)
    return found
