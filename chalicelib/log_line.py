"""One line of a run's log, wherever it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["workflow", "function", "glue"]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
"""From the least to the most urgent; CRITICAL counts as ERROR."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        time: milliseconds since 1970.
        number: its place among lines of the same time and source.
        id: the same whenever the line is read again.
        step: the step that it is about; empty for the run as a whole.
        document: the JSON that was logged, of a function's or a job's line.
    """

    time: int
    number: int = 0
    id: str
    source: Source
    step: str
    level: str
    message: str
    document: dict[str, Any] | None = None

    @property
    def place(self) -> tuple[int, str, int, int, str]:
        """Where the line stands among a run's lines; of numbers as text the longer one is the later."""
        return self.time, self.source, self.number, len(self.id), self.id

    def at_least(self, level: str) -> bool:
        """Say whether the line is as urgent as a level."""
        own = {"CRITICAL": "ERROR"}.get(self.level, self.level)
        return own not in LEVELS or LEVELS.index(own) >= LEVELS.index(level)
