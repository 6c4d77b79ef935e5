"""How many bad rows a pipeline puts up with."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from chalicelib.errors import InvalidPipeline

MOST_TOLERATED = 100_000
"""Bad rows that a pipeline may tolerate in one file: validation keeps each of them on disk until the end."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How many bad rows go to quarantine while the others are loaded; a file with more is rejected.

    Both limits hold. Where the `unique` rule is broken, the first occurrence is a good row.

    Attributes:
        rows: the most bad rows in one file.
        share: the most bad rows as a share of the file's rows: 0.01 is one in a hundred.
    """

    rows: int = MOST_TOLERATED
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.rows <= MOST_TOLERATED and 0 < self.share <= 1):
            raise InvalidPipeline(
                f"Tolerance rows {self.rows}, share {self.share}: "
                f"write 0 < rows <= {MOST_TOLERATED} and 0 < share <= 1"
            )

    def allows(self, bad: int, rows: int) -> bool:
        """Return whether so many bad rows of all rows may be set aside; 0.29 of 100 rows are exactly 29."""
        return bad <= self.rows and bad <= Fraction(str(self.share)) * rows
