"""A program in a terminal of its own, as a person uses it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTROL_C = "\x03"

OWN_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.open(os.ttyname(0), os.O_RDWR)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""The first terminal that a new session opens is the one whose Ctrl-C it hears; what a shell starts in the
background is deaf to it, and so is all that this starts."""


class Terminal:
    """A terminal in which one program runs.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: its variables.
        columns: how wide the terminal is.
    """

    def __init__(
        self, command: list[str], folder: Path, environment: Mapping[str, str], columns: int = 100
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        self._process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self.said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def resize(self, columns: int, lines: int = 40) -> None:
        """Make the terminal so wide."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._ours, text.encode())

    def until(self, words: str, seconds: float = 30) -> str:
        """Read until the program has said this, and return all that it said."""
        deadline = time.monotonic() + seconds
        while words not in self.said:
            left = deadline - time.monotonic()
            assert left > 0, f"never said {words!r}: {self.said}"
            assert self._read(left), f"ended without saying {words!r}: {self.said}"
        return self.said

    def ended(self, seconds: float = 30) -> int:
        """Read until the program has ended, and return its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(max(deadline - time.monotonic(), 0)):
            assert time.monotonic() < deadline, f"does not end: {self.said}"
        return self._process.wait(seconds)

    def _read(self, seconds: float) -> bool:
        """Read what is there, waiting so long for it; return False at the end."""
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return True
        try:
            said = os.read(self._ours, 65536)
        except OSError:  # Linux's way to say that nobody has the terminal open any more
            return False
        self.said += said.decode(errors="replace")
        return bool(said)
