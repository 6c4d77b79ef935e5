"""moto's S3 requests, each answered only when what it changed is on disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import PreconditionFailed, S3ClientError
from moto.s3.responses import S3Response

from local_aws.services.s3.changes import recorded
from local_aws.services.s3.objects import Reading

if TYPE_CHECKING:
    from local_aws.services.s3.notifications import Deliveries

READS = {"GET", "HEAD", "OPTIONS"}
OVERWRITES_WHILE_READING = 10  # a GET that loses its file to an overwrite looks the key up again


class LocalS3Response(S3Response):
    """One request to S3."""

    body: bytes
    deliveries: Deliveries  # set when the service is installed

    def _bucket_response(self, request: Any, full_url: str) -> Any:
        if request.method in READS:
            return super()._bucket_response(request, full_url)
        with recorded() as changes:
            bucket_name = self.parse_bucket_name_from_url(request, full_url)
            if bucket_name and request.method != "POST":
                changes.buckets.add(bucket_name)
            return super()._bucket_response(request, full_url)

    def _key_response(self, request: Any, full_url: str) -> Any:
        if request.method in READS:
            return self._read(request, full_url)
        if "partNumber" in request.args:
            return super()._key_response(request, full_url)  # parts are written side by side
        key = (self.parse_bucket_name_from_url(request, full_url), self.parse_key_name())
        with recorded(*key) as changes:
            changes.keys.add(key)
            return super()._key_response(request, full_url)

    def _read(self, request: Any, full_url: str) -> Any:
        for _ in range(OVERWRITES_WHILE_READING):
            try:
                return super()._key_response(request, full_url)
            except FileNotFoundError:
                continue
        raise S3ClientError("SlowDown", "The object is being overwritten too fast to be read")

    def _get_key(self, validate_storage_class: bool = True) -> Any:
        key, not_modified = super()._get_key(validate_storage_class)
        return Reading(key), not_modified

    def _key_response_post(
        self, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
    ) -> Any:
        if_match = request.headers.get("If-Match")
        if query.get("uploadId") and if_match:  # moto knows If-None-Match only here
            existing = self.backend.get_object(bucket_name, key_name)
            if existing is None or existing.etag.strip('"') != if_match.strip('"'):
                raise PreconditionFailed("If-Match")
        return super()._key_response_post(request, body, bucket_name, query, key_name)

    def _notification_config_from_body(self) -> Any:
        """Accept the filter names as every AWS client sends them: prefix, Prefix or PREFIX."""
        self.body = re.sub(
            rb"<Name>\s*(prefix|suffix)\s*</Name>",
            lambda match: b"<Name>" + match[1].lower() + b"</Name>",
            self.body,
            flags=re.IGNORECASE,
        )
        try:
            configuration = super()._notification_config_from_body()
        except AssertionError as error:
            raise S3ClientError(
                "InvalidArgument", "filter rule name must be either prefix or suffix, and has a value"
            ) from error
        if self.headers.get("x-amz-skip-destination-validation", "").lower() != "true":
            self.deliveries.check_destinations(self.current_account, configuration)
        return configuration
