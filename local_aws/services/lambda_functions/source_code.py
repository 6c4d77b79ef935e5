"""Where a function's code is: the project's source tree, or else the zip that was uploaded."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCHED = (".py", ".sql", ".json")
# A scan of some 100 files takes 0.3 ms; 20 a second is cheap and nobody saves and invokes faster.
_SCAN_INTERVAL = 0.05


class SourceTree:
    """The project directory, with a version that changes whenever a file that ships changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._scanned = float("-inf")
        self._version = 0
        self._lock = threading.Lock()

    def version(self) -> int:
        """Return a number that differs after any .py, .sql or .json file that ships was changed."""
        with self._lock:
            if time.monotonic() - self._scanned >= _SCAN_INTERVAL:
                self._version = hash(tuple(self._stamps()))
                self._scanned = time.monotonic()
            return self._version

    def _stamps(self) -> Iterator[tuple[str, int, int]]:
        """Yield a stamp for each file of what the packager ships: the top level, chalicelib and vendor."""
        yield from _stamps(self.directory, recursive=False)
        for name in ("chalicelib", "vendor"):
            yield from _stamps(self.directory / name, recursive=True)


def _stamps(directory: Path, *, recursive: bool) -> Iterator[tuple[str, int, int]]:
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if recursive and entry.is_dir() and not entry.name.startswith((".", "__pycache__")):
            yield from _stamps(Path(entry.path), recursive=True)
        elif entry.name.endswith(_WATCHED) and entry.is_file():
            status = entry.stat()
            yield entry.path, status.st_mtime_ns, status.st_size


class UploadedCode:
    """Uploaded zips, kept once per content however many functions share it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def keep(self, digest: str, content: bytes) -> None:
        """Store a zip under its SHA-256."""
        path = self._path(digest, ".zip")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            partial.write_bytes(content)
            partial.replace(path)

    def unpacked(self, digest: str) -> Path:
        """Return the directory with the zip's files, unpacked when first asked for."""
        target = self._path(digest, "")
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".partial")
                with zipfile.ZipFile(self._path(digest, ".zip")) as archive:
                    archive.extractall(partial)
                partial.replace(target)
        return target

    def _path(self, digest: str, suffix: str) -> Path:
        # The digest is base64: one of its characters is the path separator.
        return self._directory / (digest.replace("/", "_").rstrip("=") + suffix)
