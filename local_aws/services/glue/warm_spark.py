"""One Spark process kept ready for the next job run: fresh for each run, never shared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local_aws.services.glue.job_process import JobProcess

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.runtime import Runtime


class WarmSpark:
    """Holds at most one idle process, whose JVM is up and warm; 0.6 GB of memory while it waits."""

    def __init__(self, runtime: Runtime, scratch: Path) -> None:
        self._runtime = runtime
        self._scratch = scratch
        self._lock = threading.Lock()
        self._idle: JobProcess | None = None
        self._closed = False

    def prepare(self) -> None:
        """Start a process for the next run, if none waits and there is a Spark environment."""
        if self._runtime.configuration.spark_python is None:
            return
        with self._lock:
            if self._closed or (self._idle and self._idle.alive):
                return
            if self._idle:
                self._idle.wait()
            self._idle = self._start()

    def take(self) -> JobProcess:
        """Return the waiting process, or a new one."""
        with self._lock:
            process, self._idle = self._idle, None
        if process and process.alive:
            return process
        if process:
            process.wait()
        return self._start()

    def close(self) -> None:
        """End the waiting process, and let none follow."""
        with self._lock:
            self._closed = True
            process, self._idle = self._idle, None
        if process:
            process.kill()
            process.wait()

    def _start(self) -> JobProcess:
        python = self._runtime.configuration.spark_python
        assert python
        return JobProcess(python, "spark", self._runtime.client_environment(), self._scratch)
