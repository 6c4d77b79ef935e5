"""`awsglue.utils`: the arguments of a job run."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

RESERVED: tuple[str, ...] = (
    "JOB_NAME",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "job-bookmark-option",
)
RESERVED += ("job-bookmark-from", "job-bookmark-to", "TempDir", "encryption-type", "enable-job-insights")


class GlueArgumentError(Exception):
    """An argument that the script asks for is missing."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, Any]:  # noqa: N802 - AWS's name
    """Return the values of `options`, and of Glue's own arguments, from a command line.

    `--name value` and `--name=value` are both read; what is not asked for is left alone.

    Raises:
        GlueArgumentError: one of `options` is missing.
    """
    parser = _Parser(allow_abbrev=False, add_help=False)
    for option in options:
        parser.add_argument(f"--{option}", dest=option, required=True)
    for option in RESERVED:
        if option not in options:
            parser.add_argument(f"--{option}", dest=option.replace("-", "_"), default=argparse.SUPPRESS)
    known, _ = parser.parse_known_args(_joined(args[1:], set(options) | set(RESERVED)))
    return vars(known)


def _joined(arguments: list[str], names: set[str]) -> list[str]:
    """Write `--name value` as `--name=value`, so that a value may begin with a dash."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("--") and "=" not in argument and argument[2:] in names:
            value = next(rest, None)
            joined.append(argument if value is None else f"{argument}={value}")
        else:
            joined.append(argument)
    return joined
