"""A file's bytes: read forward only, decompressed within limits, and read ahead of their checks."""

from __future__ import annotations

import io
import queue
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Generic, TypeVar, cast

from chalicelib.validation.findings import Unreadable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

CHUNK = 1 << 20
"""Bytes read at a time; larger chunks cost memory and gain nothing (docs/validation.md)."""

LARGEST_RATIO = 200
"""Decompressed bytes for each stored byte, beyond which a file is a bomb: real tables reach 10 to 50."""

UNWATCHED = 64 * CHUNK
"""Decompressed bytes up to which the ratio does not matter."""

LARGEST_CONTENT = 64 * 1024**3
"""Decompressed bytes that a file may have."""

READ_AHEAD = 4
"""Blocks that may wait between the reading thread and the checking one."""

BOM = b"\xef\xbb\xbf"

FOREIGN = {
    b"\x1f\x8b": "is gzip data: let its name end in .gz",
    b"PK\x03\x04": "is a zip archive: unpack it or use gzip",
    b"PAR1": "is Parquet: drop it where Parquet files are expected",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
    b"BZh": "is bzip2 data: use gzip",
    b"\x28\xb5\x2f\xfd": "is zstd data: use gzip",
    b"%PDF": "is a PDF",
    b"\xd0\xcf\x11\xe0": "is an Excel file: save it as CSV",
}
"""How files start that are not text, and what to tell whoever dropped them."""

T = TypeVar("T")


class Source:
    """The bytes of one file.

    Attributes:
        compressed: whether the key ends in `.gz`.
        stored: bytes read so far, as stored.
    """

    def __init__(self, stream: BinaryIO, key: str) -> None:
        self._stream = stream
        self.compressed = key.lower().endswith(".gz")
        self.stored = 0

    def text_chunks(self) -> Iterator[bytes]:
        """Yield chunks of UTF-8 text without its byte order mark.

        Raises:
            Unreadable: when the bytes are no text, or cannot be decompressed within the limits.
        """
        chunks = self._gunzipped() if self.compressed else self._stored_chunks()
        first = next(chunks, b"")
        for start, what in FOREIGN.items():
            if first.startswith(start):
                raise Unreadable(f"the file {what}")
        yield _text(first.removeprefix(BOM))
        yield from map(_text, chunks)

    def seekable(self) -> BinaryIO:
        """Return the stream itself, for a format that is not read from its start to its end."""
        self.stored = self._stream.seek(0, io.SEEK_END)
        self._stream.seek(0)
        return self._stream

    def _stored_chunks(self) -> Iterator[bytes]:
        while chunk := self._fill():
            yield chunk

    def _fill(self) -> bytes:
        """Read one chunk in full: a socket may give less than asked for."""
        parts, missing = [], CHUNK
        while missing and (part := self._stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        self.stored += CHUNK - missing
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _gunzipped(self) -> Iterator[bytes]:
        from isal import igzip_lib  # noqa: PLC0415  only compressed files need it

        whole, data, ended = 0, self._fill(), False
        while data:
            member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
            while not member.eof:
                try:
                    content = member.decompress(data, CHUNK)
                except igzip_lib.IsalError as wrong:  # type: ignore[misc]  # its stub names no base class
                    raise Unreadable(f"the gzip data is damaged ({wrong}): drop the file again") from None
                data = self._fill() if member.needs_input and not member.eof else b""
                whole += len(content)
                self._refuse_bombs(whole)
                if content:
                    yield content
                if not (content or data or member.eof):
                    raise Unreadable("the gzip data is cut short: drop the file again")
            data = (member.unused_data or self._fill()).lstrip(b"\0")
            ended = True
        if not ended:
            raise Unreadable("the file is empty")

    def _refuse_bombs(self, whole: int) -> None:
        if whole > max(UNWATCHED, self.stored * LARGEST_RATIO) or whole > LARGEST_CONTENT:
            raise Unreadable(
                f"the gzip data grows past {whole:,} bytes from {self.stored:,}: at most {LARGEST_RATIO}"
                f" times and {LARGEST_CONTENT:,} bytes are allowed; drop it uncompressed or in parts"
            )


def _text(chunk: bytes) -> bytes:
    if b"\0" in chunk:
        raise Unreadable(
            "the file holds a NUL byte, so it is not text: is it UTF-16 or binary? Save it as UTF-8"
        )
    return chunk


class _Ahead(Generic[T]):
    """An iterator that runs in a thread, a few items ahead."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(READ_AHEAD)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        try:
            for item in self._items:
                self._waiting.put((True, item))
                if self._left.is_set():
                    return
            self._waiting.put((False, None))
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that asked
            self._waiting.put((False, error))

    def __iter__(self) -> Iterator[T]:
        while True:
            more, item = self._waiting.get()
            if more:
                yield cast("T", item)
            elif isinstance(item, BaseException):
                raise item
            else:
                return

    def close(self) -> None:
        """Make room until the thread has seen that nobody listens."""
        self._left.set()
        while self._thread.is_alive():
            with suppress(queue.Empty):
                self._waiting.get(timeout=0.01)


@contextmanager
def read_ahead(items: Iterator[T]) -> Generator[Iterator[T]]:
    """Run the iterator in a thread, a few items ahead; an error there is raised here."""
    ahead = _Ahead(items)
    try:
        yield iter(ahead)
    finally:
        ahead.close()
