"""The S3 objects behind a COPY, and the writing of those of an UNLOAD."""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET  # the answers are our own S3's

import urllib3
from botocore.exceptions import ClientError

from local_aws.services.identity.principal import ROLE, role_session, session_credentials
from local_aws.services.redshift.failures import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN_MEMORY_BYTES = 16 * 1024 * 1024  # a larger Parquet file is read from a temporary file
PIECE_BYTES = 1024 * 1024
SESSION = "RedshiftIamRoleSession"
LONGEST_STATEMENT = 24 * 3600.0  # seconds that a statement's own keys last


@dataclass(frozen=True)
class Source:
    """One object to load."""

    bucket: str
    key: str
    size: int | None = None  # as the manifest's content_length says

    @property
    def address(self) -> str:
        """The object's s3:// address."""
        return f"s3://{self.bucket}/{self.key}"


# Nobody checks a signature here, but an object without one asked for is refused as anonymous. Plain requests
# cost a third of botocore's time, and a small COPY is little else.
_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
_NAMESPACE = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
_ERROR_PART = re.compile(rb"<(Code|Message)>([^<]*)<")


class Objects:
    """S3 as COPY and UNLOAD use it."""

    def __init__(
        self, endpoint_url: str, client: Callable[..., Any], *, as_roles: bool = False, role: str = ""
    ) -> None:
        self._endpoint_url = endpoint_url
        self._clients = client
        self._as_roles = as_roles
        self._keys: dict[str, str] = {}
        headers = _SIGNED
        if role:
            keys = session_credentials(role_session(role, SESSION), time.time() + LONGEST_STATEMENT)
            self._keys = keys
            signed = _SIGNED["Authorization"].replace("=local/", f"={keys['AccessKeyId']}/")
            headers = {"Authorization": signed, "X-Amz-Security-Token": keys["SessionToken"]}
        self._http = urllib3.PoolManager(maxsize=32, headers=headers, retries=False)

    def of_role(self, role: str) -> Objects:
        """Return the objects as a statement's IAM_ROLE reaches them, where roles are enforced."""
        if not self._as_roles or not ROLE.fullmatch(role):
            return self
        return Objects(self._endpoint_url, self._clients, as_roles=True, role=role)

    def _client(self) -> Any:
        return self._clients(**self._keys)

    def sources(self, address: str, *, manifest: bool, columnar: bool) -> list[Source]:
        """Return what an address stands for: every object under the prefix, or a manifest's entries.

        Raises:
            WarehouseError: nothing is there, or the manifest is not one.
        """
        bucket, key = split(address)
        if manifest:
            return self._manifest(bucket, key, columnar=columnar)
        found = [
            Source(bucket, item["Key"], item["Size"]) for item in self._listed(bucket, key) if item["Size"]
        ]
        if not found:
            raise WarehouseError(
                "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey"
                if not self._listed_any(bucket, key)
                else f"The specified S3 prefix '{key}' holds only empty objects",
                detail=f"The specified S3 prefix '{key}' does not exist in the bucket {bucket}",
            )
        return found

    def open(self, source: Source) -> IO[bytes]:
        """Return the object's bytes as a stream.

        Raises:
            WarehouseError: there is no such object, or it has another size than the manifest says.
        """
        answer = self._request("GET", source)
        length = int(answer.headers["Content-Length"])
        if source.size is not None and length != source.size:
            answer.drain_conn()
            raise WarehouseError(
                f"The file {source.address} has {length} bytes; "
                f"the manifest's content_length says {source.size}"
            )
        return Body(answer)  # type: ignore[return-value]

    def seekable(self, source: Source) -> IO[bytes]:
        """Return the object's bytes so that a reader may jump in them; large ones pass through a file."""
        body = self.open(source)
        copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        first = body.read(IN_MEMORY_BYTES)
        rest = body.read(PIECE_BYTES) if len(first) == IN_MEMORY_BYTES else b""
        if not rest:
            copy.close()
            return io.BytesIO(first)
        copy.write(first)
        while rest:
            copy.write(rest)
            rest = body.read(PIECE_BYTES)
        copy.seek(0)
        return copy

    def text(self, address: str) -> str:
        """Return a small object as text."""
        bucket, key = split(address)
        return self.open(Source(bucket, key)).read().decode("utf-8-sig")

    def keys(self, address: str) -> list[str]:
        """Return the key of every object under a prefix."""
        bucket, key = split(address)
        return [item["Key"] for item in self._listed(bucket, key)]

    def remove(self, address: str) -> None:
        """Delete every object under a prefix."""
        bucket, _ = split(address)
        for key in self.keys(address):
            self._client().delete_object(Bucket=bucket, Key=key)

    def write(self, address: str, body: IO[bytes], kms_key: str | None = None) -> int:
        """Store a file's content, marked as encrypted with a key if one is named, and return its size."""
        bucket, key = split(address)
        body.seek(0, io.SEEK_END)
        size = body.tell()
        body.seek(0)
        try:
            marks = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
            self._client().put_object(Bucket=bucket, Key=key, Body=body, **marks)
        except ClientError as error:
            raise _missing(error, Source(bucket, key)) from error
        return size

    def _manifest(self, bucket: str, key: str, *, columnar: bool) -> list[Source]:
        address = f"s3://{bucket}/{key}"
        try:
            entries = json.loads(self.text(address))["entries"]
            return [source for entry in entries for source in self._entry(address, entry, columnar=columnar)]
        except (ValueError, KeyError, TypeError) as error:
            raise WarehouseError(
                f"Invalid manifest file {address}: it must be a JSON object with a list `entries` of "
                f"objects with a `url` ({error!r})"
            ) from error

    def _entry(self, address: str, entry: dict[str, Any], *, columnar: bool) -> Iterator[Source]:
        bucket, key = split(entry["url"])
        size = entry.get("meta", {}).get("content_length")
        if columnar and size is None:
            raise WarehouseError(
                f"Manifest {address}: the entry {entry['url']} needs meta.content_length, "
                "as every columnar file does"
            )
        source = Source(bucket, key, size)
        if not entry.get("mandatory", False):
            try:
                self._request("HEAD", source).drain_conn()
            except WarehouseError:
                return
        yield source

    def _listed(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        token = ""  # nosec B105  # not known yet
        while True:
            asked = f"?list-type=2&prefix={quote(prefix, safe='')}{token}"
            answer = self._request("GET", Source(bucket, ""), asked)
            page = ET.fromstring(answer.read())  # nosec B314  # noqa: S314 - our own S3 wrote it
            for item in page.iterfind("s3:Contents", _NAMESPACE):
                yield {
                    "Key": item.findtext("s3:Key", "", _NAMESPACE),
                    "Size": int(item.findtext("s3:Size", "0", _NAMESPACE)),
                }
            following = page.findtext("s3:NextContinuationToken", "", _NAMESPACE)
            if not following:
                return
            token = f"&continuation-token={quote(following, safe='')}"

    def _request(self, method: str, source: Source, asked: str = "") -> urllib3.BaseHTTPResponse:
        address = f"{self._endpoint_url}/{source.bucket}/{quote(source.key)}{asked}"
        try:
            answer = self._http.request(method, address, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise WarehouseError(f"S3ServiceException:{error},Status 0,Error Unreachable") from error
        if answer.status >= 300:  # noqa: PLR2004 - HTTP's first code that is no success
            named = {name.decode(): text.decode() for name, text in _ERROR_PART.findall(answer.read())}
            raise WarehouseError(
                f"S3ServiceException:{named.get('Message', answer.reason)},Status {answer.status},"
                f"Error {named.get('Code', answer.reason)}",
                detail=f"S3 refused {source.address}",
            )
        return answer

    def _listed_any(self, bucket: str, prefix: str) -> bool:
        return next(self._listed(bucket, prefix), None) is not None


class Body:
    """An object's bytes as a file: at its end it returns nothing, where urllib3's answer is closed."""

    closed = False

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self._answer = answer

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; none at the end."""
        if self._answer.closed:
            return b""
        return self._answer.read(None if size < 0 else size)

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Give the connection back."""
        self.closed = True
        self._answer.release_conn()


def split(address: str) -> tuple[str, str]:
    """Return the bucket and the key of an s3:// address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _missing(error: ClientError, source: Source) -> WarehouseError:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    named = error.response["Error"]
    return WarehouseError(
        f"S3ServiceException:{named.get('Message', '')},Status {status},Error {named.get('Code')}",
        detail=f"S3 refused {source.address}",
    )
