"""Run the embedded AWS as a process: `python -m local_aws --directory D --project P`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.runtime import Configuration

if TYPE_CHECKING:
    from local_aws.server import LocalAWS


def main(arguments: list[str] | None = None) -> None:
    """Start, print one JSON line when ready, and stay until SIGTERM, SIGINT or the end of stdin."""
    options = _parser().parse_args(arguments)
    # A signal that another thread was handed does not wake this one from a lock; a byte in a pipe does.
    ended, end = os.pipe()
    os.set_blocking(end, False)
    signal.set_wakeup_fd(end)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    aws = _started(_configuration(options))
    if options.while_stdin_open:
        threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()
    ready = {
        "endpoint_url": aws.runtime.endpoint_url,
        "warehouse_port": aws.runtime.warehouse_port,
        "warehouse": aws.runtime.warehouse_access(),
        "environment": aws.runtime.client_environment(),
        "pid": os.getpid(),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 - the line that whoever started us waits for
    os.read(ended, 1)
    aws.stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # everything is saved; waiting for executor threads of moto would take seconds


def _started(configuration: Configuration) -> LocalAWS:
    """Import and start it without looking for garbage: what moto's modules make stays, and it is a lot."""
    gc.disable()  # a sixth of the start
    from local_aws.listener import PortInUseError  # noqa: PLC0415 - after gc.disable()
    from local_aws.ownership import DirectoryInUseError  # noqa: PLC0415 - as above
    from local_aws.persistence import IncompatibleStateError  # noqa: PLC0415 - as above
    from local_aws.server import LocalAWS  # noqa: PLC0415 - as above
    from local_aws.services.redshift.child import WarehouseFailedError  # noqa: PLC0415 - as above

    aws = LocalAWS(configuration)
    try:
        aws.start()
    except (DirectoryInUseError, IncompatibleStateError, PortInUseError, WarehouseFailedError) as error:
        sys.exit(str(error))
    gc.freeze()
    gc.enable()
    return aws


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where all state lives")
    parser.add_argument("--project", type=Path, default=Path.cwd(), help="the source tree with app.py")
    parser.add_argument("--port", type=int, default=0, help="the port of every AWS service; 0 is any")
    parser.add_argument("--warehouse-port", type=int, default=0, help="the port of Redshift; 0 is any")
    parser.add_argument("--time-scale", type=float, default=1.0, help="how many times faster waits pass")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="for Lambda workers")
    parser.add_argument("--spark-python", type=Path, help="the interpreter with PySpark")
    parser.add_argument("--function-workers", type=int, help="the most Lambda workers at once")
    parser.add_argument(
        "--enforce-iam", action="store_true", help="refuse what a role's policies do not allow it"
    )
    parser.add_argument(
        "--function-variable",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable for every function and job",
    )
    parser.add_argument(
        "--while-stdin-open", action="store_true", help="end with the process that started this one"
    )
    return parser


def _configuration(options: argparse.Namespace) -> Configuration:
    workers = {} if options.function_workers is None else {"function_workers": options.function_workers}
    return Configuration(
        directory=options.directory.absolute(),
        project=options.project.absolute(),
        port=options.port,
        warehouse_port=options.warehouse_port,
        time_scale=options.time_scale,
        python=options.python,
        spark_python=options.spark_python,
        enforce_iam=options.enforce_iam,
        function_environment=dict(pair.split("=", 1) for pair in options.function_variable),
        **workers,
    )


def _wait_for_end_of_input(end: int) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.write(end, b"0")


if __name__ == "__main__":
    main()
