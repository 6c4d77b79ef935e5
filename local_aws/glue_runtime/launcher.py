"""Runs one Glue script in this process: waits for an order, runs it, says how it ended.

Started as a file (`python launcher.py spark|pythonshell`) in a process group of its own. One order, a JSON
line, arrives on standard input; what happens is told in JSON lines on standard output. When standard input
ends, whoever gave the order is gone, and the whole group is killed: no job outlives the embedded AWS.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import queue
import runpy
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

HERE = Path(__file__).resolve().parent
LONGEST_MESSAGE = 2000  # characters of the error that GetJobRun shows


def main() -> None:
    """Serve one order and end with 0 when its script succeeded, 1 otherwise."""
    control, source = _take_standard_streams()
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(source, orders), daemon=True).start()
    engine = None
    if sys.argv[1] == "spark":
        from spark_engine import SparkEngine  # noqa: PLC0415 - only the Spark environment has PySpark

        engine = SparkEngine()
        if orders.empty():
            engine.warm_up()
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    _tell(control, "ready")
    order = orders.get()
    _enter(order)
    if engine:
        engine.configure(order["properties"])
    if engine and order["data_catalog"]:
        from awsglue.catalog_session import connect  # noqa: PLC0415 - on the path only now

        connect()
    _tell(control, "running")
    error = _missing_modules(order["modules"]) or _run(order)
    sys.stdout.flush()
    sys.stderr.flush()
    if engine:
        engine.end()
    _tell(control, "ended", error=error)
    os._exit(1 if error else 0)  # threads that the script left behind must not keep the run alive


def _take_standard_streams() -> tuple[TextIO, TextIO]:
    """Keep both ends of the conversation for ourselves, so that a script's `print` cannot disturb it."""
    control = os.fdopen(os.dup(1), "w", buffering=1)
    source = os.fdopen(os.dup(0), "r")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return control, source


def _read_orders(source: TextIO, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in source:
        orders.put(json.loads(line))
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _tell(control: TextIO, event: str, **facts: Any) -> None:
    control.write(json.dumps({"event": event, **facts}) + "\n")


def _enter(order: dict[str, Any]) -> None:
    for descriptor, path in ((1, order["stdout"]), (2, order["stderr"])):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(order["directory"])
    os.environ.update(order["environment"])
    sys.path[:0] = [order["directory"], *order["python_paths"]]
    sys.argv = [order["script"], *order["arguments"]]


def _missing_modules(requirements: list[str]) -> str | None:
    """Name what `--additional-python-modules` asks for and this environment lacks."""
    missing = []
    for requirement in requirements:
        name = requirement.split("==")[0].split(">")[0].split("<")[0].split("[")[0].strip()
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(requirement)
    if not missing:
        return None
    return (
        f"ModuleNotFoundError: --additional-python-modules asks for {', '.join(missing)}: the embedded AWS "
        f"installs nothing. Install it yourself: {sys.executable} -m pip install {' '.join(missing)}"
    )


def _run(order: dict[str, Any]) -> str | None:
    """Run the script as `__main__`; return None, or what went wrong in one line."""
    try:
        runpy.run_path(order["script"], run_name="__main__")
    except SystemExit as end:
        if end.code in (None, 0):
            return None
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        return f"SystemExit: {end.code}"
    except BaseException as error:  # noqa: BLE001 - whatever a script raises is how its run failed
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename != order["script"]:
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
        return _message(error)[:LONGEST_MESSAGE]
    return None


def _message(error: BaseException) -> str:
    java = getattr(error, "java_exception", None)
    if java is None:
        return f"{type(error).__name__}: {error}".strip()
    first_line = str(error).splitlines()[0]
    while java.getCause() is not None:
        java = java.getCause()
    return f"{type(error).__name__}: {first_line} {java.toString()}"


if __name__ == "__main__":
    main()
