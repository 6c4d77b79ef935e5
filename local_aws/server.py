"""The embedded AWS: moto, mended, behind one loopback port."""

from __future__ import annotations

import importlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Self

from local_aws.dispatcher import Dispatcher
from local_aws.listener import Listener, listening_socket
from local_aws.ownership import Ownership
from local_aws.persistence import Persistence
from local_aws.runtime import Configuration, Runtime
from local_aws.services.stored import REALITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from local_aws.reality import Reality

# In this order: a service may rely on the seams of those before it. The warehouse starts meanwhile.
SERVICES = (
    "identity",
    "kms",
    "logs",
    "cloudwatch",
    "s3",
    "redshift",
    "sqs",
    "sns",
    "lambda_functions",
    "events",
    "step_functions",
    "glue",
    "athena",
    "api_gateway",
    "cloudformation",
)

_alive = threading.Lock()  # moto's state is global, so one process holds one embedded AWS


def service_modules() -> Iterator[ModuleType]:
    """Import and yield the module of one service after the other, in the order of installation."""
    for name in SERVICES:
        yield importlib.import_module(f"local_aws.services.{name}")


def realities() -> list[Reality]:
    """Return what each service really executes, in the order of installation."""
    return [*(module.REALITY for module in service_modules()), *REALITIES]


class LocalAWS:
    """An embedded AWS from `start()` to `stop()`, or for a `with` block."""

    def __init__(self, configuration: Configuration) -> None:
        self.runtime = Runtime(configuration)
        self._ownership: Ownership | None = None
        self._listener: Listener | None = None
        self._persistence: Persistence | None = None

    def start(self) -> None:
        """Claim the state directory, install every service, restore its state and listen.

        Raises:
            DirectoryInUseError: another process has the state directory.
            PortInUseError: another process listens on the port.
            IncompatibleStateError: the state directory cannot be read.
        """
        if not _alive.acquire(blocking=False):
            raise RuntimeError("this process has an embedded AWS already: moto's state is global")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        configuration = self.runtime.configuration
        self._ownership = Ownership(configuration.directory)
        bound = listening_socket(configuration.port)
        self.runtime.port = bound.getsockname()[1]
        # Parts of moto call back into the server by this variable; its default is port 5000.
        os.environ["MOTO_PORT"] = str(self.runtime.port)
        for module in service_modules():
            module.install(self.runtime)
        persistence = Persistence(configuration.directory / "state")
        persistence.restore()
        persistence.watch()
        self._persistence = persistence
        self.runtime.save = persistence.save
        self.runtime.serve("/_aws/health", lambda: {"status": "running", "pid": os.getpid()})
        self.runtime.serve("/_aws/reality", lambda: [vars(reality) for reality in realities()])
        application = self.runtime.wrapped(Dispatcher())
        self._listener = Listener(bound, Pages(self.runtime, application))
        threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), name="listener", daemon=True
        ).start()
        self.runtime.start()

    def stop(self) -> None:
        """End every service and give the state directory back."""
        if self._listener:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None
            self.runtime.stop()
        if self._persistence:
            self._persistence.stop()
            self._persistence = None
        if self._ownership:
            self._ownership.release()
            self._ownership = None
        if _alive.locked():
            _alive.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Pages:
    """Answers the embedded AWS's own JSON pages and passes every other request on."""

    def __init__(self, runtime: Runtime, application: WSGIApplication) -> None:
        self._runtime = runtime
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        page = self._runtime.pages.get(path)
        if page is not None:
            return _json("200 OK", page(), start_response)
        if path.startswith("/moto-api"):  # its reset would empty the memory and leave the disk
            return _json("404 Not Found", {"message": "not part of AWS"}, start_response)
        return self._application(environ, start_response)


def _json(status: str, document: Any, start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps(document, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
