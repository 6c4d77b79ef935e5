"""Carries what a job run prints from its files to CloudWatch Logs."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

INTERVAL = 2.0  # seconds between two looks at the files while the run is alive
BATCH = 500  # events in one PutLogEvents; CloudWatch allows 10,000 and 1 MiB
LONGEST_EVENT = 1000  # characters; a batch stays below CloudWatch's 1 MiB


class JobLogs:
    """Ships one run's output and errors, line by line, from the start to the end of a `with` block."""

    def __init__(self, logs: Any, group: str, run_id: str, directory: Path) -> None:
        self._logs = logs
        self._stream = run_id
        self._files = {directory / "output.log": f"{group}/output", directory / "error.log": f"{group}/error"}
        self._positions = dict.fromkeys(self._files, 0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"logs of {run_id}", daemon=True)

    def __enter__(self) -> None:
        for group in self._files.values():
            with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_group(logGroupName=group)
            with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_stream(logGroupName=group, logStreamName=self._stream)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(INTERVAL):
            self._ship(whole_lines=True)
        self._ship(whole_lines=False)

    def _ship(self, *, whole_lines: bool) -> None:
        for path, group in self._files.items():
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(self._positions[path])
                text = file.read()
            if whole_lines:
                text = text[: text.rfind(b"\n") + 1]
            self._positions[path] += len(text)
            self._put(group, text.decode(errors="replace").splitlines())

    def _put(self, group: str, lines: list[str]) -> None:
        now = int(time.time() * 1000)
        pieces = [
            line[start : start + LONGEST_EVENT]
            for line in lines
            if line.strip()
            for start in range(0, len(line), LONGEST_EVENT)
        ]
        for start in range(0, len(pieces), BATCH):
            events = [{"timestamp": now, "message": piece} for piece in pieces[start : start + BATCH]]
            self._logs.put_log_events(logGroupName=group, logStreamName=self._stream, logEvents=events)
