"""The header lines of one HTTP request."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 65_536  # bytes; this limit and the next are those of Python's own server
MOST_LINES = 100
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110's token


class BadHeadersError(ValueError):
    """The header lines are too many, too long, or not header lines.

    Attributes:
        status: what the client is told.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class RequestHeaders:
    """Names and values in the order of their arrival. Names are compared without case.

    Python's server parses the lines as an e-mail message, which takes a tenth of a small request.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []
        self._first: dict[str, str] = {}

    @classmethod
    def read(cls, stream: IO[bytes]) -> RequestHeaders:
        """Read up to the empty line.

        Raises:
            BadHeadersError: a line is none, or a limit is exceeded.
        """
        headers = cls()
        while (line := stream.readline(LONGEST_LINE + 1)) not in (b"\r\n", b"\n", b""):
            if len(line) > LONGEST_LINE:
                raise BadHeadersError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Line too long")
            if len(headers._lines) == MOST_LINES:
                raise BadHeadersError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Too many headers")
            headers._add(line.decode("iso-8859-1"))
        return headers

    def _add(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise BadHeadersError(HTTPStatus.BAD_REQUEST, "Bad header line")
        value = value.strip(" \t\r\n")
        self._lines.append((name, value))
        self._first.setdefault(name.lower(), value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a header."""
        return self._first.get(name.lower(), default)

    def items(self) -> list[tuple[str, str]]:
        """Return every line."""
        return self._lines

    def keys(self) -> Iterator[str]:
        """Yield every line's name."""
        return (name for name, _ in self._lines)
