"""Everything about buckets, objects and uploads but the objects' bytes, in one SQLite file."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeBucket, MultipartDict, s3_backends
from moto.s3.utils import _VersionedKeyStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moto.s3.models import S3Backend

    from local_aws.services.s3.changes import Changes

SCHEMA = """
create table if not exists bucket (name text primary key, record blob not null) without rowid;
create table if not exists object (
    bucket text not null, name text not null, record blob not null, primary key (bucket, name)
);
create table if not exists upload (
    bucket text not null, id text not null, record blob not null, primary key (bucket, id)
);
create table if not exists part (
    bucket text not null, upload text not null, number integer not null, record blob not null,
    primary key (bucket, upload, number)
);
"""


class Metadata:
    """The rows behind moto's memory.

    SQLite's write-ahead log is in the page cache when a commit returns: that outlives a killed process.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(SCHEMA)

    def write(self, changes: Changes) -> None:
        """Write the present state of everything in `changes`, all or nothing."""
        if not (changes.keys or changes.buckets or changes.uploads or changes.parts):
            return
        with self._lock:
            self._database.execute("begin immediate")
            try:
                for name in changes.buckets:
                    self._write_bucket(name)
                for bucket, name in changes.keys:
                    self._write("object", ("bucket", "name"), (bucket, name), _object(bucket, name))
                for bucket, upload in changes.uploads:
                    self._write_upload(bucket, upload)
                for bucket, upload, number in changes.parts:
                    columns = ("bucket", "upload", "number")
                    self._write("part", columns, (bucket, upload, number), _part(bucket, upload, number))
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def restore(self) -> set[str]:
        """Fill moto's memory, and return the names of all object files in use."""
        files: set[str] = set()
        for name, record in self._database.execute("select name, record from bucket"):
            _restore_bucket(name, pickle.loads(record))  # nosec B301  # noqa: S301 - we wrote it
        for bucket, name, record in self._database.execute("select bucket, name, record from object"):
            versions, tags = pickle.loads(record)  # nosec B301  # noqa: S301 - we wrote it
            backend = _backend(bucket)
            backend.buckets[bucket].keys.setlist(name, versions)
            for arn, pairs in tags.items():
                backend.tagger.tag_resource(arn, backend.tagger.convert_dict_to_tags_input(pairs))
            files.update(version.file for version in versions if hasattr(version, "file"))
        for bucket, upload, record in self._database.execute("select bucket, id, record from upload"):
            _backend(bucket).buckets[bucket].multiparts[upload] = pickle.loads(record)  # nosec B301  # noqa: S301 - ours
        for bucket, upload, number, record in self._database.execute("select * from part order by number"):
            part = pickle.loads(record)  # nosec B301  # noqa: S301 - we wrote it
            multipart = _backend(bucket).buckets[bucket].multiparts[upload]
            multipart.parts[number] = part
            multipart.partlist.append(number)
            files.add(part.file)
        return files

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _write_bucket(self, name: str) -> None:
        bucket = _bucket(name)
        self._write("bucket", ("name",), (name,), bucket and _bucket_record(bucket))
        if bucket is None:
            for table in ("object", "upload", "part"):
                self._database.execute(f"delete from {table} where bucket = ?", (name,))  # nosec B608  # noqa: S608 - ours

    def _write_upload(self, bucket: str, upload: str) -> None:
        found = _bucket(bucket)
        multipart = found.multiparts.get(upload) if found else None
        self._write("upload", ("bucket", "id"), (bucket, upload), multipart and pickle.dumps(multipart))
        if multipart is None:
            self._database.execute("delete from part where bucket = ? and upload = ?", (bucket, upload))

    def _write(
        self, table: str, columns: tuple[str, ...], key: tuple[Any, ...], record: bytes | None
    ) -> None:
        if record is None:
            condition = " and ".join(f"{column} = ?" for column in columns)
            self._database.execute(f"delete from {table} where {condition}", key)  # nosec B608  # noqa: S608 - our names
            return
        marks = ", ".join("?" * (len(key) + 1))
        names = ", ".join((*columns, "record"))
        self._database.execute(
            f"insert or replace into {table} ({names}) values ({marks})",  # noqa: S608 - our names
            (*key, record),
        )


def _backend(bucket: str) -> S3Backend:
    partition, account = s3_backends.bucket_accounts[bucket]
    return s3_backends[account][partition]


def _bucket(name: str) -> FakeBucket | None:
    if name not in s3_backends.bucket_accounts:
        return None
    return _backend(name).buckets.get(name)


def _object(bucket_name: str, name: str) -> bytes | None:
    bucket = _bucket(bucket_name)
    versions = list(bucket.keys.getlist(name, [])) if bucket else []
    if not versions:
        return None
    tagger = _backend(bucket_name).tagger
    return pickle.dumps((versions, dict(_tags(tagger, versions))))


def _tags(tagger: Any, versions: list[Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for version in versions:
        arn = getattr(version, "arn", None)  # a delete marker has none
        if arn and tagger.has_tags(arn):
            yield arn, tagger.get_tag_dict_for_resource(arn)


def _part(bucket_name: str, upload: str, number: int) -> bytes | None:
    bucket = _bucket(bucket_name)
    multipart = bucket.multiparts.get(upload) if bucket else None
    part = multipart.parts.get(number) if multipart else None
    return part and pickle.dumps(part)


def _bucket_record(bucket: FakeBucket) -> bytes:
    attributes = {k: v for k, v in vars(bucket).items() if k not in {"keys", "multiparts"}}
    return pickle.dumps((attributes, _backend(bucket.name).tagger.get_tag_dict_for_resource(bucket.arn)))


def _restore_bucket(name: str, record: tuple[dict[str, Any], dict[str, str]]) -> None:
    attributes, tags = record
    bucket = FakeBucket.__new__(FakeBucket)
    bucket.__dict__.update(attributes, keys=_VersionedKeyStore(), multiparts=MultipartDict())
    s3_backends.bucket_accounts[name] = (bucket.partition, bucket.account_id)
    backend = _backend(name)
    backend.buckets[name] = bucket
    backend.tagger.tag_resource(bucket.arn, backend.tagger.convert_dict_to_tags_input(tags))
