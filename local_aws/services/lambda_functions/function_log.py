"""A function's log lines, in the CloudWatch Logs group that AWS uses."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from local_aws.services.lambda_functions.backend import Function

# moto keeps every line in memory: a stream older than this many others in its group is dropped.
_STREAMS_KEPT = 20
_LINES_KEPT = 5_000

_lock = threading.Lock()  # moto's log streams are plain lists


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the REPORT line tells about one invocation.

    Attributes:
        duration: seconds in the handler.
        initialization: seconds spent importing the module; 0 for a warm worker.
        memory: the function's memory setting, MB.
        memory_used: the largest resident size of the worker so far, MiB.
    """

    request_id: str
    version: str
    duration: float
    initialization: float
    memory: int
    memory_used: int

    def lines(self, output: str, ending: str) -> str:
        """Return the log of the invocation: START, what the function wrote, END and REPORT."""
        start = f"START RequestId: {self.request_id} Version: {self.version}\n"
        written = output if output.endswith("\n") or not output else output + "\n"
        end = f"END RequestId: {self.request_id}\n{self._report()}\n"
        return start + written + (f"{ending}\n" if ending else "") + end

    def _report(self) -> str:
        milliseconds = self.duration * 1000
        report = (
            f"REPORT RequestId: {self.request_id}\tDuration: {milliseconds:.2f} ms"
            f"\tBilled Duration: {math.ceil(milliseconds)} ms\tMemory Size: {self.memory} MB"
            f"\tMax Memory Used: {self.memory_used} MB"
        )
        if self.initialization < 0.001:  # noqa: PLR2004 - a warm worker spends microseconds here
            return report
        return f"{report}\tInit Duration: {self.initialization * 1000:.2f} ms"


def write(function: Function, stream: str, log: str) -> None:
    """Append the lines to the function's log group; the group and the stream are made when missing."""
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in log.splitlines()]
    backend = logs_backends[function.account_id][function.region]
    group_name = function.logs_group_name
    with _lock:
        backend.ensure_log_group(group_name)
        group = backend.groups[group_name]
        if stream not in group.streams:
            backend.create_log_stream(group_name, stream)
            while len(group.streams) > _STREAMS_KEPT:
                del group.streams[next(iter(group.streams))]
        del group.streams[stream].events[:-_LINES_KEPT]
        backend.put_log_events(group_name, stream, events)
