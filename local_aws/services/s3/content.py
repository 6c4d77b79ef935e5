"""Object bytes on disk: one immutable file for each object version and each part."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1024 * 1024  # bytes held in memory while an object is sent, joined or copied


@dataclass(frozen=True)
class Kept:
    """Bytes that a vault holds: the file's name, its size, and its MD5 when known."""

    name: str
    size: int
    md5: str | None


class Readable(Protocol):
    """What a request's body offers."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and none at the end."""


class Content:
    """A span of one object's bytes that is read only while it is sent.

    Slicing reads nothing, so a ranged GET costs its range and not the object. The file stays open, so
    the bytes outlive an overwrite of the object during the answer.
    """

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file = file
        self._begin = begin
        self._end = end

    @property
    def path(self) -> str:
        """The file that the span belongs to."""
        return str(self._file.name)

    def __len__(self) -> int:
        return self._end - self._begin

    def __getitem__(self, span: slice) -> Content:
        start, stop, _ = span.indices(len(self))
        return Content(self._file, self._begin + start, self._begin + max(start, stop))

    def __iter__(self) -> Iterator[bytes]:
        position = self._begin
        while position < self._end:
            block = os.pread(self._file.fileno(), min(BLOCK, self._end - position), position)
            if not block:
                raise EOFError(f"{self.path} ends at byte {position}, before {self._end}")
            position += len(block)
            yield block

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def close(self) -> None:
        """Close the file; WSGI servers do it once the answer is sent."""
        self._file.close()


class Vault:
    """A directory of object files, named at random and never changed once written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for number in range(256):
            (directory / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> str:
        """Return where the file `name` is."""
        return f"{self._directory}/{name[:2]}/{name}"

    def keep(self, value: bytes | Content) -> Kept:
        """Write `value` to a file of its own."""
        if isinstance(value, Content):
            return self._copy(value)
        name, file = self._create()
        with file:
            _write(file, value)
        return Kept(name, len(value), hashlib.md5(value, usedforsecurity=False).hexdigest())

    def receive(self, stream: Readable) -> Kept:
        """Write what `stream` gives to a file, block by block.

        Raises:
            Exception: what reading raised, for instance because the client went away; no file is left.
        """
        name, file = self._create()
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            with file:
                while block := stream.read(BLOCK):
                    _write(file, block)
                    digest.update(block)
                    size += len(block)
        except BaseException:
            self.remove(name)
            raise
        return Kept(name, size, digest.hexdigest())

    def join(self, names: list[str]) -> Kept:
        """Write the files `names` one after the other into a new one."""
        name, target = self._create()
        with target:
            for source in names:
                with open(self.path(source), "rb", buffering=0) as file:  # noqa: PTH123 - hot path
                    _append(file, target)
            size = target.tell()
        return Kept(name, size, None)

    def open(self, name: str, size: int) -> Content:
        """Return the bytes of the file `name`, to be read later.

        Raises:
            FileNotFoundError: the object was overwritten or deleted a moment ago.
        """
        return Content(open(self.path(name), "rb", buffering=0), 0, size)  # noqa: PTH123 - see Content

    def remove(self, name: str) -> None:
        """Delete the file `name`; one that is gone already is fine."""
        try:
            os.unlink(self.path(name))  # noqa: PTH108 - hot path
        except FileNotFoundError:
            return

    def sweep(self, known: set[str]) -> int:
        """Delete every file that is not `known`, left by a process that was killed; return how many."""
        strays = [path for path in self._directory.glob("??/*") if path.name not in known]
        for path in strays:
            path.unlink()
        return len(strays)

    def _copy(self, content: Content) -> Kept:
        name, target = self._create()
        digest = hashlib.md5(usedforsecurity=False)
        with target:
            for block in content:
                _write(target, block)
                digest.update(block)
        return Kept(name, len(content), digest.hexdigest())

    def _create(self) -> tuple[str, IO[bytes]]:
        name = uuid.uuid4().hex
        return name, open(self.path(name), "xb", buffering=0)  # noqa: PTH123 - the caller closes it


def _append(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(BLOCK):
        _write(target, block)


def _write(file: IO[bytes], data: bytes) -> None:
    """Write all of `data`: one call may write less of it to an unbuffered file."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
