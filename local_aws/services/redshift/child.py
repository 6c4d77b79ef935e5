"""The warehouse's process, started, ended and watched by the embedded AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

STOP_SECONDS = 30


class WarehouseFailedError(RuntimeError):
    """The warehouse did not start."""


class WarehouseProcess:
    """The process behind `runtime.warehouse_port`. It ends when its standard input does: with us."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it; its imports and PostgreSQL's take seconds, in which the other services are installed."""
        configuration = self._runtime.configuration
        command = [sys.executable, "-m", "local_aws.services.redshift.warehouse"]
        command += ["--directory", str(configuration.directory.absolute())]
        command += ["--port", str(configuration.warehouse_port), "--endpoint", self._runtime.endpoint_url]
        command += ["--enforce-iam"] if configuration.enforce_iam else []
        self._process = subprocess.Popen(  # nosec B603  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self) -> None:
        """Wait until it listens.

        Raises:
            WarehouseFailedError: it ended before it was ready.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told = json.loads(line or "{}")
        if "port" not in told:
            code = self._process.wait()
            raise WarehouseFailedError(
                told.get("error", f"the warehouse ended before it was ready, with code {code}")
            )
        self._runtime.warehouse_port = told["port"]

    def stop(self) -> None:
        """End it and wait until it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
