"""What is said of a name that nothing has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a sentence that tells of the nearest name that there is, and of all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    there_are = f"did you mean {near[0]}? There are" if near else "there are"
    return f"{kind} {name!r}: there is none of this name; {there_are} {', '.join(names)}"
