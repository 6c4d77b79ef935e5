"""Text that people are shown: names and cells come from outside, and may hold more than letters."""

from __future__ import annotations

import re

_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but the end of a line, and those that turn the direction of what follows."""


def printable(text: str) -> str:
    r"""Return the text with each character that a terminal or reader would obey written out, such as \x1b."""
    return _HIDDEN.sub(_written, text)


def in_one_line(text: str) -> str:
    r"""Return the text as `printable` does, and the ends of its lines as \n."""
    return printable(text).replace("\n", "\\n")


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits suffice below it
