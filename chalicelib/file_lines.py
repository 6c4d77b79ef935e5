"""Single lines of a text file: what an offending row looks like where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.validation.findings import Unreadable
from chalicelib.validation.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from chalicelib.aws.s3 import S3
    from chalicelib.files import File

MOST_READ = 8 << 20
"""Bytes of text that are read: a person waits for them; a line further on is told by its number alone."""

LONGEST_LINE = 2_000
"""Characters of a line that are shown."""


def lines_at(s3: S3, file: File, numbers: Collection[int]) -> dict[int, str]:
    """Return the lines with these numbers, the first being 1, without their ends, as far as `MOST_READ`.

    A row whose quoted cells hold line ends is there with its first line. Long lines end in an ellipsis.
    """
    found: dict[int, str] = {}
    if not numbers:
        return found
    last = max(numbers)
    with s3.open(file) as stream:
        for number, line in enumerate(_lines(Source(stream, file.key)), 1):
            if number in numbers:
                found[number] = _shown(line)
            if number == last:
                break
    return found


def _lines(source: Source) -> Iterator[bytes]:
    """Yield the whole lines among the first bytes; none of what cannot be read as text."""
    rest, read = b"", 0
    try:
        for chunk in source.text_chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            read += len(chunk)
            if read >= MOST_READ:
                return
    except Unreadable:
        return
    if rest:
        yield rest


def _shown(line: bytes) -> str:
    text = line.removesuffix(b"\r").decode("utf-8", "replace")
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
