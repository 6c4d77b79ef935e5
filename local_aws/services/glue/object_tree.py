"""S3 as the directory tree that Hadoop wants, with unfinished output kept out of S3.

Files are objects. Directories that Hadoop makes, and everything below a `_temporary` or `.spark-staging-`
directory, live in a local staging directory: a task's output reaches S3 in one upload when it is committed,
as it does through EMR's S3 committer on AWS. So no half-written object or `dir/` marker is ever seen in S3.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST_READ = 1024 * 1024  # bytes; a Parquet footer fits, and little is wasted when the reader seeks away
LARGEST_READ = 8 * 1024 * 1024  # bytes held per open file
BLOCK = 1024 * 1024
PART = 16 * 1024 * 1024
NOT_FOUND = {"404", "NoSuchKey", "NoSuchBucket"}


@dataclass(frozen=True)
class Entry:
    """A file or a directory: its name in its parent, its size in bytes, its time in ms since 1970."""

    name: str
    directory: bool
    size: int = 0
    modified: int = 0


class ObjectTree:
    """Paths are `bucket/key`, without a leading or trailing slash."""

    def __init__(self, s3: Any, staging: Path) -> None:
        self._s3 = s3
        self._staging = staging
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        self._transfer = TransferConfig(
            use_threads=False, multipart_threshold=4 * PART, multipart_chunksize=PART
        )

    def status(self, path: str) -> Entry:
        """Return what is at `path`.

        Raises:
            FileNotFoundError: nothing is.
        """
        name = path.rsplit("/", 1)[-1]
        local = self._local(path)
        if local.exists():
            return _local_entry(local)
        if not _staged(path):
            bucket, key = _split(path)
            if not key:
                return self._bucket(bucket)
            if (found := self._head(bucket, key)) is not None:
                return Entry(name, directory=False, size=found["ContentLength"], modified=_ms(found))
            if self._s3.list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=1).get("Contents"):
                return Entry(name, directory=True)
        raise FileNotFoundError(f"File does not exist: s3://{path}")

    def listing(self, path: str) -> list[Entry]:
        """Return what is in the directory `path`, or the file itself under an empty name.

        Raises:
            FileNotFoundError: nothing is at `path`.
        """
        status = self.status(path)
        if not status.directory:
            return [Entry("", directory=False, size=status.size, modified=status.modified)]
        entries = {}
        local = self._local(path)
        if local.is_dir():
            entries = {child.name: _local_entry(child) for child in local.iterdir()}
        if not _staged(path):
            entries |= {entry.name: entry for entry in self._children(path)}
        return [entries[name] for name in sorted(entries)]

    def read(self, path: str, offset: int, length: int | None) -> Iterator[bytes]:
        """Yield a file's bytes from `offset`; memory holds at most `LARGEST_READ` of them."""
        size = self.status(path).size
        end = size if length is None else min(size, offset + length)
        if _staged(path):
            yield from self._read_local(path, offset, end)
            return
        bucket, key = _split(path)
        step = FIRST_READ
        while offset < end:
            last = min(end, offset + step) - 1
            answer = self._s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-{last}")
            yield answer["Body"].read()
            offset, step = last + 1, min(2 * step, LARGEST_READ)

    def write(self, path: str, source: IO[bytes], *, overwrite: bool, append: bool = False) -> None:
        """Write a file from `source`, to its end.

        Raises:
            FileExistsError: there is one, and neither `overwrite` nor `append` is asked for.
        """
        if not overwrite and not append and self._exists(path):
            raise FileExistsError(f"s3://{path} exists")
        if _staged(path):
            local = self._local(path)
            local.parent.mkdir(parents=True, exist_ok=True)
            with local.open("ab" if append else "wb") as file:
                shutil.copyfileobj(source, file, BLOCK)
            return
        with tempfile.TemporaryFile(dir=self._staging) as file:
            if append:
                for block in self.read(path, 0, None):
                    file.write(block)
            shutil.copyfileobj(source, file, BLOCK)
            file.seek(0)
            bucket, key = _split(path)
            self._s3.upload_fileobj(file, bucket, key, Config=self._transfer)

    def make_directory(self, path: str) -> None:
        """Make a directory, which S3 itself never sees."""
        self._local(path).mkdir(parents=True, exist_ok=True)

    def delete(self, path: str) -> bool:
        """Delete a file, or a directory with all that is in it; False when there was nothing."""
        try:
            status = self.status(path)
        except FileNotFoundError:
            return False
        local = self._local(path)
        if local.is_dir():
            shutil.rmtree(local)
        else:
            local.unlink(missing_ok=True)
        if not _staged(path):
            bucket, key = _split(path)
            if status.directory:
                self._delete_objects(bucket, [each["Key"] for each in self._objects(bucket, f"{key}/")])
            else:
                self._s3.delete_object(Bucket=bucket, Key=key)
        return True

    def rename(self, source: str, target: str) -> bool:
        """Move a file or directory; False when Hadoop's rename would refuse."""
        if not self._exists(source):
            return False
        if self._exists(target):
            status = self.status(target)
            if not status.directory:
                return False
            target = f"{target}/{source.rsplit('/', 1)[-1]}"
            if self._exists(target):
                return False
        for path in list(self._files(source)):
            self._move_file(path, target + path[len(source) :])
        self.delete(source)
        return True

    def _move_file(self, source: str, target: str) -> None:
        bucket, key = _split(target)
        if _staged(source) and _staged(target):
            self._local(target).parent.mkdir(parents=True, exist_ok=True)
            self._local(source).replace(self._local(target))
        elif _staged(source):
            self._s3.upload_file(str(self._local(source)), bucket, key, Config=self._transfer)
        elif _staged(target):
            self._local(target).parent.mkdir(parents=True, exist_ok=True)
            with self._local(target).open("wb") as file:
                for block in self.read(source, 0, None):
                    file.write(block)
        else:
            from_bucket, from_key = _split(source)
            self._s3.copy({"Bucket": from_bucket, "Key": from_key}, bucket, key, Config=self._transfer)

    def _files(self, path: str) -> Iterator[str]:
        if not self.status(path).directory:
            yield path
            return
        for entry in self.listing(path):
            yield from self._files(f"{path}/{entry.name}")

    def _exists(self, path: str) -> bool:
        try:
            self.status(path)
        except FileNotFoundError:
            return False
        return True

    def _local(self, path: str) -> Path:
        local = self._staging.joinpath(*path.split("/"))
        if ".." in path.split("/"):
            raise FileNotFoundError(f"File does not exist: s3://{path}")
        return local

    def _read_local(self, path: str, offset: int, end: int) -> Iterator[bytes]:
        with self._local(path).open("rb") as file:
            file.seek(offset)
            while offset < end and (block := file.read(min(BLOCK, end - offset))):
                offset += len(block)
                yield block

    def _bucket(self, bucket: str) -> Entry:
        try:
            self._s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            raise FileNotFoundError(f"The specified bucket does not exist: s3://{bucket}") from error
        return Entry(bucket, directory=True)

    def _head(self, bucket: str, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_FOUND:
                return None
            raise
        return found

    def _children(self, path: str) -> Iterator[Entry]:
        bucket, key = _split(path)
        prefix = f"{key}/" if key else ""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter="/"
        )
        for page in pages:
            for common in page.get("CommonPrefixes", ()):
                name = common["Prefix"][len(prefix) : -1]
                if name not in {"", ".", ".."}:  # Hadoop would follow these for ever
                    yield Entry(name, directory=True)
            for found in page.get("Contents", ()):
                name = found["Key"][len(prefix) :]
                if name not in {"", ".", ".."}:
                    yield Entry(name, directory=False, size=found["Size"], modified=_ms(found))

    def _objects(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Contents", ())

    def _delete_objects(self, bucket: str, keys: list[str]) -> None:
        for start in range(0, len(keys), 1000):  # DeleteObjects takes 1,000 keys
            batch = [{"Key": key} for key in keys[start : start + 1000]]
            self._s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})


def _staged(path: str) -> bool:
    return any(part == "_temporary" or part.startswith(".spark-staging-") for part in path.split("/"))


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key


def _ms(found: dict[str, Any]) -> int:
    return int(found["LastModified"].timestamp() * 1000)


def _local_entry(path: Path) -> Entry:
    stat = path.stat()
    if path.is_dir():
        return Entry(path.name, directory=True, modified=int(stat.st_mtime * 1000))
    return Entry(path.name, directory=False, size=stat.st_size, modified=int(stat.st_mtime * 1000))
