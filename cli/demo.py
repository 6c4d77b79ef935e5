"""Show a system at work on a fresh stage."""

from __future__ import annotations

import functools
import shutil
import time
from typing import Any

import click

from cli import local_stage
from cli.demos.stage import DemoStage
from cli.output import console, json_option, print_json
from cli.project import root
from cli.systems import SYSTEMS, demonstration

GO_ON = (
    """See it in a browser: DECANT_HOME=.decant-demo decant up  prints the console's address and a token."""
)


@click.command()
@click.argument("system", type=click.Choice(list(SYSTEMS)), default="load_file")
@json_option
@click.option(
    "--keep", is_flag=True, help="Keep the state; `DECANT_HOME=.decant-demo decant up` goes on with it."
)
@click.option(
    "--enforce-iam", is_flag=True, help="Refuse what the roles of the stage do not allow, as AWS does."
)
def demo(system: str, *, as_json: bool, keep: bool, enforce_iam: bool) -> None:
    """Show a system at work on a fresh stage; exit code 0 only if everything ended as it should."""
    directory = root() / ".decant-demo"
    shutil.rmtree(directory, ignore_errors=True)
    started = time.monotonic()
    with console.status("starting") as status:
        tell = (lambda _: None) if as_json else functools.partial(_tell, status, started)
        stage = local_stage.start(directory, tell=tell, enforce_iam=enforce_iam)
    try:
        report = demonstration(system)(DemoStage(stage, directory / "samples", live=not as_json))
        report["seconds"] = round(time.monotonic() - started, 1)
    finally:
        stage.stop()
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
    if as_json:
        print_json(report)
    else:
        verdict = "everything ended as it should" if report["ok"] else "NOT everything ended as it should"
        console.print(f"\n{verdict}, {report['seconds']} s from start to end", style="bold")
        if keep:
            console.print(GO_ON)
    raise SystemExit(0 if report["ok"] else 1)


def _tell(status: Any, started: float, what: str) -> None:
    status.update(f"{what} ...")
    if not console.is_terminal:
        console.print(f"{time.monotonic() - started:5.1f} s  {what}")
