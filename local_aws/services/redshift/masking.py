"""SQL text with its quoted parts set aside, so that a pattern can't match inside a string."""

from __future__ import annotations

import re

_QUOTED = re.compile(
    r"""
    '(?:[^'\\]|\\.|'')*'            # a string; a backslash escapes, as in Redshift
  | "(?:[^"]|"")*"                  # an identifier
  | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$
  | --[^\n]*
  | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)
_MARK = re.compile("\x01([sic])(\\d+)\x02")


class Masked:
    """A statement as text with marks in place of strings, quoted identifiers and comments.

    Attributes:
        text: the statement with marks; patterns are applied to this.
    """

    def __init__(self, sql: str) -> None:
        self._parts: list[str] = []
        self.text = _QUOTED.sub(self._set_aside, sql)

    def _set_aside(self, match: re.Match[str]) -> str:
        part = match[0]
        if part.startswith(("--", "/*")):
            return " "  # a comment could hide a keyword from a pattern
        self._parts.append(part)
        return f"\x01{'i' if part[0] == chr(34) else 's'}{len(self._parts) - 1}\x02"

    def fold(self) -> None:
        """Fold quoted identifiers to lower case, as Redshift does unless told otherwise."""
        self._parts = [part.lower() if part[0] == '"' else part for part in self._parts]

    def restored(self, text: str | None = None) -> str:
        """Return the SQL text, of the whole statement or of a piece of it."""
        return _MARK.sub(lambda mark: self._parts[int(mark[2])], self.text if text is None else text)

    def statements(self) -> list[str]:
        """Return the text of each statement between semicolons."""
        return [self.restored(piece).strip() for piece in self.text.split(";") if piece.strip()]


def string_value(literal: str) -> str:
    """Return what a quoted string stands for."""
    inner = literal[1:-1] if literal.startswith("'") else literal.split("$", 2)[2].rsplit("$", 2)[0]
    return (
        inner.replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")
        if literal.startswith("'")
        else inner
    )
