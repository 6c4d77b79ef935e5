"""moto's S3 with every change recorded, and the corners where it differs from AWS mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.s3.urls
from moto.s3 import notifications as moto_notifications
from moto.s3.exceptions import MissingKey, NoSuchUpload, S3ClientError
from moto.s3.models import FakeDeleteMarker, S3Backend

from local_aws.services.s3.changes import recorded
from local_aws.services.s3.notifications import refuse_overlaps
from local_aws.services.s3.objects import Reading, StoredKey, StoredMultipart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.s3.models import FakeBucket


class LocalS3Backend(S3Backend):
    """All buckets of one account."""

    @property
    def _url_module(self) -> Any:
        return moto.s3.urls  # S3Backend reloads it each time, which would undo our own response class

    def create_bucket(self, bucket_name: str, *arguments: Any, **options: Any) -> FakeBucket:
        """Make a bucket."""
        with recorded() as changes:
            bucket = super().create_bucket(bucket_name, *arguments, **options)
            changes.buckets.add(bucket_name)
        return bucket

    def delete_bucket(self, bucket_name: str) -> FakeBucket | None:
        """Delete an empty bucket; return None when it isn't empty."""
        with recorded() as changes:
            changes.buckets.add(bucket_name)
            return super().delete_bucket(bucket_name)

    def put_bucket_versioning(self, bucket_name: str, status: str) -> None:
        """Enable versioning.

        Raises:
            S3ClientError: versioning is to be suspended; moto would then delete older versions.
        """
        if status == "Suspended" and self.get_bucket(bucket_name).versioning_status == "Enabled":
            raise S3ClientError("NotImplemented", "Versioning cannot be suspended in this embedded AWS")
        super().put_bucket_versioning(bucket_name, status)

    def put_bucket_notification_configuration(
        self, bucket_name: str, notification_config: dict[str, Any]
    ) -> None:
        """Replace the bucket's notifications."""
        refuse_overlaps(notification_config or {})
        super().put_bucket_notification_configuration(bucket_name, notification_config)

    def put_object(self, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> StoredKey:
        """Store an object."""
        with recorded(bucket_name, key_name) as changes:
            changes.keys.add((bucket_name, key_name))
            return super().put_object(bucket_name, key_name, *arguments, **options)

    def copy_object(
        self, src_key: StoredKey, dest_bucket_name: str, dest_key_name: str, **options: Any
    ) -> None:
        """Copy an object, reading its bytes block by block."""
        with recorded(dest_bucket_name, dest_key_name):
            super().copy_object(Reading(src_key), dest_bucket_name, dest_key_name, **options)

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        """Delete an object or a version, or put a delete marker; tell of the last two as AWS does."""
        with recorded(bucket_name, key_name) as changes:
            changes.keys.add((bucket_name, key_name))
            bucket = self.get_bucket(bucket_name)
            versions = list(bucket.keys.getlist(key_name, []))
            done, meta = super().delete_object(bucket_name, key_name, version_id, bypass)
            left = bucket.keys.getlist(key_name, [])
            if version_id is None and bucket.is_versioned and left:
                self._tell("OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT", bucket, Marker(left[-1]))
            elif left and len(left) < len(versions):  # moto tells of the last version only
                gone = next(version for version in versions if version not in left)
                marker = isinstance(gone, FakeDeleteMarker)
                self._tell("OBJECT_REMOVED_DELETE_EVENT", bucket, Marker(gone) if marker else gone)
        return done, meta

    def list_object_versions(
        self, bucket_name: str, *arguments: Any, prefix: str = "", **options: Any
    ) -> tuple[list[Any], list[str], list[Any], str | None, str | None]:
        """List versions; moto copies all of a bucket first, so it is shown the keys under the prefix only."""
        narrowed: Any = Narrowed(self.get_bucket(bucket_name), prefix or "")
        return S3Backend.list_object_versions(narrowed, bucket_name, *arguments, prefix=prefix, **options)

    def create_multipart_upload(self, bucket_name: str, *arguments: Any, **options: Any) -> StoredMultipart:
        """Begin an upload."""
        with recorded() as changes:
            multipart = super().create_multipart_upload(bucket_name, *arguments, **options)
            changes.uploads.add((bucket_name, multipart.id))
        return multipart

    def upload_part(self, bucket_name: str, multipart_id: str, part_id: int, value: Any) -> StoredKey:
        """Store one part."""
        self._multipart(bucket_name, multipart_id)
        with recorded(bucket_name, multipart_id) as changes:
            changes.parts.add((bucket_name, multipart_id, part_id))
            return super().upload_part(bucket_name, multipart_id, part_id, value)

    def upload_part_copy(
        self,
        dest_bucket_name: str,
        multipart_id: str,
        part_id: int,
        src_bucket_name: str,
        src_key_name: str,
        src_version_id: str | None,
        start_byte: int | None,
        end_byte: int | None,
    ) -> StoredKey:
        """Store a range of another object as one part."""
        source = self.get_object(src_bucket_name, src_key_name, version_id=src_version_id)
        if source is None:
            raise MissingKey(key=src_key_name)
        content = source.content()
        try:
            part = content if start_byte is None or end_byte is None else content[start_byte : end_byte + 1]
            return self.upload_part(dest_bucket_name, multipart_id, part_id, part)
        finally:
            content.close()

    def abort_multipart_upload(self, bucket_name: str, multipart_id: str) -> None:
        """Give an upload up."""
        with recorded() as changes:
            changes.uploads.add((bucket_name, multipart_id))
            super().abort_multipart_upload(bucket_name, multipart_id)

    def complete_multipart_upload(self, bucket_name: str, multipart_id: str, body: Any) -> StoredKey | None:
        """Make one object of the uploaded parts."""
        key_name = self._multipart(bucket_name, multipart_id).key_name
        with recorded(bucket_name, key_name) as changes:
            self._multipart(bucket_name, multipart_id)  # another request may have completed it meanwhile
            changes.uploads.add((bucket_name, multipart_id))
            return super().complete_multipart_upload(bucket_name, multipart_id, body)

    def _multipart(self, bucket_name: str, multipart_id: str) -> StoredMultipart:
        multipart = self.get_bucket(bucket_name).multiparts.get(multipart_id)
        if multipart is None:
            raise NoSuchUpload(upload_id=multipart_id)
        return multipart

    def _tell(self, event: str, bucket: FakeBucket, key: Any) -> None:
        name = moto_notifications.S3NotificationEvent[event]
        moto_notifications.send_event(self.account_id, name, bucket, key)


class Narrowed:
    """A backend with one bucket, which holds the keys under a prefix."""

    def __init__(self, bucket: FakeBucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self.keys = self

    def get_bucket(self, _name: str) -> Narrowed:
        """Return the one bucket."""
        return self

    def iterlists(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield each key with its versions, as moto's store of keys does."""
        for name in [name for name in list(self._bucket.keys) if name.startswith(self._prefix)]:
            yield name, list(self._bucket.keys.getlist(name, []))


class Marker:
    """A delete marker as an event describes it: a key and a version, no bytes."""

    def __init__(self, marker: FakeDeleteMarker) -> None:
        self.name = marker.name
        self.version_id = marker.version_id
