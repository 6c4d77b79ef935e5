"""One process per state directory, kept by a lock that ends with the process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class DirectoryInUseError(RuntimeError):
    """Another process keeps its state in this directory."""


class Ownership:
    """An exclusive claim on a state directory.

    The kernel drops the claim when the process ends, however it ends, so a killed process never
    leaves a stale lock behind. A POSIX record lock is used because child processes don't inherit it.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        directory.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._file, 32).decode() or "unknown"
            os.close(self._file)
            raise DirectoryInUseError(
                f"{directory} is in use by the process {owner}: stop it or choose another directory"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let another process have the directory."""
        os.ftruncate(self._file, 0)
        os.close(self._file)
