"""What one request changed in S3, written to disk before the request is answered."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.services.s3 import storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCKS = [threading.RLock() for _ in range(256)]  # striped: two keys rarely share one
_local = threading.local()


@dataclass
class Changes:
    """The rows to write, the files to delete after that, and then the events to deliver.

    Attributes:
        created: the delivery of the one ObjectCreated event of the request. moto also announces the
            put inside a completed upload, and the tags and ACL that a put carries; AWS doesn't.
        events: the deliveries of every other event.
    """

    keys: set[tuple[str, str]] = field(default_factory=set)
    buckets: set[str] = field(default_factory=set)
    uploads: set[tuple[str, str]] = field(default_factory=set)
    parts: set[tuple[str, str, int]] = field(default_factory=set)
    discarded: list[str] = field(default_factory=list)
    events: list[Callable[[], Any]] = field(default_factory=list)
    created: Callable[[], Any] | None = None

    def finish(self) -> None:
        """Write the rows, then delete the files that no row names any more."""
        storage.current().metadata.write(self)
        for name in self.discarded:
            storage.current().vault.remove(name)

    def deliver(self) -> None:
        """Deliver the events; each delivery only puts something into a queue."""
        for event in [self.created] if self.created else self.events:
            event()


def current() -> Changes | None:
    """Return the changes being recorded in this thread, if any."""
    return getattr(_local, "changes", None)


@contextmanager
def recorded(*key: str) -> Iterator[Changes]:
    """Record what the block changes; on leaving it, write the changes and then deliver the events.

    With a bucket and a key, no other request changes that key meanwhile: this is what makes conditional
    and versioned puts atomic. The changes are written even when the block raises, because moto's memory
    has them by then. An inner block joins the outer one.
    """
    lock = _LOCKS[hash(key) % len(_LOCKS)] if key else threading.RLock()
    outer = current()
    if outer is not None:
        with lock:
            yield outer
        return
    changes = _local.changes = Changes()
    try:
        with lock:
            try:
                yield changes
            finally:
                changes.finish()
    finally:
        _local.changes = None
        changes.deliver()


def discard(name: str) -> None:
    """Delete the object file `name` once the row that named it is gone."""
    changes = current()
    if changes is None:
        storage.current().vault.remove(name)
    else:
        changes.discarded.append(name)
