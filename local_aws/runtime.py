"""What every service of the embedded AWS shares: its settings, clients, start and stop."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_aws.services.identity.principal import OWN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIApplication

ACCOUNT = "123456789012"
REGION = "us-east-1"
WAREHOUSE_USER = "awsuser"
WAREHOUSE_DATABASE = "dev"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """How one embedded AWS is set up. Nothing here names a pipeline.

    Attributes:
        directory: where all state lives; made when missing.
        project: the source tree that Lambda functions run from (it holds app.py).
        port: the one loopback port for every AWS service; 0 picks a free one.
        warehouse_port: the loopback port that speaks Redshift's wire protocol; 0 picks a free one.
        time_scale: Wait states, retry intervals and Glue minutes pass this many times faster.
            Timeouts are never scaled.
        python: the interpreter for Lambda workers and Python Shell jobs.
        spark_python: the interpreter of the environment that holds PySpark, or None without one.
        function_workers: the largest number of Lambda worker processes alive at once.
        enforce_iam: refuse what a role's policies do not allow it. An account's own keys may do all.
        function_environment: variables that every Lambda function and Glue job gets, below its own.
    """

    directory: Path
    project: Path
    port: int = 0
    warehouse_port: int = 0
    time_scale: float = 1.0
    python: Path = Path(sys.executable)
    spark_python: Path | None = None
    function_workers: int = 2 * max(2, os.cpu_count() or 2)  # some wait for the warehouse's lock
    enforce_iam: bool = False
    function_environment: Mapping[str, str] = field(default_factory=dict)


class Runtime:
    """One running embedded AWS, as its services see it.

    A service's `install(runtime)` rebinds moto's seams before moto serves its first request. Threads and
    child processes are started and ended by the callables given to `on_start` and `on_stop`.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.port = configuration.port  # the real port once the server listens
        self.warehouse_port = configuration.warehouse_port
        self.save: Callable[[str], None] = lambda _service: None
        """Returns once the present state of a service, in moto's spelling, is on disk; the server sets it."""
        self.warehouse_password = ""  # nosec B105  # of the master user; known once the warehouse is installed
        self._client_environment: dict[str, str] = {}
        self.pages: dict[str, Callable[[], Any]] = {}
        self._middleware: list[Callable[[WSGIApplication], WSGIApplication]] = []
        self._starters: list[Callable[[], None]] = []
        self._stoppers: list[Callable[[], None]] = []

    @property
    def endpoint_url(self) -> str:
        """The address of every AWS service here."""
        return f"http://127.0.0.1:{self.port}"

    def on_start(self, starter: Callable[[], None]) -> None:
        """Run `starter` once the port listens, in the order of registration."""
        self._starters.append(starter)

    def on_stop(self, stopper: Callable[[], None]) -> None:
        """Run `stopper` when the embedded AWS ends, in reverse order of registration."""
        self._stoppers.append(stopper)

    def wrap(self, middleware: Callable[[WSGIApplication], WSGIApplication]) -> None:
        """Put `middleware` around the application that answers every AWS request."""
        self._middleware.append(middleware)

    def wrapped(self, application: WSGIApplication) -> WSGIApplication:
        """Return `application` inside all middleware; the last one given is the outermost."""
        for middleware in self._middleware:
            application = middleware(application)
        return application

    def serve(self, path: str, page: Callable[[], Any]) -> None:
        """Answer GET `path` with what `page` returns, as JSON; paths begin with /_aws/."""
        self.pages[path] = page

    def start(self) -> None:
        """Start every service that has something to start."""
        for starter in self._starters:
            starter()

    def stop(self) -> None:
        """End what was started, last first."""
        while self._stoppers:
            self._stoppers.pop()()

    def path(self, *parts: str) -> Path:
        """Return a path in the state directory; its parent exists."""
        path = self.configuration.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def client_environment(self, account: str = ACCOUNT) -> dict[str, str]:
        """Return the variables that point an unmodified AWS client at an account of this embedded AWS."""
        key = OWN_KEY if account == ACCOUNT else account
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._client_environment,
        } | dict(self.configuration.function_environment)

    def add_client_environment(self, variables: Mapping[str, str]) -> None:
        """Give every client these variables too."""
        self._client_environment.update(variables)

    def warehouse_access(self) -> dict[str, str | int]:
        """Return what a client needs to sign in to the warehouse as its master user."""
        return {
            "host": "127.0.0.1",
            "port": self.warehouse_port,
            "username": WAREHOUSE_USER,
            "password": self.warehouse_password,
            "dbname": WAREHOUSE_DATABASE,
        }

    @functools.cache  # noqa: B019 - one runtime per process, alive until the process ends
    def client(
        self, service: str, region: str = REGION, account: str = ACCOUNT, role: str = "", session: str = ""
    ) -> Any:
        """Return a cached boto3 client that reaches moto inside this process, without a socket.

        It calls with the account's own keys, or as a session of a role.
        """
        from local_aws.in_process import in_process_client  # noqa: PLC0415 - botocore is heavy

        return in_process_client(service, region, account, role, session)
