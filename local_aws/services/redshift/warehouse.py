"""The warehouse's process: PostgreSQL and the proxy before it, until its standard input ends.

`python -m local_aws.services.redshift.warehouse --directory D --port P --endpoint URL` prints one JSON line
when it is ready, or says in it why it is not. It is a process of its own because relaying rows would hold the
lock of the interpreter that answers every other AWS call.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import signal
import socket
import sys
import threading
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local_aws.services.redshift.certificates import ensure_certificates, server_context
from local_aws.services.redshift.defaults import DATABASE, LOOPBACK, MASTER_USER, password_file
from local_aws.services.redshift.objects import Objects
from local_aws.services.redshift.passwords import TemporaryPasswords, secret_of
from local_aws.services.redshift.postgres import ADMINISTRATOR, PostgresServer
from local_aws.services.redshift.proxy import Proxy

CLIENTS_KEPT = 16  # one of the account's own keys, and those of the latest statements that wrote


class Warehouse:
    """PostgreSQL and its proxy over one state directory."""

    def __init__(self, directory: Path, port: int, endpoint_url: str, *, enforce_iam: bool = False) -> None:
        self.stopping = threading.Event()
        self._directory = directory
        self._server = PostgresServer(directory / "warehouse")
        ensure_certificates(directory)
        self._password = secret_of(password_file(directory))
        self._proxy = Proxy(
            self._port(port),
            self._server,
            Objects(
                endpoint_url,
                functools.lru_cache(maxsize=CLIENTS_KEPT)(functools.partial(_s3_client, endpoint_url)),
                as_roles=enforce_iam,
            ),
            TemporaryPasswords(self._password),
            server_context(directory),
        )

    @property
    def port(self) -> int:
        """The loopback port for clients."""
        return self._proxy.port

    def start(self) -> None:
        """Start PostgreSQL, give it what Redshift has, and let clients in."""
        self._server.start()
        try:
            self._prepare()
        except BaseException:
            self._server.stop()
            raise
        threading.Thread(target=self._proxy.serve, name="warehouse", daemon=True).start()
        (self._directory / "warehouse" / "port").write_text(str(self.port))

    def stop(self) -> None:
        """Let no client in and end PostgreSQL."""
        self.stopping.set()
        self._proxy.close()
        self._server.stop()

    def warm(self, endpoint_url: str) -> None:
        """Import boto3 while the first client signs in; a warehouse that nobody asks never needs it."""
        self._proxy.has_clients.wait()
        _s3_client(endpoint_url)

    def wait(self) -> int:
        """Wait until PostgreSQL ends."""
        return self._server.wait()

    def _port(self, wanted: int) -> int:
        """Return the port to bind: without a wish, the one of the last time if it is free."""
        last = self._directory / "warehouse" / "port"
        if wanted or not last.exists():
            return wanted
        port = int(last.read_text())
        try:
            socket.create_server((LOOPBACK, port)).close()
        except OSError:
            return 0
        return port

    def _prepare(self) -> None:
        """Do what is missing; a start that was killed midway is finished by the next one."""
        with self._connected("template1", autocommit=False) as connection:
            found = connection.execute("SELECT 1 FROM pg_event_trigger WHERE evtname = 'rs_tidy'").fetchone()
            if not found:
                connection.execute((resources.files(__package__) / "init.sql").read_bytes())
        with self._connected("template1", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [MASTER_USER]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(
                        sql.Identifier(MASTER_USER), sql.Literal(self._password)
                    )
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _connected(self, database: str, *, autocommit: bool) -> psycopg.Connection:
        return psycopg.connect(
            host=self._server.socket_directory, dbname=database, user=ADMINISTRATOR, autocommit=autocommit
        )


def _s3_client(
    endpoint_url: str,
    *,
    AccessKeyId: str = "local",  # noqa: N803 - as STS names them
    SecretAccessKey: str = "local",  # nosec B107  # noqa: N803 - the embedded AWS accepts any key
    SessionToken: str | None = None,  # noqa: N803 - as above
) -> Any:
    import boto3  # noqa: PLC0415 - 0.4 s that would delay the first connection
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=AccessKeyId,
        aws_secret_access_key=SecretAccessKey,
        aws_session_token=SessionToken,
        config=Config(
            max_pool_connections=64, s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}
        ),
    )


def main() -> None:
    """Run a warehouse until standard input ends or PostgreSQL does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--enforce-iam", action="store_true")
    options = parser.parse_args()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # an interrupted terminal ends our parent, and with it our input
    try:
        warehouse = Warehouse(
            options.directory, options.port, options.endpoint, enforce_iam=options.enforce_iam
        )
        warehouse.start()
    except RuntimeError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - as below
        sys.exit(1)
    print(json.dumps({"port": warehouse.port}), flush=True)  # noqa: T201 - the line that our parent waits for
    threading.Thread(target=warehouse.warm, args=(options.endpoint,), daemon=True).start()
    threading.Thread(target=_end_with_postgres, args=(warehouse,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while sys.stdin.buffer.read(4096):
            pass
    finally:
        warehouse.stop()


def _end_with_postgres(warehouse: Warehouse) -> None:
    warehouse.wait()
    if not warehouse.stopping.is_set():
        os._exit(1)  # a warehouse without its PostgreSQL is none


if __name__ == "__main__":
    main()
