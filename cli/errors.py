"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

import click


class Failure(click.ClickException):
    """The command failed; the message says what to do. Exit code 1."""

    exit_code = 1


class Refused(Failure):
    """The API said no.

    Attributes:
        code: its word for why, such as UnknownRun.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NoStage(click.ClickException):
    """There is no running stage to talk to. Exit code 3."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "no stage is running here: start one with `decant up`, or name one of AWS with --stage"
        )
