"""Takes the values of metrics from many threads and adds them up per minute in one of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends

from local_aws.services.cloudwatch.embedded_metrics import MARK, Value, values

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE = 60
KEPT_SECONDS = 3 * 3600
INTERVAL = 0.5  # seconds in which values gather; nobody who logs or invokes waits for them

Place = tuple[str, str]
"""An account and a region."""

Key = tuple[str, str, tuple[tuple[str, str], ...], int]

log = logging.getLogger(__name__)
_used: list[Recorder] = []


class Recorder:
    """Writes values into moto's own store of metrics, one entry for each metric and minute."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Place, str | Value]] = queue.SimpleQueue()
        self._minutes: dict[tuple[Place, Key], MetricAggregatedDatum] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting and end the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join(5)

    def note_lines(self, account: str, region: str, lines: Iterable[str]) -> None:
        """Take the metrics of log lines; this costs a search in each line, and parsing comes later."""
        for line in lines:
            if MARK in line:
                self._queue.put(((account, region), line))

    def note(
        self, account: str, region: str, metric: tuple[str, str], dimensions: dict[str, str], value: float
    ) -> None:
        """Take one value of AWS's own: `metric` is its namespace and name."""
        namespace, name = metric
        about = tuple(sorted(dimensions.items()))
        unit = "Milliseconds" if name in {"Duration", "ExecutionTime"} else "Count"
        found = Value(
            namespace=namespace, name=name, dimensions=about, value=value, unit=unit, moment=time.time()
        )
        self._queue.put(((account, region), found))

    def drain(self) -> None:
        """Write what is waiting."""
        with self._lock:
            while not self._queue.empty():
                place, found = self._queue.get()
                for value in values(found) if isinstance(found, str) else (found,):
                    self._add(place, value)

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            self.drain()
            self._forget(time.time() - KEPT_SECONDS)
        self.drain()

    def _add(self, place: Place, value: Value) -> None:
        minute = int(value.moment) // MINUTE * MINUTE
        key = (place, (value.namespace, value.name, value.dimensions, minute))
        kept = self._minutes.get(key)
        if kept is None:
            kept = self._minutes[key] = _datum(value, minute)
            cloudwatch_backends[place[0]][place[1]].metric_data.append(kept)
            return
        kept.sum += value.value
        kept.min = min(kept.min, value.value)
        kept.max = max(kept.max, value.value)
        kept.sample_count += 1

    def _forget(self, before: float) -> None:
        """Drop the minutes that are too old for any alarm."""
        old = [key for key in self._minutes if key[1][3] < before]
        gone = {id(self._minutes.pop(key)) for key in old}
        for place in {key[0] for key in old}:
            backend = cloudwatch_backends[place[0]][place[1]]
            backend.metric_data = [each for each in backend.metric_data if id(each) not in gone]


def use(recorder: Recorder) -> None:
    """Make a recorder the one that this process's services tell."""
    _used[:] = [recorder]


def note_lines(account: str, region: str, lines: Iterable[str]) -> None:
    """Have the recorder of this process, if there is one, take the metrics of log lines."""
    for recorder in _used:
        recorder.note_lines(account, region, lines)


def note(
    account: str, region: str, metric: tuple[str, str], dimensions: dict[str, str], value: float = 1.0
) -> None:
    """Have the recorder of this process, if there is one, take a value of AWS's own."""
    for recorder in _used:
        recorder.note(account, region, metric, dimensions, value)


def _datum(value: Value, minute: int) -> MetricAggregatedDatum:
    number = value.value
    return MetricAggregatedDatum(
        namespace=value.namespace,
        name=value.name,
        min_stat=number,
        max_stat=number,
        sample_count=1.0,
        sum_stat=number,
        dimensions=[{"Name": name, "Value": text} for name, text in value.dimensions],
        timestamp=datetime.fromtimestamp(minute, UTC).replace(tzinfo=None),
        unit=value.unit,
    )
