"""moto's S3 requests, each answered only when what it changed is on disk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from moto.s3.exceptions import AccessForbidden, MissingBucket, PreconditionFailed, S3ClientError
from moto.s3.responses import S3Response
from werkzeug.datastructures import ImmutableMultiDict

from local_aws.services.identity.principal import of_headers
from local_aws.services.s3 import accounts, permissions, storage
from local_aws.services.s3.changes import recorded
from local_aws.services.s3.objects import Reading

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

    from local_aws.services.s3.content import Kept
    from local_aws.services.s3.notifications import Deliveries

NOT_UPLOADS = {"acl", "tagging", "retention", "legal-hold"}
READS = {"GET", "HEAD", "OPTIONS"}
NAMES = {"Delimiter", "Key", "KeyMarker", "NextKeyMarker", "Prefix"}
OVERWRITES_WHILE_READING = 10  # a GET that loses its file to an overwrite looks the key up again


class LocalS3Response(S3Response):
    """One request to S3."""

    body: Any
    deliveries: Deliveries  # set when the service is installed
    received: Kept | None = None

    def key_response(self, request: Any, full_url: str, headers: Any) -> Any:
        """Answer a request about an object; the bytes of an upload go straight to disk."""
        if _is_upload(request):
            self.received = storage.current().vault.receive(request.stream)
        answer = super().key_response(request, full_url, headers)
        if self.received and answer[0] >= 400:  # noqa: PLR2004 - HTTP
            storage.current().vault.remove(self.received.name)
        return answer

    def setup_class(self, request: Any, full_url: str | None = None, headers: Any = None) -> None:
        """Read the request; a PUT's body is never a form, whatever its content type says."""
        if request.method == "PUT":
            vars(request).update(form=ImmutableMultiDict(), files=ImmutableMultiDict())
        super().setup_class(request, full_url, headers)
        if self.received:
            self.body = self.received

    def _authenticate_and_authorize_s3_action(
        self, bucket_name: str | None = None, key_name: str | None = None
    ) -> None:
        """Let another account's caller do only what the bucket's policy allows."""
        caller = of_headers(self.headers, self.current_account)
        permissions.check(self, caller, bucket_name, key_name)
        if bucket_name:
            accounts.check(caller, bucket_name, key_name, self.data["Action"])
            if source := self.headers.get("x-amz-copy-source"):
                accounts.check_source(caller, source)
        super()._authenticate_and_authorize_s3_action(bucket_name, key_name)

    def _response_options(self, headers: dict[str, str], bucket_name: str) -> Any:
        """Answer a browser's preflight by the bucket's CORS rules alone: it carries no credentials."""
        try:
            bucket = self.backend.head_bucket(bucket_name)
        except MissingBucket:
            return 403, {}, ""
        if not bucket.cors:
            raise AccessForbidden("CORSResponse: CORS is not enabled for this bucket.")
        self._set_cors_headers_options(headers, bucket)
        return 200, self.response_headers, ""

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

    def serialized(self, action_result: ActionResult) -> Any:
        """Encode the names in a list of versions as the caller asked; moto does it for objects only."""
        listed: Any = action_result.result
        if self.data.get("Action") == "ListObjectVersions" and self._get_param("encoding-type") == "url":
            with_names = [
                listed,
                *listed["Versions"],
                *listed["DeleteMarkers"],
                *listed.get("CommonPrefixes", ()),
            ]
            for found in with_names:
                found.update({name: quote(found[name]) for name in NAMES & found.keys() if found[name]})
            listed["EncodingType"] = "url"
        return super().serialized(action_result)

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
            self.deliveries.check_destinations(configuration)
        return configuration


def _is_upload(request: Any) -> bool:
    """Say whether the body is an object or a part as it is; chunks with signatures are moto's to unpack."""
    headers = request.headers
    return (
        request.method == "PUT"
        and NOT_UPLOADS.isdisjoint(request.args)
        and "x-amz-copy-source" not in headers
        and not headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        and ("x-amz-sdk-checksum-algorithm" not in headers or _has_checksum(headers))
    )


def _has_checksum(headers: Any) -> bool:
    return f"x-amz-checksum-{headers['x-amz-sdk-checksum-algorithm'].lower()}" in headers
