"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: the thing.
        found: what is there.
        ok: whether it will do.
        remedy: what to do, or an empty text; beside `ok` it is an advice.
    """

    what: str
    found: str
    ok: bool
    remedy: str = ""
