"""The warehouse's door: start-up, TLS and passwords, then a session for each connection."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING

from local_aws.services.redshift import wire
from local_aws.services.redshift.defaults import LOOPBACK
from local_aws.services.redshift.failures import WarehouseError
from local_aws.services.redshift.load_errors import LoadErrors
from local_aws.services.redshift.postgres import ADMINISTRATOR
from local_aws.services.redshift.session import Session
from local_aws.services.redshift.wire import Channel

if TYPE_CHECKING:
    import ssl

    from local_aws.services.redshift.objects import Objects
    from local_aws.services.redshift.passwords import TemporaryPasswords
    from local_aws.services.redshift.postgres import PostgresServer

SERVER_VERSION = "8.0.2"  # drivers parse it; Redshift has said this since its first day
STARTUP_SECONDS = 30.0
_KEPT_PARAMETERS = frozenset({"user", "database", "application_name", "client_encoding", "options"})
_CLEARTEXT = 3

log = logging.getLogger(__name__)


class Proxy:
    """Listens on one loopback port; a thread for each connection."""

    def __init__(
        self,
        port: int,
        server: PostgresServer,
        objects: Objects,
        passwords: TemporaryPasswords,
        tls: ssl.SSLContext,
    ) -> None:
        self._server = server
        self._objects = objects
        self._passwords = passwords
        self._tls = tls
        self._load_errors = LoadErrors(server, ADMINISTRATOR)
        try:
            self._listener = socket.create_server((LOOPBACK, port), backlog=256)
        except OSError as error:
            message = f"cannot listen on port {port} of {LOOPBACK} for the warehouse: {error.strerror}"
            raise RuntimeError(message) from error
        self.port: int = self._listener.getsockname()[1]
        self.has_clients = threading.Event()

    def serve(self) -> None:
        """Take connections until `close()`."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.has_clients.set()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(STARTUP_SECONDS)
        client = Channel(connection)
        try:
            body = self._greeted(client)
            if body is not None:
                self._admitted(client, body)
        except (OSError, wire.NotAClientError) as error:
            log.debug("a connection to the warehouse ended: %s", error)
        except Exception:
            log.exception("a connection to the warehouse broke")
        finally:
            client.connection.close()

    def _greeted(self, client: Channel) -> bytes | None:
        """Return the start-up message, or None for a cancellation; turn to TLS if the client wants it."""
        while True:
            body = client.untyped()
            (code,) = struct.unpack_from("!i", body)
            if code == wire.SSL_REQUEST:
                client.send(b"S")
                client.connection = self._tls.wrap_socket(client.connection, server_side=True)
            elif code == wire.GSS_REQUEST:
                client.send(b"N")
            elif code == wire.CANCEL_REQUEST:
                with self._server.connect() as server:
                    server.sendall(struct.pack("!i", len(body) + 4) + body)
                    server.recv(1)  # PostgreSQL closes when it has passed the request on
                return None
            else:
                return body

    def _admitted(self, client: Channel, body: bytes) -> None:
        words = body[4:].split(b"\0")
        given = {n.decode(): v.decode() for n, v in zip(words[::2], words[1::2], strict=False) if n}
        user = given.get("user", "")
        if user == ADMINISTRATOR:
            refused = WarehouseError(f'password authentication failed for user "{user}"', code="28P01")
            client.send(wire.failure(refused.fields() | {"S": "FATAL", "V": "FATAL"}))
            return
        # get_cluster_credentials names the user IAM:x, or IAMA:x when it has made it; both sign in as x.
        given["user"] = user = re.sub(r"^IAMA?:", "", user).lower()
        parameters = {name: value for name, value in given.items() if name in _KEPT_PARAMETERS}
        client.send(wire.message(b"R", struct.pack("!i", _CLEARTEXT)))
        kind, whole = client.next()
        if kind != b"p":
            raise wire.NotAClientError("the client answered the request for a password with something else")
        password, _ = wire.zero_ended(whole, 5)
        with self._server.connect() as connection:
            server = Channel(connection)
            process = self._signed_in(client, server, parameters, password)
            if process is None:
                return
            client.connection.settimeout(None)
            database = parameters.get("database", user)
            Session(client, server, self._objects, self._load_errors, database, process).run()

    def _signed_in(
        self, client: Channel, server: Channel, parameters: dict[str, str], password: str
    ) -> int | None:
        """Sign in to PostgreSQL; return the number of its process, or None when it refused."""
        user = parameters["user"]
        temporary = self._passwords.is_valid(user, password)
        server.send(wire.startup(parameters | {"user": ADMINISTRATOR} if temporary else parameters))
        process = 0
        while True:
            kind, whole = server.next()
            if kind == b"R" and whole[5:9] == struct.pack("!i", _CLEARTEXT):
                server.send(wire.message(b"p", password.encode() + b"\0"))
                continue
            if kind == b"E":
                client.send(whole)
                return None
            if kind == b"K":
                (process,) = struct.unpack_from("!i", whole, 5)
            if kind == b"S" and whole[5:].startswith(b"server_version\0"):
                whole = wire.message(b"S", f"server_version\0{SERVER_VERSION}\0".encode())
            if kind == b"Z":
                if temporary and not self._becomes(client, server, user):
                    return None
                client.send(whole)
                return process
            client.send(whole)

    def _becomes(self, client: Channel, server: Channel, user: str) -> bool:
        """Give the session to the user whose temporary password was shown."""
        name = user.replace('"', '""')
        server.send(wire.query(f'SET SESSION AUTHORIZATION "{name}"'))
        while True:
            kind, whole = server.next()
            if kind == b"E":
                fields = wire.fields(whole[5:]) | {"S": "FATAL", "V": "FATAL"}
                client.send(wire.failure(fields))
                return False
            if kind == b"Z":
                return True
            if kind == b"S":
                client.send(whole)
