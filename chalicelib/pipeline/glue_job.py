"""The Glue job for a pipeline's large files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidPipeline

if TYPE_CHECKING:
    from chalicelib.access import Access


@dataclass(frozen=True, kw_only=True)
class GlueJob:
    """The Glue job that transforms a pipeline's large files, and how patiently it is awaited.

    Attributes:
        name: the job's name without the stage, such as `process_csv`.
        first_wait, longest_wait: seconds before the first check, and the most between two checks.
        growth: each wait is this many times the one before.
        deadline: seconds after which the run fails with GlueJobTimedOut.
        access: the role for a job of another account; `name` is then the job's whole name there.
    """

    name: str
    first_wait: int = 15
    growth: float = 1.5
    longest_wait: int = 120
    deadline: int = 4 * 3600
    access: Access | None = None

    def __post_init__(self) -> None:
        if not (0 < self.first_wait <= self.longest_wait <= self.deadline and self.growth > 1):
            raise InvalidPipeline(
                f"Glue job {self.name}: write 0 < first_wait <= longest_wait <= deadline and growth > 1"
            )
