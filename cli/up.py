"""Start a stage on this machine and stay."""

from __future__ import annotations

import re

import click
from rich.text import Text

from cli import local_stage
from cli.output import READABLE, console, json_option, print_json, table
from cli.project import state_directory
from cli.staying import console_address, link, stay

PORT = 4566
"""The port that tools for local AWS expect."""

WAREHOUSE_PORT = 5439
"""Redshift's own."""


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="For every AWS service."
)
@click.option(
    "--warehouse-port",
    type=click.IntRange(0, 65535),
    default=WAREHOUSE_PORT,
    show_default=True,
    help="For Redshift.",
)
@click.option(
    "--time-scale", type=click.FloatRange(min=0.01), default=1.0, help="Waits pass so many times faster."
)
@click.option(
    "--enforce-iam", is_flag=True, help="Refuse what the roles of the stage do not allow, as AWS does."
)
@json_option
def up(port: int, warehouse_port: int, time_scale: float, *, enforce_iam: bool, as_json: bool) -> None:
    """Start a stage on this machine and stay until Ctrl-C. Changed code is taken up at the next call."""
    with console.status("starting") as status:
        stage = local_stage.start(
            state_directory(),
            port=port,
            warehouse_port=warehouse_port,
            time_scale=time_scale,
            enforce_iam=enforce_iam,
            tell=lambda what: None if as_json else status.update(what),
        )
    try:
        if as_json:
            print_json(
                {"endpoint_url": stage.endpoint_url, "api_url": stage.api_url, "api_token": stage.api_token}
            )
        else:
            _print(stage)
        stay(stage)
    finally:
        stage.stop()


def _print(stage: local_stage.LocalStage) -> None:
    import requests  # noqa: PLC0415 - 0.1 s that `decant --help` need not pay

    found = requests.get(f"{stage.endpoint_url}/_aws/reality", timeout=30).json()
    rows = [(each["service"], len(each["differs"]), _first_clause(each["executes"])) for each in found]
    services = table(("service", "differences", "what really runs"), rows, title="The embedded AWS")
    console.print(services, width=min(console.width, READABLE))
    console.print("all that runs, and each difference from AWS: docs/local-aws.md\n")
    for name, value in (
        ("AWS endpoint", stage.endpoint_url),
        ("warehouse", f"127.0.0.1:{stage.warehouse_port}, database dev"),
        ("REST API", stage.api_url),
        ("console", link(console_address(stage))),
        ("API token", f"{stage.api_token}  (role approver, until this ends)"),
        ("state", str(stage.directory)),
    ):
        console.print(Text.assemble(f"{name:14}", value), soft_wrap=True)
    console.print('\ndrop a file:  decant drop FILE --pipeline orders\nquery:        decant sql "select 1"')
    console.print("stop:         Ctrl-C")


def _first_clause(text: str) -> str:
    """Return what is said first: the page has the rest."""
    return re.split(r"[;.] ", text, maxsplit=1)[0].rstrip(".")
