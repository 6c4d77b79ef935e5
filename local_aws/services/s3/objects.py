"""moto's object and upload, with their bytes on disk instead of in memory and open files."""

from __future__ import annotations

import copy
import hashlib
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Self

from moto.s3.exceptions import EntityTooSmall, InvalidPart, InvalidPartOrder, MalformedXML, S3ClientError
from moto.s3.models import FakeKey, FakeMultipart, MultipartChecksumBuilder
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from local_aws.services.s3 import changes, storage
from local_aws.services.s3.content import Content, Kept

if TYPE_CHECKING:
    from collections.abc import Iterable


class StoredKey(FakeKey):
    """One version of an object, or one part of an upload; its bytes are in the file `file`."""

    file: str = ""
    disposed: bool
    _etag: str | None

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make an object without moto's list of all instances ever made, which would only grow."""
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._value_buffer = None
        self.lock = None

    @property
    def value(self) -> bytes:
        """All bytes, in memory: for moto's own readers of small objects, such as templates."""
        content = self.content()
        try:
            return bytes(content)
        finally:
            content.close()

    @value.setter
    def value(self, value: bytes | str | Content | Kept) -> None:
        if isinstance(value, str):
            value = value.encode()
        kept = value if isinstance(value, Kept) else storage.current().vault.keep(value)
        if self.file:
            changes.discard(self.file)
        self.file = kept.name
        self.contentsize = kept.size
        if self._etag is None:
            self._etag = kept.md5

    def content(self) -> Content:
        """Return the bytes, to be read while they are sent."""
        return storage.current().vault.open(self.file, self.contentsize)

    @property
    def etag(self) -> str:
        """The quoted ETag, known since the bytes were written."""
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        """Give the file up, unless this is only Python forgetting the object."""
        if garbage or self.disposed:
            return
        self.disposed = True
        changes.discard(self.file)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Copy the attributes alone: moto copies every version of every key for each listing."""
        return copy.copy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k not in {"_value_buffer", "lock"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _value_buffer=None, lock=None)


class Reading:
    """An object as a GET or a copy sees it: the same attributes, but `value` reads nothing yet."""

    def __init__(self, key: StoredKey) -> None:
        self._key = key

    @property
    def value(self) -> Content:
        """The bytes, read while they are sent."""
        return self._key.content()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)


class StoredMultipart(FakeMultipart):
    """An upload whose parts are joined on disk."""

    ended = False

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make an upload without moto's list of all instances ever made, which would only grow."""
        return object.__new__(cls)

    def complete(self, body: Iterable[tuple[int, str]]) -> tuple[Any, str, tuple[str, str, int] | None]:
        """Join the listed parts, and return the joined file, its ETag and the requested checksum."""
        parts = self._listed(body)
        kept = storage.current().vault.join([part.file for part in parts])
        digest = hashlib.md5(usedforsecurity=False)
        for part in parts:
            digest.update(bytes.fromhex(part.etag.strip('"')))
        return kept, f"{digest.hexdigest()}-{len(parts)}", self._checksum(parts)

    def _listed(self, body: Iterable[tuple[int, str]]) -> list[StoredKey]:
        listed: list[StoredKey] = []
        numbers: list[int] = []
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart
            if numbers and number <= numbers[-1]:
                raise InvalidPartOrder
            numbers.append(number)
            listed.append(part)
        if not listed:
            raise MalformedXML
        if any(part.contentsize < S3_UPLOAD_PART_MIN_SIZE for part in listed[:-1]):
            raise EntityTooSmall
        return listed

    def _checksum(self, parts: list[StoredKey]) -> tuple[str, str, int] | None:
        algorithm = self.metadata.get("x-amz-checksum-algorithm")
        if not algorithm:
            return None
        builder = MultipartChecksumBuilder(algorithm, self.metadata.get("x-amz-checksum-type"))
        if builder.checksum_type == "COMPOSITE":
            for part in parts:
                builder.addPart(part.value)
            return builder.build()
        if algorithm != "CRC32":
            raise S3ClientError("NotImplemented", f"A full-object {algorithm} checksum is not kept here")
        return "FULL_OBJECT", _crc32(parts), 1

    def dispose(self) -> None:
        """Give up the files of all parts; their sizes stay with the completed object."""
        super().dispose()
        self.ended = True

    def __getstate__(self) -> dict[str, Any]:
        """Leave the parts out while the upload goes on: each has a row of its own until then."""
        return dict(vars(self)) if self.ended else vars(self) | {"parts": {}, "partlist": []}


def _crc32(parts: list[StoredKey]) -> str:
    checksum = 0
    for part in parts:
        content = part.content()
        for block in content:
            checksum = zlib.crc32(block, checksum)
        content.close()
    return b64encode(checksum.to_bytes(4, "big")).decode()
