"""Show a system at work on a fresh stage."""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.text import Text

from cli import local_stage
from cli.demos.stage import DemoStage
from cli.output import console, json_option, print_json
from cli.project import root
from cli.staying import console_address, link, stay
from cli.systems import SYSTEMS, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.local_stage import LocalStage

GO_ON = "go on with this stage: DECANT_HOME=.decant-demo decant up"


@click.command()
@click.argument("system", type=click.Choice(list(SYSTEMS)), default="load_file", metavar="[SYSTEM]")
@json_option
@click.option(
    "--stay/--no-stay",
    "stays",
    default=None,
    help="Show the console's address and stay until Ctrl-C. A terminal alone does so by itself.",
)
@click.option(
    "--keep", is_flag=True, help="Keep the state; `DECANT_HOME=.decant-demo decant up` goes on with it."
)
@click.option(
    "--enforce-iam", is_flag=True, help="Refuse what the roles of the stage do not allow, as AWS does."
)
def demo(system: str, *, as_json: bool, stays: bool | None, keep: bool, enforce_iam: bool) -> None:
    """Show a system at work on a fresh stage; exit code 0 only if everything ended as it should."""
    if stays is None:
        stays = console.is_terminal and sys.stdin.isatty() and not as_json
    directory = root() / ".decant-demo"
    shutil.rmtree(directory, ignore_errors=True)
    started = time.monotonic()
    with console.status("starting") as status:
        tell = (lambda _: None) if as_json else functools.partial(_tell, status, started)
        stage = local_stage.start(directory, tell=tell, enforce_iam=enforce_iam)
    with ended(stage, keep=keep):
        report = demonstration(system)(DemoStage(stage, directory / "samples", live=not as_json))
        report["seconds"] = round(time.monotonic() - started, 1)
        conclude(stage, system, report, stays=stays, keep=keep, as_json=as_json)


def conclude(
    stage: LocalStage, system: str, report: dict[str, Any], *, stays: bool, keep: bool, as_json: bool
) -> NoReturn:
    """Say how the demonstration ended and where its runs can be seen, stay if that is wanted, and leave."""
    address = console_address(stage)
    if as_json:
        print_json(report | ({"console": address} if stays else {}))
    else:
        verdict = "everything ended as it should" if report["ok"] else "NOT everything ended as it should"
        console.print(f"\n{verdict}, {report['seconds']} s from start to end", style="bold")
        for line in _hints(system, address, stays=stays, keep=keep):
            console.print(line, soft_wrap=True)
    if stays:
        stay(stage)
    raise SystemExit(0 if report["ok"] else 1)


def _hints(system: str, address: str, *, stays: bool, keep: bool) -> Iterator[Text]:
    if stays:
        yield Text("\nSee its runs in the console, until Ctrl-C:")
        yield link(address)
    elif not keep:
        yield Text(f"see its runs in the console: decant demo {system} --stay")
    if keep:
        yield Text(GO_ON)


@contextlib.contextmanager
def ended(stage: LocalStage, *, keep: bool) -> Iterator[None]:
    """End the stage and remove its state, whatever happens before."""
    try:
        yield
    finally:
        stage.stop()
        if not keep:
            shutil.rmtree(stage.directory, ignore_errors=True)


def _tell(status: Any, started: float, what: str) -> None:
    status.update(f"{what} ...")
    if not console.is_terminal:
        console.print(f"{time.monotonic() - started:5.1f} s  {what}")
