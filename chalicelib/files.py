"""A file: an S3 object that landed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class File:
    """One content of one S3 key.

    Attributes:
        bucket: the bucket's name.
        key: the object's key, decoded.
        etag: the content's ETag, without quotes.
        version: the version id, or None in a bucket without versioning.
        size: bytes as stored.
    """

    bucket: str
    key: str
    etag: str
    size: int
    version: str | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two events speak of the same content: bucket, key, version or else ETag."""
        return self.bucket, self.key, self.version or self.etag

    @property
    def uri(self) -> str:
        """The file's S3 address, as people read it."""
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> File:
        """Read the file from a workflow's input."""
        return cls(**{name: document.get(name) for name in cls.__dataclass_fields__})  # type: ignore[arg-type]

    def to_document(self) -> dict[str, Any]:
        """Return the file as a workflow's input carries it."""
        return asdict(self)
