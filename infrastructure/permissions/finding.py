"""A permission to mend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A permission to mend.

    Attributes:
        role: the role's logical id.
        remedy: what to write, where, and why.
    """

    role: str
    remedy: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.role}: {self.remedy}"
