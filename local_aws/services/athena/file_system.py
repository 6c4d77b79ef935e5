"""What DuckDB opens during one query: S3 objects under made-up names that carry partition values."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from fsspec.spec import AbstractFileSystem

from local_aws.services.athena.failure import QueryCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.services.athena.objects import S3Object

PROTOCOL = "athena"
# Objects up to this size are fetched once and kept; larger ones are read by ranges, as DuckDB asks.
_WHOLE_BYTES = 8 * 2**20
_KEPT_BYTES = 64 * 2**20
# Hive's name of the partition whose value is NULL.
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


class QueryFileSystem(AbstractFileSystem):
    """The objects that one query may read, and how much it did.

    A name is `athena://<table>/<column>=<value>/.../<bucket and key, quoted>`, so DuckDB's own Hive partition
    pruning works for partitions at any location, and an object that is pruned is never opened. Listings are
    those of the start of the query: nothing is stale, nothing is listed twice.
    """

    protocol = PROTOCOL
    cachable = False  # one per query; fsspec would share it

    def __init__(self, s3: Any, cutoff: int | None) -> None:
        super().__init__()
        self._s3 = s3
        self._cutoff = cutoff
        self._objects: dict[str, S3Object] = {}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._with_footer: set[str] = set()
        self._counted: set[str] = set()
        self._lock = threading.Lock()
        self._counts = True
        self.scanned = 0
        self.cancelled: QueryCancelledError | None = None

    def add(self, table: str, partition: Mapping[str, str], found: S3Object, *, footer: bool) -> str:
        """Give an object its name for this query and return it.

        With `footer`, a first read up to the object's end is planning and scans nothing.
        """
        values = [f"{name}={quote(value, safe='')}" for name, value in partition.items()]
        path = "/".join([quote(table, safe=""), *values, quote(f"{found.bucket}/{found.key}", safe="")])
        self._objects[path] = found
        if footer:
            self._with_footer.add(path)
        return f"{PROTOCOL}://{path}"

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Read without scanning, for a pass that AWS's engine does not make."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size that the listing gave."""
        name = self._strip_protocol(path)
        if name not in self._objects:
            raise FileNotFoundError(path)
        return {"name": path, "size": self._objects[name].size, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself: every name is given in full."""
        return [path]

    def modified(self, _path: str) -> datetime:
        """Return a constant: an object does not change within a query."""
        return datetime(2000, 1, 1, tzinfo=UTC)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise PermissionError(f"{path} is only read")
        name = self._strip_protocol(path)
        found = self._objects[name]

        def fetch(start: int, end: int) -> bytes:
            if found.size <= _WHOLE_BYTES:
                return self._content(name, found)[start:end]
            return _read(self._s3, found, Range=f"bytes={start}-{end - 1}")

        has_footer = name in self._with_footer
        return _OpenObject(found.size, fetch, lambda: self._count(name, found), has_footer=has_footer)

    def _count(self, name: str, found: S3Object) -> None:
        with self._lock:
            if self._counts and name not in self._counted:
                self._counted.add(name)
                self.scanned += found.size
            if self._cutoff is not None and self.scanned > self._cutoff:
                self.cancelled = QueryCancelledError("Query cancelled! : Bytes scanned limit was exceeded")
                raise self.cancelled

    def _content(self, name: str, found: S3Object) -> bytes:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        content = _read(self._s3, found)
        with self._lock:
            self._kept_bytes += len(content) - len(self._kept.get(name, b""))
            self._kept[name] = content
            while self._kept_bytes > _KEPT_BYTES:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])
        return content


def _read(s3: Any, found: S3Object, **request: str) -> bytes:
    try:
        body = s3.get_object(Bucket=found.bucket, Key=found.key, **request)["Body"]
    except ClientError as error:
        raise FileNotFoundError(f"{found.uri}: {error}") from error
    content: bytes = body.read()
    return content


class _OpenObject(io.RawIOBase):
    """One opening of an object, read by the ranges that the reader asks for."""

    def __init__(
        self, size: int, fetch: Callable[[int, int], bytes], count: Callable[[], None], *, has_footer: bool
    ) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._count = count
        self._may_read_footer = has_footer
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._position + size, self._size)
        if end <= self._position:
            return b""
        if not (self._may_read_footer and end == self._size):
            self._count()
        self._may_read_footer = False
        content = self._fetch(self._position, end)
        self._position += len(content)
        return content
