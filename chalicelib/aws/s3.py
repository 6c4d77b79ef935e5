"""S3 in our verbs: find, open, list, move, put."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from chalicelib.aws.client import DENIALS, call, client, code
from chalicelib.errors import AccessRefused, LedgerChanged, StorageIsUnreachable, UnknownFile
from chalicelib.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from chalicelib.access import Access

READ_AHEAD = 1024 * 1024
"""Bytes that one ranged GET of a seekable file asks for at least."""

ONE_REQUEST = 8 * 1024 * 1024
"""Bytes up to which a file is uploaded in one request; boto3 begins parts there too."""

MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "NoSuchBucket"})

MALFORMED = frozenset({"400", "InvalidArgument"})
"""How S3 refuses what cannot be a version's id; a HEAD has only the number."""

LONGEST_KEY = 1024
"""Bytes of a key in UTF-8, by S3's limit."""

CHANGED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
"""How S3 refuses a write whose condition does not hold, or no longer."""


class S3:
    """The buckets of this stage, and one of another account.

    Args:
        bucket: the other account's bucket, or None.
        access: the role to reach it with, or None when the bucket's own policy lets this stage in.
        session: who assumes the role, such as a run's name.
    """

    def __init__(self, bucket: str | None = None, access: Access | None = None, session: str = "") -> None:
        self._bucket, self._access, self._session = bucket, access, session

    def _client(self, bucket: str) -> Any:
        if self._access and bucket == self._bucket:
            return client("s3", self._access, self._session)
        return client("s3")

    def find(self, bucket: str, key: str, version: str | None = None) -> File:
        """Return the file as it is now, or the given version of it.

        Raises:
            UnknownFile: no such object.
        """
        if len(key.encode()) > LONGEST_KEY:
            raise UnknownFile(f"s3://{bucket}/{key[:80]}...: no key has more than {LONGEST_KEY:,} bytes")
        try:
            head = call(self._client(bucket).head_object, Bucket=bucket, Key=key, **_version(version))
        except client("s3").exceptions.ClientError as error:
            if code(error) in MISSING or (version and code(error) in MALFORMED):
                raise UnknownFile(f"s3://{bucket}/{key}: there is no such file") from error
            raise
        return File(
            bucket=bucket,
            key=key,
            etag=head["ETag"].strip('"'),
            version=_real_version(head.get("VersionId")),
            size=head["ContentLength"],
        )

    def is_current(self, file: File) -> bool:
        """Tell whether the key still holds this content."""
        try:
            return self.find(file.bucket, file.key).identity == file.identity
        except UnknownFile:
            return False

    def open(self, file: File) -> BinaryIO:
        """Return the file's content as a forward-only stream.

        Raises:
            UnknownFile: the content is gone or was replaced.
        """
        return cast("BinaryIO", self._get(file)["Body"])

    def open_seekable(self, file: File) -> BinaryIO:
        """Return the file's content as a stream that seeks by ranged requests."""
        return cast("BinaryIO", io.BufferedReader(_Ranges(self, file), buffer_size=READ_AHEAD))

    def listing(self, bucket: str, prefix: str) -> Iterator[tuple[File, datetime]]:
        """Yield the newest content of each key under a prefix, with the time that it landed."""
        pages = self._client(bucket).get_paginator("list_object_versions")
        try:
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Versions", []):
                    if found["IsLatest"]:
                        yield _listed(bucket, found), found["LastModified"]
        except client("s3").exceptions.ClientError as error:
            if code(error) in DENIALS:
                raise AccessRefused(f"s3://{bucket}/{prefix}: it cannot be listed: {error}") from error
            raise

    def read(self, bucket: str, key: str) -> tuple[bytes, str]:
        """Return a small object's content and its ETag.

        Raises:
            UnknownFile: no such object.
        """
        try:
            answer = call(client("s3").get_object, Bucket=bucket, Key=key)
        except client("s3").exceptions.ClientError as error:
            if code(error) in MISSING:
                raise UnknownFile(f"s3://{bucket}/{key}: there is no such file") from error
            raise
        return answer["Body"].read(), answer["ETag"]

    def replace(self, bucket: str, key: str, body: bytes, etag: str | None) -> None:
        """Write an object, unless somebody else did since it was read.

        Args:
            bucket: the bucket's name.
            key: the object's key.
            body: the new content.
            etag: what `read` gave, or None when there was no such object.

        Raises:
            LedgerChanged: somebody else did, or deleted it.
        """
        unchanged = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            call(client("s3").put_object, Bucket=bucket, Key=key, Body=body, **unchanged)
        except client("s3").exceptions.ClientError as error:
            if code(error) in (CHANGED | MISSING if etag else CHANGED):
                raise LedgerChanged(f"s3://{bucket}/{key}: another run wrote it at the same time") from error
            raise

    def put_text(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Write an object that a browser can show."""
        call(client("s3").put_object, Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def delete(self, bucket: str, key: str) -> None:
        """Delete a key; one that is gone is no error."""
        call(client("s3").delete_object, Bucket=bucket, Key=key)

    def put_json(self, bucket: str, key: str, document: Any) -> None:
        """Write a JSON document."""
        body = json.dumps(document, indent=2, ensure_ascii=False).encode()
        call(client("s3").put_object, Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def read_json(self, bucket: str, key: str) -> Any:
        """Return a JSON document.

        Raises:
            UnknownFile: no such object.
        """
        with self.open(self.find(bucket, key)) as stream:
            return json.load(stream)

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Upload a local file, in parts when it is large."""
        if path.stat().st_size > ONE_REQUEST:
            client("s3").upload_file(str(path), bucket, key)
            return
        with path.open("rb") as body:  # without the threads that `upload_file` starts for one request
            call(client("s3").put_object, Bucket=bucket, Key=key, Body=body)

    @contextlib.contextmanager
    def writing(self, bucket: str, key: str) -> Iterator[BinaryIO]:
        """Give a stream whose bytes become the object; after an error there is none.

        At most one part of 8 MB is held in memory.
        """
        parts = _Parts(bucket, key)
        try:
            yield cast("BinaryIO", parts)
            parts.finish()
        except BaseException:
            parts.abandon()
            raise

    def copy(self, file: File, bucket: str, key: str) -> File:
        """Copy the file to another place and return it there.

        Raises:
            UnknownFile: the content is gone.
        """
        source = {"Bucket": file.bucket, "Key": file.key, **_version(file.version)}
        try:
            client("s3").copy(source, bucket, key)  # in parts when it is larger than one copy may be
        except client("s3").exceptions.ClientError as error:
            if code(error) in MISSING:
                raise UnknownFile(f"{file.uri}: there is no such file") from error
            raise
        return self.find(bucket, key)

    def move(self, file: File, bucket: str, key: str) -> None:
        """Copy the file to another bucket, then delete it where it was. Safe to repeat.

        A file of another account's bucket is only copied: it belongs to whoever put it there.
        """
        if file.bucket == self._bucket:
            with self.open(file) as stream:
                client("s3").upload_fileobj(stream, bucket, key)
            return
        source = {"Bucket": file.bucket, "Key": file.key, **_version(file.version)}
        try:
            client("s3").copy(source, bucket, key)  # in parts when it is larger than one copy may be
        except client("s3").exceptions.ClientError as error:
            if code(error) not in MISSING or not self._exists(bucket, key):
                raise
        call(client("s3").delete_object, Bucket=file.bucket, Key=file.key, **_version(file.version))

    def _exists(self, bucket: str, key: str) -> bool:
        try:
            self.find(bucket, key)
        except UnknownFile:
            return False
        return True

    def _get(self, file: File, **more: str) -> dict[str, Any]:
        try:
            return cast(
                "dict[str, Any]",
                call(
                    self._client(file.bucket).get_object,
                    Bucket=file.bucket,
                    Key=file.key,
                    IfMatch=file.etag,
                    **_version(file.version),
                    **more,
                ),
            )
        except client("s3").exceptions.ClientError as error:
            if code(error) in MISSING | {"PreconditionFailed", "412"}:
                raise UnknownFile(f"{file.uri}: the file is gone or was replaced since it landed") from error
            raise


@contextlib.contextmanager
def unbroken(file: File) -> Iterator[None]:
    """Turn a connection that breaks while the file is read into an error to try again.

    Raises:
        StorageIsUnreachable: it broke.
    """
    from botocore.exceptions import HTTPClientError, IncompleteReadError  # noqa: PLC0415 - not at import of app

    try:
        yield
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise StorageIsUnreachable(f"{file.uri}: {error}") from error


class _Ranges(io.RawIOBase):
    """A file whose reads are ranged GETs."""

    def __init__(self, s3: S3, file: File) -> None:
        self._s3, self._file, self._position = s3, file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._file.size - self._position)
        if wanted <= 0:
            return 0
        last = self._position + wanted - 1
        body = self._s3._get(self._file, Range=f"bytes={self._position}-{last}")["Body"].read()  # noqa: SLF001
        buffer[: len(body)] = body
        self._position += len(body)
        return len(body)


