"""PostgreSQL's wire protocol, version 3: framing, and the few messages that are written or read here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

PROTOCOL_3 = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

FLUSH = b"H\0\0\0\4"
SYNC = b"S\0\0\0\4"
COPY_DONE = b"c\0\0\0\4"
RECEIVE_SIZE = 256 * 1024

_header = struct.Struct("!ci")
_int32 = struct.Struct("!i")
_int16 = struct.Struct("!h")


class ConnectionEndedError(ConnectionError):
    """The other side closed the connection."""


class NotAClientError(ValueError):
    """The other side doesn't speak PostgreSQL's protocol."""


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return one typed message."""
    return _header.pack(kind, len(body) + 4) + body


def zero_ended(body: bytes, start: int = 0) -> tuple[str, int]:
    """Return the text up to the next zero byte and the offset behind it."""
    end = body.index(b"\0", start)
    return body[start:end].decode("utf-8", "replace"), end + 1


def query(sql: str) -> bytes:
    """Return a simple Query."""
    return message(b"Q", sql.encode() + b"\0")


def parse(name: str, sql: str, parameters: bytes = b"\0\0") -> bytes:
    """Return a Parse; `parameters` is the packed list of type numbers."""
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + parameters)


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse or NoticeResponse by their one-letter names."""
    return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def failure(named: dict[str, str], kind: bytes = b"E") -> bytes:
    """Return an ErrorResponse (or, with b"N", a NoticeResponse) with these fields."""
    body = b"".join(letter.encode() + text.encode() + b"\0" for letter, text in named.items())
    return message(kind, body + b"\0")


def startup(parameters: dict[str, str]) -> bytes:
    """Return a start-up message."""
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
    body = _int32.pack(PROTOCOL_3) + pairs + b"\0"
    return _int32.pack(len(body) + 4) + body


def row_description(body: bytes) -> list[tuple[str, int, int]]:
    """Return (name, type number, type modifier) of each column of a RowDescription."""
    columns = []
    offset = 2
    for _ in range(_int16.unpack_from(body)[0]):
        name, offset = zero_ended(body, offset)
        type_number, _, modifier = struct.unpack_from("!ihi", body, offset + 6)
        columns.append((name, type_number, modifier))
        offset += 18
    return columns


def data_row(body: bytes) -> list[str | None]:
    """Return the values of a DataRow in text format."""
    values: list[str | None] = []
    offset = 2
    for _ in range(_int16.unpack_from(body)[0]):
        (length,) = _int32.unpack_from(body, offset)
        offset += 4
        if length < 0:
            values.append(None)
            continue
        values.append(body[offset : offset + length].decode())
        offset += length
    return values


class Channel:
    """One socket whose bytes are taken as typed messages."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.connection.fileno()

    def send(self, data: bytes) -> None:
        """Send every byte."""
        if data:
            self.connection.sendall(data)

    def receive(self) -> None:
        """Wait for bytes and keep them; TLS may hold more than the socket shows, so take all of it."""
        while True:
            received = self.connection.recv(RECEIVE_SIZE)
            if not received:
                raise ConnectionEndedError("the other side closed the connection")
            self._buffer += received
            pending = getattr(self.connection, "pending", None)
            if pending is None or not pending():
                return

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes."""
        while len(self._buffer) < count:
            self.receive()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def complete(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (kind, whole message) for each complete message at hand."""
        buffer = bytes(self._buffer)
        offset, size = 0, len(buffer)
        try:
            while size - offset >= 5:  # noqa: PLR2004 - a kind and a length
                kind, length = _header.unpack_from(buffer, offset)
                end = offset + 1 + length
                if end > size:
                    return
                whole = buffer[offset:end]
                offset = end
                yield kind, whole
        finally:
            del self._buffer[:offset]

    def next(self) -> tuple[bytes, bytes]:
        """Return (kind, whole message), waiting for it."""
        while len(self._buffer) < 5:  # noqa: PLR2004 - a kind and a length
            self.receive()
        kind, length = _header.unpack_from(self._buffer)
        return kind, self.take(length + 1)

    def untyped(self) -> bytes:
        """Return the body of a start-up packet, which has a length and no kind.

        Raises:
            NotAClientError: the length is not one that a PostgreSQL client sends.
        """
        (length,) = _int32.unpack(self.take(4))
        if not 8 <= length <= 10_000:  # noqa: PLR2004 - PostgreSQL's own limits
            raise NotAClientError(
                f"a start-up packet of {length} bytes: this port speaks PostgreSQL's protocol"
            )
        return self.take(length - 4)
