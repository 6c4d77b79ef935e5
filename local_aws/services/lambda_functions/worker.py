"""The parent's end of one worker process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws import function_worker

if TYPE_CHECKING:
    from pathlib import Path

_LENGTHS = struct.Struct(">II")
_OUTPUT_LIMIT = 1 << 20  # bytes of one invocation's output that reach the log
# What a process needs from the machine; everything else a function sees is its own, as on Lambda.
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Answer:
    """What came back from a worker.

    Attributes:
        kind: ready, succeeded, failed, missing (no such handler), timed_out or exited.
        body: the JSON document for the caller; empty when the worker could not answer.
        output: what the function wrote to standard output and error.
        memory_used: the largest resident size of the worker so far, MiB.
        exit_code: of a worker that ended by itself; negative for a signal.
    """

    kind: str
    body: bytes
    output: str
    memory_used: int = 0
    exit_code: int | None = None


class Worker:
    """A process that runs one invocation at a time. Blank until `prepare` gives it a source tree."""

    def __init__(self, python: Path, environment: dict[str, str], byte_code: Path) -> None:
        self.sandbox: Any = None
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._connection, theirs = socket.socketpair()
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(  # nosec B603  # noqa: S603 - the configured interpreter and our own file
                [python, "-P", "-u", function_worker.__file__, str(theirs.fileno()), byte_code],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
                env=inherited | environment,
                start_new_session=True,  # Ctrl-C is the server's; a timeout kills the handler's children too
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, header: dict[str, Any], body: bytes, timeout: float) -> Answer:
        """Send one message and return the answer; a worker that did not answer is dead afterwards.

        Args:
            header: says what to do; see function_worker.
            body: the event, JSON.
            timeout: seconds until the process is killed.
        """
        deadline = time.monotonic() + timeout
        head = json.dumps(header).encode()
        try:
            self._connection.settimeout(timeout)
            self._connection.sendall(b"".join((_LENGTHS.pack(len(head), len(body)), head, body)))
            lengths = self._receive(_LENGTHS.size, deadline)
            head_length, body_length = _LENGTHS.unpack(lengths)
            reply = json.loads(self._receive(head_length, deadline))
            answer = self._receive(body_length, deadline)
        except TimeoutError:
            self.kill()
            return Answer("timed_out", b"", self._written())
        except OSError:
            return Answer("exited", b"", self._written(), exit_code=self._exit_code())
        return Answer(reply["kind"], answer, self._written(), reply["memory_used"])

    def interrupt(self) -> None:
        """End the process and whatever its handlers started; whoever asks it something learns of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and let go of it."""
        self.interrupt()
        self._process.wait()
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def _receive(self, length: int, deadline: float) -> bytes:
        parts = []
        while length:
            self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
            part = self._connection.recv(min(length, 1 << 20))
            if not part:
                raise ConnectionError("the worker hung up")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _exit_code(self) -> int:
        # The socket closes a moment before the process can be waited for; a handler that closed it by
        # hand and went on is killed, and counts as that.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self.kill()
        return self._process.returncode

    def _written(self) -> str:
        """Return the end of what the process wrote since the last call, and start the file afresh."""
        size = os.fstat(self._output.fileno()).st_size
        if not size:
            return ""
        written = os.pread(self._output.fileno(), _OUTPUT_LIMIT, max(size - _OUTPUT_LIMIT, 0))
        os.ftruncate(self._output.fileno(), 0)
        os.lseek(self._output.fileno(), 0, os.SEEK_SET)  # the process shares this position
        return written.decode(errors="replace")
