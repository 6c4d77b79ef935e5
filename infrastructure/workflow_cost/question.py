"""What is asked: how many runs, of what size, on which way, with what known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infrastructure.workflow_cost.assumptions import MB

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class GrowingWaits:
    """How a pipeline waits for its Glue job: the pause grows with the time that the job has taken.

    Attributes:
        first, longest: seconds of the shortest and the longest pause.
        growth: each pause adds this share less one to the time since the start.
    """

    first: float = 15
    growth: float = 1.5
    longest: float = 120

    def pause(self, elapsed: float) -> float:
        """Return the pause before the next look, `elapsed` seconds after the start."""
        return round(min(max(self.first, elapsed * (self.growth - 1)), self.longest))


@dataclass(frozen=True, kw_only=True)
class GlueCapacity:
    """What a Glue job is given.

    Attributes:
        dpus: data processing units, drivers included; 0.0625 or 1 of a Python Shell job.
        python_shell: it is a Python Shell job.
        source: where this is known from.
    """

    dpus: float
    python_shell: bool = False
    source: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a cost is asked for.

    Attributes:
        runs: in a month.
        size: bytes of the file, or of what a query scans.
        items: of each Map.
        region: a region of the price file.
        format: `csv`, `json`, `ndjson` or `parquet`.
        assumed: values that Choice rules compare, by the last name of their path, such as `route`.
        through: states that a way must lead through.
        waits: how `SecondsPath` grows.
        job_seconds: how long a job or whatever a loop waits for takes, or None to estimate it.
        durations: seconds of a state, by its name.
        scans: bytes that a state's query scans, by its name; 0 for one that Athena does not bill.
        memory: megabytes of a function, by its name.
        glue: the capacity of a Glue job, by its name or placeholder; `""` for every other one.
        glue_by_step: the Glue job that a function starts.
    """

    runs: int
    size: int = MB
    items: int = 10
    region: str = "us-east-1"
    format: str = "csv"
    assumed: Mapping[str, str] = field(default_factory=dict)
    through: tuple[str, ...] = ()
    waits: GrowingWaits = field(default_factory=GrowingWaits)
    job_seconds: float | None = None
    durations: Mapping[str, float] = field(default_factory=dict)
    scans: Mapping[str, int] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)
    glue: Mapping[str, GlueCapacity] = field(default_factory=dict)
    glue_by_step: Mapping[str, str] = field(default_factory=dict)
