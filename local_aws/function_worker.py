"""One Lambda execution environment: a process that runs handlers, one invocation at a time.

Started by the worker pool as `python -P -u function_worker.py <socket number> <folder for byte code>`.
Standard input is the lifeline: it ends when the parent dies, however that happens, and this process ends with
it. Standard output and error go to a file that the parent reads after each invocation.

A message is two lengths (big-endian, 4 bytes each), a JSON header and a body. The body is the event on the
way in and the answer on the way out, as the JSON that the caller sent and will get: nobody parses it twice.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import socket
import struct
import sys
import threading
import time
import traceback
from importlib import machinery
from typing import Any

try:
    import resource
except ImportError:  # pragma: no cover - Windows has no resource module
    resource = None  # type: ignore[assignment]

_LENGTHS = struct.Struct(">II")
_KIB_PER_MIB = 1024
# getrusage counts in KiB on Linux and in bytes on macOS.
_RSS_UNITS_PER_MIB = _KIB_PER_MIB * (_KIB_PER_MIB if sys.platform == "darwin" else 1)


class HandlerNotFoundError(Exception):
    """The source tree has no such handler."""


class Context:
    """The second argument of a handler, with the attributes that the Lambda runtime gives it."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.function_name: str = header["function_name"]
        self.function_version: str = header["function_version"]
        self.invoked_function_arn: str = header["function_arn"]
        self.memory_limit_in_mb = str(header["memory"])
        self.aws_request_id: str = header["request_id"]
        self.log_group_name: str = header["environment"]["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name: str = header["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context: Any = header.get("client_context")
        self._deadline: float = time.monotonic() + header["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before this invocation is killed."""
        return max(int((self._deadline - time.monotonic()) * 1000), 0)


class _LambdaLogHandler(logging.StreamHandler[Any]):
    """The root handler that the Lambda runtime installs before it imports the function."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.request_id = ""
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self.addFilter(self._add_request_id)

    def _add_request_id(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


class Worker:
    """Answers the parent's messages until the connection ends."""

    def __init__(self, connection: socket.socket, byte_code: str) -> None:
        self._connection = connection
        self._byte_code = byte_code
        self._handlers: dict[str, Any] = {}
        self._log = _LambdaLogHandler()
        logging.getLogger().addHandler(self._log)

    def serve(self) -> None:
        """Answer one message after another; return when the parent hangs up."""
        while lengths := self._receive(_LENGTHS.size):
            header_length, body_length = _LENGTHS.unpack(lengths)
            header = json.loads(self._receive(header_length))
            body = self._receive(body_length)
            self._send(*self._answer(header, body))

    def _answer(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        os.environ.update(header["environment"])
        self._log.request_id = header.get("request_id", "")
        if header["kind"] == "prepare":
            self._enter(header["source"])
            return self._prepare(header["handler"])
        return self._invoke(header, body)

    def _enter(self, source: str) -> None:
        if source in sys.path:
            return
        os.chdir(source)
        sys.path_hooks.insert(0, _finder(source, self._byte_code))
        sys.path.insert(0, source)

    def _prepare(self, handler: str) -> tuple[dict[str, Any], bytes]:
        """Import the handler's module; tell the parent when the source tree does not have it."""
        try:
            self._handler(handler)
        except HandlerNotFoundError as error:
            return self._result("missing", _failure("Runtime.HandlerNotFound", str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a module raises at import is the answer
            traceback.print_exc()
            return self._result("failed", _import_failure(handler, error))
        return self._result("ready", b"")

    def _handler(self, handler: str) -> Any:
        if handler not in self._handlers:
            module_name, _, function_name = handler.replace("/", ".").rpartition(".")
            try:
                self._handlers[handler] = getattr(importlib.import_module(module_name), function_name)
            except ModuleNotFoundError as error:
                if error.name != module_name:
                    raise
                raise HandlerNotFoundError(f"Unable to import module '{module_name}': {error}") from None
            except AttributeError:
                if module_name not in sys.modules:
                    raise
                message = f"Handler '{function_name}' missing on module '{module_name}'"
                raise HandlerNotFoundError(message) from None
        return self._handlers[handler]

    def _invoke(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            handler = self._handler(header["handler"])
        except HandlerNotFoundError as error:
            return self._result("missing", _failure("Runtime.HandlerNotFound", str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a module raises at import is the answer
            traceback.print_exc()
            return self._result("failed", _import_failure(header["handler"], error))
        try:
            result = handler(json.loads(body or b"{}"), Context(header))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its caller's answer
            failure = _exception_failure(error, header["request_id"])
            self._print_failure(error, failure)
            return self._result("failed", failure)
        try:
            return self._result("succeeded", json.dumps(result, ensure_ascii=False).encode())
        except (TypeError, ValueError) as error:
            message = f"Unable to marshal response: {error}"
            return self._result("failed", _failure("Runtime.MarshalError", message, header["request_id"]))

    def _print_failure(self, error: Exception, failure: bytes) -> None:
        message = json.loads(failure)
        trace = "".join(message["stackTrace"])
        print(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):\n{trace}")  # noqa: T201 - the function's log

    def _result(self, kind: str, body: bytes) -> tuple[dict[str, Any], bytes]:
        sys.stdout.flush()
        sys.stderr.flush()
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _RSS_UNITS_PER_MIB if resource else 0
        return {"kind": kind, "memory_used": used}, body

    def _receive(self, length: int) -> bytes:
        """Return exactly `length` bytes, or fewer when the parent hung up."""
        parts = []
        while length and (part := self._connection.recv(min(length, 1 << 20))):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _send(self, header: dict[str, Any], body: bytes) -> None:
        head = json.dumps(header).encode()
        self._connection.sendall(b"".join((_LENGTHS.pack(len(head), len(body)), head, body)))


def _finder(source: str, byte_code: str) -> Any:
    """Return a path hook that keeps the byte code of a source tree's modules in a folder of its own.

    Compiling an app takes a quarter of a second, which every worker would pay: the packager zips what is in
    the source tree, so byte code must not be there.
    """

    class Loader(machinery.SourceFileLoader):
        """Reads and writes byte code elsewhere."""

        def get_code(self, fullname: str) -> Any:
            """Return a module's code."""
            before = sys.pycache_prefix, sys.dont_write_bytecode
            sys.pycache_prefix, sys.dont_write_bytecode = byte_code, False
            try:
                return super().get_code(fullname)
            finally:
                sys.pycache_prefix, sys.dont_write_bytecode = before

    def finder(path: str) -> machinery.FileFinder:
        if path != source and not path.startswith(source + os.sep):
            raise ImportError
        return machinery.FileFinder(
            path,
            (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
            (Loader, machinery.SOURCE_SUFFIXES),
        )

    return finder


def _failure(error_type: str, message: str, request_id: str = "", trace: list[str] | None = None) -> bytes:
    return json.dumps(
        {
            "errorMessage": message,
            "errorType": error_type,
            "requestId": request_id,
            "stackTrace": trace or [],
        }
    ).encode()


def _exception_failure(error: Exception, request_id: str) -> bytes:
    # Two frames are this file's own; the function's author should see only theirs.
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    return _failure(type(error).__name__, str(error), request_id, traceback.format_list(frames))


def _import_failure(handler: str, error: Exception) -> bytes:
    module = handler.rpartition(".")[0]
    if isinstance(error, ImportError):
        return _failure("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    if isinstance(error, SyntaxError):
        return _failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}")
    return _exception_failure(error, "")


def _end_with_the_parent(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(0)


def _sign_as_the_function_that_runs() -> None:
    """Let clients that one function made sign as another, when that one runs in this process later."""
    from botocore import credentials  # noqa: PLC0415 - imported by now; see main()

    class Current(credentials.Credentials):
        """The keys that the environment holds at this moment."""

        def get_frozen_credentials(self) -> Any:
            """Return them."""
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            return credentials.ReadOnlyCredentials(*(os.environ.get(name) or None for name in names))

    def load(_: Any) -> Any:
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        return Current(key, secret, method="env") if key else None

    credentials.EnvProvider.load = load


def main() -> None:
    """Serve on the socket of the first argument; the second one is the folder for byte code."""
    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - needs the descriptor, not a path
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_end_with_the_parent, args=(lifeline,), daemon=True).start()
    # The packager zips chalicelib/ with everything in it: keep byte code out of the source tree.
    sys.dont_write_bytecode = True
    connection = socket.socket(fileno=int(sys.argv[1]))
    importlib.import_module(
        "boto3"
    )  # every environment has it, as on Lambda: 0.4 s not paid by the first event
    _sign_as_the_function_that_runs()
    Worker(connection, sys.argv[2]).serve()


if __name__ == "__main__":
    main()
