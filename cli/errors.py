"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

import click

REMEDIES = {
    "NoRegionError": "export AWS_REGION=eu-west-1, or choose a profile with AWS_PROFILE",
    "NoCredentialsError": "sign in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY",
    "TokenRetrievalError": "sign in again (aws sso login)",
    "UnauthorizedSSOTokenError": "sign in again (aws sso login)",
}
"""What helps against an error of an AWS client, by its class."""

CLIENTS = ("boto3.", "botocore.", "requests.")
"""Whose errors are a service's answer, or its silence; every other error is a fault of ours."""


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


def of_a_service(error: Exception) -> Failure | None:
    """Return an error of a service's client as a command's end, or None when it is no such error."""
    if not any(each.__module__.startswith(CLIENTS) for each in type(error).__mro__):
        return None
    remedy = REMEDIES.get(type(error).__name__)
    return Failure(f"{error}\n  {remedy}" if remedy else str(error))