class _Parts(io.RawIOBase):
    """An object that is written in parts; a small one in a single request."""

    def __init__(self, bucket: str, key: str) -> None:
        self._place = {"Bucket": bucket, "Key": key}
        self._waiting = bytearray()
        self._written = 0
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        self._waiting += data
        self._written += len(data)
        while len(self._waiting) >= ONE_REQUEST:
            self._put(bytes(self._waiting[:ONE_REQUEST]))
            del self._waiting[:ONE_REQUEST]
        return len(data)

    def finish(self) -> None:
        """Make the object of what was written."""
        if self._upload is None:
            call(client("s3").put_object, **self._place, Body=bytes(self._waiting))
            return
        if self._waiting:
            self._put(bytes(self._waiting))
        call(
            client("s3").complete_multipart_upload,
            **self._place,
            UploadId=self._upload,
            MultipartUpload={"Parts": self._parts},
        )

    def abandon(self) -> None:
        """Leave nothing behind."""
        if self._upload is not None:
            call(client("s3").abort_multipart_upload, **self._place, UploadId=self._upload)

    def _put(self, body: bytes) -> None:
        if self._upload is None:
            self._upload = call(client("s3").create_multipart_upload, **self._place)["UploadId"]
        number = len(self._parts) + 1
        put = call(
            client("s3").upload_part, **self._place, UploadId=self._upload, PartNumber=number, Body=body
        )
        self._parts.append({"ETag": put["ETag"], "PartNumber": number})


def _listed(bucket: str, found: dict[str, Any]) -> File:
    return File(
        bucket=bucket,
        key=found["Key"],
        etag=found["ETag"].strip('"'),
        version=_real_version(found.get("VersionId")),
        size=found["Size"],
    )


def _version(version: str | None) -> dict[str, str]:
    return {"VersionId": version} if version else {}


def _real_version(version: str | None) -> str | None:
    """S3 calls the one content of a key in a bucket without versioning `null`."""
    return None if version in (None, "null") else version
