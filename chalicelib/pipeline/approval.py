"""When a run asks a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.errors import InvalidPipeline
from chalicelib.pipeline.checks import check_word

Flag = Literal["rows_quarantined", "schema_evolved", "unusual_row_count"]

SHORTEST_APPROVAL = 60
LONGEST_APPROVAL = 7 * 86_400
"""Seconds that a run may wait for a person; the workflow's own limit is a day more."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """When a run asks a person before it writes anything.

    Attributes:
        always: ask for every file.
        flags: ask when validation raises one of these flags.
        bad_rows: ask when more rows than so many are bad, or None.
        expires_after: seconds after which nobody's answer ends the run as expired: a minute to a week.
    """

    always: bool = False
    flags: tuple[Flag, ...] = ()
    bad_rows: int | None = None
    expires_after: int = 24 * 3600

    def __post_init__(self) -> None:
        for flag in self.flags:
            check_word("Approval: flag", flag, Flag)
        if not (self.always or self.flags or self.bad_rows is not None):
            raise InvalidPipeline("Approval: write always=True, flags=(...) or bad_rows=...: it never asks")
        if self.bad_rows is not None and self.bad_rows < 0:
            raise InvalidPipeline(f"Approval: bad_rows {self.bad_rows}: write 0 or more")
        if not SHORTEST_APPROVAL <= self.expires_after <= LONGEST_APPROVAL:
            raise InvalidPipeline(
                f"Approval: expires_after {self.expires_after}: "
                f"write {SHORTEST_APPROVAL} to {LONGEST_APPROVAL} seconds"
            )
