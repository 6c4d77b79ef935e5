"""Makes `s3://` work in Spark without S3 jars: buckets mounted from a WebHDFS gateway over our S3."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local_aws.services.glue.object_tree import ObjectTree
from local_aws.services.glue.webhdfs import WebHDFS

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

SCHEMES = ("s3", "s3a", "s3n")


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: a job makes thousands of requests."""


class S3Mounts:
    """The gateway, started by the first Spark run, and the Spark properties that point to it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._server: BaseWSGIServer | None = None
        self._lock = threading.Lock()

    def properties(self, s3: Any) -> dict[str, str]:
        """Return Spark properties that mount every bucket which exists now."""
        port = self._started().port
        properties = {}
        for scheme in SCHEMES:
            properties[f"spark.hadoop.fs.{scheme}.impl"] = (
                "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
            )
            properties[f"spark.hadoop.fs.viewfs.overload.scheme.target.{scheme}.impl"] = (
                "org.apache.hadoop.hdfs.web.WebHdfsFileSystem"
            )
        for bucket in s3.list_buckets()["Buckets"]:
            name = bucket["Name"]
            properties[f"spark.hadoop.fs.viewfs.mounttable.{name}.linkFallback"] = (
                f"webhdfs://127.0.0.1:{port}/{name}"
            )
        return properties

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            if self._server:
                self._server.shutdown()
                self._server.server_close()
                self._server = None

    def _started(self) -> BaseWSGIServer:
        with self._lock:
            if self._server is None:
                tree = ObjectTree(self._runtime.client("s3"), self._runtime.path("glue", "staging"))
                self._server = make_server(
                    "127.0.0.1", 0, WebHDFS(tree), threaded=True, request_handler=QuietHandler
                )
                threading.Thread(
                    target=self._server.serve_forever, name="glue s3 gateway", daemon=True
                ).start()
            return self._server
