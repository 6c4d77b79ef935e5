"""Makes `s3://` work in Spark without S3 jars: buckets mounted from a WebHDFS gateway over our S3."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends
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
    """A gateway for each client that jobs see S3 through, and the Spark properties that point to it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._servers: dict[int, BaseWSGIServer] = {}
        self._lock = threading.Lock()

    def properties(self, s3: Any) -> dict[str, str]:
        """Return Spark properties that mount every bucket which exists now, in any account.

        Args:
            s3: the client of the job's role; the runtime keeps it, so the same role has the same one.
        """
        port = self._started(s3).port
        properties = {}
        for scheme in SCHEMES:
            properties[f"spark.hadoop.fs.{scheme}.impl"] = (
                "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
            )
            properties[f"spark.hadoop.fs.viewfs.overload.scheme.target.{scheme}.impl"] = (
                "org.apache.hadoop.hdfs.web.WebHdfsFileSystem"
            )
        for name in list(s3_backends.bucket_accounts):
            properties[f"spark.hadoop.fs.viewfs.mounttable.{name}.linkFallback"] = (
                f"webhdfs://127.0.0.1:{port}/{name}"
            )
        return properties

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            for server in self._servers.values():
                server.shutdown()
                server.server_close()
            self._servers.clear()

    def _started(self, s3: Any) -> BaseWSGIServer:
        with self._lock:
            if id(s3) not in self._servers:
                folder = self._runtime.path("glue", "staging", str(len(self._servers)))
                server = make_server(
                    "127.0.0.1",
                    0,
                    WebHDFS(ObjectTree(s3, folder)),
                    threaded=True,
                    request_handler=QuietHandler,
                )
                self._servers[id(s3)] = server
                threading.Thread(target=server.serve_forever, name="glue s3 gateway", daemon=True).start()
            return self._servers[id(s3)]
