"""The loopback HTTP listener: a thread per connection, kept alive between requests."""

from __future__ import annotations

import logging
import socket
from typing import IO, TYPE_CHECKING, Any, cast

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

from local_aws.request_headers import BadHeadersError, RequestHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
DRAIN_LIMIT = 64 * 1024  # bytes of an unread request body worth reading to keep the connection
BACKLOG = 1024  # a burst of dropped files opens hundreds of connections at once
BODILESS = {204, 304}

log = logging.getLogger(__name__)


class PortInUseError(RuntimeError):
    """Another process listens on the port."""


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on `port` of the loopback interface; 0 picks a free one.

    Raises:
        PortInUseError: another process listens there.
    """
    try:
        return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        raise PortInUseError(f"cannot listen on port {port} of {LOOPBACK}: {error.strerror}") from error


class Listener(ThreadedWSGIServer):
    """Serves a WSGI application on one loopback port."""

    def __init__(self, bound: socket.socket, application: WSGIApplication) -> None:
        with bound:
            super().__init__(LOOPBACK, bound.getsockname()[1], application, RequestHandler, fd=bound.fileno())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a connection's thread raised, instead of printing it."""
        log.exception("The connection from %s (%s) broke", client_address, request)  # noqa: LOG004 - socketserver calls this while handling it


class RequestHandler(MotoRequestHandler):
    """Answers requests on one connection until either side closes it.

    Werkzeug's own loop closes after every request and then waits 10 ms for stray bytes; a client
    that keeps its connection makes twice as many small calls a second.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # status, headers and a small body leave in one segment

    def parse_request(self) -> bool:
        """Read the request line and the headers; answer what can't be read, and return False then."""
        words = str(self.raw_requestline, "iso-8859-1").split()
        if len(words) != 3 or words[2] != "HTTP/1.1":  # noqa: PLR2004 - a method, an address, a version
            return super().parse_request()
        self.requestline = " ".join(words)
        self.command, self.path, self.request_version = words
        if self.path.startswith("//"):
            self.path = "/" + self.path.lstrip("/")  # as http.server: never a host
        self.close_connection = True
        try:
            headers = RequestHeaders.read(cast("IO[bytes]", self.rfile))
        except BadHeadersError as error:
            self.send_error(error.status, str(error))
            return False
        self.headers = cast("Any", headers)
        self.close_connection = (headers.get("connection") or "").lower() == "close"
        expects = (headers.get("expect") or "").lower() == "100-continue"
        return self.handle_expect_100() if expects else True

    def make_environ(self) -> WSGIEnvironment:
        """Return what WSGI tells of the request; moto looks at each name only if one has an underscore."""
        if any("_" in name for name in self.headers.keys()):  # noqa: SIM118 - it isn't a dict
            return super().make_environ()
        return WSGIRequestHandler.make_environ(self) | {PRESERVED_HEADER_NAMES_ENVIRON_KEY: {}}

    def handle_expect_100(self) -> bool:
        """Ask for the body at once; moto decides about a request only after reading it."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        """Pass one request to the application and send its answer."""
        self.environ = environ = self.make_environ()
        body = None
        if environ.get("wsgi.input_terminated"):
            self.close_connection = True  # the end of a chunked body is known to its reader only
        else:
            body = LimitedStream(cast("IO[bytes]", self.rfile), int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = body
        answer = Answer(self)
        try:
            answer.send(self.server.app(environ, answer.start))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except Exception:
            log.exception("%s %s raised", self.command, self.path)
            if answer.sent:
                self.close_connection = True
                return
            answer.send(InternalServerError()(environ, answer.start))
        if body is not None and not self._drained(body):
            self.close_connection = True

    def _drained(self, body: LimitedStream) -> bool:
        left = body.limit - body.tell()
        return left == 0 or (left <= DRAIN_LIMIT and len(body.read(left)) == left)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: a busy pipeline makes hundreds of requests a second."""


class Answer:
    """One response on its way out."""

    def __init__(self, handler: RequestHandler) -> None:
        self.sent = False
        self._handler = handler
        self._chunked = False
        self._status = ""
        self._headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Remember status and headers, as WSGI's start_response."""
        if exc_info and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self._status, self._headers = status, headers
        return self._write

    def send(self, chunks: Iterable[bytes]) -> None:
        """Send the headers and then every chunk, and close the iterable."""
        try:
            for chunk in chunks:
                self._write(chunk)
            if not self.sent:
                self._write(b"")
            if self._chunked:
                self._handler.wfile.write(b"0\r\n\r\n")
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()

    def _write(self, data: bytes) -> None:
        if not self.sent:
            self._send_headers()
        if not data:
            return
        out = self._handler.wfile
        if self._chunked:
            out.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        else:
            out.write(data)

    def _send_headers(self) -> None:
        self.sent = True
        handler = self._handler
        code, _, reason = self._status.partition(" ")
        handler.send_response(int(code), reason)
        names = set()
        for name, value in self._headers:
            handler.send_header(name, value)
            names.add(name.lower())
        has_body = handler.command != "HEAD" and int(code) not in BODILESS
        if has_body and "content-length" not in names:
            self._chunked = True
            handler.send_header("Transfer-Encoding", "chunked")
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.end_headers()
