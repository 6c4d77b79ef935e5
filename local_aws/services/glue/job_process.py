"""A job's own process, in a process group of its own, and the conversation with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAUNCHER = Path(__file__).parents[2] / "glue_runtime" / "launcher.py"
SHIMS = LAUNCHER.parent / "shims"


class JobProcess:
    """A launcher process: idle until it gets its one order, gone when the order is done.

    It is often killed, so what it leaves in its temporary directory is removed from here.
    """

    def __init__(self, python: Path, engine: str, environment: Mapping[str, str], scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._scratch = tempfile.mkdtemp(dir=scratch)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": self._scratch}
        self._process = subprocess.Popen(  # nosec B603  # noqa: S603 - the interpreter comes from the configuration
            [str(python), "-u", str(LAUNCHER), engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=inherited | own | dict(environment),
        )

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def order(self, order: dict[str, Any]) -> None:
        """Hand over what to run."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it ended; `events` tells

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what the process tells until it ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            yield json.loads(line)

    def kill(self) -> None:
        """End the process and all that it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def wait(self) -> int:
        """Wait for the end, end what the process left behind, and return its exit status."""
        status = self._process.wait()
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # an order that was never read
        shutil.rmtree(self._scratch, ignore_errors=True)  # a killed JVM may still be writing: see `swept`
        return status


def swept(scratch: Path) -> Path:
    """Empty the directory of what killed processes left there, and return it."""
    shutil.rmtree(scratch, ignore_errors=True)
    return scratch
