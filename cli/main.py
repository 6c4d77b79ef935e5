"""The `decant` command."""

from __future__ import annotations

import importlib
from typing import Any

import click

from cli.errors import of_a_service

COMMANDS = {
    "up": "Start a stage on this machine and stay.",
    "demo": "Show a system at work on a fresh stage.",
    "samples": "Write the sample files into a folder.",
    "drop": "Put a file where its pipeline picks it up.",
    "runs": "Start, list, show, watch, stop and redrive runs.",
    "logs": "Show what a run's steps logged.",
    "approvals": "List, approve and refuse runs that wait for a person.",
    "quarantine": "List and show rejected files and rows, and put them back.",
    "backfill": "Run a batch pipeline for every date of a range.",
    "late": "Show which pipelines' data is late.",
    "pipelines": "List and show pipelines.",
    "workflows": "Lint, draw and price workflows.",
    "steps": "List steps, and try one step or one state alone.",
    "sql": "Query the warehouse.",
    "notices": "Show the notices that were sent.",
    "deploy": "Make a stage on AWS, or bring it up to date.",
    "destroy": "Remove a stage from AWS.",
    "tokens": "Add, list and remove a stage's API tokens.",
    "doctor": "Say what is missing on this machine and how to get it.",
}
"""Each command's module is cli/<name>.py and is imported when it is called, so that --help is instant."""


class Commands(click.Group):
    """The commands of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(f"cli.{cmd_name}"), cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or name the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what a service's client raises ends it with a message."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            failure = of_a_service(error)
            if failure is None:
                raise
            raise failure from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="decant", message="decant %(version)s")
@click.option("--stage", metavar="NAME", help="Talk to this stage of AWS; DECANT_STAGE does the same.")
def main(**_: Any) -> None:
    """Turn files that arrive into tables that can be queried."""


if __name__ == "__main__":
    main()
