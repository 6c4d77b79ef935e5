"""Staying with a running stage: the console's address to open, and the wait for Ctrl-C."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from cli.local_stage import LocalStage

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a stop by another program, and a terminal that is closed."""

LOOK_SECONDS = 0.5


def console_address(stage: LocalStage) -> str:
    """Return the console's address that signs in: the token stands after `#`, where no server sees it."""
    return f"{stage.api_url}/console#token={quote(stage.api_token, safe='')}"


def link(address: str) -> Text:
    """Return an address that a terminal opens with a click, and that can be copied."""
    return Text(address, style=Style(link=address))


def stay(stage: LocalStage) -> None:
    """Return once somebody wants the stage to end.

    Raises:
        ClickException: the embedded AWS ended by itself.
    """
    ended = threading.Event()
    for number in ENDING:
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(LOOK_SECONDS):
        if stage.process.poll() is not None:
            raise click.ClickException(
                f"the embedded AWS ended by itself: read {stage.directory}/local_aws.log"
            )
    click.echo("\nending ...", err=True)  # the stage saves what it has: some seconds
