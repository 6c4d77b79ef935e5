"""A WebHDFS server over an object tree: the file system that Spark has without any extra jar."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from local_aws.services.glue.object_tree import Entry, ObjectTree

ROOT = "/webhdfs/v1/"
BLOCK_SIZE = 128 * 1024 * 1024
ERRORS = {
    FileNotFoundError: (404, "java.io.FileNotFoundException"),
    FileExistsError: (403, "org.apache.hadoop.fs.FileAlreadyExistsException"),
    NotImplementedError: (400, "java.lang.UnsupportedOperationException"),
}


class WebHDFS:
    """The WSGI application. One method answers each WebHDFS operation, under the operation's name."""

    def __init__(self, tree: ObjectTree) -> None:
        self._tree = tree

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except Exception as error:  # noqa: BLE001 - each failure becomes the Java exception that Spark shows
            response = _failure(error)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        operation = request.args["op"].upper()
        name = f"{request.method.lower()}_{operation.lower()}"
        method: Callable[[str, Request], Response] | None = getattr(self, name, None)
        if method is None:
            raise NotImplementedError(f"the S3 gateway has no operation {request.method} {operation}")
        if not request.path.startswith(ROOT):
            raise FileNotFoundError(request.path)
        return method(request.path[len(ROOT) :].strip("/"), request)

    def get_getfilestatus(self, path: str, _: Request) -> Response:
        """Describe one file or directory."""
        return _json({"FileStatus": _status(self._tree.status(path)) | {"pathSuffix": ""}})

    def get_liststatus(self, path: str, _: Request) -> Response:
        """List a directory."""
        entries = [_status(entry) for entry in self._tree.listing(path)]
        return _json({"FileStatuses": {"FileStatus": entries}})

    def get_liststatus_batch(self, path: str, _: Request) -> Response:
        """List a directory, all of it in the first batch."""
        entries = [_status(entry) for entry in self._tree.listing(path)]
        listing = {"partialListing": {"FileStatuses": {"FileStatus": entries}}, "remainingEntries": 0}
        return _json({"DirectoryListing": listing})

    def get_getcontentsummary(self, path: str, _: Request) -> Response:
        """Sum up a file or the files of a directory."""
        entries = [entry for entry in self._tree.listing(path) if not entry.directory]
        size = sum(entry.size for entry in entries)
        summary = {"directoryCount": 1, "fileCount": len(entries), "length": size, "quota": -1}
        return _json({"ContentSummary": summary | {"spaceConsumed": size, "spaceQuota": -1, "typeQuota": {}}})

    def get_get_block_locations(self, path: str, _: Request) -> Response:
        """Say that no block is nearer than another."""
        located = {"fileLength": self._tree.status(path).size, "isLastBlockComplete": True}
        return _json({"LocatedBlocks": located | {"isUnderConstruction": False, "locatedBlocks": []}})

    def get_gethomedirectory(self, _: str, __: Request) -> Response:
        """Return the home directory, which nothing is kept in."""
        return _json({"Path": "/"})

    def get_checkaccess(self, path: str, _: Request) -> Response:
        """Allow what exists."""
        self._tree.status(path)
        return Response(status=200)

    def get_open(self, path: str, request: Request) -> Response:
        """Stream a file, or the part of it that `offset` and `length` ask for."""
        offset = request.args.get("offset", 0, type=int)
        length = request.args.get("length", None, type=int)
        size = self._tree.status(path).size
        rest = max(0, size - offset)
        body = self._tree.read(path, offset, length)
        headers = {"Content-Length": str(rest if length is None else min(rest, length))}
        return Response(body, mimetype="application/octet-stream", headers=headers)

    def put_create(self, path: str, request: Request) -> Response:
        """Write a file; the first request has no body and is sent on to the second, as HDFS does."""
        if "datanode" not in request.args:
            return _to_datanode(request)
        overwrite = request.args.get("overwrite", "false") == "true"
        self._tree.write(path, _body(request), overwrite=overwrite)
        return Response(status=201)

    def post_append(self, path: str, request: Request) -> Response:
        """Write at the end of a file."""
        if "datanode" not in request.args:
            return _to_datanode(request)
        self._tree.write(path, _body(request), overwrite=False, append=True)
        return Response(status=200)

    def put_mkdirs(self, path: str, _: Request) -> Response:
        """Make a directory."""
        self._tree.make_directory(path)
        return _json({"boolean": True})

    def put_rename(self, path: str, request: Request) -> Response:
        """Move a file or directory."""
        target = request.args["destination"].strip("/")
        return _json({"boolean": self._tree.rename(path, target)})

    def put_setpermission(self, _: str, __: Request) -> Response:
        """Accept: S3 objects have no permission bits."""
        return Response(status=200)

    def put_settimes(self, _: str, __: Request) -> Response:
        """Accept: S3 keeps its own times."""
        return Response(status=200)

    def delete_delete(self, path: str, _: Request) -> Response:
        """Delete a file or a directory."""
        return _json({"boolean": self._tree.delete(path)})


def _to_datanode(request: Request) -> Response:
    query = urlencode([*request.args.items(multi=True), ("datanode", "true")])
    return Response(status=307, headers={"Location": f"{request.base_url}?{query}", "Content-Length": "0"})


def _body(request: Request) -> IO[bytes]:
    return request.stream


def _json(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document), mimetype="application/json")


def _failure(error: Exception) -> Response:
    status, java = ERRORS.get(type(error), (500, "java.io.IOException"))
    exception = {
        "exception": java.rsplit(".", 1)[-1],
        "javaClassName": java,
        "message": str(error) or repr(error),
    }
    return Response(json.dumps({"RemoteException": exception}), status=status, mimetype="application/json")


def _status(entry: Entry) -> dict[str, Any]:
    return {
        "pathSuffix": entry.name,
        "type": "DIRECTORY" if entry.directory else "FILE",
        "length": entry.size,
        "modificationTime": entry.modified,
        "accessTime": 0,
        "blockSize": 0 if entry.directory else BLOCK_SIZE,
        "replication": 0 if entry.directory else 1,
        "permission": "777",
        "owner": "glue",
        "group": "glue",
        "childrenNum": 0,
        "fileId": 0,
        "storagePolicy": 0,
    }
